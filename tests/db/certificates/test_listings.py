"""Official lists of enterprises: imported by their dates, removed by their dates, and never a person."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from backend.certificates import listings
from backend.certificates.listing_files import ListingFileUnknown, NewListingFile
from backend.certificates.listings import Imported, List, ListColumnsMissing, Report
from backend.storage.transaction import Database, hot
from backend.usecases.import_listings import ListsByTwo, approve_listings, import_listings, propose_listings
from tests.db.operator.conftest import run
from tests.db.operator.typed import Run, done, refused
from tests.worlds.threads import Threads

__all__ = ["run"]
NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
FIRM, OTHER = "91371323760038087M", "91330106673959654P"
LISTED = {
    "名单": "严重违法失信名单",
    "统一社会信用代码": FIRM,
    "文号": "宁市监〔2026〕12号",
    "列入机关": "南京市市场监督管理局",
    "列入日期": "2026-03-01",
}


def csv_of(*rows: Mapping[str, str]) -> bytes:
    headings = [*LISTED, "移出日期", "移出文号", "企业名称"]
    return "\n".join([",".join(headings), *(",".join(row.get(name, "") for name in headings) for row in rows)]).encode()


def take(database: Database, *rows: Mapping[str, str], dry_run: bool = False) -> Report:
    content, origin = csv_of(*rows), Imported("国家公示系统", "陈科员", NOW, "赵科长")
    if dry_run:
        with database.read() as connection:
            return listings.compare(connection, content)
    return database.write(lambda connection: import_listings(connection, content, origin))


def on(database: Database, day: str) -> list[tuple[str, str]]:
    with database.read() as connection:
        found = listings.on_lists(connection, date.fromisoformat(day))
    return [(one.listing.list.value, one.listing.uscc) for one in found]


def test_a_listing_holds_from_its_day_until_its_removal(engine_db: Database) -> None:
    other = LISTED | {"名单": "经营异常", "统一社会信用代码": OTHER, "文号": "2026-7"}

    report = take(engine_db, LISTED, other)
    assert (report.added, report.changed, report.unchanged, report.errors) == (2, 0, 0, ())
    assert on(engine_db, "2026-02-28") == []
    assert on(engine_db, "2027-01-01") == [("abnormal", OTHER), ("serious", FIRM)]

    report = take(engine_db, LISTED | {"移出日期": "2026-09-01", "移出文号": "宁市监修〔2026〕3号"}, other)
    assert (report.added, report.changed, report.unchanged) == (0, 1, 1)
    assert on(engine_db, "2026-08-31") == [("abnormal", OTHER), ("serious", FIRM)]
    assert on(engine_db, "2026-09-01") == [("abnormal", OTHER)]


def test_an_older_file_undoes_no_removal_and_a_dry_run_writes_nothing(engine_db: Database) -> None:
    assert take(engine_db, LISTED, dry_run=True).added == 1
    assert on(engine_db, "2026-10-01") == []
    take(engine_db, LISTED | {"移出日期": "2026-09-01"})

    assert take(engine_db, LISTED).unchanged == 1

    assert on(engine_db, "2026-10-01") == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"统一社会信用代码": "11010519491231002X"}, "personal"),
        ({"统一社会信用代码": "91371323760038087A"}, "uscc_invalid"),
        ({"统一社会信用代码": "南京某店"}, "uscc_invalid"),
        ({"列入机关": "经办人 11010519491231002X"}, "personal"),
        ({"名单": "失信被执行人"}, "list_unknown"),
        ({"文号": ""}, "required"),
        ({"列入日期": "三月"}, "date_format"),
        ({"移出日期": "2026-02-28"}, "date_order"),
    ],
)
def test_persons_and_lines_that_say_nothing_are_refused_and_not_kept(
    engine_db: Database, change: dict[str, str], code: str
) -> None:
    report = take(engine_db, LISTED | change, LISTED | {"文号": "2"})

    assert [error.code for error in report.errors] == [code]
    assert report.added == 1
    with engine_db.read() as connection:
        kept = hot(connection, "SELECT * FROM enterprise_listings").fetchall()
    assert "11010519491231002X" not in str(kept)


def test_a_file_without_the_columns_is_refused(engine_db: Database) -> None:
    with pytest.raises(ListColumnsMissing), engine_db.read() as connection:
        listings.compare(connection, "名单,文号\na,b".encode())


def test_of_many_who_approve_a_list_at_once_one_is_first(engine_db: Database) -> None:
    new = NewListingFile(str(uuid4()), "a.csv", "公示系统", csv_of(LISTED), "陈科员", "陈静")
    engine_db.write(lambda connection: propose_listings(connection, "320100", new, NOW))

    def approve(number: int) -> str:
        try:
            engine_db.write(lambda connection: approve_listings(connection, "320100", new.file, f"科长{number}", NOW))
        except ListingFileUnknown as refusal:
            return refusal.code
        return "imported"

    with Threads(4) as pool:
        said = sorted(pool.map(approve, range(4)))

    assert said == ["imported"] + ["listing-file-unknown"] * 3
    with engine_db.read() as connection:
        assert hot(connection, "SELECT count(*) FROM enterprise_listings").fetchone() == (1,)


def test_lists_are_imported_and_shown_by_command(run: Run, engine_db: Database, tmp_path: Path) -> None:
    file = tmp_path / "lists.csv"
    file.write_bytes(csv_of(LISTED))

    command = ("enterprises", "import-lists", str(file), "--source", "公示系统", "--by", "陈科员")
    for second in ((), ("--approved-by", "陈科员 ")):
        assert isinstance(refused(run(*command, *second)), ListsByTwo)
    assert "新列入 1" in done(run(*command, "--approved-by", "赵科长"))

    assert FIRM in done(run("enterprises", "listed", "--on", "2026-10-01"))
    with engine_db.read() as connection:
        (one,) = listings.listings_of(connection, [FIRM])
    assert one.list is List.SERIOUS
