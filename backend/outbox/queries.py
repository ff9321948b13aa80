from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection

from backend.storage.columns import words
from backend.storage.transaction import hot

PAGE_MAX = 500
SETTLED_S = 2
"""How old a message is before it is handed out. Ids follow the moment of writing, not of COMMIT: a younger one may become
visible after one that bears a higher id, and a cursor that had passed it would never come back."""

# A bridge serves the tills of every city of its installation, so all cities are read at once, each by its key.
AFTER = """
SELECT message::text, topic, payload, retain, expiry_s, created_at FROM downlinks
WHERE city = ANY(%(cities)s::text[]) AND (%(after)s::uuid IS NULL OR message > %(after)s::uuid)
  AND created_at <= %(settled)s AND (expiry_s IS NULL OR created_at + make_interval(secs => expiry_s) > %(now)s)
ORDER BY downlinks.message LIMIT %(limit)s"""


class Downlink(NamedTuple):
    """A message for a till. `expiry_s` counts from now: what was left of it has been reckoned."""

    message: str
    topic: str
    payload: bytes
    retain: bool
    expiry_s: int | None


def downlinks(
    connection: Connection, cities: Sequence[str], *, after: str | None, limit: int, now: datetime
) -> list[Downlink]:
    """Messages written after `after`, oldest first, at most `limit` (500); expired ones are passed over."""
    rows = hot(
        connection,
        AFTER,
        {
            "cities": words(cities),
            "after": after,
            "settled": now - timedelta(seconds=SETTLED_S),
            "now": now,
            "limit": min(limit, PAGE_MAX),
        },
    )
    return [
        Downlink(message, topic, bytes(payload), retain, _left(expiry_s, created_at, now))
        for message, topic, payload, retain, expiry_s, created_at in rows
    ]


def _left(expiry_s: int | None, created_at: datetime, now: datetime) -> int | None:
    """Whole seconds left, rounded up, so at least 1 of what is not expired yet."""
    if expiry_s is None:
        return None
    return max(1, expiry_s - int((now - created_at).total_seconds()))
