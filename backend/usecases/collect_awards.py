"""A resident collects what was awarded for collecting, before it lapses."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.kernel.periods import milliseconds
from backend.ledger import chart, lots
from backend.ledger.model import Reason
from backend.ledger.queries import holdings
from backend.residents.standing import keep_acting
from backend.storage.transaction import Database
from backend.usecases.settle_due import locked_holdings, post_moves


class Collected(NamedTuple):
    """Of one unit: what came into the resident's lots, and what of it went to a debt instead."""

    unit: str
    amount: int
    repaid: int


class CollectAwards:
    def __init__(self, database: Database) -> None:
        self._database = database

    def collect(self, city: str, resident: str, now: datetime, *, home: str | None = None) -> list[Collected]:
        """Collects all that has not lapsed at `now`, by unit; asked again, there is nothing left to collect.

        Raises ResidentClosed, GuardianConsentNeeded. `home` is `city` when left out.
        """

        def work(connection: Connection) -> list[Collected]:
            keep_acting(connection, home or city, resident)
            return _collect(connection, city, resident, now)

        return self._database.write(work)


def _collect(connection: Connection, city: str, resident: str, now: datetime) -> list[Collected]:
    now_ms = milliseconds(now)
    waiting = [one for one in holdings(connection, city, resident) if one.to_collect(now_ms)]
    if not waiting:
        return []
    accounts = [one.account for one in waiting]
    balances = locked_holdings(connection, city, resident, now, also=(*accounts, *(one.place.lot for one in waiting)))
    moves = lots.collected(accounts, balances)
    post_moves(connection, city, moves, now)

    totals: dict[str, list[int]] = {}
    for move in moves:
        total = totals.setdefault(chart.unit_of(move.source), [0, 0])
        total[move.reason == Reason.REPAY] += move.amount
    return [Collected(unit, *totals[unit]) for unit in sorted(totals)]
