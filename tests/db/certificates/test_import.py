import io
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime

import pytest
import xlsxwriter

from backend.certificates import imports, queries, sheets, store
from backend.certificates.headings import HEADINGS
from backend.certificates.imports import Report, Source
from backend.storage.transaction import Database, hot, observed
from tests.worlds.threads import Threads

Cells = Mapping[str, str]
Take = Callable[..., Report]
NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
HISTORY = ("certificates", "certificate_terms", "certificate_states", "certified_products")


def counted(database: Database) -> dict[str, int]:
    with database.read() as connection:
        rows = {table: hot(connection, f"SELECT count(*) FROM {table}").fetchone() for table in HISTORY}
        return {table: row[0] for table, row in rows.items() if row} | {
            "version": store.current_version(connection).version
        }


def test_a_good_file_is_stored_and_its_batch_recorded(take: Take, engine_db: Database, fridge: dict[str, str]) -> None:
    report = take(fridge)

    assert counted(engine_db) == dict.fromkeys(HISTORY, 1) | {"version": 1}
    with engine_db.read() as connection:
        batch = queries.batch_of_content(connection, report.batch.sha256)
    assert batch == report.batch
    assert (batch.source, batch.imported_by, batch.imported_at) == ("能效标识备案", "张三", NOW)
    assert (batch.rows_changed, batch.rows_unchanged, batch.rows_refused) == (1, 0, 0)


def test_the_same_file_twice_changes_nothing_and_says_so(
    take: Take, engine_db: Database, fridge: dict[str, str]
) -> None:
    first = take(fridge)
    before = counted(engine_db)

    second = take(fridge)

    assert second.already == first.batch
    assert counted(engine_db) == before


def test_the_same_rows_in_another_file_make_no_row_and_no_version(
    take: Take, engine_db: Database, fridge: dict[str, str]
) -> None:
    other = fridge | {"certificate_no": "202601-27-10000001-100000000002"}
    take(fridge, other)
    before = counted(engine_db)

    report = take(other, fridge)

    assert (report.already, report.batch.rows_changed, report.batch.rows_unchanged) == (None, 0, 2)
    assert counted(engine_db) == before


def test_a_changed_row_makes_a_new_row_and_leaves_the_old_one(
    take: Take, engine_db: Database, fridge: dict[str, str]
) -> None:
    take(fridge)
    with engine_db.read() as connection:
        before = hot(connection, "SELECT * FROM certified_products").fetchall()

    take(fridge | {"grade": "2"})

    with engine_db.read() as connection:
        after = hot(connection, "SELECT * FROM certified_products ORDER BY recorded_version").fetchall()
    assert after[:1] == before
    assert len(after) == 2


def test_good_rows_are_stored_and_bad_ones_named_by_line_and_column(
    take: Take, engine_db: Database, fridge: dict[str, str]
) -> None:
    report = take(
        fridge | {"grade": "9", "valid_from": "gestern"},
        fridge,
        fridge | {"code": "9521234543214", "certificate_no": "202601-27-10000001-100000000002"},
    )

    assert [(error.line, error.column, error.code) for error in report.errors] == [
        (2, "等级", "grade_unknown"),
        (2, "证书生效日期", "date_format"),
        (4, "产品编码", "code_not_usable"),
    ]
    assert (report.batch.rows_changed, report.batch.rows_refused) == (1, 2)
    assert counted(engine_db)["certificates"] == 1


def test_a_file_without_one_good_row_leaves_no_batch(take: Take, engine_db: Database, fridge: dict[str, str]) -> None:
    report = take(fridge | {"state": "?"})

    assert not report.stored
    with engine_db.read() as connection:
        assert queries.batch_of_content(connection, report.batch.sha256) is None
    assert counted(engine_db)["version"] == 0


def test_a_dry_run_tells_the_same_and_stores_nothing(take: Take, engine_db: Database, fridge: dict[str, str]) -> None:
    told = take(fridge, dry_run=True)

    assert counted(engine_db) == dict.fromkeys(HISTORY, 0) | {"version": 0}
    assert (told.stored, told.new_certificates, told.batch.rows_changed) == (False, 1, 1)
    assert take(fridge).new_certificates == 1


def test_a_csv_in_gb18030_and_a_workbook_say_the_same(
    engine_db: Database, as_csv: Callable[[Iterable[Cells]], bytes], fridge: dict[str, str]
) -> None:
    source = Source("登记", "a", "张三", NOW)
    text = as_csv([fridge]).decode()
    workbook = io.BytesIO()
    with xlsxwriter.Workbook(workbook) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, [heading.zh for heading in HEADINGS.values()])
        sheet.write_row(1, 0, [fridge.get(name, "") for name in HEADINGS])

    first = imports.import_file(engine_db, text.encode("utf-8-sig"), source)
    second = imports.import_file(engine_db, text.encode("gb18030"), source)
    third = imports.import_file(engine_db, workbook.getvalue(), source)

    assert [report.batch.rows_changed for report in (first, second, third)] == [1, 0, 0]
    assert [report.batch.rows_unchanged for report in (second, third)] == [1, 1]


def test_rows_of_a_program_are_imported_like_a_file(engine_db: Database, fridge: dict[str, str]) -> None:
    source = Source("示范", "demo", "程序", NOW)

    report = imports.import_rows(engine_db, [fridge, {"scheme": "?"}], source)
    again = imports.import_rows(engine_db, [fridge, {"scheme": "?"}], source)

    assert (report.batch.rows_changed, report.batch.rows_refused, report.errors[0].line) == (1, 1, 2)
    assert again.already == report.batch


