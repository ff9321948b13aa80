"""The snapshot on its disk. A version is there whole or not at all: each is put in place by one commit."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import orjson

from firmware_bridge.wire.snapshots import SnapshotHead, SnapshotMessage, content_hash
from scanner.errors import TillRefusal

_BUSY_MS = 5_000
_SCHEMA = """
CREATE TABLE IF NOT EXISTS head (
    only INTEGER PRIMARY KEY CHECK (only = 1), dev TEXT NOT NULL, version INTEGER NOT NULL, checked_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL, district TEXT NOT NULL, store TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS lines (key TEXT PRIMARY KEY, line TEXT NOT NULL) STRICT, WITHOUT ROWID;
"""
_PRAGMAS = (
    # WAL: a read sees the version before while the next one is put in place. NORMAL: what a power cut takes is fetched
    # again, and nobody was promised anything by it.
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    f"PRAGMA busy_timeout = {_BUSY_MS}",
)
_ENTER = "INSERT INTO lines (key, line) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET line = excluded.line"
_DELETE = "DELETE FROM lines WHERE key = ?"
_HEAD = "SELECT version, checked_at, expires_at, district, store FROM head"


class SnapshotOlder(TillRefusal):
    code = "snapshot_older"
    text_zh = "商品快照版本 {version} 早于本机已有的 {held}，未采用。"
    text_en = "The snapshot {version} is older than the one held, {held}; it was not taken."


class SnapshotChainBroken(TillRefusal):
    """The whole snapshot has to be fetched."""

    code = "snapshot_chain_broken"
    text_zh = "商品快照的差异与本机版本不相接，将重新获取全部。"
    text_en = "The difference does not follow upon the version held; the whole snapshot is fetched."


class SnapshotBroken(TillRefusal):
    code = "snapshot_broken"
    text_zh = "商品快照内容与其摘要不符，未采用。"
    text_en = "The snapshot is not what its hash says; it was not taken."


class Held(NamedTuple):
    """Which version is held, until when (Unix ms) it may be believed, and where the till stands."""

    version: int
    checked_at: int
    expires_at: int
    district: str
    store: str


class Goods(NamedTuple):
    """What a snapshot knows of a label. `offers`: of a model's label without and with a price, then of a single piece's;
    `paid`: the same of budgets that are lent to tills, unit -> policy -> amount.
    """

    name: str
    until: int
    """Unix ms; of the certificate and of the policies, whichever ends first."""
    offers: list[dict[str, int | str]]
    paid: list[dict[str, dict[str, int]]]


class SnapshotFile:
    """Two connections: `version` and `apply` belong to the thread that fetches, `look` to the one that reads labels."""

    def __init__(self, path: Path, device: str) -> None:
        """A file that is broken, or another till's (a card that was moved), is begun anew."""
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._writing = _open(path)
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:
            for suffix in ("", "-wal", "-shm"):
                path.with_name(path.name + suffix).unlink(missing_ok=True)
            self._writing = _open(path)
        with _transaction(self._writing):
            if self._writing.execute("SELECT 1 FROM head WHERE dev <> ?", (device,)).fetchone() is not None:
                self._writing.execute("DELETE FROM head")
        self._reading = _open(path)

    def version(self) -> int | None:
        held = held_in(self._writing)
        return None if held is None else held.version

    def apply(self, message: SnapshotMessage) -> None:
        """Puts a version in place. Raises SnapshotOlder, SnapshotChainBroken, SnapshotBroken; then nothing has changed."""
        with _transaction(self._writing):
            held = held_in(self._writing)
            _check_follows(message.head, held)
            if message.head.after is None:
                self._writing.execute("DELETE FROM lines")
            self._writing.executemany(_ENTER, ((key, line) for key, line in message.lines if line is not None))
            self._writing.executemany(_DELETE, ((key,) for key, line in message.lines if line is None))
            if held is None or message.head.after != message.head.version:
                _check_whole(self._writing, message.head)
            head = message.head
            row = (head.dev, head.version, head.checked_at, head.expires_at, head.district, head.store)
            self._writing.execute("REPLACE INTO head VALUES (1, ?, ?, ?, ?, ?, ?)", row)

    def look(self, key: str) -> tuple[Held, Goods | None] | None:
        """Which version is held and what it knows of `key`, both of one moment. None where none is held.

        Raises ValueError, TypeError for lines of a form that this release does not know.
        """
        with _transaction(self._reading, "BEGIN"):
            held = held_in(self._reading)
            if held is None:
                return None
            line = _line(self._reading, key)
            return held, None if line is None else self._goods(line, held)

    def _goods(self, line: str, held: Held) -> Goods:
        name, kind, until = orjson.loads(line)
        policies_until, offers = orjson.loads(_line(self._reading, f"k:{kind}") or "")
        place = _line(self._reading, f"p:s/{held.store}") or _line(self._reading, f"p:{held.district}")
        (zone,) = orjson.loads(place or '[""]')
        (paid,) = orjson.loads(_line(self._reading, f"l:{kind}") or "[{}]")
        until_ms = min(until, policies_until)
        return Goods(name, until_ms, offers.get(zone, offers.get("", [])), paid.get(zone, paid.get("", [])))

    def close(self) -> None:
        self._reading.close()
        self._writing.close()


def held_in(connection: sqlite3.Connection) -> Held | None:
    """Which version is there. Raises sqlite3.Error."""
    row = connection.execute(_HEAD).fetchone()
    return None if row is None else Held(*row)


def _open(path: Path) -> sqlite3.Connection:
    """Raises sqlite3.DatabaseError for a file that is not a whole database."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        for pragma in _PRAGMAS:
            connection.execute(pragma).fetchall()
        connection.executescript(_SCHEMA)
        _require_whole(connection)
    except sqlite3.DatabaseError:
        connection.close()
        raise
    return connection


def _require_whole(connection: sqlite3.Connection) -> None:
    if connection.execute("PRAGMA quick_check").fetchall() != [("ok",)]:
        raise sqlite3.DatabaseError("quick_check")


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection, begin: str = "BEGIN IMMEDIATE") -> Iterator[None]:
    connection.execute(begin)
    try:
        yield
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _line(connection: sqlite3.Connection, key: str) -> str | None:
    row = connection.execute("SELECT line FROM lines WHERE key = ?", (key,)).fetchone()
    return None if row is None else str(row[0])


def _check_follows(head: SnapshotHead, held: Held | None) -> None:
    if held is not None and (head.version, head.checked_at) < (held.version, held.checked_at):
        raise SnapshotOlder(version=head.version, held=held.version)
    if head.after is not None and (held is None or held.version != head.after):
        raise SnapshotChainBroken


def _check_whole(connection: sqlite3.Connection, head: SnapshotHead) -> None:
    """What stands now is exactly what the server signed. SQLite orders texts by their bytes, as the hash does."""
    if content_hash(connection.execute("SELECT key, line FROM lines ORDER BY key")) != head.sha256:
        raise SnapshotBroken if head.after is None else SnapshotChainBroken
