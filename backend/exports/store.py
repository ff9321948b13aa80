from collections.abc import Iterator
from datetime import date, datetime

import orjson
from sqlalchemy import Connection

from backend.exports.model import Export, ExportState, ExportUnknown, Kind, Wanted
from backend.storage.transaction import hot

COLUMNS = """
export::text, kind, wanted, asked_by, asked_at, state, moved_at, rows_written, rows_all, size_bytes, encode(sha256, 'hex'),
ends_at"""

INSERT = """
INSERT INTO exports (city, export, kind, wanted, asked_by, asked_at, state, moved_at, rows_written)
VALUES (%(city)s, %(export)s, %(kind)s, %(wanted)s, %(by)s, %(now)s, 'waiting', %(now)s, 0)"""

# One that nobody wrote of for long was left by a worker that died.
TAKE = """
UPDATE exports SET state = 'running', moved_at = %(now)s, rows_written = 0, rows_all = NULL
WHERE city = %(city)s AND export = (
  SELECT export FROM exports WHERE city = %(city)s AND (state = 'waiting' OR state = 'running' AND moved_at < %(stale)s)
  ORDER BY asked_at, export LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING export::text"""

ONE = f"SELECT {COLUMNS} FROM exports WHERE city = %(city)s AND export = %(export)s"
LISTED = f"""
SELECT {COLUMNS} FROM exports WHERE city = %(city)s AND asked_by = %(by)s
ORDER BY asked_at DESC, exports.export DESC LIMIT %(limit)s"""

MOVE = """
UPDATE exports SET moved_at = %(now)s, rows_written = %(written)s, rows_all = %(all)s
WHERE city = %(city)s AND export = %(export)s AND state = 'running'"""

CLEAR = "DELETE FROM export_pieces WHERE city = %(city)s AND export = %(export)s"
PIECE = """
INSERT INTO export_pieces (city, export, piece, content) VALUES (%(city)s, %(export)s, %(piece)s, %(content)s)"""
PIECE_OF = """
SELECT content FROM export_pieces WHERE city = %(city)s AND export = %(export)s AND piece = %(piece)s"""

READY = """
UPDATE exports SET state = 'ready', moved_at = %(now)s, rows_written = %(written)s, rows_all = %(written)s,
       size_bytes = %(size)s, sha256 = %(sha256)s, ends_at = %(ends_at)s
WHERE city = %(city)s AND export = %(export)s AND state = 'running'"""

FAIL = """
UPDATE exports SET state = 'failed', moved_at = %(now)s WHERE city = %(city)s AND export = %(export)s AND state = 'running'"""

END = """
UPDATE exports SET state = 'ended', moved_at = %(now)s WHERE city = %(city)s AND state = 'ready' AND ends_at <= %(now)s
RETURNING export::text"""


def insert(connection: Connection, city: str, export: str, wanted: Wanted, by: str, now: datetime) -> None:
    span = orjson.dumps({"first": wanted.first, "last": wanted.last}).decode()
    given = {"city": city, "export": export, "kind": wanted.kind.value, "wanted": span, "by": by, "now": now}
    hot(connection, INSERT, given)


def take(connection: Connection, city: str, now: datetime, stale: datetime) -> Export | None:
    """The next to be written; None when there is none."""
    row = hot(connection, TAKE, {"city": city, "now": now, "stale": stale}).fetchone()
    return None if row is None else one(connection, city, row[0])


def one(connection: Connection, city: str, export: str) -> Export:
    """Raises ExportUnknown."""
    row = hot(connection, ONE, {"city": city, "export": export}).fetchone()
    if row is None:
        raise ExportUnknown
    return export_of(row)


def listed(connection: Connection, city: str, by: str, *, limit: int) -> list[Export]:
    """What one official asked for, the newest first."""
    return [export_of(row) for row in hot(connection, LISTED, {"city": city, "by": by, "limit": limit})]


def move(connection: Connection, city: str, export: str, now: datetime, written: int, rows_all: int | None) -> bool:
    """False when it is not to be written any more."""
    given = {"city": city, "export": export, "now": now, "written": written, "all": rows_all}
    return hot(connection, MOVE, given).rowcount == 1


def clear(connection: Connection, city: str, export: str) -> None:
    hot(connection, CLEAR, {"city": city, "export": export})


def add_piece(connection: Connection, city: str, export: str, piece: int, content: bytes) -> None:
    hot(connection, PIECE, {"city": city, "export": export, "piece": piece, "content": content})


def pieces(connection: Connection, city: str, export: str) -> Iterator[bytes]:
    """One at a time, so that no file is in memory whole."""
    piece = 0
    while row := hot(connection, PIECE_OF, {"city": city, "export": export, "piece": piece}).fetchone():
        yield bytes(row[0])
        piece += 1


def ready(
    connection: Connection,
    city: str,
    export: str,
    now: datetime,
    ends_at: datetime,
    *,
    written: int,
    size: int,
    sha256: bytes,
) -> None:
    given = {"city": city, "export": export, "now": now, "ends_at": ends_at}
    hot(connection, READY, {**given, "written": written, "size": size, "sha256": sha256})


def fail(connection: Connection, city: str, export: str, now: datetime) -> None:
    hot(connection, FAIL, {"city": city, "export": export, "now": now})


def end(connection: Connection, city: str, now: datetime) -> list[str]:
    """Those whose time is over, whose pieces may go."""
    return [export for (export,) in hot(connection, END, {"city": city, "now": now})]


def export_of(row: tuple[object, ...]) -> Export:
    span = orjson.loads(str(row[2]))
    wanted = Wanted(Kind(str(row[1])), date.fromisoformat(span["first"]), date.fromisoformat(span["last"]))
    rest: tuple[object, ...] = (wanted, row[3], row[4], ExportState(str(row[5])), *row[6:])
    return Export(row[0], *rest)  # type: ignore[arg-type]  # as the statement's columns are
