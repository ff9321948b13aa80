"""Files that officials upload: checked first, with every difference that an import would make, then imported when they say so."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from backend.audit.acting import acting
from backend.audit.model import Actor
from backend.certificates import imports, uploads
from backend.certificates.headings import ColumnsMissing, ColumnsRepeated
from backend.certificates.imports import Report, Source
from backend.certificates.sheets import FileRefused
from backend.certificates.uploads import NewUpload
from backend.kernel.errors import DomainError
from backend.storage.transaction import Database

AT_ONCE_BYTES_MAX = 200_000
"""A file up to here is done while the official waits; a larger one by the worker, with its progress on the page."""
DIFFERENCES_KEPT, ERRORS_KEPT = 500, 5_000
GIVEN_UP = timedelta(minutes=10)
TELL_EVERY_S = 1.0
_ROLE = "case_officer"
_REFUSED = (FileRefused, ColumnsMissing, ColumnsRepeated)


class Work(NamedTuple):
    """What becomes of a state: while it is done, and after."""

    doing: str
    done: str


_WORKS = {"to_check": Work("checking", "checked"), "to_import": Work("importing", "imported")}
_AGAIN = {"checking": "to_check", "importing": "to_import"}


def put_upload(database: Database, city: str, new: NewUpload, now: datetime) -> None:
    """After COMMIT it waits; what is small is checked at once."""
    database.write(lambda connection: uploads.put(connection, city, new, now))
    if len(new.content) <= AT_ONCE_BYTES_MAX:
        _work(database, city, new.upload, "to_check", now, _silent)


def ask_import(database: Database, city: str, upload: str, by: str, now: datetime) -> None:
    """The official has seen what it would change, and wants it. Raises UploadUnknown."""
    with database.read() as connection:
        found = uploads.find(connection, city, upload)
    report = {**(found.report or {}), "asked_by": by}
    database.write(lambda connection: uploads.ask(connection, city, upload, report, now))
    if found.size_bytes <= AT_ONCE_BYTES_MAX:
        _work(database, city, upload, "to_import", now, _silent)


def work_uploads(database: Database, city: str, now: datetime, stopping: Callable[[], bool]) -> int:
    """Does what waits in a city; how many files that were."""
    done = 0
    with database.read() as connection:
        waiting = uploads.waiting(connection, city, now - GIVEN_UP)
    for upload, state in waiting:
        if stopping():
            break
        _work(database, city, upload, state, now, _told(database, city, upload))
        done += 1
    return done


def _work(database: Database, city: str, upload: str, state: str, now: datetime, progress: imports.Progress) -> None:
    """Checks it, or imports it, as `state` says; nothing when somebody else is at it."""
    work = _WORKS[_AGAIN.get(state, state)]
    content = database.write(lambda connection: uploads.take(connection, city, upload, state, work.doing, now))
    if content is None:
        return
    with database.read() as connection:
        found = uploads.find(connection, city, upload)
    before = found.report or {}
    source = Source(found.source, found.file_name, found.uploaded_name, now)
    asked_by = str(before.get("asked_by") or found.uploaded_by)
    try:
        with acting(Actor(asked_by, _ROLE)):
            dry_run = work.done == "checked"
            report = imports.import_file(database, content, source, dry_run=dry_run, progress=progress)
    except _REFUSED as refused:
        said = _refusal(refused)
        database.write(lambda connection: uploads.end(connection, city, upload, "refused", said, now))
        return
    facts = before | _facts(report, keep_differences=work.done == "checked")
    database.write(lambda connection: uploads.end(connection, city, upload, work.done, facts, now))


def _silent(_stage: str, _done: int, _total: int) -> None:
    """Of a small file nobody asks how far it is, and a request has one connection."""


def _told(database: Database, city: str, upload: str) -> imports.Progress:
    last_s = 0.0

    def tell(stage: str, done: int, total: int) -> None:
        nonlocal last_s
        if time.monotonic() - last_s >= TELL_EVERY_S or done == total:
            last_s = time.monotonic()
            database.write(lambda connection: uploads.move(connection, city, upload, stage, done, total))

    return tell


def _refusal(refused: DomainError) -> dict[str, object]:
    return {"refused_zh": refused.sentence_zh, "refused_en": refused.sentence_en}


def _facts(report: Report, *, keep_differences: bool) -> dict[str, object]:
    batch = report.batch
    facts: dict[str, object] = {
        "changed": batch.rows_changed,
        "unchanged": batch.rows_unchanged,
        "refused": batch.rows_refused,
        "version": report.version,
        "stored": report.stored,
        "already": None if report.already is None else report.already.file_name,
        "new_certificates": report.new_certificates,
        "new_states": report.new_states,
        "new_products": report.new_products,
        "ignored": list(report.ignored_columns)[:60],
        "errors": [
            [one.line, one.column, one.code, one.reason_zh, one.reason_en] for one in report.errors[:ERRORS_KEPT]
        ],
        "errors_all": len(report.errors),
    }
    if keep_differences:
        found = report.differences
        facts["counts"] = dict(found.counts) | {"unchanged": found.unchanged}
        facts["differences"] = [
            [one.kind.value, one.number, one.body, one.holder, one.line, [list(field) for field in one.fields[:20]]]
            for one in found.listed[:DIFFERENCES_KEPT]
        ]
    return facts
