from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.storage.transaction import hot

# The whole body only for whoever cannot be given a difference.
NEWEST = """
SELECT version, made_at, checked_at, lines, sha256,
       CASE WHEN %(after)s::bigint BETWEEN oldest AND version THEN NULL ELSE body END
FROM snapshots WHERE city = %(city)s AND version > 0"""

# A line that came and went between the two versions is in neither.
CHANGES = """
SELECT key, line FROM snapshot_lines
WHERE city = %(city)s AND since > %(after)s AND since <= %(version)s AND (until IS NULL OR until > %(version)s)
UNION ALL
SELECT g.key, NULL FROM snapshot_lines g
WHERE g.city = %(city)s AND g.since <= %(after)s AND g.until > %(after)s AND g.until <= %(version)s
  AND NOT EXISTS (SELECT FROM snapshot_lines n WHERE n.city = %(city)s AND n.key = g.key AND n.since <= %(version)s
                  AND (n.until IS NULL OR n.until > %(version)s))"""


class Newest(NamedTuple):
    """A city's newest snapshot; `body`, all of its lines compressed, is None for whoever can be given a difference."""

    version: int
    made_at: datetime
    checked_at: datetime
    lines: int
    sha256: bytes
    body: bytes | None


def newest(connection: Connection, city: str, after: int | None) -> Newest | None:
    """For a till that holds the version `after`; None where the city has no snapshot yet."""
    row = hot(connection, NEWEST, {"city": city, "after": after}).fetchone()
    return None if row is None else Newest(*row)


def changes(connection: Connection, city: str, after: int, version: int) -> list[tuple[str, str | None]]:
    """What turns the version `after` into `version`: each key with its new line, or None where it is gone."""
    bound = {"city": city, "after": after, "version": version}
    return hot(connection, CHANGES, bound).fetchall() if after < version else []
