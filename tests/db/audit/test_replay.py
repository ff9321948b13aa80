"""A mixed city replays: every decision from its stored facts, policy version and certificate rows; what was changed is found."""

import json

import psycopg
import pytest

from backend.storage.transaction import Database
from backend.usecases.replay_decisions import Wanted, replay_decisions
from tests.db.operator.typed import Run
from tests.worlds import books, mixed, rules
from tests.worlds.city import FRIDGE, NANJING, NOON, open_city, read, register, resident
from tests.worlds.later import LATER

SCANS = 4_000


def test_every_decision_of_a_mixed_city_replays(engine_db: Database, run: Run) -> None:
    mixed.fill(engine_db, SCANS)

    found = replay_decisions(engine_db, NANJING, Wanted())
    typed = run("audit", "replay", "--city", NANJING, "--sample", "300", "--json")

    assert found.breaks == ()
    assert found.checked > SCANS
    _is_mixed(engine_db)
    assert typed.exit_code == 0
    (said,) = json.loads(typed.stdout)
    assert said["different"] == 0
    assert 150 < said["replayed"] < 600
    assert "重算" in typed.stderr


def _is_mixed(database: Database) -> None:
    reasons = {reason for (reason,) in books.rows(database, "SELECT DISTINCT reason FROM decisions")}
    limits = {name for (name,) in books.rows(database, "SELECT DISTINCT limit_name FROM further_awards")}
    limits |= {name for (name,) in books.rows(database, "SELECT DISTINCT limit_name FROM decisions")}
    rules_paid = {name for (name,) in books.rows(database, "SELECT DISTINCT rule FROM further_awards")}
    again = books.rows(database, "SELECT count(*) FROM decisions WHERE decision_no > 1 AND award > 0")
    assert reasons >= {"awarded", "awarded_in_part", "cap", "unit_already_awarded", "clock_uncertain", "no_member"}
    assert reasons >= {"product_unknown", "certificate_suspended", "fact_missing"}
    assert limits >= {"day", "by-district", "kinds", "phones", "ceiling", "shop-day", "basket-act", "shared", "acts"}
    assert rules_paid >= {"acts-done#1", "acts-done#3", "top-up", "act"}
    assert again[0][0] > 0


@pytest.mark.parametrize(
    "change",
    ["grade = 2", "tier = 1", "category = '洗衣机'", "certificate_scheme = 'organic'", "certificate = '100OP1200001'"],
)
def test_a_certificates_fact_that_is_not_that_of_its_row_is_found(
    engine_db: Database, database_url: str, change: str
) -> None:
    """Changed where no rule looks, so that the award itself comes out the same."""
    city = open_city(engine_db)
    city.record(city.till().basket(read(FRIDGE), resident=resident(1)))
    with psycopg.connect(database_url) as owner:
        owner.execute(f"UPDATE decisions SET {change}")  # type: ignore[call-overload]  # a constant

    found = replay_decisions(engine_db, NANJING, Wanted())

    assert found.broken == 1
    assert "registry" in found.breaks[0].found


def test_what_the_registry_learned_later_changes_no_decision_of_before(engine_db: Database) -> None:
    city = open_city(engine_db)
    city.record(city.till().basket(read(FRIDGE), resident=resident(1)))
    register(engine_db, {"code": FRIDGE, "category": "冰箱", "grade": "3"}, now=LATER)
    city.record(city.till(2).basket(read(FRIDGE), resident=resident(1), sold_at=LATER), now=LATER)

    found = replay_decisions(engine_db, NANJING, Wanted())

    assert books.columns(engine_db, NANJING, "d.grade") == [(1,), (3,)]
    assert (found.checked, found.breaks) == (2, ())


def test_a_command_says_what_differs_and_ends_with_1(engine_db: Database, database_url: str, run: Run) -> None:
    city = open_city(engine_db, rules.document(rules.rule("best", rules.fixed(10), rules.where("grade", "<=", 1))))
    till = city.till()
    city.record(*(till.basket(read(FRIDGE), resident=resident(1)) for _ in range(2)))
    with psycopg.connect(database_url) as owner:
        owner.execute("UPDATE decisions SET grade = 3 WHERE basket = (SELECT min(basket::text)::uuid FROM decisions)")

    typed = run("audit", "replay")
    later = run("audit", "replay", "--since", f"{NOON.year + 1}-01-01")

    assert typed.exit_code == 1
    assert f"{NANJING} 重算 2 项核定 / decisions replayed：✗ 1 项不同 / differ" in typed.stdout
    assert later.exit_code == 0
    assert "重算 0 项核定" in later.stdout
