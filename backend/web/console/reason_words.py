"""Reasons of decisions in a word or two, for tables that count them; the whole sentence stands at each line."""

from collections.abc import Mapping
from types import MappingProxyType

from backend.scans.sentences import OUTCOMES, outcome_of

_LABEL = ("标签不能作为依据", "label not usable")
NAMES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "no_policy": ("没有适用的政策", "no policy in force"),
        "policy_suspended": ("政策暂停", "policy suspended"),
        "condition": ("不符合政策条件", "a condition is not met"),
        "evidence": ("佐证不足", "evidence missing"),
        "price_missing": ("没有成交价", "no price"),
        "table_missing": ("不在奖励等级内", "grade not rewarded"),
        "transition_over": ("旧标签过渡期已过", "old label, transition over"),
        "fact_missing": ("缺少政策所需信息", "a fact is missing"),
        "signal": ("触发核查", "held by a watch"),
        "claim_in_store": ("未在售出门店领取", "not claimed in the shop"),
        "rounds_to_zero": ("不足一个单位", "less than one unit"),
        "cap": ("已达上限", "a limit is reached"),
        "budget": ("预算已用完", "budget used up"),
        "unit_already_awarded": ("该件已奖励过", "this piece earned before"),
        "label_personal": ("扫到个人信息", "personal, no label"),
        "label_not_awardable": ("标签不能证明获证", "label proves nothing"),
        "product_unknown": ("商品未查到认证", "no certification on record"),
        "held_refused": ("核查后未予发放", "refused after a check"),
        "basket_voids": ("作废单", "a void"),
        "returned": ("已退货", "returned"),
        "certificate_suspended": ("证书暂停", "certificate suspended"),
        "certificate_withdrawn": ("证书已撤销", "certificate withdrawn"),
        "certificate_expired": ("证书已过期", "certificate expired"),
        "certificate_not_yet_valid": ("证书未生效", "certificate not valid yet"),
        "certificate_unknown": ("证书状态不明", "certificate state unknown"),
        "clock_uncertain": ("销售时间不可信", "time of sale uncertain"),
        "store_suspended": ("门店停用期内", "shop suspended"),
        "label_review": ("标签需核对", "label to be looked at"),
        "member_malformed": ("不是会员码", "no member code"),
        "member_unknown": ("会员码无法识别", "member code unknown"),
        "member_expired": ("会员码过期", "member code expired"),
        "member_spent": ("会员码已用过", "member code used before"),
        "member_card_unknown": ("会员卡未登记", "card not on record"),
        "member_card_blocked": ("会员卡已挂失", "card blocked"),
        "member_card_limit": ("会员卡当日次数已满", "card's daily limit"),
        "claim_open": ("等待凭领取码领取", "to be claimed"),
        "no_member": ("没有出示会员码", "no member code shown"),
    }
)


def reason_name(reason: str) -> tuple[str, str]:
    return NAMES.get(reason, _LABEL)


def outcome_name(reason: str) -> tuple[str, str]:
    """What became of a line for this reason."""
    said = OUTCOMES[outcome_of(reason)]
    return said.zh, said.en
