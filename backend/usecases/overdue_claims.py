"""Claims of shops whose clock ran out: their month is not closed, their statement not reviewed, or they are not paid."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.settlements import queries
from backend.settlements.clock import Stage, clocks, end_of, month_before
from backend.storage.transaction import hot
from backend.usecases import shop_claims
from backend.usecases.close_settlement import EVER, LATE

CLOSED_THROUGH = "SELECT closed_through FROM settlement_terms WHERE city = %(city)s"
OPEN_CLAIMS = f"""
SELECT retailer, count(*), sum(amount)::bigint FROM ({shop_claims.FRESH}) f GROUP BY retailer ORDER BY retailer LIMIT %(limit)s"""


class Overdue(NamedTuple):
    """`lines` claims of `amount_fen` altogether wait for `stage`, which was due at `due_at`."""

    month: str
    retailer: str
    stage: Stage
    due_at: datetime
    lines: int
    amount_fen: int


class NotClosed(NamedTuple):
    """A month that is over and should have been closed by `due_at`; `since` the close before, -infinity where none was."""

    month: str
    due_at: datetime
    since: datetime | str


def overdue_claims(connection: Connection, city: str, now: datetime) -> list[Overdue]:
    """By month and retailer, at most 200 of each kind. It adds up every claim of a month that should have been closed."""
    return overdue_statements(connection, city, now) + _claims_of(connection, city, not_closed(connection, city, now))


def overdue_statements(connection: Connection, city: str, now: datetime) -> list[Overdue]:
    """Of months that are closed, at most 200: what a page may ask."""
    return [
        Overdue(
            one.month,
            one.retailer,
            clock.stage,
            clock.due_at,
            one.lines - one.paid_lines,
            one.amount_fen - one.paid_fen,
        )
        for one in queries.unpaid_late(connection, city, now)
        if (clock := one.clock(now)) is not None and clock.overdue
    ]


def not_closed(connection: Connection, city: str, now: datetime) -> NotClosed | None:
    """The last month that is over, where it should have been closed by now; it reads no claim."""
    month = month_before(now)
    due = clocks(month, now, queries.terms(connection, city)).accept_by
    (closed,) = hot(connection, CLOSED_THROUGH, {"city": city}).fetchone() or (None,)
    if due > now or (closed is not None and closed >= month):
        return None
    return NotClosed(month, due, EVER if closed is None else end_of(closed) - LATE)


def _claims_of(connection: Connection, city: str, late: NotClosed | None) -> list[Overdue]:
    if late is None:
        return []
    given = {**shop_claims.params(city, late.since, end_of(late.month)), "limit": queries.PAGE_MAX}
    return [
        Overdue(late.month, retailer, Stage.ACCEPT, late.due_at, lines, amount)
        for retailer, lines, amount in hot(connection, OPEN_CLAIMS, given)
    ]
