"""What people call each kind of label, and what a label of each level proves: Chinese first, English beside it."""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import NamedTuple

from backend.labels.model import Scheme


class Said(NamedTuple):
    zh: str
    en: str


LABELS: Mapping[Scheme, Said] = MappingProxyType(
    {
        Scheme.GTIN: Said("商品条码", "a product bar code"),
        Scheme.SGTIN: Said("单件商品序列号", "the serial number of one piece"),
        Scheme.GS1: Said("GS1 编码", "a GS1 code"),
        Scheme.SSCC: Said("物流单元编号", "the number of a shipping unit"),
        Scheme.GRAI: Said("可循环包装编号", "the number of a returnable container"),
        Scheme.RCN: Said("店内码", "an in-store number"),
        Scheme.COUPON: Said("优惠券编号", "a coupon"),
        Scheme.ORGANIC: Said("有机码", "an organic mark code"),
        Scheme.ORGANIC_CERTIFICATE: Said("有机产品认证证书编号", "the number of an organic certificate"),
        Scheme.GREEN_FOOD_GF: Said("绿色食品企业信息码", "the enterprise code of Green Food"),
        Scheme.GREEN_FOOD_LB: Said("绿色食品旧编号", "an old Green Food number"),
        Scheme.ENERGY_LABEL: Said("能效标识", "an energy label"),
        Scheme.WATER_LABEL: Said("水效标识", "a water-efficiency label"),
        Scheme.ENERGY_FILING: Said("能效备案号", "the filing number of an energy label"),
        Scheme.USCC: Said("统一社会信用代码", "an enterprise's credit code"),
        Scheme.CNCA_BODY: Said("认证机构批准号", "the approval number of a certification body"),
        Scheme.RULE: Said("认证规则编号", "the number of a certification rule"),
        Scheme.CCC: Said("CCC 强制性认证", "the CCC mark"),
        Scheme.SYSTEM_CERTIFICATE: Said("管理体系证书编号", "the number of a management-system certificate"),
        Scheme.FSC: Said("FSC 许可证号", "an FSC licence code"),
        Scheme.FSC_CERTIFICATE: Said("FSC 证书编号", "the number of an FSC certificate"),
        Scheme.PEFC: Said("PEFC 标识号", "a PEFC logo number"),
        Scheme.EU_ECOLABEL: Said("欧盟生态标签许可号", "an EU Ecolabel licence"),
        Scheme.BLUE_ANGEL: Said("德国蓝天使标准编号", "Blue Angel criteria"),
        Scheme.KOREA_ECOLABEL: Said("韩国环境标志", "the Korea Eco-label"),
        Scheme.EPREL: Said("欧盟能效标签登记号", "an EPREL registration"),
        Scheme.ECODE: Said("Ecode 编码", "an Ecode"),
        Scheme.CERTIFICATE: Said("产品认证证书编号", "the number of a product certificate"),
        Scheme.MEMBER_CODE: Said("会员码", "a member code"),
        Scheme.CLAIM_CODE: Said("领取码", "a claim code"),
        Scheme.CITIZEN_ID: Said("个人证件号码", "a citizen's number"),
        Scheme.PHONE_NUMBER: Said("手机号码", "a phone number"),
        Scheme.URL: Said("网址", "a web address"),
        Scheme.UNREADABLE: Said("无法识别的内容", "something that is no label we know"),
    }
)

PROOFS: Mapping[str | None, Said] = MappingProxyType(
    {
        "U": Said("它对应这一件商品", "it names this very piece"),
        "M": Said("它对应这一型号的商品，不能证明已经购买", "it names the model, and does not prove a purchase"),
        "E": Said("它对应生产企业，不能证明这件商品本身", "it names the maker, not these goods"),
        "S": Said("它是企业的自我声明", "it is the maker's own declaration"),
        None: Said("它不能证明商品获得认证", "it does not prove that the goods are certified"),
    }
)
"""By the level at which a label may support an award; None where it may not."""


@cache
def label_words(scheme: str, level: str | None) -> Said:
    """What the label is and what it proves, in one sentence."""
    name, proof = LABELS[Scheme(scheme)], PROOFS[level]
    return Said(f"这是{name.zh}，{proof.zh}。", f"This is {name.en}: {proof.en}.")
