"""A catalogue is checked, published and withdrawn by its officials, each time on record; two of them void a redemption."""

import json
from pathlib import Path

import pytest

from backend.storage.transaction import Database
from tests.db.operator.typed import Run, add_store, done, listed, refused
from tests.worlds import books
from tests.worlds.city import FRIDGE, NANJING, open_city, read, resident
from tests.worlds.redeeming import POINT, Counter, entry, text_of, voucher

CITY = ("--city", NANJING)
WHY = ("--reason", "秋季活动", "--by", "王处长")


@pytest.fixture
def file(tmp_path: Path, run: Run) -> Path:
    add_store(run, "r1")
    found = tmp_path / "catalogue.json"
    found.write_bytes(text_of(entry(POINT, stock=5), voucher("tea", points=8)))
    return found


def test_a_catalogue_is_published_in_versions(run: Run, file: Path) -> None:
    assert "2 项，没有问题" in done(run("catalogue", "check", str(file)))
    rehearsed = done(run("catalogue", "publish", str(file), *CITY, *WHY, "--dry-run"))
    assert rehearsed == "point：第 1 版，新增 / new\ntea：第 1 版，新增 / new\n"
    assert listed(run, "catalogue", *CITY) == []

    assert done(run("catalogue", "publish", str(file), *CITY, *WHY)) == rehearsed
    file.write_bytes(text_of(entry(POINT, points=2, stock=5)))
    assert done(run("catalogue", "publish", str(file), *CITY, *WHY)) == "point：第 2 版，更新 / changed\n"
    assert "未变" in done(run("catalogue", "publish", str(file), *CITY, *WHY))
    assert "第 3 版" in done(run("catalogue", "withdraw", POINT, *CITY, *WHY))

    found = {one["entry"]: one for one in listed(run, "catalogue", *CITY)}
    assert (found[POINT]["version"], found[POINT]["withdrawn"], found["tea"]["version"]) == (3, True, 1)
    history = json.loads(done(run("catalogue", "history", POINT, *CITY, "--json")))
    assert [(one["points"], one["published_by"], one["reason"]) for one in history] == [
        (1, "王处长", "秋季活动"),
        (2, "王处长", "秋季活动"),
        (2, "王处长", "秋季活动"),
    ]
    assert "第 3 版" in done(run("catalogue", "history", POINT, *CITY))
    assert "已停止" in done(run("catalogue", "list", *CITY))


def test_what_is_wrong_with_a_file_is_said_and_nothing_is_stored(run: Run, file: Path) -> None:
    file.write_bytes(text_of(entry(POINT), voucher("tea", points=0, stores=["nowhere"])))
    assert refused(run("catalogue", "publish", str(file), *CITY, *WHY)).code == "catalogue-refused"
    file.write_bytes(text_of(entry(POINT), voucher("tea", stores=["nowhere"])))
    assert refused(run("catalogue", "publish", str(file), *CITY, *WHY)).code == "store-unknown"
    assert refused(run("catalogue", "withdraw", POINT, *CITY, *WHY)).code == "catalogue-entry-unknown"

    assert listed(run, "catalogue", *CITY) == []
    assert run("catalogue", "withdraw", POINT, *CITY, "--reason", " ").exit_code == 2


def test_two_people_void_a_redemption(run: Run, file: Path, engine_db: Database) -> None:
    done(run("catalogue", "publish", str(file), *CITY, *WHY))
    city = open_city(engine_db)
    city.record(city.till().basket(read(FRIDGE), resident=resident(1)))
    counter = Counter(engine_db)
    counter.redeem(resident(1), 4)
    (one,) = listed(run, "redemptions", *CITY)
    void = ("redemptions", "void", str(one["redemption"]), *CITY, "--reason", "未能提供", "--by", "王处长")

    assert (one["state"], one["points"]) == ("confirmed", 4)
    assert refused(run(*void, "--approved-by", "王处长")).code == "void-needs-another"
    assert "已作废" in done(run(*void, "--approved-by", "李主任"))
    assert refused(run(*void, "--approved-by", "李主任")).code == "redemption-voided"

    assert "voided" in done(run("redemptions", "list", *CITY))
    assert books.wallet(engine_db, NANJING, resident(1)) == 10
