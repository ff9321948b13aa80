"""Files of large tables: written by a job, read back, each cell as it was; flat memory, whatever the cells say."""

import random
import tracemalloc
import zipfile
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

from backend.exports import queries
from backend.exports.model import ExportInvalid, ExportNotReady, ExportState, ExportUnknown, Kind, Wanted
from backend.exports.sheets import write_sheet
from backend.kernel.ids import new_id
from backend.storage.transaction import Database
from backend.usecases.export_tables import ask_export, run_exports
from tests.worlds import books
from tests.worlds.city import NANJING, NOON
from tests.worlds.settling import DAY, QIAN, ZHAO, Office, open_office

HOSTILE = (
    *(
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "＝1",
        "＋1",
        "－1",
        "＠x",
        "=cmd|' /C calc'!A0",
        '=HYPERLINK("x")',
    ),
    *("=DDE(1)", "{=1}", "'=1", " =1", "http://x", "00012", "1e5", "TRUE", "#REF!", "=" * 200, "\u0001=1", "苏果"),
)


def test_ten_thousand_hostile_cells_are_text_and_none_a_formula(tmp_path: Path) -> None:
    chance, path = random.Random(6), tmp_path / "hostile.xlsx"
    cells = [chance.choice(HOSTILE) + chance.choice(("", str(chance.random()))) for _ in range(10_000)]

    write_sheet(path, ["=head", "b"], ([cells[n], cells[n + 1]] for n in range(0, 10_000, 2)))

    with zipfile.ZipFile(path) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    assert "<f" not in sheet
    assert sheet.count('t="inlineStr"') == 10_002
    assert "<hyperlink" not in sheet
    read = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
    assert read[0] == ["=head", "b"]
    assert [cell for row in read[1:] for cell in row] == cells


def test_memory_stays_flat_however_many_rows(tmp_path: Path) -> None:
    def peak(rows: int) -> int:
        tracemalloc.start()
        write_sheet(tmp_path / f"{rows}.xlsx", ["a", "b"], ((n, f"={n}") for n in range(rows)))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(10)
    assert peak(6_000) < peak(1_000) + 300_000


@pytest.fixture
def office(engine_db: Database) -> Office:
    opened = open_office(engine_db)
    opened.sell(4)
    opened.sell(2, "s3")
    opened.close()
    return opened


def ask(office: Office, kind: Kind = Kind.STATEMENTS, now: datetime = NOON) -> str:
    export = new_id()
    wanted = Wanted(kind, date(2026, 11, 1), date(2026, 12, 31))
    ask_export(office.database, NANJING, export, wanted, ZHAO, now)
    return export


def run(office: Office, now: datetime = NOON) -> tuple[int, int, int]:
    return tuple(run_exports(office.database, NANJING, lambda: now, lambda: False))


@pytest.mark.parametrize(
    ("kind", "rows"), [(Kind.STATEMENTS, 2), (Kind.JOURNAL, 7), (Kind.LIABILITY, 2), (Kind.ADJUSTMENTS, 0)]
)
def test_what_was_asked_for_is_written_and_fetched_by_who_asked(
    office: Office, tmp_path: Path, kind: Kind, rows: int
) -> None:
    export = ask(office, kind)
    with office.database.read() as connection, pytest.raises(ExportNotReady):
        queries.fetchable(connection, NANJING, export, ZHAO)

    assert run(office) == (1, 0, 0)

    with office.database.read() as connection:
        found = queries.fetchable(connection, NANJING, export, ZHAO)
        content = b"".join(queries.pieces(connection, NANJING, export))
        with pytest.raises(ExportUnknown):
            queries.fetchable(connection, NANJING, export, QIAN)
    (tmp_path / "x.xlsx").write_bytes(content)
    read = CalamineWorkbook.from_path(str(tmp_path / "x.xlsx")).get_sheet_by_index(0).to_python()
    assert (len(read) - 1, found.rows_written, found.rows_all, found.size_bytes) == (rows, rows, rows, len(content))
    if kind in (Kind.STATEMENTS, Kind.JOURNAL):
        assert read[1:] == sorted(read[1:], key=lambda row: row[: 3 if kind is Kind.STATEMENTS else 4])


def test_a_file_is_gone_after_a_day_and_a_dead_workers_is_written_again(office: Office) -> None:
    dead, export = ask(office), ask(office, now=NOON + timedelta(minutes=1))
    office.database.write(
        lambda c: c.exec_driver_sql("UPDATE exports SET state = 'running' WHERE export = %s::uuid", (dead,))
    )
    assert run(office, NOON + timedelta(minutes=2)) == (1, 0, 0)
    assert run(office, NOON + timedelta(minutes=16)) == (1, 0, 0)

    assert run(office, NOON + DAY + timedelta(minutes=16)) == (0, 0, 2)

    with office.database.read() as connection:
        found = queries.exports_of(connection, NANJING, ZHAO)
    assert [one.state for one in found] == [ExportState.ENDED] * 2
    assert books.count(office.database, "export_pieces", NANJING) == 0
    assert export in {one.export for one in found}


def test_a_span_without_end_is_refused(office: Office) -> None:
    wanted = Wanted(Kind.JOURNAL, date(2025, 1, 1), date(2026, 12, 31))
    with pytest.raises(ExportInvalid):
        ask_export(office.database, NANJING, new_id(), wanted, ZHAO, NOON)