def test_a_text_that_looks_like_a_formula_is_stored_as_it_is(
    take: Take, engine_db: Database, fridge: dict[str, str]
) -> None:
    take(fridge | {"product": '=HYPERLINK("http://x","冰箱")'})

    with engine_db.read() as connection:
        entry = queries.by_key(connection, "gtin:09521234543213")[0]
    assert entry.product == '=HYPERLINK("http://x","冰箱")'


def test_quotes_backslashes_and_braces_come_back_as_they_went(
    take: Take, engine_db: Database, fridge: dict[str, str]
) -> None:
    odd = "{a,\"b\"}\\NULL 'x';--"
    take(fridge | {"product": odd, "model": "NULL"})

    with engine_db.read() as connection:
        entry = queries.by_key(connection, "gtin:09521234543213")[0]
    assert (entry.product, entry.model) == (odd, "NULL")


def test_a_body_and_an_enterprise_are_registered_with_their_certificate(
    take: Take, engine_db: Database, fridge: dict[str, str]
) -> None:
    take(
        fridge
        | {
            "scheme": "绿色产品认证",
            "certificate_no": "CGP-2026-0001",
            "body": "CNCA-R-2019-555",
            "body_name": "新机构",
        }
    )

    with engine_db.read() as connection:
        assert ("CNCA-R-2019-555", "新机构") in queries.body_names(connection)
        serial = hot(connection, "SELECT serial FROM bodies WHERE code = 'CNCA-R-2019-555'").fetchone()
        enterprise = hot(connection, "SELECT uscc, region FROM enterprises").fetchall()
    assert serial == ("555",)
    assert enterprise == [("91371323760038087M", "371323")]


def test_many_certificates_take_a_number_of_statements_that_does_not_grow_with_them(
    take: Take, fridge: dict[str, str]
) -> None:
    def statements(first: int, rows: int) -> int:
        seen: list[str] = []
        with observed(seen.append):
            take(*(fridge | {"certificate_no": f"CGP-{first + number:06}"} for number in range(rows)))
        return len(seen)

    assert statements(0, 2) == statements(1_000, 900)


def test_the_engine_may_add_to_the_registry_but_neither_change_nor_delete(
    take: Take, engine_db: Database, fridge: dict[str, str]
) -> None:
    take(fridge)
    for table in ("certificates", "certificate_terms", "certificate_states", "certified_products", "registry_changes"):
        for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET recorded_by = ''", f"TRUNCATE {table}"):
            with pytest.raises(Exception, match=r"permission denied|does not exist"):
                engine_db.write(lambda connection, statement=statement: hot(connection, statement))


def test_two_imports_at_once_follow_one_another(engine_db: Database, fridge: dict[str, str]) -> None:
    barrier = threading.Barrier(4)
    reports: list[Report] = []

    def run(number: int) -> None:
        barrier.wait()
        rows = [fridge, fridge | {"certificate_no": f"CGP-2026-{number:04}"}]
        reports.append(imports.import_rows(engine_db, rows, Source("示范", f"{number}", "程序", NOW)))

    with Threads(4) as threads:
        list(threads.map(run, range(4)))

    assert sorted(report.version for report in reports) == [1, 2, 3, 4]
    assert sum(report.new_certificates for report in reports) == 5
    assert counted(engine_db) == {
        "certificates": 5,
        "certificate_terms": 5,
        "certificate_states": 5,
        "certified_products": 5,
        "version": 4,
    }


def test_the_same_file_imported_by_two_at_once_is_one_batch(engine_db: Database, fridge: dict[str, str]) -> None:
    barrier = threading.Barrier(3)
    reports: list[Report] = []

    def run(_number: int) -> None:
        barrier.wait()
        reports.append(imports.import_rows(engine_db, [fridge], Source("示范", "same", "程序", NOW)))

    with Threads(3) as threads:
        list(threads.map(run, range(3)))

    assert len({report.batch.id for report in reports}) == 1
    assert sum(report.already is None for report in reports) == 1


def test_a_refused_file_leaves_no_trace(engine_db: Database) -> None:
    with pytest.raises(sheets.FileRefused):
        imports.import_file(engine_db, b"\x00garbage", Source("x", "x", "x", NOW))

    assert counted(engine_db)["version"] == 0


def test_a_dry_run_says_what_would_become_of_each_certificate_and_writes_nothing(
    take: Take, engine_db: Database, fridge: dict[str, str]
) -> None:
    def numbered(last: int, **changes: str) -> dict[str, str]:
        return fridge | {"certificate_no": f"202601-27-10000001-10000000000{last}"} | changes

    take(fridge, numbered(2), numbered(3), numbered(4))
    before = counted(engine_db)

    report = take(
        fridge,
        numbered(2, grade="2"),
        numbered(3, state="撤销", state_from="2026-06-01"),
        numbered(4, uscc="91371323760038087X"),
        numbered(5),
        dry_run=True,
    )

    found = report.differences
    assert (dict(found.counts), found.unchanged, len(report.errors)) == (
        {"added": 1, "changed": 1, "withdrawn": 1},
        1,
        1,
    )
    assert counted(engine_db) == before
    by_kind = {one.kind.value: one for one in found.listed}
    (graded,) = by_kind["changed"].fields
    assert (graded.name, graded.before) == ("product", "家用电冰箱 BCD-500W 冰箱 1 级")
    assert graded.after == "家用电冰箱 BCD-500W 冰箱 2 级 2026-01-01起"
    (withdrawn,) = by_kind["withdrawn"].fields
    assert (withdrawn.before, withdrawn.after) == ("valid", "withdrawn 2026-06-01起")
    assert [field.name for field in by_kind["added"].fields] == ["term", "state", "product"]
    assert take(fridge, numbered(2, grade="2")).differences.listed == ()
