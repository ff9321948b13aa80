"""Points are held for a redemption, first expiring first; then spent, or given back to the very lots that they came from."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.kernel.errors import DomainError
from backend.kernel.periods import milliseconds
from backend.ledger import chart, lots, post
from backend.ledger.model import Reason, Transfer
from backend.usecases.follow_merge import follow_residents
from backend.usecases.settle_due import locked_holdings, post_moves, settle, touched, transfer_of

HELD, EXPIRED_AGAIN, SPENT, REIMBURSED = 1, 2, 3, 4
"""Steps under a redemption's id: held, what of it was over by the time that it was given back, spent, owed to the shop that
handed it out. The negative ones take the first, the third and the last back."""


class TooLittleAvailable(DomainError):
    code = "too-little-available"
    text_zh = "可用余额不足：可用 {available}，需要 {needed}。待生效、待领取的不能使用，欠账先行抵扣。"
    text_en = "Only {available} is available, {needed} is needed; pending awards cannot be spent, and debts come first."


class DebtFirst(DomainError):
    code = "debt-first"
    text_zh = "您因退货欠 {owed} 分，须先还清。请取消这笔兑换，退回的积分下次使用时先抵扣欠账。"
    text_en = "You owe {owed} after a return, which comes first: cancel this redemption; what comes back repays it."


class Redemption(NamedTuple):
    """`amount` > 0 of `unit`; `redemption` is its id, and keeps it from counting twice."""

    redemption: str
    resident: str
    unit: str
    amount: int

    @property
    def account(self) -> str:
        """Where what is held waits."""
        return chart.held(self.resident, self.redemption, self.unit)


class Part(NamedTuple):
    """What came from, or went back to, one lot."""

    lot: str
    amount: int


class GivenBack(NamedTuple):
    """`restored`: every lot as it was. What of them was over by then is `expired`, but for what repaid a debt."""

    restored: tuple[Part, ...]
    expired: int
    repaid: int


def hold_points(connection: Connection, city: str, asked: Redemption, now: datetime) -> tuple[Part, ...]:
    """Holds out of the resident's lots as they are at `now`, debts first; which parts, in the order of their ends.

    Raises TooLittleAvailable. Nothing is held of what is over or not yet available, to the millisecond, whether the job has
    settled it or not. The caller has locked the redemption, and knows that it is new.
    """
    if asked.amount <= 0:
        raise ValueError("what is redeemed is more than nothing")
    debt = chart.debt(asked.resident, asked.unit)
    # The lot without end is there for everyone, so that two of one resident's requests always wait for one another.
    always = (chart.wallet(asked.resident, asked.unit),)
    balances = locked_holdings(connection, city, asked.resident, now, unit=asked.unit, also=always)
    free = {name: amount for name, amount in balances.items() if name.startswith(f"{chart.Kind.LOT.value}:")}
    repaid, _ = lots.spend(free, max(0, -balances.get(debt, 0)), Reason.REPAY.value, debt)
    available = sum(free.values())
    moves, short = lots.spend(free, asked.amount, Reason.HOLD.value, asked.account)
    if short:
        raise TooLittleAvailable(available=available, needed=asked.amount)
    post_moves(connection, city, repaid, now)
    post.post(connection, city, [transfer_of(m, asked.redemption, HELD, n) for n, m in enumerate(moves)], now)
    return tuple(Part(move.source, move.amount) for move in moves)


def spend_held(
    connection: Connection, city: str, held: Redemption, now: datetime, *, recipient: str | None = None
) -> None:
    """What was held is spent, or given to `recipient`. Raises DebtFirst. The caller has locked the redemption."""
    debt = chart.debt(held.resident, held.unit)
    owed = -min(0, post.balances(connection, city, [debt]).get(debt, 0))
    if owed:
        raise DebtFirst(owed=owed)
    reason = Reason.REDEMPTION if recipient is None else Reason.DONATION
    into = chart.redeemed(held.unit) if recipient is None else chart.recipient(recipient, held.unit)
    row = Transfer(held.redemption, SPENT, 0, reason.value, held.unit, held.account, into, held.amount)
    post.lock(connection, city, [row.source], now)  # the resident's own before what all redemptions share
    post.post(connection, city, [row], now)


def give_back(connection: Connection, city: str, redemption: str, now: datetime) -> GivenBack:
    """Gives every part back to its lot, with its old end; what is over by now expires at once, and is told.

    The caller has locked the redemption, and knows that it is held or spent and was not given back.
    """
    held = post.stored(connection, city, redemption, HELD)
    spent = post.stored(connection, city, redemption, SPENT)
    lots_of = [row.source for row in held]
    over = lots.ripe(lots_of, milliseconds(now))
    names = {*lots_of, *(row.destination for row in (*held, *spent)), *touched(connection, city, over)}
    balances = post.lock(connection, city, names, now)
    settle(connection, city, over, balances, now)  # what else was left in them is no part of the answer
    for posting in (spent, held):
        post.post(connection, city, [post.opposite(row) for row in posting], now)
    for row in held:
        balances[row.source] += row.amount
    moves = lots.settle(over, balances)
    post.post(connection, city, [transfer_of(m, redemption, EXPIRED_AGAIN, n) for n, m in enumerate(moves)], now)
    post.stop_waiting(connection, city, over)
    follow_residents(connection, city, {chart.place_of(lot).resident or "" for lot in lots_of}, now)
    return GivenBack(_parts(held), _total(moves, Reason.EXPIRY), _total(moves, Reason.REPAY))


def _parts(held: Sequence[Transfer]) -> tuple[Part, ...]:
    return tuple(Part(row.source, row.amount) for row in held)


def _total(moves: Sequence[lots.Move], reason: Reason) -> int:
    return sum(move.amount for move in moves if move.reason == reason)
