"""Writes of snapshots: what changed, in the transaction that found out. A run that loses a race waits for the row."""

import zlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final, NamedTuple

from sqlalchemy import Connection

from backend.storage.columns import words
from backend.storage.transaction import hot

DIFFERENCES_KEPT: Final = timedelta(days=7)
"""A till that was away for longer fetches the whole snapshot."""

OPEN = """
INSERT INTO snapshots (city, version, oldest, made_at, checked_at, made_of, lines, sha256, body)
VALUES (%(city)s, 0, 0, %(now)s, %(now)s, '', 0, %(sha256)s, '') ON CONFLICT (city) DO NOTHING"""

LOCKED = (
    "SELECT version, oldest, made_of, made_at, checked_at, spent_out FROM snapshots WHERE city = %(city)s FOR UPDATE"
)

CHECKED = "UPDATE snapshots SET checked_at = %(now)s WHERE city = %(city)s"

STANDING = "SELECT key, line FROM snapshot_lines WHERE city = %(city)s AND until IS NULL"

CLOSE = """
UPDATE snapshot_lines SET until = %(version)s
WHERE city = %(city)s AND until IS NULL AND key = ANY(%(keys)s::text[])"""

ENTER = """
INSERT INTO snapshot_lines (city, key, since, line)
SELECT %(city)s, t.key, %(version)s, t.line FROM unnest(%(keys)s::text[], %(lines)s::text[]) t(key, line)"""

MADE = """
UPDATE snapshots SET version = %(version)s, oldest = %(oldest)s, made_at = %(now)s, checked_at = %(now)s,
       made_of = %(made_of)s, lines = %(lines)s, sha256 = %(sha256)s, body = %(body)s,
       spent_out = %(spent_out)s
WHERE city = %(city)s"""

FORGET = "DELETE FROM snapshot_lines WHERE city = %(city)s AND until <= %(oldest)s"


class Held(NamedTuple):
    """The city's newest version, locked until COMMIT; version 0: none was made yet."""

    version: int
    oldest: int
    made_of: str
    made_at: datetime
    checked_at: datetime
    spent_out: frozenset[str]


class MadeOf(NamedTuple):
    """What a version is made of, by a digest of all of it; of that, the pools of budgets that it tells as spent."""

    digest: str
    spent_out: frozenset[str]


def lock(connection: Connection, city: str, now: datetime) -> Held:
    hot(connection, OPEN, {"city": city, "now": now, "sha256": sha256().digest()})
    row = hot(connection, LOCKED, {"city": city}).fetchone()
    assert row is not None
    version, oldest, made_of, made_at, checked_at, spent_out = row
    return Held(version, oldest, made_of, made_at, checked_at, frozenset(spent_out.split()))


def confirm(connection: Connection, city: str, held: Held, now: datetime) -> None:
    """What the newest version says is still so."""
    hot(connection, CHECKED, {"city": city, "now": max(now, held.checked_at)})


def replace(
    connection: Connection, city: str, held: Held, lines: Mapping[str, str], made_of: MadeOf, now: datetime
) -> int:
    """How many lines differ in the new version. It may be none: every day has a version of its own, since one that was
    restored from a backup is believed only once its number has overtaken what tills hold.
    """
    standing = dict(hot(connection, STANDING, {"city": city}).fetchall())
    changed = {key: line for key, line in lines.items() if standing.get(key) != line}
    gone = sorted(key for key, line in standing.items() if lines.get(key) != line)
    # Seconds, so that it does overtake them.
    version = max(held.version + 1, int(now.timestamp()))
    oldest = max(held.oldest, int((now - DIFFERENCES_KEPT).timestamp())) if held.version else version
    keys = sorted(changed)
    entered = {"keys": words(keys), "lines": words([changed[key] for key in keys])}
    hot(connection, CLOSE, {"city": city, "version": version, "keys": words(gone)})
    hot(connection, ENTER, {"city": city, "version": version, **entered})
    content = content_of(lines)
    row = {
        "city": city,
        "version": version,
        "oldest": min(oldest, version),
        "now": max(now, held.checked_at),
        "made_of": made_of.digest,
        "spent_out": " ".join(sorted(made_of.spent_out)),
        "lines": len(lines),
        "sha256": sha256(content).digest(),
        "body": zlib.compress(content),
    }
    hot(connection, MADE, row)
    hot(connection, FORGET, {"city": city, "oldest": row["oldest"]})
    return len(keys) + sum(key not in lines for key in gone)


def content_of(lines: Mapping[str, str]) -> bytes:
    """All lines in the order of their keys: what a snapshot's hash is of."""
    return "".join([f"{key}\t{lines[key]}\n" for key in sorted(lines)]).encode()
