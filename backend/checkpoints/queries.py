"""The log, read: checkpoints, and the hashes that a proof is made of."""

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection

from backend.checkpoints.merkle import ROW, Lookup, Row
from backend.checkpoints.model import Checkpoint, Posted
from backend.storage.columns import ids, numbers
from backend.storage.transaction import hot

CHECKPOINTS_MAX = 100

CHECKPOINTS = """
SELECT size, root, note, made_at FROM checkpoints
WHERE city = %(city)s AND size < %(before)s ORDER BY size DESC LIMIT %(limit)s"""

OF_SIZE = "SELECT size, root, note, made_at FROM checkpoints WHERE city = %(city)s AND size = %(size)s"

HASHES = """
SELECT 0 AS level, e.entry AS number, e.leaf AS hash
FROM unnest(%(levels)s::int[], %(firsts)s::bigint[]) r(level, first)
JOIN log_entries e ON e.city = %(city)s AND e.entry >= r.first AND e.entry < r.first + %(row)s
WHERE r.level = 0
UNION ALL
SELECT s.level, s.number, s.hash
FROM unnest(%(levels)s::int[], %(firsts)s::bigint[]) r(level, first)
JOIN log_subtrees s ON s.city = %(city)s AND s.level = r.level AND s.number >= r.first AND s.number < r.first + %(row)s
WHERE r.level > 0"""

SEALED = """
SELECT e.entry, t.reference::text, t.step, t.line, t.reason, t.unit, t.source, t.destination, t.amount, t.recorded_at
FROM transfers t
LEFT JOIN log_entries e ON e.city = %(city)s AND e.reference = t.reference AND e.step = t.step AND e.line = t.line
WHERE t.city = %(city)s AND t.reference = ANY(%(references)s::uuid[])
ORDER BY e.entry, t.reference, t.step, t.line"""

BEFORE_ANY = 2**62


class Sealed(NamedTuple):
    """A transfer and the number of its entry; None: not sealed yet."""

    entry: int | None
    row: Posted


def checkpoints(connection: Connection, city: str, *, before: int = BEFORE_ANY, limit: int = 1) -> list[Checkpoint]:
    """Those of fewer entries than `before`, the newest first; at most `limit` (100)."""
    params = {"city": city, "before": before, "limit": min(limit, CHECKPOINTS_MAX)}
    return [Checkpoint(*row) for row in hot(connection, CHECKPOINTS, params)]


def checkpoint(connection: Connection, city: str, size: int) -> Checkpoint | None:
    row = hot(connection, OF_SIZE, {"city": city, "size": size}).fetchone()
    return None if row is None else Checkpoint(*row)


def hashes(connection: Connection, city: str, rows: Iterable[Row]) -> Lookup:
    """The hashes of those rows of the tree, in one statement. Asked for another, the answer raises KeyError."""
    wanted = sorted(rows)
    params = {
        "city": city,
        "levels": numbers([row.level for row in wanted]),
        "firsts": numbers([row.first for row in wanted]),
        "row": ROW,
    }
    found = {(level, number): value for level, number, value in hot(connection, HASHES, params)}
    return lambda level, number: found[level, number]


def sealed(connection: Connection, city: str, references: Iterable[str]) -> list[Sealed]:
    """Every transfer of those postings, with its entry."""
    params = {"city": city, "references": ids(sorted(set(references)))}
    return [Sealed(entry, Posted(*row)) for entry, *row in hot(connection, SEALED, params)]
