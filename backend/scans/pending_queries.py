"""What pages show of unknown products: which codes wait, since when, how often and where they were read."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.storage.transaction import hot

COUNTED_MAX = 1_000
PAGE_MAX = 100

UNKNOWN = """
SELECT p.key, p.first_seen_at, w.scans, w.code_text, w.store
FROM pending_products p
JOIN LATERAL (
  SELECT count(*) AS scans, min(d.code_text) AS code_text, min(b.store) AS store FROM (
    SELECT x.basket, x.code_text FROM decisions x
    WHERE x.city = %(city)s AND x.label_key = p.key AND x.outcome = 'pending_product' LIMIT %(counted)s) d
  JOIN baskets b ON b.city = %(city)s AND b.basket = d.basket) w ON true
WHERE p.city = %(city)s AND p.resolved_at IS NULL AND p.key > %(after)s
ORDER BY p.key LIMIT %(limit)s"""


class Unknown(NamedTuple):
    """A code that nobody has registered; `scans` read it, a thousand are counted at most; `store`: one of the shops."""

    key: str
    first_seen_at: datetime
    scans: int
    code_text: str | None
    store: str | None


def unknown(connection: Connection, city: str, *, after: str, limit: int) -> Sequence[Unknown]:
    """In the order of their keys, above `after`; at most `limit`, at most 100 and one."""
    given = {"city": city, "after": after, "limit": min(limit, PAGE_MAX + 1), "counted": COUNTED_MAX}
    return [Unknown(*row) for row in hot(connection, UNKNOWN, given)]
