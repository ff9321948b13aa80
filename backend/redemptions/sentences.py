"""What a resident reads of a redemption: one plain sentence, and what to do where something can be done. Pure."""

from datetime import datetime, timedelta
from typing import NamedTuple

from backend.kernel.periods import CHINA
from backend.redemptions.model import State, VoucherState


class Said(NamedTuple):
    zh: str
    en: str


class Facts(NamedTuple):
    """Of one redemption. `lapsed`, `repaid`: of what was given back."""

    state: State
    points: int
    at_till: bool
    donation: bool
    expires_at: datetime
    voucher: VoucherState | None
    voucher_expires_at: datetime | None
    lapsed: int
    repaid: int


def sentence(of: Facts) -> Said:
    match of.state:
        case State.HELD:
            return _held(of)
        case State.CONFIRMED:
            return _confirmed(of)
        case State.CANCELLED:
            return _given_back(of, Said("已取消", "Cancelled"))
        case State.EXPIRED:
            return _given_back(of, Said("未在保留时间内完成，已自动取消", "Not confirmed in time, so it was cancelled"))
        case State.VOIDED if of.voucher is VoucherState.EXPIRED:
            return _given_back(of, Said("券过期未用", "The voucher ended unused"))
        case State.VOIDED:
            return _given_back(of, Said("已作废", "Voided"))


def _held(of: Facts) -> Said:
    until = _moment(of.expires_at)
    if of.at_till:
        zh = f"已为您保留，占用 {of.points} 分；请在 {until} 前到合作网点出示兑换码。"
        return Said(zh, f"Kept for you, {of.points} points are held: show the code at a partner shop before {until}.")
    zh = f"已为您保留，占用 {of.points} 分；请在 {until} 前确认。"
    return Said(zh, f"Kept for you, {of.points} points are held: confirm before {until}.")


def _confirmed(of: Facts) -> Said:
    if of.donation:
        return Said(f"已捐出 {of.points} 分，感谢您。", f"{of.points} points were given. Thank you.")
    if of.voucher is None:
        return Said(f"已兑换，使用 {of.points} 分。", f"Redeemed for {of.points} points.")
    if of.voucher is VoucherState.USED:
        return Said("券已使用。", "The voucher was used.")
    if of.voucher is VoucherState.EXPIRED:
        return Said("券过期未用；按兑换说明，积分不退。", "The voucher ended unused; as was said, no points come back.")
    assert of.voucher_expires_at is not None
    last_day = (of.voucher_expires_at - timedelta(microseconds=1)).astimezone(CHINA).date()
    return Said(
        f"券已发放，{last_day} 当日止有效，只能用一次。", f"The voucher is yours: use it once, through {last_day}."
    )


def _given_back(of: Facts, why: Said) -> Said:
    """Lots keep their ends: what of them is over by then has expired, as it would have without the redemption."""
    zh, en = (
        f"{why.zh}，{of.points} 分退回原批次，有效期不变",
        f"{why.en}; {of.points} points went back to their lots, with their ends",
    )
    if of.repaid:
        zh, en = f"{zh}；其中 {of.repaid} 分抵扣了欠账", f"{en}; {of.repaid} of them repaid a debt"
    if of.lapsed:
        zh, en = (
            f"{zh}；其中 {of.lapsed} 分所在批次已到期，随之失效",
            f"{en}; {of.lapsed} of them had reached their end and expired",
        )
    return Said(f"{zh}。", f"{en}.")


def _moment(at: datetime) -> str:
    return at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M")
