"""Baskets that tills numbered and that never came are found once a day."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import Connection

from backend.scans import gaps
from backend.storage.stream import allow_long_reads
from backend.storage.transaction import Database

LOOKED_AT = timedelta(days=4)
"""Sales of so long are looked through; holes that were found before are looked at again however old they are."""
AWAITED = timedelta(days=1)
"""What came out of order has filled its hole by then."""
TOLD_FOR = timedelta(days=30)
"""A till delivers what it sold within 30 days; what has not come by then is lost, and told no longer."""


def find_gaps(database: Database, city: str, now: datetime, stopping: Callable[[], bool] = lambda: False) -> int:
    """How many holes there are; each till is a transaction of its own."""

    def look(connection: Connection) -> list[gaps.Stream]:
        allow_long_reads(connection)
        return gaps.suspects(connection, city, now - LOOKED_AT, now - AWAITED)

    found = 0
    for one in database.write(look):
        if stopping():
            break
        found += database.write(lambda connection: _kept(connection, city, one, now))  # noqa: B023 - called at once
    return found


def _kept(connection: Connection, city: str, one: gaps.Stream, now: datetime) -> int:
    holes = gaps.holes(connection, city, one)
    gaps.keep(connection, city, one, holes, now)
    return len(holes)
