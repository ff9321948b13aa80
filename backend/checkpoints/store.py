"""What is sealed, written. The row of `log_heads` is locked by whoever seals a city, so that entries have one order."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection

from backend.checkpoints.merkle import Frontier
from backend.checkpoints.model import GENESIS, Checkpoint, Entered, Posted, canonical, canonical_act
from backend.storage.columns import flags, ids, numbers, octets
from backend.storage.transaction import hot

HASH_BYTES = 32
LATE = timedelta(hours=1)
"""How long after its `recorded_at` a transfer may still be committed and be found by the minute's work; later, by the night's."""

OPEN = """
INSERT INTO log_heads (city, size, frontier, chain, sealed_until)
VALUES (%(city)s, 0, '', %(genesis)s, NULL) ON CONFLICT (city) DO NOTHING"""

HEAD = """
SELECT size, frontier, chain, sealed_until FROM log_heads WHERE city = %(city)s FOR UPDATE"""

UNSEALED = """
SELECT t.reference::text, t.step, t.line, t.reason, t.unit, t.source, t.destination, t.amount, t.recorded_at
FROM transfers t
WHERE t.city = %(city)s AND t.recorded_at > coalesce(%(since)s::timestamptz, '-infinity')
  AND NOT EXISTS (SELECT FROM log_entries e WHERE e.city = %(city)s AND e.reference = t.reference
                  AND e.step = t.step AND e.line = t.line)
ORDER BY t.recorded_at, t.reference, t.step, t.line LIMIT %(limit)s"""

UNSEALED_ACTS = """
SELECT a.act::text, a.at, a.who, a.role, a.what, a.kind, a.key, a.reason, a.ticket, a.before, a.after, a.request
FROM acts a
WHERE a.city = %(city)s AND a.at > coalesce(%(since)s::timestamptz, '-infinity')
  AND NOT EXISTS (SELECT FROM log_entries e WHERE e.city = %(city)s AND e.reference = a.act AND e.step = 0 AND e.line = 0)
ORDER BY a.at, a.act LIMIT %(limit)s"""

ENTRIES = """
INSERT INTO log_entries (city, entry, reference, step, line, leaf, chain, act)
SELECT %(city)s, t.entry, t.reference, t.step, t.line, t.leaf, t.chain, t.act
FROM (SELECT unnest(%(entries)s::bigint[]) AS entry, unnest(%(references)s::uuid[]) AS reference,
             unnest(%(steps)s::smallint[]) AS step, unnest(%(lines)s::smallint[]) AS line,
             unnest(%(leaves)s::bytea[]) AS leaf, unnest(%(chains)s::bytea[]) AS chain,
             unnest(%(acts)s::boolean[]) AS act) t"""

SUBTREES = """
INSERT INTO log_subtrees (city, level, number, hash)
SELECT %(city)s, t.level, t.number, t.hash
FROM (SELECT unnest(%(levels)s::smallint[]) AS level, unnest(%(numbers)s::bigint[]) AS number,
             unnest(%(hashes)s::bytea[]) AS hash) t"""

ADVANCE = """
UPDATE log_heads SET size = %(size)s, frontier = %(frontier)s, chain = %(chain)s, sealed_until = %(until)s
WHERE city = %(city)s"""

CHECKPOINT = """
INSERT INTO checkpoints (city, size, root, note, made_at) VALUES (%(city)s, %(size)s, %(root)s, %(note)s, %(made_at)s)"""


class Head(NamedTuple):
    """The end of a city's log. `sealed_until`: the latest `recorded_at` in it; None before the first entry."""

    frontier: Frontier
    chain: bytes
    sealed_until: datetime | None


class Entry(NamedTuple):
    number: int
    row: Entered
    leaf: bytes
    chain: bytes


def lock_head(connection: Connection, city: str) -> Head:
    hot(connection, OPEN, {"city": city, "genesis": GENESIS})
    size, roots, chain, until = hot(connection, HEAD, {"city": city}).fetchone() or (0, b"", GENESIS, None)
    parts = [roots[at : at + HASH_BYTES] for at in range(0, len(roots), HASH_BYTES)]
    return Head(Frontier(size, parts), chain, until)


def unsealed(connection: Connection, city: str, since: datetime | None, limit: int) -> list[Entered]:
    """Transfers and acts without an entry, recorded after `since` (None: ever), the oldest first."""
    params = {"city": city, "since": since, "limit": limit}
    transfers = [_transfer(city, Posted(*row)) for row in hot(connection, UNSEALED, params)]
    acts = [_act(city, *row) for row in hot(connection, UNSEALED_ACTS, params)]
    if not acts:
        return transfers
    return sorted([*transfers, *acts], key=lambda one: one.recorded_at)[:limit]


def _transfer(city: str, row: Posted) -> Entered:
    return Entered(False, row.reference, row.step, row.line, row.recorded_at, canonical(city, row))  # noqa: FBT003


def _act(city: str, act: str, at: datetime, *told: str | None) -> Entered:
    return Entered(True, act, 0, 0, at, canonical_act(city, act, told, at))  # noqa: FBT003


def append(connection: Connection, city: str, entries: Sequence[Entry]) -> None:
    hot(
        connection,
        ENTRIES,
        {
            "city": city,
            "entries": numbers([entry.number for entry in entries]),
            "references": ids([entry.row.reference for entry in entries]),
            "steps": numbers([entry.row.step for entry in entries]),
            "lines": numbers([entry.row.line for entry in entries]),
            "leaves": octets([entry.leaf for entry in entries]),
            "chains": octets([entry.chain for entry in entries]),
            "acts": flags([entry.row.act for entry in entries]),
        },
    )


def keep_subtrees(connection: Connection, city: str, found: Iterable[tuple[int, int, bytes]]) -> None:
    """(level, number, hash) of subtrees that are complete."""
    rows = list(found)
    if rows:
        levels, places, hashes = zip(*rows, strict=True)
        params = {"city": city, "levels": numbers(levels), "numbers": numbers(places), "hashes": octets(hashes)}
        hot(connection, SUBTREES, params)


def advance(connection: Connection, city: str, head: Head) -> None:
    hot(
        connection,
        ADVANCE,
        {
            "city": city,
            "size": head.frontier.size,
            "frontier": b"".join(head.frontier.roots),
            "chain": head.chain,
            "until": head.sealed_until,
        },
    )


def save_checkpoint(connection: Connection, city: str, made: Checkpoint) -> None:
    hot(connection, CHECKPOINT, {"city": city, **made._asdict()})
