"""The invented year goes through the real doors: every invariant holds after it, and the same seed makes the same year."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from backend.audit.acting import acting
from backend.audit.model import COMMAND, Actor
from backend.demo.people import add_manager_of_year
from backend.demo.year import founding, mainframe
from backend.demo.year.life import Keys, Span, live
from backend.demo.year.sales import joins_on, residents_on
from backend.demo.year.shops import SUZHOU
from backend.storage.transaction import Database
from tests.conftest import copied
from tests.worlds.later import assert_verified

SPAN = Span(date(2026, 11, 27), days=13, residents=30, baskets=14)
KEYS = Keys(bytes(32), bytes(32), "n1", lambda _: bytes(64))
DECIDED = "SELECT basket::text, line_no, decision_no, outcome, reason, award FROM decisions ORDER BY 1, 2, 3"


@pytest.fixture
def year_url(server_url: str, template: str) -> Iterator[str]:
    with copied(server_url, template) as url:
        yield url


def _lived(url: str, seed: int) -> Database:
    owner = Database(url, role=None, pool_size=2)
    founding.found(url, owner, SPAN.begins - timedelta(days=2))
    live(url, KEYS, SPAN, seed=seed)
    return owner


def _rows(database: Database, statement: str) -> list[tuple[object, ...]]:
    with database.read() as connection:
        return [tuple(row) for row in connection.execute(text(statement))]


def test_a_stretch_of_the_year_has_awards_returns_claims_and_misuse_and_every_invariant_holds(
    database_url: str, year_url: str, tmp_path: Path
) -> None:
    owner, again = _lived(database_url, 3), _lived(year_url, 3)

    outcomes = {str(row[0]) for row in _rows(owner, "SELECT DISTINCT outcome FROM decisions")}
    assert {"awarded", "unclaimed", "held", "none"} <= outcomes
    assert _rows(owner, "SELECT 1 FROM decisions WHERE reason = 'held_refused' LIMIT 1")
    assert _rows(owner, "SELECT 1 FROM returns LIMIT 1")
    assert _rows(owner, DECIDED) == _rows(again, DECIDED)
    mainframe.upload(owner, KEYS.line, datetime(2026, 11, 27, 4, tzinfo=UTC))
    assert _rows(owner, "SELECT accepted, repeated, refused FROM sales_files") == [(3, 0, 3)]
    (tmp_path / "password").write_text("of this test")
    with acting(Actor("command:tests", COMMAND)):
        add_manager_of_year(owner, tmp_path / "password", datetime(2026, 11, 27, 4, tzinfo=UTC))
    assert _rows(owner, "SELECT login, roles FROM officials WHERE retailer IS NOT NULL") == [
        ("shop.suzhou", ["shopkeeper"])
    ]
    assert_verified(owner, SUZHOU)
    owner.close()
    again.close()


@pytest.mark.parametrize("residents", [1, 7, 30, 600])
def test_a_resident_has_joined_on_the_day_on_which_sales_may_be_theirs(residents: int) -> None:
    for day in range(400):
        there = residents_on(day, residents)
        assert there <= residents
        assert all(joins_on(number, residents) <= day for number in range(there))
