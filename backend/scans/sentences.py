"""What a resident reads for each reason of a decision: one plain sentence, and what to do where something can be done.

Placeholders are filled from the decision: {product}, {rank}, {amount}, {gross}, {limit}, {left}, {nearest}.
"""

from collections.abc import Mapping
from string import Formatter
from types import MappingProxyType

from backend.labels.model import PERSONAL, Scheme
from backend.policies.model import Outcome
from backend.policies.words import Sentence

OUTCOMES: Mapping[str, Sentence] = MappingProxyType(
    {
        Outcome.AWARDED: Sentence("已奖励", "awarded"),
        Outcome.NONE: Sentence("未奖励", "no award"),
        Outcome.PENDING: Sentence("待核实商品", "product being checked"),
        Outcome.UNCLAIMED: Sentence("待领取", "not claimed"),
        Outcome.HELD: Sentence("待核查", "held for a check"),
    }
)

_BY_RULES = {
    "awarded": Sentence("{product}{rank}按政策奖励 {amount}。", "{product}{rank} earns {amount} under the policy."),
    "awarded_in_part": Sentence(
        "{product}{rank}按政策应奖励 {gross}，因{limit}只剩 {left}，实际奖励 {amount}。",
        "{product}{rank} would earn {gross}; {limit} had {left} left, so it earns {amount}.",
    ),
    "no_policy": Sentence(
        "购买时没有适用的奖励政策，本次不奖励。", "No policy was in force at the moment of sale: no award."
    ),
    "policy_suspended": Sentence(
        "购买时该政策已公告暂停，本次不奖励；暂停前的购买和已预留的奖励不受影响。",
        "The policy was suspended at the moment of sale: no award. Earlier purchases and what was reserved stand.",
    ),
    "condition": Sentence("{nearest}，本次不奖励。", "No award: {nearest}."),
    "evidence": Sentence("{nearest}，本次不奖励。", "No award: {nearest}."),
    "price_missing": Sentence(
        "奖励按成交价计算，但收银台没有传来成交价，本次不奖励。",
        "The award is a share of the price, and the till sent none: no award.",
    ),
    "table_missing": Sentence("{nearest}，本次不奖励。", "No award: {nearest}."),
    "transition_over": Sentence("{nearest}，本次不奖励。", "No award: {nearest}."),
    "fact_missing": Sentence(
        "政策按{nearest}计算限额，但这笔销售没有提供，本次不奖励。",
        "The policy is limited by {nearest}, which this sale does not state: no award.",
    ),
    "signal": Sentence(
        "这笔奖励触发了核查（{limit}），由工作人员核对后再决定，请保留购物凭证。",
        "This award is held for a check ({limit}); a person decides. Keep the sales slip.",
    ),
    "claim_in_store": Sentence(
        "按政策，这件商品的奖励须在售出的门店领取；这张小票是在别处领取的，本次不奖励。",
        "By its policy this award is claimed in the shop that sold the goods, and the slip was claimed elsewhere: no award.",
    ),
    "rounds_to_zero": Sentence("按政策计算不足 1 个单位，本次不奖励。", "It comes to less than one unit: no award."),
    "cap": Sentence(
        "按政策应奖励 {gross}，但{limit}只剩 {left}，本次不奖励。",
        "It would earn {gross}, but {limit} has {left} left: no award.",
    ),
    "budget": Sentence(
        "按政策应奖励 {gross}，但{limit}只剩 {left}，本次不奖励。",
        "It would earn {gross}, but {limit} has {left}: no award.",
    ),
}
"""Reasons that the policy engine gives."""

