"""What each warning of a reading says to people: Chinese first, English beside it."""

from collections.abc import Mapping
from types import MappingProxyType

WARNINGS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "too_long": ("内容超过 2048 字节，未读取。", "The content is longer than 2,048 bytes and was not read."),
        "not_text": ("内容不是文字，无法识别。", "The content is not text."),
        "unknown_format": ("不是已知的标签格式。", "This is no label format that we know."),
        "check_digit": ("校验位不符，请重新扫描或核对号码。", "The check digit is wrong: read the code again."),
        "malformed": ("号码格式不完整或有误，请核对。", "The number is incomplete or misspelt."),
        "restricted_circulation": (
            "店内码，只在本店或本地区有意义。",
            "An in-store number with no meaning outside the shop or region.",
        ),
        "coupon": ("这是优惠券编号，不是商品。", "This numbers a coupon, not a product."),
        "refund_receipt": ("这是退款凭证编号，不是商品。", "This numbers a refund receipt, not a product."),
        "prefix_unassigned": ("商品条码前缀未分配，请核对。", "The prefix of this product number is not assigned."),
        "unusual_carrier": ("商品条码印在少见的码制中。", "A product number in an unusual symbology."),
        "gs1_malformed": ("GS1 数据有一部分无法读取。", "Part of the GS1 content cannot be read."),
        "gs1_unmarked": (
            "读码器未标明 GS1，只按商品条码处理。",
            "The reader did not mark this as GS1: taken as a product number only.",
        ),
        "gs1_date": ("GS1 日期不存在。", "A GS1 date does not exist."),
        "gs1_conflict": ("同一项内容出现两个不同的值。", "One field carries two different values."),
        "contained_items": ("编号指包装内的商品，不是这一件。", "The number names items inside, not this one."),
        "logistic_unit": ("这是物流单元编号，不是商品标签。", "This numbers a logistic unit, not a product."),
        "digital_link_compressed": ("压缩的数字链接暂不支持。", "Compressed Digital Links are not supported."),
        "organic_length": ("有机码应为 17 或 18 位数字。", "An organic mark code has 17 or 18 digits."),
        "body_unknown": ("认证机构编号不在已知名单中，需人工核对。", "The certification body is not on the list."),
        "year_implausible": ("年份与编码规则不符，需人工核对。", "The year does not fit the coding rule."),
        "year_after_sale": ("标志年份晚于购买年份，需人工核对。", "The mark is dated after the sale."),
        "organic_or_sscc": (
            "可能是有机码，也可能是物流编号，请确认“有机码”字样。",
            "Either an organic code or a logistic number: look for the words “有机码”.",
        ),
        "maybe_shortened_uscc": (
            "可能是少了一位的统一社会信用代码，需人工核对。",
            "This may be a social credit code that lost a character.",
        ),
        "typed_without_words": ("未见“有机码”字样，按位数判断。", "Taken as organic by its length alone."),
        "region_unknown": ("行政区划代码不在名录中。", "The region code is not in GB/T 2260."),
        "organisation_check": ("组织机构代码校验位不符。", "The inner organisation code fails its check."),
        "also_fits_organic": ("号码也符合有机码格式，需人工核对。", "The number also fits an organic code."),
        "grade_unsettled": ("旧版编号未写明等级，需人工核对。", "An old number without a grade letter."),
        "category_unknown": ("产品类别编号不在已知范围。", "The product class is outside the known range."),
        "lb_after_2012": (
            "2012 年 8 月后包装上应标企业信息码，此产品编号存疑。",
            "Since August 2012 packs carry the enterprise code, so this number on a pack is suspicious.",
        ),
        "names_a_body": ("这是认证机构批准号，不是产品证书。", "This names a certification body, not a product."),
        "names_a_rule": ("这是认证规则编号，不是产品证书。", "This names a rule document, not a product."),
        "criteria_only": ("这是标准文件编号，不能证明产品获证。", "This names criteria, not a certified product."),
        "ccc_is_safety": ("这是 CCC 强制性安全认证，不是绿色认证。", "CCC is about safety, not a green label."),
        "system_not_product": (
            "这是管理体系证书，不能证明产品为绿色产品。",
            "A management-system certificate never makes a product green.",
        ),
        "fsc_promotional": ("FSC N 码为宣传许可，不是认证企业。", "An FSC N code licenses promotion only."),
        "fsc_office": ("FSC F 码为 FSC 自身机构，不是认证企业。", "An FSC F code is FSC's own office."),
        "citizen_id": ("这是居民身份证号，未保存任何内容。", "A citizen's identity number: nothing of it is kept."),
        "may_be_enterprise": (
            "号码既可能是身份证号也可能是统一社会信用代码，未保存；请输入企业名称。",
            "This may be a person's or a firm's number: nothing is kept, please type the firm's name.",
        ),
        "phone_number": ("这是手机号码，未保存任何内容。", "A phone number: nothing of it is kept."),
        "member_code": ("这是会员码，不是商品标签。", "A member code, not a label."),
        "claim_code": ("这是领取码，请在“领取积分”中输入。", "A claim code: enter it where points are claimed."),
        "unknown_host": ("网址不在认可的名单中，未访问。", "The address is not on the list and was not opened."),
        "look_alike_host": ("网址冒充认可的网站，请勿打开。", "The address imitates a recognised site."),
        "unknown_page": ("网站可信，但页面不含可识别的编号。", "A recognised site, but no number in the address."),
        "registry_page": ("网址需在证书库中核对。", "The address has to be matched in the certificate registry."),
        "opaque_number": ("证书编号格式不统一，需在证书库中核对。", "An opaque number, to be matched in the registry."),
        "maybe_energy_filing": ("可能是能效备案编号。", "This may be an energy filing number."),
        "ecode": ("Ecode 编码，按不透明字符处理。", "An Ecode, kept as opaque text."),
    }
)
