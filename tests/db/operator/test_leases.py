"""Terms of leases as an official types them, and what tills were granted, used and have left."""

import json
from datetime import UTC, datetime

import pytest

from backend.leases.model import LeaseTermsInvalid
from backend.storage.transaction import Database
from tests.db.operator.typed import Run, done, listed, refused
from tests.worlds import rules
from tests.worlds.city import NANJING, City, open_city
from tests.worlds.lending import TERMS, grant, leases, lend

SET = ("leases", "set", "--city", NANJING, "--policy", "green", "--amount")


@pytest.fixture
def city(engine_db: Database) -> City:
    return open_city(engine_db, rules.document(budget=1_000))


def terms(run: Run) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(done(run("leases", "terms", "--city", NANJING, "--json")))
    return found


def test_terms_are_set_rehearsed_and_taken_away(run: Run, city: City) -> None:
    rehearsed = done(run(*SET, "600", "--dry-run"))
    assert terms(run) == []

    told = done(run(*SET, "600", "--hours", "12"))
    (stands,) = terms(run)
    done(run(*SET, "0"))

    assert rehearsed.startswith("将规定：green：每台终端 600 分、40 次，8 小时内有效")
    assert told.startswith("已规定：green：每台终端 600 分、40 次，12 小时内有效，到期后等待 72 小时")
    assert (stands["amount"], stands["hours"], stands["share_bp"]) == (600, 12, 1_000)
    assert "不租出" in done(run("leases", "terms", "--city", NANJING))


def test_terms_that_cannot_be_are_refused_by_name(run: Run, city: City) -> None:
    assert isinstance(refused(run(*SET, "600", "--unit", "fen")), LeaseTermsInvalid)
    assert isinstance(refused(run(*SET, "600", "--share-bp", "9000", "--dry-run")), LeaseTermsInvalid)


def test_what_tills_hold_is_listed_and_ended(run: Run, city: City) -> None:
    now = datetime.now(UTC)
    lend(city, till := city.till(), terms=TERMS, now=now)
    grant(city, now)

    (held,) = listed(run, "leases", "--city", NANJING)
    line = done(run("leases", "list", "--city", NANJING))
    rehearsed = done(run("leases", "end", "--device", till.device, "--city", NANJING, "--dry-run"))
    ended = done(run("leases", "end", "--device", till.device, "--city", NANJING))
    again = done(run("leases", "end", "--device", till.device, "--city", NANJING))

    assert (held["device"], held["granted"], held["used"], held["usable"], held["expired"]) == (
        till.device,
        100,
        0,
        100,
        0,
    )
    assert "发放 100 分，已付 0 分，退回 0 分，尚可承诺 100 分，到期待退 0 分" in line
    assert (rehearsed.strip()[-3:], ended.strip()[-3:], "没有未到期" in again) == ("将终止", "已终止", True)
    assert leases(city)[0].ended_at is not None