_BEFORE_RULES = {
    "unit_already_awarded": Sentence(
        "这枚标签已经奖励过，每件商品只奖励一次。", "This very label has earned before; each item earns once."
    ),
    "label_personal": Sentence(
        "扫到的是个人信息，不是商品标签，内容没有保存；请扫商品上的认证标签。",
        "This is personal, not a label, and nothing of it is kept; scan the label on the goods.",
    ),
    "label_not_awardable": Sentence(
        "这个标签不能证明商品获证，不能作为奖励依据；请扫商品条码或认证标签上的二维码。",
        "This label cannot prove that the goods are certified; scan the product code or the code on the certification label.",
    ),
    "product_unknown": Sentence(
        "还没有查到这件商品的认证，已登记核实；查实后按购买时的政策补算，无需再扫。",
        "No certification of these goods is on record yet; once it is, they are decided under the policy of the sale.",
    ),
    "held_refused": Sentence(
        "这笔奖励经工作人员核查后未予发放；如有异议可以申诉。",
        "After a check by a person this award was not given; you may appeal.",
    ),
    "basket_voids": Sentence(
        "这一单是用来作废先前一单的，其中的商品不奖励。", "This basket takes a former one back: nothing in it earns."
    ),
    "returned": Sentence(
        "这件商品在核定前已全部退货，不奖励。", "All of it was returned before it was decided: no award."
    ),
    "certificate_suspended": Sentence(
        "购买时该商品的证书处于暂停状态，本次不奖励。", "The certificate was suspended at the moment of sale: no award."
    ),
    "certificate_withdrawn": Sentence(
        "购买时该商品的证书已被撤销，本次不奖励。", "The certificate had been withdrawn before the sale: no award."
    ),
    "certificate_expired": Sentence(
        "购买时该商品的证书已过期，本次不奖励。", "The certificate had expired before the sale: no award."
    ),
    "certificate_not_yet_valid": Sentence(
        "购买时该商品的证书尚未生效，本次不奖励。", "The certificate was not valid yet at the moment of sale: no award."
    ),
    "certificate_unknown": Sentence(
        "证书库没有该证书在购买时的状态，本次不奖励。",
        "The registry has no state of the certificate at the sale: no award.",
    ),
    "clock_uncertain": Sentence(
        "收银设备的时间不可信，购买时间核实后再决定，请保留购物小票。",
        "The till's clock cannot be trusted; this is decided once the time of sale is checked. Keep the sales slip.",
    ),
    "store_suspended": Sentence(
        "这家门店正在停用期内，核查后再决定，请保留购物小票；此前的奖励不受影响。",
        "The shop is suspended; this is decided after a person has looked. Keep the sales slip; earlier awards stand.",
    ),
    "label_review": Sentence(
        "标签需要人工核对，核对后再决定，请保留商品包装。",
        "The label needs a person's look and is decided after it. Keep the packaging.",
    ),
    "member_malformed": Sentence(
        "出示的不是有效的会员码，未记入账户；请在小程序中打开会员码，在收银台出示。",
        "What was shown is no member code; open the member code in the app and show it at the till.",
    ),
    "member_unknown": Sentence(
        "出示的会员码无法识别，未记入账户；请刷新会员码后再在收银台出示。",
        "The member code is not known; refresh it and show it at the till.",
    ),
    "member_expired": Sentence(
        "出示会员码时已超过有效时间，未记入账户；会员码两分钟内有效，请刷新后再出示。",
        "The member code was out of date when shown; it is good for two minutes, refresh it first.",
    ),
    "member_spent": Sentence(
        "该会员码已用于另一次购物，未记入账户；每次结账请出示新的会员码。",
        "This member code served another purchase; show a fresh one at each checkout.",
    ),
    "member_card_unknown": Sentence(
        "出示的会员卡不在登记之列，未记入账户；请到服务窗口查询。",
        "The card that was shown is not on record; ask at a service counter.",
    ),
    "member_card_blocked": Sentence(
        "出示的会员卡已挂失或已换新卡，未记入账户；请使用新卡。",
        "The card that was shown was lost or replaced; use the new one.",
    ),
    "member_card_limit": Sentence(
        "这张会员卡当天记入的次数已满，未记入账户；可凭小票申请补记。",
        "This card has credited as many sales as it may in a day; claim this one by its slip.",
    ),
    "claim_open": Sentence(
        "结账时没有出示会员码；请凭小票上的领取码领取。",
        "No member code was shown; claim with the code on the sales slip.",
    ),
    "no_member": Sentence(
        "结账时没有出示会员码，未记入任何账户；下次请在收银台出示会员码。",
        "No member code was shown at the till, so nobody was credited; show it next time.",
    ),
}
"""Reasons found before any policy is asked."""

