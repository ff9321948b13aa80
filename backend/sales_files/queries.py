from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.sales_files.model import RowAnswer, RowState, SalesFileUnknown, State
from backend.storage.transaction import hot

PAGE_MAX = 200

_SHOWN = """upload::text, retailer, file_name, size_bytes, encode(sha256, 'hex'), uploaded_by, uploaded_name, uploaded_at, state,
       rows, done, accepted, repeated, refused, points, subsidy_fen, moved_at"""

ONE = f"SELECT {_SHOWN} FROM sales_files WHERE city = %(city)s AND retailer = %(retailer)s AND upload = %(upload)s"

LISTED = f"""
SELECT {_SHOWN} FROM sales_files WHERE city = %(city)s AND retailer = %(retailer)s AND (%(at)s::timestamptz IS NULL
  OR (uploaded_at, upload) < (%(at)s, %(upload)s::uuid))
ORDER BY uploaded_at DESC, sales_files.upload DESC LIMIT %(limit)s"""

_ROWS = """
SELECT file_line, event, line_no, state, code, zh, en, points, subsidy_fen, basket::text, basket_line FROM sales_file_rows
WHERE city = %(city)s AND upload = %(upload)s AND file_line > %(after)s"""
ROWS = _ROWS + " ORDER BY file_line LIMIT %(limit)s"
REFUSED_ROWS = _ROWS + " AND state = 'refused' ORDER BY file_line LIMIT %(limit)s"


class UploadedFile(NamedTuple):
    """`done`: how many of its lines are answered; the counts are there once it is recorded."""

    upload: str
    retailer: str
    file_name: str
    size_bytes: int
    sha256: str
    uploaded_by: str
    uploaded_name: str
    uploaded_at: datetime
    state: State
    rows: int
    done: int
    accepted: int
    repeated: int
    refused: int
    points: int
    subsidy_fen: int
    moved_at: datetime


def find(connection: Connection, city: str, retailer: str, upload: str) -> UploadedFile:
    """Raises SalesFileUnknown, also for another retailer's."""
    row = hot(connection, ONE, {"city": city, "retailer": retailer, "upload": upload}).fetchone()
    if row is None:
        raise SalesFileUnknown
    return _of(row)


def listed(
    connection: Connection,
    city: str,
    retailer: str,
    *,
    after: tuple[datetime, str] | None = None,
    limit: int = PAGE_MAX,
) -> list[UploadedFile]:
    """A retailer's files, the latest first; at most 200."""
    at, upload = after or (None, None)
    given = {"city": city, "retailer": retailer, "at": at, "upload": upload, "limit": min(limit, PAGE_MAX)}
    return [_of(row) for row in hot(connection, LISTED, given)]


def answers(
    connection: Connection,
    city: str,
    upload: str,
    *,
    after: int = 0,
    limit: int = PAGE_MAX,
    refused_only: bool = False,
) -> list[RowAnswer]:
    """Of a file that `find` has found, by its lines, above the line `after`; at most 200."""
    given = {"city": city, "upload": upload, "after": after, "limit": min(limit, PAGE_MAX)}
    rows = hot(connection, REFUSED_ROWS if refused_only else ROWS, given)
    found = [RowAnswer(*row) for row in rows]
    return [one._replace(state=RowState(one.state)) for one in found]


def all_answers(connection: Connection, city: str, upload: str) -> Iterator[RowAnswer]:
    """Every answer of a file, page by page."""
    page = answers(connection, city, upload)
    while page:
        yield from page
        page = answers(connection, city, upload, after=page[-1].file_line)


def _of(row: tuple[object, ...]) -> UploadedFile:
    found = UploadedFile(*row)  # type: ignore[arg-type]  # columns in the order of its fields
    return found._replace(state=State(found.state))
