"""Whether something may be redeemed, confirmed or used: facts in, a refusal by its name or nothing. Pure."""

import hashlib
from datetime import datetime

from backend.kernel.periods import PERIODS, Period, civil_date, milliseconds, period_keys
from backend.redemptions.model import (
    ConfirmedAtTill,
    Entry,
    EntryClosed,
    Limit,
    LimitReached,
    NotConfirmed,
    Offer,
    RedemptionCancelled,
    RedemptionConfirmed,
    RedemptionExpired,
    RedemptionVoided,
    SoldOut,
    State,
    TooManyPieces,
    VoucherExpired,
    VoucherState,
    VoucherUsed,
    VoucherVoid,
)

_PERIOD_WORDS = {
    Period.DAY: ("每天", "a day"),
    Period.MONTH: ("每月", "a month"),
    Period.YEAR: ("每年", "a year"),
    Period.LIFETIME: ("活动期间", "in all"),
}


def redemption_id(city: str, resident: str, asked: str) -> str:
    """The redemption that one resident's client calls `asked`: nobody else can take its number, or guess a basket's."""
    digest = hashlib.sha256(f"redemption\0{city}\0{resident}\0{asked}".encode()).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:32]}"


def content_hash(entry: str, pieces: int) -> bytes:
    """SHA-256 of what was asked: the same id with other content is another redemption, and refused."""
    return hashlib.sha256(f"{entry}\0{pieces}".encode()).digest()


def check_offer(offer: Offer, pieces: int, now: datetime) -> None:
    """Raises EntryClosed, TooManyPieces, SoldOut; the last is decided by the row itself, when it is taken."""
    entry = offer.entry
    if offer.withdrawn or not entry.starts_at <= now < entry.ends_at:
        raise EntryClosed(title_zh=entry.title_zh, title_en=entry.title_en)
    if pieces > entry.pieces_max:
        raise TooManyPieces(pieces_max=entry.pieces_max)
    if offer.left is not None and offer.left < pieces:
        raise SoldOut(left=max(0, offer.left))


def limit_period(limit: Limit, now: datetime) -> str:
    """The civil period (Asia/Shanghai) that a redemption held at `now` counts in."""
    return period_keys(civil_date(milliseconds(now)))[PERIODS.index(limit.period)]


def limit_words(limit: Limit) -> tuple[str, str]:
    zh, en = _PERIOD_WORDS[limit.period]
    return f"{zh}每人限兑 {limit.pieces} 份", f"{limit.pieces} a person {en}"


def limit_reached(limit: Limit, used: int) -> LimitReached:
    zh, en = _PERIOD_WORDS[limit.period]
    return LimitReached(limit=limit.pieces, left=max(0, limit.pieces - used), period_zh=zh, period_en=en)


def check_held(state: State, expires_at: datetime, now: datetime) -> None:
    """Raises what it has become, also where its time is over and nobody has given it back yet."""
    if state is State.CANCELLED:
        raise RedemptionCancelled
    if state is State.CONFIRMED:
        raise RedemptionConfirmed
    if state is State.VOIDED:
        raise RedemptionVoided
    if state is State.EXPIRED or expires_at <= now:
        raise RedemptionExpired


def check_online(entry: Entry) -> None:
    """Raises ConfirmedAtTill."""
    if entry.at_till:
        raise ConfirmedAtTill


def check_confirmed(state: State) -> None:
    """Raises what keeps a redemption from being voided."""
    if state is State.VOIDED:
        raise RedemptionVoided
    if state is not State.CONFIRMED:
        raise NotConfirmed


def check_voucher(state: VoucherState, expires_at: datetime, now: datetime) -> None:
    """Raises VoucherUsed, VoucherVoid, VoucherExpired: the last also where nobody has ended it yet."""
    if state is VoucherState.USED:
        raise VoucherUsed
    if state is VoucherState.VOID:
        raise VoucherVoid
    if state is VoucherState.EXPIRED or expires_at <= now:
        raise VoucherExpired
