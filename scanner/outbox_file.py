"""The outbox on its disk: opened, checked, and set aside when it is broken."""

import contextlib
import fcntl
import os
import sqlite3
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from scanner.errors import TillRefusal
from scanner.outbox import Limits, Outbox
from scanner.whole_file import sync_folder

STREAM_BYTES = 16
_BUSY_MS = 5_000
_PAGE_BYTES_MIN = 512
_BROKEN = ".broken-"
_JOURNALS = ("-wal", "-shm")

# Additive only: the program before an update must still read this file.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS baskets (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, line BLOB NOT NULL, sha256 TEXT NOT NULL, closed_ts INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS rejected (
    seq INTEGER PRIMARY KEY, line BLOB NOT NULL, sha256 TEXT NOT NULL, code TEXT, rejected_ts INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS open_basket (
    only INTEGER PRIMARY KEY CHECK (only = 1), boot TEXT NOT NULL, opened_mono INTEGER NOT NULL,
    last_mono INTEGER NOT NULL, last_ts INTEGER NOT NULL, member TEXT, cashier TEXT
) STRICT;
CREATE TABLE IF NOT EXISTS open_slips (
    boot TEXT NOT NULL, opened_mono INTEGER NOT NULL, slip_no TEXT NOT NULL, PRIMARY KEY (boot, opened_mono)
) STRICT;
CREATE TABLE IF NOT EXISTS open_reads (number INTEGER PRIMARY KEY, read BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS shop_lines (number INTEGER PRIMARY KEY AUTOINCREMENT, line_id TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE IF NOT EXISTS slips (seq INTEGER PRIMARY KEY, claim_code TEXT NOT NULL) STRICT;
"""
_PRAGMAS = (
    # FULL: a commit is on the medium before the beep (devices.md 0.1); WAL makes that one fsync.
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA wal_autocheckpoint = 200",
    "PRAGMA journal_size_limit = 1048576",
    f"PRAGMA busy_timeout = {_BUSY_MS}",
)


class OutboxInUse(TillRefusal):
    code = "outbox_in_use"
    text_zh = "另一个收银程序正在使用 {path}。"
    text_en = "Another till program is using {path}."


class OutboxUnusable(TillRefusal):
    """The file may be whole: it stays where it is."""

    code = "outbox_unusable"
    text_zh = "本机存储 {path} 打不开（{reason}），终端不能启动。请检查磁盘空间和权限：greenpoints-till doctor"
    text_en = "The outbox {path} cannot be opened ({reason}); the till does not start. Check space and rights."


@dataclass(frozen=True, slots=True)
class OpenedOutbox:
    outbox: Outbox
    set_aside: Path | None
    """Where a broken file was put: kept for recovery, never deleted."""


def open_outbox(path: Path, limits: Limits, *, random_stream: bytes, now_ts: int) -> OpenedOutbox:
    """The outbox at `path`, made with the stream `random_stream` when there is none or the one there is broken.

    Raises OutboxUnusable, and OutboxInUse: two programs would mix two customers in one open basket. The lock ends with
    `Outbox.close` or with the process.
    """
    assert len(random_stream) == STREAM_BYTES
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = _lock(path)
    except OSError as error:
        raise OutboxUnusable(path=path, reason=error.strerror) from error
    try:
        connection, set_aside = _open_or_set_aside(path, random_stream.hex(), now_ts, begun=os.fstat(lock).st_size > 0)
        _witness(lock)
        sync_folder(path.parent)
    except (OSError, sqlite3.OperationalError) as error:
        os.close(lock)
        raise OutboxUnusable(path=path, reason=error) from error
    outbox = Outbox(connection, limits, partial(os.close, lock), set_aside=bool(broken_files(path)))
    return OpenedOutbox(outbox, set_aside)


def broken_files(path: Path) -> list[Path]:
    """What was set aside of the outbox at `path`, oldest first, without its journals."""
    found = path.parent.glob(f"{path.name}{_BROKEN}*")
    return sorted(kept for kept in found if not kept.name.endswith(_JOURNALS))


def _require_no_loss(path: Path, *, begun: bool) -> None:
    """SQLite takes a file that is gone, or shorter than its smallest page, for a new one: so would a loss go unseen.

    Raises sqlite3.DatabaseError.
    """
    size_bytes = path.stat().st_size if path.exists() else 0
    if size_bytes < _PAGE_BYTES_MIN and (begun or size_bytes > 0 or _half_set_aside(path) is not None):
        raise sqlite3.DatabaseError("the file is gone or empty")


def _witness(lock: int) -> None:
    """The lock file says for ever that there was an outbox beside it."""
    if os.fstat(lock).st_size == 0:
        os.write(lock, b"begun\n")
        os.fsync(lock)


def _open_or_set_aside(path: Path, stream: str, now_ts: int, *, begun: bool) -> tuple[sqlite3.Connection, Path | None]:
    """Raises sqlite3.OperationalError: a full disk, missing rights; the file itself may be whole and stays there."""
    try:
        _require_no_loss(path, begun=begun)
        return _open_checked(path, stream), None
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError:
        set_aside = _set_aside(path, now_ts)
        return _open_checked(path, stream), set_aside


def _open_checked(path: Path, stream: str) -> sqlite3.Connection:
    """Raises sqlite3.DatabaseError for a file that is not a whole database."""
    # isolation_level None: transactions begin and end where the code says.
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        for pragma in _PRAGMAS:
            connection.execute(pragma).fetchall()
        found = connection.execute("PRAGMA quick_check").fetchall()
        _require_whole(found)
        connection.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} COMMIT;")
        _begin_stream(connection, stream)
    except sqlite3.DatabaseError:
        connection.close()
        raise
    return connection


def _require_whole(found: list[tuple[str]]) -> None:
    if found != [("ok",)]:
        raise sqlite3.DatabaseError(found[0][0] if found else "quick_check said nothing")


def _begin_stream(connection: sqlite3.Connection, stream: str) -> None:
    rows = [("stream", stream), ("session", "0"), ("last_group", ""), ("leases", "")]
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany("INSERT INTO meta VALUES (?, ?) ON CONFLICT DO NOTHING", rows)
    connection.execute("COMMIT")


def _half_set_aside(path: Path) -> Path | None:
    """What was renamed as the power went, while its rows of late still lie at `path` as a journal: SQLite would delete them."""
    broken = broken_files(path)
    if path.exists() or not broken or not _beside(path, "-wal").exists() or _beside(broken[-1], "-wal").exists():
        return None
    return broken[-1]


def _set_aside(path: Path, now_ts: int) -> Path:
    kept = _half_set_aside(path) or path.with_name(f"{path.name}{_BROKEN}{now_ts}")
    if path.exists():
        path.rename(kept)
    else:
        kept.touch()
    for suffix in _JOURNALS:
        with contextlib.suppress(FileNotFoundError):
            _beside(path, suffix).rename(_beside(kept, suffix))
    return kept


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _lock(path: Path) -> int:
    descriptor = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise OutboxInUse(path=path) from None
    return descriptor
