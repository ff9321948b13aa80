"""Files on their way into the registry: taken by one worker at a time, with how far it has come."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import orjson
from sqlalchemy import Connection

from backend.kernel.errors import DomainError
from backend.storage.transaction import hot

PAGE_MAX = 50
_SHOWN = """upload::text, file_name, source, size_bytes, uploaded_by, uploaded_name, uploaded_at, state, stage, done, total,
       moved_at, report"""

PUT = """
INSERT INTO registry_uploads (city, upload, file_name, source, content, size_bytes, uploaded_by, uploaded_name, uploaded_at,
                              state, done, total, moved_at)
VALUES (%(city)s, %(upload)s, %(file_name)s, %(source)s, %(content)s, %(size)s, %(by)s, %(name)s, %(now)s, 'to_check', 0, 0,
        %(now)s)"""

ONE = f"SELECT {_SHOWN} FROM registry_uploads WHERE city = %(city)s AND upload = %(upload)s"

LISTED = f"""
SELECT {_SHOWN} FROM registry_uploads WHERE city = %(city)s AND (%(at)s::timestamptz IS NULL
  OR (uploaded_at, upload) < (%(at)s, %(upload)s::uuid))
ORDER BY uploaded_at DESC, registry_uploads.upload DESC LIMIT %(limit)s"""

# What a worker began and did not end is taken again once it has not moved for a while.
WAITING = """
SELECT upload::text, state FROM registry_uploads
WHERE city = %(city)s AND (state IN ('to_check', 'to_import') OR (state IN ('checking', 'importing') AND moved_at < %(stale)s))
ORDER BY registry_uploads.upload LIMIT 10"""

TAKE = """
UPDATE registry_uploads SET state = %(state)s, moved_at = %(now)s, stage = NULL, done = 0, total = 0
WHERE city = %(city)s AND upload = %(upload)s AND state = %(was)s RETURNING content"""

MOVE = """
UPDATE registry_uploads SET stage = %(stage)s, done = %(done)s, total = %(total)s
WHERE city = %(city)s AND upload = %(upload)s"""

END = """
UPDATE registry_uploads SET state = %(state)s, report = %(report)s, moved_at = %(now)s,
  content = CASE WHEN %(keep)s THEN content END
WHERE city = %(city)s AND upload = %(upload)s"""

ASK = """
UPDATE registry_uploads SET state = 'to_import', report = %(report)s, moved_at = %(now)s
WHERE city = %(city)s AND upload = %(upload)s AND state = 'checked'"""


class UploadUnknown(DomainError):
    code = "upload-unknown"
    text_zh = "没有这份导入文件，或已经处理。"
    text_en = "There is no such file, or it has been dealt with."


class Upload(NamedTuple):
    """`report`: what a check or the import said (`usecases.registry_uploads`); None before."""

    upload: str
    file_name: str
    source: str
    size_bytes: int
    uploaded_by: str
    uploaded_name: str
    uploaded_at: datetime
    state: str
    stage: str | None
    done: int
    total: int
    moved_at: datetime
    report: dict[str, object] | None


class NewUpload(NamedTuple):
    """`by`: the id of the official, `name`: what they are called."""

    upload: str
    file_name: str
    source: str
    content: bytes
    by: str
    name: str


def put(connection: Connection, city: str, new: NewUpload, now: datetime) -> None:
    hot(connection, PUT, {"city": city, "size": len(new.content), "now": now, **new._asdict()})


def find(connection: Connection, city: str, upload: str) -> Upload:
    """Raises UploadUnknown."""
    row = hot(connection, ONE, {"city": city, "upload": upload}).fetchone()
    if row is None:
        raise UploadUnknown
    return _of(row)


def listed(
    connection: Connection, city: str, *, after: tuple[datetime, str] | None = None, limit: int = PAGE_MAX
) -> list[Upload]:
    """The latest first; at most `limit`, at most 51."""
    at, upload = after or (None, None)
    rows = hot(connection, LISTED, {"city": city, "at": at, "upload": upload, "limit": min(limit, PAGE_MAX + 1)})
    return [_of(row) for row in rows]


def waiting(connection: Connection, city: str, stale: datetime) -> list[tuple[str, str]]:
    """Upload and state of those that a worker has to do; `stale`: what has not moved since was given up."""
    return [(row[0], row[1]) for row in hot(connection, WAITING, {"city": city, "stale": stale})]


def take(connection: Connection, city: str, upload: str, was: str, state: str, now: datetime) -> bytes | None:
    """Its content; None when somebody else has it."""
    given = {"city": city, "upload": upload, "was": was, "state": state, "now": now}
    row = hot(connection, TAKE, given).fetchone()
    return None if row is None else bytes(row[0])


def move(connection: Connection, city: str, upload: str, stage: str, done: int, total: int) -> None:
    hot(connection, MOVE, {"city": city, "upload": upload, "stage": stage, "done": done, "total": total})


def end(connection: Connection, city: str, upload: str, state: str, report: dict[str, object], now: datetime) -> None:
    """`checked`, `imported` or `refused`; the content is kept for the import alone."""
    given = {"city": city, "upload": upload, "state": state, "report": orjson.dumps(report).decode(), "now": now}
    hot(connection, END, {**given, "keep": state == "checked"})


def ask(connection: Connection, city: str, upload: str, report: dict[str, object], now: datetime) -> None:
    """It is to be imported. Raises UploadUnknown when it was not just checked."""
    given = {"city": city, "upload": upload, "report": orjson.dumps(report).decode(), "now": now}
    if hot(connection, ASK, given).rowcount == 0:
        raise UploadUnknown


def _of(row: Sequence[object]) -> Upload:
    found = Upload(*row)  # type: ignore[arg-type]  # columns in the order of its fields
    return found if found.report is None else found._replace(report=orjson.loads(str(found.report)))
