"""Points are spent, first expiring first; and given back to the very lots that they came from."""

from datetime import datetime
from typing import NamedTuple

from psycopg.errors import UniqueViolation
from sqlalchemy import Connection

from backend.kernel.errors import DomainError
from backend.kernel.periods import milliseconds
from backend.ledger import chart, lots, post
from backend.ledger.model import Reason, ReferenceReused, Transfer
from backend.usecases.settle_due import locked_holdings, post_moves, settle, touched, transfer_of

SPENT, EXPIRED_AGAIN = 1, 2
"""Steps under a redemption's reference: it, and what of it was over by the time that it was undone (-1)."""


class TooLittleAvailable(DomainError):
    code = "too-little-available"
    text_zh = "可用余额不足：可用 {available}，需要 {needed}。待生效、待领取的不能使用，欠账先行抵扣。"
    text_en = "Only {available} is available, {needed} is needed; pending awards cannot be spent, and debts come first."


class RedemptionUnknown(DomainError):
    code = "redemption-unknown"
    text_zh = "没有这笔使用记录。"
    text_en = "There is no such redemption."


class Redemption(NamedTuple):
    """`amount` > 0 of `unit`; `reference` is the caller's own id of it, and keeps it from counting twice."""

    reference: str
    resident: str
    unit: str
    amount: int


class Part(NamedTuple):
    """What came from, or went back to, one lot."""

    lot: str
    amount: int


class Undone(NamedTuple):
    """`restored`: every lot as it was. What of them was over by then is `expired`, but for what repaid a debt."""

    restored: tuple[Part, ...]
    expired: int
    repaid: int


def redeem_points(connection: Connection, city: str, asked: Redemption, now: datetime) -> tuple[Part, ...]:
    """Spends from the resident's lots as they are at `now`, debts first; which parts, in the order of their ends.

    The same redemption again spends nothing more and answers the same. Raises TooLittleAvailable, and ReferenceReused when
    the reference stands for something else. Nothing is spent of what is over or not yet available, to the millisecond,
    whether the job has settled it or not.
    """
    if asked.amount <= 0:
        raise ValueError("what is redeemed is more than nothing")
    redeemed, debt = chart.redeemed(asked.unit), chart.debt(asked.resident, asked.unit)
    # The lot without end is there for everyone, so that two of one resident's requests always wait for one another; the
    # account that all redemptions share comes last, with the posting.
    always = (chart.wallet(asked.resident, asked.unit),)
    balances = locked_holdings(connection, city, asked.resident, now, unit=asked.unit, also=always)
    before = post.stored(connection, city, asked.reference, SPENT)
    if before:
        return _same(before, asked)
    held = {name: amount for name, amount in balances.items() if name.startswith(f"{chart.Kind.LOT.value}:")}
    repaid, _ = lots.spend(held, max(0, -balances.get(debt, 0)), Reason.REPAY.value, debt)
    available = sum(held.values())
    moves, short = lots.spend(held, asked.amount, Reason.REDEMPTION.value, redeemed)
    if short:
        raise TooLittleAvailable(available=available, needed=asked.amount)
    post_moves(connection, city, repaid, now)
    try:
        post.post(connection, city, [transfer_of(m, asked.reference, SPENT, n) for n, m in enumerate(moves)], now)
    except UniqueViolation:  # somebody else's, at the same moment
        raise ReferenceReused from None
    return tuple(Part(move.source, move.amount) for move in moves)


def undo_redemption(connection: Connection, city: str, reference: str, now: datetime) -> Undone:
    """Gives every part of a redemption back to its lot, with its old end; what is over by now expires at once, and is told.

    Undone again, it answers the same. Raises RedemptionUnknown.
    """
    spent = post.stored(connection, city, reference, SPENT)
    if not spent or spent[0].reason != Reason.REDEMPTION:
        raise RedemptionUnknown
    sources = [row.source for row in spent]
    over = lots.ripe(sources, milliseconds(now))
    balances = post.lock(connection, city, {*sources, spent[0].destination, *touched(connection, city, over)}, now)
    if not post.stored(connection, city, reference, -SPENT):
        settle(connection, city, over, balances, now)  # what else was left in them is no part of the answer
        post.post(connection, city, [post.opposite(row) for row in spent], now)
        for row in spent:
            balances[row.source] += row.amount
        moves = lots.settle(over, balances)
        post.post(connection, city, [transfer_of(m, reference, EXPIRED_AGAIN, n) for n, m in enumerate(moves)], now)
        post.stop_waiting(connection, city, over)
    ended = post.stored(connection, city, reference, EXPIRED_AGAIN)
    return Undone(
        tuple(Part(row.source, row.amount) for row in spent),
        sum(row.amount for row in ended if row.reason == Reason.EXPIRY),
        sum(row.amount for row in ended if row.reason == Reason.REPAY),
    )


def _same(before: list[Transfer], asked: Redemption) -> tuple[Part, ...]:
    """Raises ReferenceReused."""
    places = [chart.place_of(row.source) for row in before]
    same = all(row.reason == Reason.REDEMPTION and row.unit == asked.unit for row in before) and all(
        place.resident == asked.resident for place in places
    )
    if not same or sum(row.amount for row in before) != asked.amount:
        raise ReferenceReused
    return tuple(Part(row.source, row.amount) for row in before)
