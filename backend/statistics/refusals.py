"""What a retailer's customers were refused, and why: counts by reason, and the latest lines. No resident is named."""

from datetime import date, datetime

from sqlalchemy import Connection

from backend.statistics.model import Refusals, RefusedLine
from backend.storage.transaction import hot

REASONS_MAX = 100
PAGE_MAX = 200
EVERY_SHOP = ""

BY_REASON = """
SELECT reason, sum(lines)::bigint FROM refusal_totals
WHERE city = %(city)s AND retailer = %(retailer)s AND store = %(store)s AND day >= %(first)s
GROUP BY reason ORDER BY sum(lines) DESC, reason LIMIT %(limit)s"""

_LATEST = """
SELECT sold_at, basket::text, line_no FROM refused_lines
WHERE city = %(city)s AND retailer = %(retailer)s AND sold_at >= %(since)s AND (%(at)s::timestamptz IS NULL
  OR (sold_at, basket, line_no) < (%(at)s, %(basket)s::uuid, %(line_no)s::int))"""
_IN_ORDER = " ORDER BY sold_at DESC, refused_lines.basket DESC, line_no DESC LIMIT %(limit)s"
LATEST = _LATEST + _IN_ORDER
LATEST_OF_REASON = _LATEST + " AND reason = %(reason)s" + _IN_ORDER

UNTIL = "SELECT until FROM counted_until WHERE city = %(city)s"


def by_reason(connection: Connection, city: str, retailer: str, first: date, store: str = EVERY_SHOP) -> list[Refusals]:
    """Since the civil day `first`, the most frequent first; of one shop, or of all."""
    given = {"city": city, "retailer": retailer, "store": store, "first": first, "limit": REASONS_MAX}
    return [Refusals(*row) for row in hot(connection, BY_REASON, given)]


def latest(
    connection: Connection,
    city: str,
    retailer: str,
    since: datetime,
    *,
    reason: str | None = None,
    after: RefusedLine | None = None,
    limit: int = PAGE_MAX,
) -> list[RefusedLine]:
    """The latest lines first, below `after`; of one reason, or of all. At most 200."""
    at, basket, line_no = after or (None, None, None)
    given = {"city": city, "retailer": retailer, "since": since, "at": at, "basket": basket, "line_no": line_no}
    statement = LATEST if reason is None else LATEST_OF_REASON
    rows = hot(connection, statement, {**given, "reason": reason, "limit": min(limit, PAGE_MAX)})
    return [RefusedLine(*row) for row in rows]


def counted_until(connection: Connection, city: str) -> datetime | None:
    """Up to when decisions are in these counts; None before the first count."""
    row = hot(connection, UNTIL, {"city": city}).fetchone()
    return None if row is None else row[0]
