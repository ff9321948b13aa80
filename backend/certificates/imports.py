"""Imports of registry files: CSV (UTF-8 with or without BOM, GB18030) and XLSX, one certified product a line.

A line carries its certificate, holder and certification body as well. Columns are found by their heading, Chinese or
English, in any order (`headings.HEADINGS` has every spelling; `greenpoints certificates template` prints them):

    scheme          认证项目          required  code or name of a registered scheme
    certificate_no  证书编号          required  number of the certificate, licence or filing
    body            认证机构批准号     required  CNCA-R-YYYY-NNN, or code or name of a registered issuer
    body_name       认证机构名称                 required when the body is new here
    holder          获证企业名称       required  as on the certificate
    uscc            统一社会信用代码             18 characters; empty for foreign firms
    product         产品名称          required
    model           规格型号
    code            产品编码                    barcode or label code; empty: found by the certificate number;
                                               organic_body:0100 stands for all organic marks of that body
    category        产品类别
    grade           等级                        1 to 5, 1 is best
    tier            星级                        1 to 3
    valid_from      证书生效日期       required  2026-01-31, 2026/1/31, 2026年1月31日, 20260131
    valid_until     证书到期日期       required  the last valid day; 长期 for no end
    state           证书状态          required  有效 valid, 暂停 suspended, 撤销 withdrawn, 注销 cancelled, 过期 expired
    state_from      状态生效日期                 required for suspended, withdrawn, cancelled, and valid again
    product_from    产品生效日期                 since when the product is listed so; else the certificate's first day
    product_until   产品截止日期                 last day on the certificate

Limits: 50 MB, 200,000 lines, 60 columns, 1,000 characters a cell, an XLSX may unpack to 100 times its size. Good lines
are stored in one transaction, bad ones reported with line, column and reason. What the registry already knows makes
no new row; what it knows otherwise makes a new row and leaves the old one standing.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from backend.audit.acts import What
from backend.audit.model import Act
from backend.audit.store import record
from backend.certificates import queries, sheets, store
from backend.certificates.compare import Certificate, Changes, changes, without_conflicts
from backend.certificates.difference import NONE, Differences, differences
from backend.certificates.headings import HEADINGS, Columns, find_columns
from backend.certificates.history import History
from backend.certificates.reasons import RowError
from backend.certificates.recording import BATCH_ROWS, Batch, record_batch, record_changes
from backend.certificates.rows import Register, Row, read_row, register
from backend.kernel.ids import NO_CITY, new_id
from backend.storage.transaction import Database

Line = tuple[int, Sequence[str]]
Progress = Callable[[str, int, int], None]
"""Told the stage (read, compare, store), what is done of it, and of how much."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a file came from: the register or office, the file's own name, and who imports it when."""

    name: str
    file_name: str
    by: str
    now: datetime


@dataclass(frozen=True, slots=True)
class Report:
    batch: Batch
    already: Batch | None
    """The same bytes were imported before, in this batch; nothing was done."""
    stored: bool
    version: int
    new_certificates: int
    new_terms: int
    new_states: int
    new_products: int
    errors: tuple[RowError, ...]
    ignored_columns: tuple[str, ...]
    differences: Differences = NONE
    """Of a dry run: what the import would make of the registry."""


def import_file(
    database: Database, content: bytes, source: Source, *, dry_run: bool = False, progress: Progress = lambda *_: None
) -> Report:
    """Raises sheets.FileRefused, headings.ColumnsMissing or ColumnsRepeated when nothing of the file can be used."""
    sha256 = hashlib.sha256(content).digest()
    already = _already(database, sha256)
    if already is not None:
        return already
    sheet = sheets.read(content)
    work = _Import(database, source, sha256, find_columns(sheet.header), progress)
    return work.run(sheet.rows, dry_run=dry_run)


def import_rows(
    database: Database,
    rows: Iterable[Mapping[str, str]],
    source: Source,
    *,
    dry_run: bool = False,
    progress: Progress = lambda *_: None,
) -> Report:
    """The same for rows made by a program: cells as text by English column name, lines counted from 1."""
    given = [tuple(row.get(name, "") for name in HEADINGS) for row in rows]
    sha256 = hashlib.sha256(json.dumps(given, ensure_ascii=False).encode()).digest()
    already = _already(database, sha256)
    if already is not None:
        return already
    work = _Import(database, source, sha256, find_columns(tuple(HEADINGS)), progress)
    return work.run(list(enumerate(given, start=1)), dry_run=dry_run)


def _already(database: Database, sha256: bytes) -> Report | None:
    with database.read() as connection:
        batch = queries.batch_of_content(connection, sha256)
        if batch is None:
            return None
        version = store.current_version(connection).version
    return _repeated(batch, version)


def _repeated(batch: Batch, version: int) -> Report:
    return Report(
        batch=batch,
        already=batch,
        stored=False,
        version=version,
        new_certificates=0,
        new_terms=0,
        new_states=0,
        new_products=0,
        errors=(),
        ignored_columns=(),
    )


