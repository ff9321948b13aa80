"""Reports of what policies spend: funding lines that are the ledger's to the fen, and when a budget runs out."""

import json
from datetime import date, timedelta

import pytest

from backend.storage.transaction import Database
from backend.usecases.forecast_budgets import forecast_budgets, standing_budgets
from tests.db.operator.typed import Run, done
from tests.worlds import books, rules
from tests.worlds.city import FRIDGE, NANJING, NOON, RICE, City, open_city, read, resident
from tests.worlds.returning import bring_back

LIFE = {**rules.cap("life", "lifetime", 10**9), "unit": "points"}
SHARES = [
    {"source": "central", "name_zh": "中央财政", "name_en": "Central", "basis_points": 8_500},
    {"source": "local", "name_zh": "地方财政", "name_en": "Local", "basis_points": 1_500},
]


def subsidy(**budget: object) -> dict[str, object]:
    """15 % of the price in fen, and ten points."""
    doc = rules.document(rules.rule("pays", rules.percent(1_500)), unit="fen", caps=[LIFE])
    del doc["rules"][0]["reward"]
    doc["rules"][0]["rewards"] = [
        {**rules.percent(1_500), "unit": "fen"},
        {**rules.fixed(10), "unit": "points"},
    ]
    del doc["budget"]
    fen = {"unit": "fen", "amount": 10**9, "partial": True, "shards": 3, "shares": SHARES, **budget}
    return {**doc, "budgets": [fen, {"unit": "points", "amount": 10**6, "partial": True}]}


@pytest.fixture
def city(engine_db: Database) -> City:
    opened = open_city(engine_db, subsidy())
    till = opened.till()
    for number, price in enumerate((333_333, 19_999, 7), 1):
        opened.record(till.basket(read(FRIDGE, price_fen=price), read(RICE, price_fen=100), resident=resident(number)))
    return opened


def funding(run: Run, first: str, last: str) -> dict[str, object]:
    report = json.loads(done(run("policies", "funding", "--city", NANJING, "--from", first, "--to", last, "--json")))
    assert report["equal"]
    return {(one["unit"], one["source"]): (one["amount"], one["awards"]) for one in report["borne"]}


def test_each_award_is_parted_by_its_own_version_and_sums_to_the_ledger(run: Run, city: City) -> None:
    """15 % of 3,333.33 and 199.99 yuan and of 7 fen, three times of 1 yuan: 49,999 + 2,999 + 1 + 3 x 15 fen."""
    borne = funding(run, "2026-11-22", "2026-11-22")

    assert borne["fen", "central"] == (42_499 + 2_549 + 1 + 3 * 13, 6)
    assert borne["fen", "local"] == (7_500 + 450 + 0 + 3 * 2, 6)
    assert borne["points", None] == (60, 6)
    paid = sum(books.wallet(city.database, NANJING, resident(number), "fen") for number in (1, 2, 3))
    assert borne["fen", "central"][0] + borne["fen", "local"][0] == paid
    assert "与账本相等" in done(
        run("policies", "funding", "--city", NANJING, "--from", "2026-11-22", "--to", "2026-11-22")
    )


def test_each_source_gets_back_just_what_it_bore(run: Run, engine_db: Database) -> None:
    """10 fen at 85 and 15 per cent are 9 and 1; they come back in two parts of 5, the second on another day."""
    shares = [
        {"source": source, "name_zh": source, "name_en": source, "basis_points": bp}
        for source, bp in (("central", 8_500), ("local", 1_500))
    ]
    doc = rules.document(rules.rule("a", {"kind": "per_unit", "amount": 5}), unit="fen")
    doc["budget"]["shares"] = shares
    city = open_city(engine_db, doc)
    sale = city.till().basket(read(FRIDGE, qty=2), resident=resident(1))
    city.record(sale)
    for number, days in (("R1", 0), ("R2", 1)):
        bring_back(engine_db, (sale.basket.basket, 0, 1), number=number, at=NOON + timedelta(days=days, minutes=1))

    def net(first: str, last: str) -> dict[str, int]:
        told = done(run("policies", "funding", "--city", NANJING, "--from", first, "--to", last, "--json"))
        report = json.loads(told)
        assert report["equal"]
        return {one["source"]: one["net"] for one in report["borne"]}

    assert net("2026-11-22", "2026-11-22") == {"central": 4, "local": 1}
    assert net("2026-11-23", "2026-11-23") == {"central": -4, "local": -1}
    assert net("2026-11-22", "2026-11-23") == {"central": 0, "local": 0}
    said = done(run("policies", "funding", "--city", NANJING, "--from", "2026-11-22", "--to", "2026-11-22"))
    assert "退货收回 0.05 元，净额 0.04 元" in said


