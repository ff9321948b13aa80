"""Totals are what the scans say, whichever way they came in, and counting again changes nothing."""

from datetime import date, timedelta

import pytest

from backend.statistics import queries
from backend.statistics.model import Facet, Period, span_of
from backend.storage.transaction import Database
from backend.usecases.count_scans import count_scans, keep_outlooks
from tests.worlds import books, mixed
from tests.worlds.city import NANJING, SUZHOU, City, read, resident

NOW = mixed.OPENS + timedelta(days=mixed.DAYS, hours=1)
YEAR = (date(2026, 1, 1), date(2027, 1, 1))
IN_FORCE = """
SELECT DISTINCT ON (d.basket, d.line_no) d.basket, d.line_no, d.unit, d.award, d.certificate_scheme, b.resident, b.store,
  b.district, d.decision_no,
  to_char(b.sold_at AT TIME ZONE 'Asia/Shanghai', 'HH24'), (b.sold_at AT TIME ZONE 'Asia/Shanghai')::date
FROM decisions d JOIN baskets b USING (city, basket) WHERE d.city = :c ORDER BY d.basket, d.line_no, d.decision_no DESC"""
FURTHER = "SELECT basket, line_no, decision_no, unit, award FROM further_awards WHERE city = :c"


@pytest.fixture
def city(engine_db: Database) -> City:
    return mixed.fill(engine_db, 500)


def test_every_facet_adds_up_to_what_the_scans_say(city: City) -> None:
    assert count_scans(city.database, NANJING, NOW) > mixed.DAYS

    lines = books.rows(city.database, IN_FORCE, c=NANJING)
    further = books.rows(city.database, FURTHER, c=NANJING)
    points, fen = (_awarded(lines, further, unit) for unit in ("points", "fen"))
    with city.database.read() as connection:
        for facet in Facet:
            found = queries.of_facet(connection, NANJING, Period.DAY, facet, YEAR, limit=1_000)
            assert (sum(t.scans for t in found), sum(t.points for t in found), sum(t.fen for t in found)) == (
                len(lines),
                points,
                fen,
            )
        stores = {t.key: t.scans for t in queries.of_facet(connection, NANJING, Period.DAY, Facet.STORE, YEAR)}
        (month,) = [m for m in queries.by_time(connection, NANJING, Period.MONTH, YEAR) if m.begins.month == 11]
    for store in {row[6] for row in lines}:
        assert stores[store or ""] == sum(1 for row in lines if row[6] == store)
    november = {row[5] for row in lines if row[5] is not None and row[10].month == 11}
    assert month.persons == len(november)


def test_counting_again_changes_nothing_and_only_what_was_decided_since_is_counted(city: City) -> None:
    count_scans(city.database, NANJING, NOW)
    before = books.rows(city.database, "SELECT * FROM scan_totals ORDER BY 1, 2, 3, 4, 5")

    assert count_scans(city.database, NANJING, NOW + timedelta(hours=1)) == 0
    assert books.rows(city.database, "SELECT * FROM scan_totals ORDER BY 1, 2, 3, 4, 5") == before

    till = city.till(99)
    late = NOW + timedelta(hours=2)
    city.record(till.basket(read(mixed.KNOWN[3]), resident=resident(1), sold_at=late), now=late)
    assert count_scans(city.database, NANJING, late + timedelta(hours=1)) == 1


def test_another_city_is_left_alone(city: City) -> None:
    count_scans(city.database, NANJING, NOW)
    assert books.rows(city.database, "SELECT 1 FROM scan_totals WHERE city = :c", c=SUZHOU) == []


@pytest.mark.parametrize("days", [7, 30, 90])
def test_the_last_days_are_as_many_as_they_are_called(days: int) -> None:
    _, first, end = span_of(days, NOW.date())

    assert ((end - first).days, end) == (days, NOW.date() + timedelta(days=1))


def test_an_outlook_is_kept_once_a_day_for_every_budget_in_force(city: City) -> None:
    kept = keep_outlooks(city.database, NANJING, NOW)

    assert kept > 3
    assert keep_outlooks(city.database, NANJING, NOW + timedelta(minutes=1)) == 0
    with city.database.read() as connection:
        found = queries.outlooks(connection, NANJING)
    assert len(found) == kept
    assert all(one.left >= 0 and one.granted > 0 for one in found)


def _awarded(lines: list[tuple[object, ...]], further: list[tuple[object, ...]], unit: str) -> int:
    in_force = {(row[0], row[1], row[8]) for row in lines}
    own = sum(int(str(row[3])) for row in lines if row[2] == unit)
    return own + sum(int(str(row[4])) for row in further if row[3] == unit and row[:3] in in_force)