class _Import:
    """One import on its way from lines to a report."""

    def __init__(self, database: Database, source: Source, sha256: bytes, columns: Columns, progress: Progress) -> None:
        self._database, self._source, self._sha256 = database, source, sha256
        self._columns, self._progress = columns, progress

    def run(self, lines: Sequence[Line], *, dry_run: bool) -> Report:
        with self._database.read() as connection:
            known = register(queries.scheme_names(connection), queries.body_names(connection))
        rows, errors = self._read(lines, known)
        groups, conflicts = without_conflicts(rows, self._columns.headings)
        errors += conflicts
        if dry_run:
            with self._database.read() as connection:
                version, found, histories = self._compare(connection, groups)
            told = differences(found, histories, groups)
            return replace(self._report(found, errors, version, stored=False), differences=told)
        return self._database.write(lambda connection: self._store(connection, groups, errors))

    def _read(self, lines: Sequence[Line], known: Register) -> tuple[list[Row], list[RowError]]:
        rows: list[Row] = []
        errors: list[RowError] = []
        names = list(self._columns.positions.items())
        for done, (line, cells) in enumerate(lines, start=1):
            values = {name: cells[position] for name, position in names if position < len(cells)}
            outcome = read_row(line, values, self._columns.headings, known)
            if any(cells[self._columns.width :]):
                errors.append(RowError(line, "", "extra_cells"))
            elif isinstance(outcome, Row):
                rows.append(outcome)
            else:
                errors += outcome
            if done % BATCH_ROWS == 0 or done == len(lines):
                self._progress("read", done, len(lines))
        return rows, errors

    def _store(
        self, connection: Connection, groups: Mapping[Certificate, Sequence[Row]], errors: Sequence[RowError]
    ) -> Report:
        compared_with, found, _ = self._compare(connection, groups)
        locked = store.lock_version(connection)
        if locked.version != compared_with:  # someone else wrote meanwhile; nobody can any more
            _, found, _ = self._compare(connection, groups)
        earlier = queries.batch_of_content(connection, self._sha256)
        if earlier is not None:
            return _repeated(earlier, locked.version)
        if not found.changed and not found.unchanged:
            return self._report(found, errors, locked.version, stored=False)
        report = self._report(found, errors, locked.version, stored=True)
        record_batch(connection, report.batch)
        told = {
            "source": self._source.name,
            "file": self._source.file_name,
            "sha256": report.batch.sha256.hex(),
            "rows_changed": report.batch.rows_changed,
            "rows_unchanged": report.batch.rows_unchanged,
            "rows_refused": report.batch.rows_refused,
            "by": self._source.by,
        }
        act = Act(What.CERTIFICATES_IMPORTED, NO_CITY, "import", report.batch.id, self._source.now, after=told)
        record(connection, act)
        if found.empty:
            return report
        now, by = self._source.now, self._source.by
        version = store.record_change(connection, locked, cause="import", now=now, by=by, batch=report.batch.id)
        record_changes(connection, found, version, self._counted(found))
        return self._report(found, errors, version, stored=True, batch=report.batch)

    def _compare(
        self, connection: Connection, groups: Mapping[Certificate, Sequence[Row]]
    ) -> tuple[int, Changes, Mapping[Certificate, History]]:
        version = store.current_version(connection).version
        histories: dict[Certificate, History] = {}
        done = 0
        for chunk in _chunks(groups):
            keys = {row.key for certificate in chunk for row in groups[certificate]}
            histories |= store.load_histories(connection, chunk, sorted(keys))
            done += len(chunk)
            self._progress("compare", done, len(groups))
        return version, changes(groups, histories, self._columns.headings, new_id), histories

    def _counted(self, found: Changes) -> Callable[[int], None]:
        total = len(found.certificates) + len(found.terms) + len(found.states) + len(found.products)
        done = 0

        def told(rows: int) -> None:
            nonlocal done
            done += rows
            self._progress("store", done, total)

        return told

    def _report(
        self,
        found: Changes,
        errors: Sequence[RowError],
        version: int,
        *,
        stored: bool,
        batch: Batch | None = None,
    ) -> Report:
        every = tuple(sorted([*errors, *found.errors], key=lambda error: (error.line, error.column)))
        refused = len({error.line for error in every})
        source = self._source
        return Report(
            batch=batch
            or Batch(
                id=new_id(),
                source=source.name,
                sha256=self._sha256,
                file_name=source.file_name,
                imported_at=source.now,
                imported_by=source.by,
                rows_changed=found.changed,
                rows_unchanged=found.unchanged,
                rows_refused=refused,
            ),
            already=None,
            stored=stored,
            version=version,
            new_certificates=len(found.certificates),
            new_terms=len(found.terms),
            new_states=len(found.states),
            new_products=len(found.products),
            errors=every,
            ignored_columns=self._columns.ignored,
        )


def _chunks(groups: Mapping[Certificate, Sequence[Row]]) -> Iterable[list[Certificate]]:
    """Certificates whose rows together are about 2,000, so that no statement grows with the file."""
    chunk: list[Certificate] = []
    rows = 0
    for certificate, group in groups.items():
        chunk.append(certificate)
        rows += len(group)
        if rows >= BATCH_ROWS:
            yield chunk
            chunk, rows = [], 0
    if chunk:
        yield chunk
