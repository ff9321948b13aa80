"""`greenpoints ledger` as an operator types it."""

import json
from datetime import timedelta

import pytest
from click.testing import CliRunner, Result

from backend.cli.ledger import ledger
from backend.storage.transaction import Database
from tests.db.ledger.walk import LI, PLENTY, assert_sound, held, walled
from tests.worlds.city import FRIDGE, NANJING, NOON, City, read

LONG_AGO = NOON - timedelta(days=300)
"""What was sold then is available, or lapsed, whenever this test runs; nothing of it that has an end is over before 2027."""


@pytest.fixture
def city(engine_db: Database) -> City:
    opened = walled(engine_db)
    for kind in PLENTY:
        opened.record(opened.till(kind).basket(read(FRIDGE, qty=kind), resident=LI, sold_at=LONG_AGO), now=LONG_AGO)
    return opened


def typed(url: str, *words: str) -> Result:
    result = CliRunner(env={"DATABASE_URL": url}).invoke(ledger, list(words))
    assert result.exit_code == 0, result.output
    return result


def test_what_is_due_is_settled_and_said(city: City, database_url: str) -> None:
    said = typed(database_url, "settle-due").output

    assert f"{NANJING}：到期账户" in said
    assert "退回 1 笔" in said
    assert all(not account.startswith(("pending:", "collect:")) for account in held(city))
    again = json.loads(typed(database_url, "settle-due", "--city", NANJING, "--json").output)
    assert again == {NANJING: {"accounts": 0, "released": 0, "lapsed": 0, "expired": 0, "repaid": 0}}
    assert_sound(city)


def test_the_liability_report_adds_up(city: City, database_url: str) -> None:
    (before,) = json.loads(typed(database_url, "liability", "--city", NANJING, "--json").output)
    typed(database_url, "settle-due")
    (after,) = json.loads(typed(database_url, "liability", "--city", NANJING, "--json").output)

    assert before["adds_up"]
    assert after["adds_up"]
    assert (before["issued"], before["pending"], before["to_collect"]) == (40, 10, 10)
    assert (after["issued"], after["pending"], after["lapsed"], after["to_collect"]) == (40, 0, 10, 0)
    assert after["outstanding"] + after["expired"] == 30
    assert "居民持有" in typed(database_url, "liability", "--city", NANJING).output