def test_other_days_have_nothing(run: Run, city: City) -> None:
    assert funding(run, "2026-11-23", "2026-11-30") == {}
    assert city.code == NANJING


def test_a_budget_that_spends_the_same_each_day_ends_when_division_says(engine_db: Database) -> None:
    """100 of 3,500 points on each of 28 days: 700 are left, seven days more."""
    city = open_city(engine_db, rules.document(budget=3_500))
    till = city.till()
    for back in range(28, 0, -1):
        at = NOON - timedelta(days=back)
        reads = [read(FRIDGE) for _ in range(10)]
        city.record(till.basket(*reads, resident=resident(1), sold_at=at), now=at)

    with engine_db.read() as connection:
        (found,) = forecast_budgets(connection, NANJING, NOON, seed=1)

    assert (found.policy, found.left, found.forecast.daily) == ("green", 700, 100)
    assert found.forecast.p50 == found.forecast.p90 == date(2026, 11, 29)
    assert found.forecast.until == date(2027, 12, 31)


def test_what_a_later_version_was_granted_is_in_the_budget_and_not_spent(engine_db: Database) -> None:
    city = open_city(engine_db, rules.document(budget=3_500))
    city.publish(rules.document(budget=500, starts="2027-01-01T00:00:00+08:00"))

    with engine_db.read() as connection:
        (found,) = forecast_budgets(connection, NANJING, NOON, seed=1)
        (standing,) = standing_budgets(connection, NANJING, NOON)

    assert (found.granted, found.left) == (4_000, 4_000)
    assert (standing.granted, standing.left) == (4_000, 4_000)


def test_what_days_of_an_earlier_version_left_of_a_pace_may_be_spent_in_the_forecast(engine_db: Database) -> None:
    """Twelve days at ten points by tonight, sixty of them spent on two days: thirty a day go on for three days and a third."""

    def paced(starts: str, budget: int) -> dict[str, object]:
        doc = rules.document(budget=budget, starts=f"{starts}T00:00:00+08:00")
        return {**doc, "budget": {**doc["budget"], "paces": [{"pace": "daily", "amount": 10, "carry_over": True}]}}

    city = open_city(engine_db, paced("2026-11-11", 60))
    city.publish(paced("2026-11-21", 100))
    for back in (2, 1):
        at = NOON - timedelta(days=back)
        city.record(city.till(back).basket(*[read(FRIDGE)] * 3, resident=resident(1), sold_at=at), now=at)

    with engine_db.read() as connection:
        (found,) = forecast_budgets(connection, NANJING, NOON, seed=1)

    assert (found.left, found.forecast.daily) == (100, 30)
    assert found.forecast.p50 == found.forecast.p90 == date(2026, 11, 26)


def test_a_forecast_ends_with_the_day_before_the_money_is_taken_back(engine_db: Database) -> None:
    open_city(engine_db, subsidy(reclaim_on="2026-12-31"))

    with engine_db.read() as connection:
        fen, points = forecast_budgets(connection, NANJING, NOON, seed=1)

    assert (fen.forecast.until, points.forecast.until) == (date(2026, 12, 30), date(2027, 12, 31))
    assert fen.forecast.p50 is None


def test_the_forecast_is_printed(run: Run, city: City) -> None:
    found = json.loads(done(run("policies", "forecast", "--city", NANJING, "--json")))

    assert {one["unit"] for one in found} <= {"fen", "points"}
    assert run("policies", "forecast", "--city", NANJING).exit_code == 0
    assert city.code == NANJING
