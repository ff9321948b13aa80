"""Deletes sessions and failed tries that have been over for long, a slice of a table at a time along its key."""

from datetime import datetime

from sqlalchemy import Connection

from backend.storage.transaction import hot

# A session is found by its token across cities, so it is cleaned up across them.
DELETE_SESSIONS = """
WITH slice AS MATERIALIZED (
  SELECT token_hash, ends_at < %(before)s AS is_over
  FROM official_sessions WHERE token_hash > %(after)s ORDER BY token_hash LIMIT %(limit)s),
gone AS (
  DELETE FROM official_sessions
  WHERE token_hash = ANY(ARRAY(SELECT token_hash FROM slice WHERE is_over)) RETURNING 1)
SELECT (SELECT token_hash FROM slice ORDER BY token_hash DESC LIMIT 1), (SELECT count(*) FROM gone)"""

# A try names no city: whoever made it may have typed any name.
DELETE_TRIES = """
WITH slice AS MATERIALIZED (
  SELECT key, failed_at < %(before)s AS is_over
  FROM official_tries WHERE key > %(after)s ORDER BY key LIMIT %(limit)s),
gone AS (
  DELETE FROM official_tries
  WHERE key = ANY(ARRAY(SELECT key FROM slice WHERE is_over)) AND failed_at < %(before)s RETURNING 1)
SELECT (SELECT key FROM slice ORDER BY key DESC LIMIT 1), (SELECT count(*) FROM gone)"""


def delete_sessions(connection: Connection, after: bytes, *, before: datetime, limit: int) -> tuple[bytes | None, int]:
    """Looks at `limit` sessions above `after`; deletes those that ended before `before`.

    The last one looked at, None at the end of the table, and how many were deleted.
    """
    return _deleted(connection, DELETE_SESSIONS, {"after": after, "before": before, "limit": limit})


def delete_tries(connection: Connection, after: bytes, *, before: datetime, limit: int) -> tuple[bytes | None, int]:
    """The same for failed sign-ins, of which the last was before `before`."""
    return _deleted(connection, DELETE_TRIES, {"after": after, "before": before, "limit": limit})


def _deleted(connection: Connection, statement: str, params: dict[str, object]) -> tuple[bytes | None, int]:
    row = hot(connection, statement, params).fetchone()
    assert row is not None, "aggregates answer with a row"
    return None if row[0] is None else bytes(row[0]), row[1]
