"""Each shop's account against its claims, as the hourly job found it."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.storage.transaction import hot

RECONCILED = """
SELECT store, unit, name_zh, retailer, balance, unpaid, waiting, (balance - unpaid - waiting)::bigint, reckoned_at
FROM shop_reconciliations WHERE city = %(city)s
ORDER BY abs(balance - unpaid - waiting) DESC, abs(balance) DESC, store, unit"""


WAITS = "SELECT EXISTS (SELECT FROM shop_reconciliations WHERE city = %(city)s AND waiting <> 0)"


class Reconciled(NamedTuple):
    """A shop's account in fen: what the ledger holds, what of it stands on unpaid lines, what waits for the next close.
    `difference` is 0 where the books are right.
    """

    store: str
    unit: str
    name_zh: str | None
    retailer: str | None
    balance: int
    unpaid: int
    waiting: int
    difference: int
    reckoned_at: datetime


def reconciled(connection: Connection, city: str) -> list[Reconciled]:
    """Differences first, then the largest sums; at most 200 are kept."""
    return [Reconciled(*row) for row in hot(connection, RECONCILED, {"city": city})]


def any_waits(connection: Connection, city: str) -> bool:
    """Whether some shop was owed, when last it was looked, what stands on no statement yet."""
    row = hot(connection, WAITS, {"city": city}).fetchone()
    return row is not None and bool(row[0])
