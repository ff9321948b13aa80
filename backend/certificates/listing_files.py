"""Files of official lists that one official proposes, until another takes them over or sends them back."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import orjson
from sqlalchemy import Connection

from backend.certificates.listings import Report
from backend.kernel.errors import DomainError
from backend.storage.transaction import hot

OPEN_MAX = 20
"""Files of a city that may wait at once."""
SHOWN_MAX = 200
"""Differences and refused lines of a file that the second person is shown."""
_SHOWN = "file::text, file_name, source, encode(sha256, 'hex'), report, proposed_by, proposed_name, proposed_at"

PUT = """
INSERT INTO listing_files (city, file, file_name, source, content, sha256, digest, report, state, proposed_by, proposed_name,
                           proposed_at)
VALUES (%(city)s, %(file)s, %(file_name)s, %(source)s, %(content)s, sha256(%(content)s), %(digest)s, %(report)s, 'proposed',
        %(by)s, %(name)s, %(now)s)
ON CONFLICT DO NOTHING"""

OPEN = f"""
SELECT {_SHOWN} FROM listing_files WHERE city = %(city)s AND state = 'proposed'
ORDER BY proposed_at, listing_files.file LIMIT %(limit)s"""

LOCK = f"""
SELECT {_SHOWN}, content, digest FROM listing_files
WHERE city = %(city)s AND file = %(file)s AND state = 'proposed' FOR UPDATE"""

JUDGE = """
UPDATE listing_files SET state = %(state)s, judged_by = %(by)s, judged_at = %(now)s, content = NULL
WHERE city = %(city)s AND file = %(file)s AND state = 'proposed'"""


class ListingFileUnknown(DomainError):
    code = "listing-file-unknown"
    text_zh = "没有这份待复核的名单，可能已经办结。"
    text_en = "There is no such list that waits, or it has been dealt with."


class ListingFileProposed(DomainError):
    code = "listing-file-proposed"
    text_zh = "同一份文件已提交，正待另一人复核；或待复核的名单已满 {most} 份。"
    text_en = "This very file waits for a second person already, or {most} files do."


class NewListingFile(NamedTuple):
    """`by`: the id of the official, `name`: what they are called."""

    file: str
    file_name: str
    source: str
    content: bytes
    by: str
    name: str


class ListingFile(NamedTuple):
    """`sha256` of its content in hex; `report`: what it would change, as `told` writes it."""

    file: str
    file_name: str
    source: str
    sha256: str
    report: dict[str, object]
    by: str
    name: str
    at: datetime


def put(connection: Connection, city: str, new: NewListingFile, report: Report, now: datetime) -> None:
    """Raises ListingFileProposed."""
    if len(waiting(connection, city)) >= OPEN_MAX:
        raise ListingFileProposed(most=OPEN_MAX)
    given = {"report": orjson.dumps(told(report)).decode(), "digest": report.digest, "now": now}
    if hot(connection, PUT, {"city": city, **new._asdict(), **given}).rowcount == 0:
        raise ListingFileProposed(most=OPEN_MAX)


def waiting(connection: Connection, city: str) -> list[ListingFile]:
    """The oldest first; at most 20."""
    return [_of(row) for row in hot(connection, OPEN, {"city": city, "limit": OPEN_MAX})]


def locked(connection: Connection, city: str, file: str) -> tuple[ListingFile, bytes, bytes]:
    """It, its content, and the digest of what it would change when it was proposed. Raises ListingFileUnknown."""
    row = hot(connection, LOCK, {"city": city, "file": file}).fetchone()
    if row is None:
        raise ListingFileUnknown
    return _of(row[:-2]), bytes(row[-2]), bytes(row[-1])


def judge(connection: Connection, city: str, file: str, state: str, by: str, now: datetime) -> None:
    """`imported` or `refused`; the content is not kept. The caller has locked it."""
    given = {"city": city, "file": file, "state": state, "by": by, "now": now}
    if hot(connection, JUDGE, given).rowcount != 1:
        raise ValueError("only what is proposed is judged")


def told(report: Report) -> dict[str, object]:
    """Counts, and the first 200 differences and refused lines, as the page shows them."""
    return {
        "added": report.added,
        "changed": report.changed,
        "unchanged": report.unchanged,
        "refused": len(report.errors),
        "errors": [[one.line, one.column, one.reason_zh, one.reason_en] for one in report.errors[:SHOWN_MAX]],
        "differences": [one._asdict() for one in report.differences[:SHOWN_MAX]],
    }


def _of(row: Sequence[object]) -> ListingFile:
    found = ListingFile(*row)  # type: ignore[arg-type]  # columns in the order of its fields
    return found._replace(report=orjson.loads(str(found.report)))
