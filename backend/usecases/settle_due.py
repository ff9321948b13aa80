"""What time does to points: pending awards become available, uncollected ones lapse, lots end. City by city, in batches."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.kernel.ids import new_id
from backend.kernel.periods import milliseconds
from backend.ledger import lots, post
from backend.ledger.chart import Kind, unit_of
from backend.ledger.lapses import NOTHING, lapsed, reference_of
from backend.ledger.lots import Move
from backend.ledger.model import Reason, Transfer
from backend.ledger.queries import holdings
from backend.usecases.culprits import past, without_culprits
from backend.usecases.races import Writes

BATCH_ACCOUNTS = 1_000
"""Locked at once, in the order of the chart."""


class Settled(NamedTuple):
    """Accounts whose time had come, and how many postings that made of each kind."""

    accounts: int = 0
    released: int = 0
    lapsed: int = 0
    expired: int = 0
    repaid: int = 0

    def plus(self, other: "Settled") -> "Settled":
        return Settled(*(one + another for one, another in zip(self, other, strict=True)))


def settle_due(
    database: Writes, city: str, now: datetime, stopping: Callable[[], bool], *, batch: int = BATCH_ACCOUNTS
) -> Settled:
    """Settles every account of `city` that is due at `now`, one transaction for each `batch` of them.

    May be killed at any moment and run twice at once: an account is emptied in the transaction that stops it waiting. One
    that cannot be settled, for a fault of the books, is logged and counted, and keeps none of the others waiting.
    """

    def work(some: Sequence[str]) -> Settled:
        return database.write(lambda connection: _batch(connection, city, some, now))

    def fails(account: str, _error: Exception) -> Settled:
        failed.add(account)
        return Settled()

    done, failed = Settled(), set[str]()
    while not stopping():
        due = database.write(lambda c: past(failed, lambda most: post.due(c, city, now, most), batch))
        before = done, len(failed)
        if due:
            for part in without_culprits(due, work, fails, doing="settle_due", named=str):
                done = done.plus(part)
        if len(due) < batch or (done, len(failed)) == before:
            break
    return done


def settle(
    connection: Connection, city: str, due: Sequence[str], balances: dict[str, int], now: datetime
) -> list[Move]:
    """Empties accounts whose time has come (`lots.ripe`), in the caller's transaction; `balances`, of all that `touched`
    named and the caller locked, keep what is left.
    """
    moves = lots.settle(due, balances)
    post_moves(connection, city, moves, now)
    post.stop_waiting(connection, city, due)
    return moves


def touched(connection: Connection, city: str, accounts: Iterable[str]) -> set[str]:
    """`accounts`, and those that emptying them may touch: but a debt only where there is one, since most owe nothing."""
    others = {other for account in accounts for other in lots.counterparts(account)}
    debts = {account for account in others if account.startswith(f"{Kind.DEBT.value}:")}
    return {*accounts, *(others - debts), *(post.balances(connection, city, debts) if debts else ())}


def locked_holdings(
    connection: Connection,
    city: str,
    resident: str,
    now: datetime,
    *,
    unit: str | None = None,
    also: Iterable[str] = (),
) -> dict[str, int]:
    """What every account of `resident` (of one unit, or of all) holds at `now`, locked and settled; `also` is locked too."""
    found = [one.account for one in holdings(connection, city, resident) if unit in (None, one.unit)]
    due = lots.ripe(found, milliseconds(now))
    balances = post.lock(connection, city, {*found, *touched(connection, city, due), *also}, now)
    settle(connection, city, due, balances, now)
    return balances


def post_moves(connection: Connection, city: str, moves: Iterable[Move], now: datetime) -> None:
    """Each move is a posting of its own: what it was for stands in its accounts. What lapses is found again by its account."""
    moves = list(moves)
    before = lapsed(connection, city, [move.source for move in moves if move.reason == Reason.LAPSE])
    transfers = [
        transfer_of(move, reference_of(move.source), before.get(move.source, NOTHING).step + 1, 0)
        if move.reason == Reason.LAPSE
        else transfer_of(move, new_id(), 1, 0)
        for move in moves
    ]
    post.post(connection, city, transfers, now)


def transfer_of(move: Move, reference: str, step: int, line: int) -> Transfer:
    return Transfer(
        reference, step, line, move.reason, unit_of(move.source), move.source, move.destination, move.amount
    )


def _batch(connection: Connection, city: str, some: Sequence[str], now: datetime) -> Settled:
    due = lots.ripe(some, milliseconds(now))
    if not due:
        return Settled()
    balances = post.lock(connection, city, touched(connection, city, due), now)
    reasons = [move.reason for move in settle(connection, city, due, balances, now)]
    return Settled(
        accounts=len(due),
        released=reasons.count(Reason.RELEASE),
        lapsed=reasons.count(Reason.LAPSE),
        expired=reasons.count(Reason.EXPIRY),
        repaid=reasons.count(Reason.REPAY),
    )
