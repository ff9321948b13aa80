"""Transfers and acts are bound into a log that only grows, city by city, after their commit and never inside it; checkpoints
of it are signed, so that what anyone changes later is found by whoever kept one.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection

from backend.checkpoints import queries, store
from backend.checkpoints.merkle import leaf_hash
from backend.checkpoints.model import Checkpoint, Entered, chained, seal
from backend.checkpoints.store import Entry, Head
from backend.storage.transaction import hot
from backend.usecases.races import Writes

BATCH = 10_000
CHECKPOINT_ENTRIES = 1_000
CHECKPOINT_EVERY = timedelta(minutes=10)
"""A checkpoint is due after so many entries, or so long after the last: whatever comes first."""


class LogKey(NamedTuple):
    """What signs checkpoints: the public half, 32 bytes, and the signature of the private one."""

    public: bytes
    sign: Callable[[bytes], bytes]


class SealedNow(NamedTuple):
    entries: int = 0
    checkpoints: int = 0

    def plus(self, other: "SealedNow") -> "SealedNow":
        return SealedNow(*(one + another for one, another in zip(self, other, strict=True)))


CITIES = """(WITH RECURSIVE found AS (
  (SELECT city FROM acts ORDER BY city LIMIT 1)
  UNION ALL
  SELECT (SELECT a.city FROM acts a WHERE a.city > found.city ORDER BY a.city LIMIT 1) FROM found
  WHERE found.city IS NOT NULL)
SELECT city FROM found WHERE city IS NOT NULL)"""


def cities_with_acts(connection: Connection) -> set[str]:
    """Also those that have nothing but acts yet, and the one that stands for what concerns all cities."""
    return {city for (city,) in hot(connection, CITIES)}


def seal_ledger(
    database: Writes,
    city: str,
    now: datetime,
    key: LogKey | None,
    stopping: Callable[[], bool],
    *,
    since_ever: bool = False,
    batch: int = BATCH,
) -> SealedNow:
    """Seals what was committed since the last time, one transaction for each `batch` of entries, then signs a checkpoint
    when one is due. `since_ever` looks for everything without an entry, however old.

    May be killed at any moment and run twice at once: entries, head and checkpoint are one transaction.
    """
    done = SealedNow()
    while not stopping():
        part = database.write(lambda connection: _batch(connection, city, now, key, batch, since_ever=since_ever))
        done = done.plus(part)
        if part.entries < batch:
            break
    return done


def _batch(
    connection: Connection, city: str, now: datetime, key: LogKey | None, limit: int, *, since_ever: bool
) -> SealedNow:
    head = store.lock_head(connection, city)
    until = head.sealed_until
    since = None if since_ever or until is None else min(until, now) - store.LATE
    rows = store.unsealed(connection, city, since, limit)
    if rows:
        head = _append(connection, city, head, rows)
    signed = key is not None and _sign_when_due(connection, city, head, now, key, behind=len(rows) == limit)
    return SealedNow(len(rows), int(signed))


def _append(connection: Connection, city: str, head: Head, rows: Sequence[Entered]) -> Head:
    frontier, chain, until = head
    entries: list[Entry] = []
    subtrees: list[tuple[int, int, bytes]] = []
    for row in rows:
        leaf = leaf_hash(row.content)
        chain = chained(chain, leaf)
        entries.append(Entry(frontier.size, row, leaf, chain))
        subtrees += frontier.add(leaf)
    newest = max(row.recorded_at for row in rows)
    head = Head(frontier, chain, newest if until is None else max(until, newest))
    store.append(connection, city, entries)
    store.keep_subtrees(connection, city, subtrees)
    store.advance(connection, city, head)
    return head


def _sign_when_due(connection: Connection, city: str, head: Head, now: datetime, key: LogKey, *, behind: bool) -> bool:
    """`behind`: more is waiting to be sealed, so that only a full thousand is worth a checkpoint."""
    size, root = head.frontier.size, head.frontier.root
    last = next(iter(queries.checkpoints(connection, city)), None)
    new = size - (last.size if last else 0)
    due = new >= CHECKPOINT_ENTRIES or (not behind and (last is None or now - last.made_at >= CHECKPOINT_EVERY))
    if not new or not due:
        return False
    note = seal(city, size, root, key.public, key.sign)
    store.save_checkpoint(connection, city, Checkpoint(size, root, note, now))
    return True
