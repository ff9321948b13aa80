"""Where a statement's line stands, as a retailer and an official read it. Pure."""

from typing import NamedTuple


class Words(NamedTuple):
    zh: str
    en: str


PAID = Words("已拨付", "paid")
UNDERWAY = Words("付款中", "payment under way")
HELD = Words("暂缓", "held")
DISPUTED = Words("异议处理中", "under dispute")
PROPOSED = Words("更正待复核", "correction to be approved")
PAYABLE = Words("待拨付", "to be paid")
WAITING = Words("待确认", "to be confirmed")
STAGES = {
    "accept": Words("受理", "acceptance"),
    "review": Words("审核", "review"),
    "pay": Words("拨付", "payment"),
}


class Facts(NamedTuple):
    """What decides where a line stands."""

    payment_state: str | None
    held: bool
    disputed: bool
    proposed: bool
    confirmed: bool


def standing(of: Facts) -> Words:
    if of.payment_state is not None:
        return PAID if of.payment_state == "paid" else UNDERWAY
    if of.held:
        return HELD
    if of.disputed:
        return PROPOSED if of.proposed else DISPUTED
    return PAYABLE if of.confirmed else WAITING
