"""A preview of stored history: the version in force beside itself costs what the engine awarded, however many processes."""

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from backend.cli.main import program
from backend.scans.past_sales import Window
from backend.storage.transaction import Database
from backend.usecases.preview_policy import Place, preview_policy
from tests.worlds import books, rules
from tests.worlds.city import FRIDGE, NANJING, NOON, RICE, TELEVISION, WASHER, City, open_city, read, resident

BEGIN = NOON - timedelta(days=10)
WINDOW = Window(NANJING, BEGIN, NOON + timedelta(days=1), NOON + timedelta(days=2))
BY_SHOP = {"cap": "shop", "per": "store", "period": "day", "limit": 60, "partial": True}


def plain(**more: Any) -> dict[str, Any]:
    part = rules.rule("part", rules.percent(100, cap_per_unit=60), rules.where("grade", "<=", 2))
    caps = [rules.cap("day", "day", 90), rules.cap("life", "lifetime", 400, partial=False)]
    return rules.document(part, rules.rule("rest", rules.fixed(3)), caps=caps, **more)


def by_shop() -> dict[str, Any]:
    doc = plain()
    return {**doc, "caps": [*doc["caps"], BY_SHOP]}


def bonus() -> dict[str, Any]:
    steps = {"milestone": "acts", "unit": "points", "period": "lifetime", "steps": {"2": 7, "4": 9}}
    return {**plain(), "milestones": [steps]}


def sell(city: City) -> None:
    """Ten days of sales, each recorded on its day, in the order of sale."""
    rng = random.Random(5)
    tills = [city.till(number) for number in (1, 2, 3)]
    for day in range(10):
        arrivals = []
        for minute in range(30):
            reads = [
                read(rng.choice([FRIDGE, WASHER, TELEVISION, RICE]), price_fen=rng.randrange(100, 9_000), qty=2)
                for _ in range(rng.randint(1, 2))
            ]
            sold_at = BEGIN + timedelta(days=day, minutes=minute)
            arrival = rng.choice(tills).basket(*reads, resident=resident(rng.randrange(12)), sold_at=sold_at)
            arrival.basket.store = f"s{rng.randrange(3)}"
            arrivals.append(arrival)
        city.record(*arrivals, now=BEGIN + timedelta(days=day, hours=1))


@pytest.mark.parametrize(
    "doc", [plain(), plain(budget=4_000), by_shop(), bonus()], ids=["plain", "budget", "shop", "bonus"]
)
def test_the_version_in_force_costs_what_the_engine_awarded(
    engine_db: Database, database_url: str, doc: dict[str, Any]
) -> None:
    sell(open_city(engine_db, doc))
    place = Place(database_url, "greenpoints_auditor")

    found = preview_policy(place, WINDOW, rules.text_of(doc), parts=1).said
    in_two = preview_policy(place, WINDOW, rules.text_of(doc), parts=2, sales_a_part=1).said

    awarded = sum(books.wallets(engine_db, NANJING).values())
    assert awarded > 1_000
    assert found["cost"] == {"points": [awarded, awarded]}
    assert (found["winners"], found["losers"], found["flips"]) == ({}, {}, {"gained": 0, "lost": 0})
    assert sum(units["points"][1] for units in found["by"]["store"].values()) == awarded
    assert in_two == found


def test_a_command_says_what_a_draft_would_change(engine_db: Database, database_url: str, tmp_path: Path) -> None:
    city = open_city(engine_db, plain())
    now = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
    till = city.till()
    city.record(till.basket(read(FRIDGE), resident=resident(1), sold_at=now), now=now)
    city.record(till.basket(read(TELEVISION), resident=resident(2), sold_at=now), now=now)
    draft = rules.document(rules.rule("best", rules.fixed(50), rules.where("grade", "<=", 1)))
    file = tmp_path / "draft.json"
    file.write_text(rules.text_of(draft), encoding="utf-8")
    typed = ["policies", "preview", str(file), "--city", NANJING, "--workers", "1"]

    table = CliRunner(env={"DATABASE_URL": database_url}).invoke(program, typed)
    facts = CliRunner(env={"DATABASE_URL": database_url}).invoke(program, [*typed, "--json"])

    assert table.exit_code == 0, repr(table.exception)
    assert "预演 2/2" in table.stderr
    assert "支出 / cost：现行 63 分，草案 50 分（-13 分）" in table.stdout
    assert "得到更少 / get less：2 人 [points]" in table.stdout
    assert "由无到有 / now awarded：0；由有到无 / no longer awarded：1" in table.stdout
    said = json.loads(facts.stdout)
    assert f"SHA-256 {said['sha256']}" in table.stdout
    assert str(resident(1)) not in facts.stdout
