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


def overdue_claims(connection: Connection, city: str, now: datetime) -> list[Overdue]:
    """By month and retailer, at most 200 of each kind."""
    late = [
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
    return late + _not_closed(connection, city, now)


def _not_closed(connection: Connection, city: str, now: datetime) -> list[Overdue]:
    month = month_before(now)
    due = clocks(month, now, queries.terms(connection, city)).accept_by
    (closed,) = hot(connection, CLOSED_THROUGH, {"city": city}).fetchone() or (None,)
    if due > now or (closed is not None and closed >= month):
        return []
    since = EVER if closed is None else end_of(closed) - LATE
    given = {**shop_claims.params(city, since, end_of(month)), "limit": queries.PAGE_MAX}
    return [
        Overdue(month, retailer, Stage.ACCEPT, due, lines, amount)
        for retailer, lines, amount in hot(connection, OPEN_CLAIMS, given)
    ]
