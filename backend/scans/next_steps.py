"""What a resident can do now to get what is missing, by the reason of a decision; nothing where nothing helps. Pure."""

from typing import NamedTuple

from backend.policies.model import Outcome
from backend.scans.model import Channel


class NextStep(NamedTuple):
    """`code` is for programs: show_member_code, refresh_member_code, claim, cite_slip, wait, keep_slip or
    scan_another.
    """

    code: str
    zh: str
    en: str


SHOW = NextStep(
    "show_member_code",
    "购买时请在收银台出示会员码，凭购买记录获得奖励。",
    "When buying, show your member code at the till: the purchase itself earns.",
)
REFRESH = NextStep(
    "refresh_member_code",
    "请打开新的会员码，下次结账时出示。",
    "Open a fresh member code and show it at the next checkout.",
)
CLAIM = NextStep("claim", "请输入小票上的领取码领取。", "Enter the claim code that is printed on the sales slip.")
WAIT = NextStep("wait", "已登记核实，无需再扫，查实后会补算。", "It is being checked; no need to scan again.")
CITE = NextStep(
    "cite_slip",
    "请凭购物小票申请补记，或到服务窗口查询会员卡。",
    "Claim by the sales slip, or ask about the card at a service counter.",
)
KEEP = NextStep("keep_slip", "请保留购物小票，等待工作人员核对。", "Keep the sales slip; a person will look at it.")
SCAN = NextStep(
    "scan_another",
    "请改扫商品上的条码，或认证标签上的二维码。",
    "Scan the bar code on the goods, or the code on the certification label.",
)

_AT_TILLS = {"no_member": SHOW, "claim_open": CLAIM}
_NEEDS_A_SALE = frozenset({"evidence", "price_missing", "fact_missing", "awarded", "awarded_in_part"})
"""Of a phone's scan, which proves no purchase: at a till the same goods may earn, or earn more."""


def next_step(channel: str, outcome: str, reason: str) -> NextStep | None:
    if outcome == Outcome.PENDING:
        return WAIT
    if outcome == Outcome.HELD:
        return KEEP
    if reason.startswith("member_card_"):
        return CITE
    if reason.startswith("member_"):
        return REFRESH
    if reason.startswith("label_"):
        return SCAN
    if channel == Channel.PHONE and reason in _NEEDS_A_SALE:
        return SHOW
    return _AT_TILLS.get(reason)
