from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.adjustments.model import Adjustment
from backend.adjustments.store import COLUMNS, adjustment_of
from backend.storage.transaction import hot

PAGE_MAX = 100

LISTED = f"""
SELECT {COLUMNS} FROM adjustments
WHERE city = %(city)s AND (NOT %(open)s OR state = 'proposed')
  AND (%(at)s::timestamptz IS NULL OR (proposed_at, adjustment) < (%(at)s, %(adjustment)s::uuid))
ORDER BY proposed_at DESC, adjustments.adjustment DESC LIMIT %(limit)s"""

OF_RESIDENT = f"""
SELECT {COLUMNS} FROM adjustments
WHERE city = %(city)s AND resident = %(resident)s AND state = 'posted'
ORDER BY proposed_at DESC, adjustments.adjustment DESC LIMIT %(limit)s"""


class Place(NamedTuple):
    """The last of a page; the next begins below it."""

    at: datetime
    adjustment: str


def listed(
    connection: Connection, city: str, *, after: Place | None = None, open_only: bool = False, limit: int = PAGE_MAX
) -> list[Adjustment]:
    """The newest first; at most 100."""
    at, adjustment = after or (None, None)
    given = {"city": city, "open": open_only, "at": at, "adjustment": adjustment, "limit": min(limit, PAGE_MAX + 1)}
    return [adjustment_of(row) for row in hot(connection, LISTED, given)]


def of_resident(connection: Connection, city: str, resident: str) -> list[Adjustment]:
    """What officials gave or took by hand, as it is shown to its resident; the newest first, at most 100."""
    given = {"city": city, "resident": resident, "limit": PAGE_MAX}
    return [adjustment_of(row) for row in hot(connection, OF_RESIDENT, given)]
