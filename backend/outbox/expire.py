from datetime import datetime

from sqlalchemy import Connection

from backend.storage.transaction import hot

FIRST = "00000000-0000-0000-0000-000000000000"

DELETE = """
WITH slice AS MATERIALIZED (
  SELECT message, expiry_s IS NOT NULL AND created_at + make_interval(secs => expiry_s) < %(before)s AS is_over
  FROM downlinks WHERE city = %(city)s AND message > %(after)s::uuid ORDER BY message LIMIT %(limit)s),
gone AS (
  DELETE FROM downlinks
  WHERE city = %(city)s AND message = ANY(ARRAY(SELECT message FROM slice WHERE is_over)) RETURNING 1)
SELECT (SELECT message::text FROM slice ORDER BY message DESC LIMIT 1), (SELECT count(*) FROM gone)"""


def delete_expired(
    connection: Connection, city: str, after: str, *, before: datetime, limit: int
) -> tuple[str | None, int]:
    """Looks at `limit` messages above `after`, deletes those that expired before `before`.

    The last one looked at, None at the end of the table, and how many were deleted.
    """
    row = hot(connection, DELETE, {"city": city, "after": after, "before": before, "limit": limit}).fetchone()
    assert row is not None
    return row[0], row[1]