_LABELS = {
    Scheme.GTIN: Sentence(
        "这个商品条码有误或不能使用，请重新扫描。", "This product code cannot be used; scan it again."
    ),
    Scheme.SGTIN: Sentence("这个单品序列号有误，请重新扫描。", "This serial number is wrong; scan it again."),
    Scheme.GS1: Sentence(
        "这个 GS1 码不指明商品，请扫商品条码。", "This GS1 code names no product; scan the product code."
    ),
    Scheme.SSCC: Sentence(
        "这是物流箱码，不是商品标签，请扫商品条码。", "This numbers a shipping unit; scan the product code."
    ),
    Scheme.GRAI: Sentence("这是可循环包装的编号，不是商品标签。", "This numbers a returnable container, not goods."),
    Scheme.RCN: Sentence(
        "这是店内码，只在本店有意义；请扫商品包装上的条码。",
        "This is an in-store number; scan the code on the package.",
    ),
    Scheme.COUPON: Sentence("这是优惠券，不是商品标签。", "This is a coupon, not a label."),
    Scheme.ORGANIC: Sentence(
        "这个有机码有误，请核对 17 位号码后重新扫描。", "This organic code is wrong; check its 17 digits."
    ),
    Scheme.CNCA_BODY: Sentence(
        "这是认证机构批准号，不是商品的证书；请扫认证标签。",
        "This names a certification body; scan the label on the goods.",
    ),
    Scheme.RULE: Sentence("这是认证规则编号，不是商品的证书。", "This names a rule document, not a certificate."),
    Scheme.CCC: Sentence(
        "这是 CCC 强制性安全认证，不是绿色认证，不奖励。", "CCC is about safety, not green goods: no award."
    ),
    Scheme.SYSTEM_CERTIFICATE: Sentence(
        "这是管理体系证书，不能证明商品为绿色产品，不奖励。",
        "A management-system certificate makes no goods green: no award.",
    ),
    Scheme.BLUE_ANGEL: Sentence(
        "这是蓝天使标准文件编号，不能证明商品获证。", "This names criteria, not certified goods."
    ),
    Scheme.KOREA_ECOLABEL: Sentence(
        "这是韩国环境标志标准编号，不能证明商品获证。", "This names criteria, not certified goods."
    ),
    Scheme.MEMBER_CODE: Sentence("这是会员码，不是商品标签。", "This is a member code, not a label."),
    Scheme.CLAIM_CODE: Sentence(
        "这是领取码，请在“领取积分”中输入。", "This is a claim code; enter it where points are claimed."
    ),
    Scheme.URL: Sentence(
        "这个网址不在认可的名单中，没有打开；请扫认证标签上的二维码。",
        "An unlisted address; scan the certification label.",
    ),
    Scheme.UNREADABLE: Sentence("没有识别出商品标签，请对准标签重新扫描。", "No label was recognised; scan it again."),
}
_OTHER_LABEL = Sentence(
    "这个标签的号码不完整或有误，请对准标签重新扫描。",
    "The number of this label is incomplete or wrong; scan it again.",
)

SENTENCES: Mapping[str, Sentence] = MappingProxyType(
    {
        **_BY_RULES,
        **_BEFORE_RULES,
        **{f"label_{scheme}": _LABELS.get(scheme, _OTHER_LABEL) for scheme in Scheme if scheme not in PERSONAL},
    }
)
"""Reason of a decision -> its sentence, with placeholders."""

PLACEHOLDERS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        reason: frozenset(name for _, name, _, _ in Formatter().parse(said.zh + said.en) if name)
        for reason, said in SENTENCES.items()
    }
)
"""Reason of a decision -> what its sentence has to be filled with."""

_OUTCOMES_OF_REASONS = {
    "awarded": Outcome.AWARDED,
    "awarded_in_part": Outcome.AWARDED,
    "product_unknown": Outcome.PENDING,
    "no_member": Outcome.UNCLAIMED,
    "claim_open": Outcome.UNCLAIMED,
    "clock_uncertain": Outcome.HELD,
    "label_review": Outcome.HELD,
    "store_suspended": Outcome.HELD,
    "signal": Outcome.HELD,
}


BY_RULES = frozenset(_BY_RULES)


def outcome_of(reason: str) -> Outcome:
    """The one outcome that a reason goes with."""
    return _OUTCOMES_OF_REASONS.get(reason, Outcome.NONE)


def by_rules(reason: str) -> bool:
    """Whether the policy engine gave this reason; the others were found before any policy was asked."""
    return reason in BY_RULES
