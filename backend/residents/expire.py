"""Deletes what has been over for long, a slice of a table at a time along its key: no statement grows with the table."""

from datetime import datetime

from sqlalchemy import Connection

from backend.storage.transaction import hot

# A code that was used stays: it says that it is spent, and for which basket.
DELETE_CODES = """
WITH slice AS MATERIALIZED (
  SELECT handle, used_stream IS NULL AND expires_at < %(before)s AS is_over
  FROM member_codes WHERE city = %(city)s AND handle > %(after)s ORDER BY handle LIMIT %(limit)s),
gone AS (
  DELETE FROM member_codes WHERE city = %(city)s AND handle = ANY(ARRAY(SELECT handle FROM slice WHERE is_over))
    AND used_stream IS NULL RETURNING 1)
SELECT (SELECT handle FROM slice ORDER BY handle DESC LIMIT 1), (SELECT count(*) FROM gone)"""

# A session is found by its token across cities, so it is cleaned up across them.
DELETE_SESSIONS = """
WITH slice AS MATERIALIZED (
  SELECT token_hash, expires_at < %(before)s AS is_over
  FROM resident_sessions WHERE token_hash > %(after)s ORDER BY token_hash LIMIT %(limit)s),
gone AS (
  DELETE FROM resident_sessions
  WHERE token_hash = ANY(ARRAY(SELECT token_hash FROM slice WHERE is_over)) RETURNING 1)
SELECT (SELECT token_hash FROM slice ORDER BY token_hash DESC LIMIT 1), (SELECT count(*) FROM gone)"""


# Neither does a phone name a city.
DELETE_PHONE_CODES = """
WITH slice AS MATERIALIZED (
  SELECT phone_hash, expires_at < %(before)s AS is_over
  FROM phone_codes WHERE phone_hash > %(after)s ORDER BY phone_hash LIMIT %(limit)s),
gone AS (
  DELETE FROM phone_codes WHERE phone_hash = ANY(ARRAY(SELECT phone_hash FROM slice WHERE is_over))
    AND expires_at < %(before)s RETURNING 1)
SELECT (SELECT phone_hash FROM slice ORDER BY phone_hash DESC LIMIT 1), (SELECT count(*) FROM gone)"""


def delete_unused_codes(
    connection: Connection, city: str, after: bytes, *, before: datetime, limit: int
) -> tuple[bytes | None, int]:
    """Looks at `limit` member codes above `after`; deletes the unused that expired before `before`.

    The last one looked at, None at the end of the table, and how many were deleted.
    """
    return _deleted(connection, DELETE_CODES, {"city": city, "after": after, "before": before, "limit": limit})


def delete_sessions(connection: Connection, after: bytes, *, before: datetime, limit: int) -> tuple[bytes | None, int]:
    """The same for sessions of every city, by the hash of their token."""
    return _deleted(connection, DELETE_SESSIONS, {"after": after, "before": before, "limit": limit})


def delete_phone_codes(
    connection: Connection, after: bytes, *, before: datetime, limit: int
) -> tuple[bytes | None, int]:
    """The same for codes sent to phones, by the hash of the phone."""
    return _deleted(connection, DELETE_PHONE_CODES, {"after": after, "before": before, "limit": limit})


def _deleted(connection: Connection, statement: str, params: dict[str, object]) -> tuple[bytes | None, int]:
    row = hot(connection, statement, params).fetchone()
    assert row is not None
    return None if row[0] is None else bytes(row[0]), row[1]
