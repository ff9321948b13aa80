"""The first page says what wants doing and how the city fares; an official of one district sees that district alone."""

import inspect
import re
from datetime import datetime, timedelta

import pytest
from flask.testing import FlaskClient

from backend.officials.model import Role
from backend.storage.transaction import Database
from backend.usecases.count_scans import count_scans, keep_outlooks
from backend.web.console import overview
from backend.web.console.declare import DECLARED
from tests.http.conftest import Clock
from tests.worlds import officials, rules
from tests.worlds.city import FRIDGE, NANJING, WASHER, City, open_city, read, resident

TEN = rules.rule("ten", rules.fixed(10), rules.where("grade", "=", 1))


def _sold(city: City, now: datetime, baskets: int = 12) -> None:
    """As many baskets of an hour ago in two districts; of each the fridge earns ten points."""
    till = city.till(7)
    for number in range(baskets):
        arrival = till.basket(
            read(FRIDGE), read(WASHER), resident=resident(number % 5), sold_at=now - timedelta(hours=1)
        )
        arrival.basket.district = "320106" if number % 3 == 0 else "320102"
        city.record(arrival, now=now - timedelta(minutes=50))
    count_scans(city.database, NANJING, now)
    keep_outlooks(city.database, NANJING, now)


def _text(client: FlaskClient, path: str = "/console/") -> str:
    answered = client.get(path)
    assert answered.status_code == 200
    return answered.get_data(as_text=True)


def test_the_numbers_are_those_of_the_scans_and_stand_in_a_table_beside_each_chart(
    client: FlaskClient, engine_db: Database, clock: Clock
) -> None:
    _sold(open_city(engine_db, rules.document(TEN)), clock.now)
    officials.signed_in(client, engine_db, clock.now, Role.AUDITOR)

    page = _text(client)

    assert 'data-value="24">24</td>' in page  # scans of the day
    assert 'data-value="120">120</td>' in page  # points
    assert "50.0" in page
    assert "玄武区" in page
    assert "鼓楼区" in page
    assert page.count('class="gp-chart"') == page.count('<table class="table table-vcenter gp-table" id="t-') == 3


def test_an_official_of_one_district_sees_its_numbers_alone(
    client: FlaskClient, engine_db: Database, clock: Clock
) -> None:
    _sold(open_city(engine_db, rules.document(TEN)), clock.now)
    officials.signed_in(client, engine_db, clock.now, Role.AUDITOR, district="320106")

    page = _text(client)

    assert 'data-value="8">8</td>' in page
    assert 'data-value="24">24</td>' not in page
    assert "玄武区" not in page


def test_districts_are_tiles_that_lead_to_one_district_alone(
    client: FlaskClient, engine_db: Database, clock: Clock
) -> None:
    _sold(open_city(engine_db, rules.document(TEN)), clock.now)
    officials.signed_in(client, engine_db, clock.now, Role.AUDITOR)

    whole, one = _text(client), _text(client, "/console/?district=320106")

    assert 'href="?days=30&amp;district=320106"' in whole
    assert re.findall(r'<a class="gp-step-(\d)"', whole) == ["5", "3"]  # 16 scans and 8, by code
    assert 'data-value="8">8</td>' in one
    assert "返回全市" in one
    for nowhere in ("320500", "32010", "x", "3201060"):
        assert "返回全市" not in _text(client, f"/console/?district={nowhere}")


def test_another_citys_scans_are_not_shown(client: FlaskClient, engine_db: Database, clock: Clock) -> None:
    _sold(open_city(engine_db, rules.document(TEN)), clock.now)
    officials.signed_in(client, engine_db, clock.now, Role.CITY_ADMINISTRATOR, city="320500")

    assert "这段时间没有扫码" in _text(client)


@pytest.mark.parametrize("days", ["7", "90", "365", "0", "-1", "9" * 40, "x"])
def test_any_span_is_answered(client: FlaskClient, engine_db: Database, clock: Clock, days: str) -> None:
    officials.signed_in(client, engine_db, clock.now, Role.FINANCE)

    assert "总览" in _text(client, f"/console/?days={days}")


def test_a_budget_that_will_not_last_a_month_is_told(client: FlaskClient, engine_db: Database, clock: Clock) -> None:
    doc = rules.document(TEN, budget=200)
    _sold(open_city(engine_db, doc), clock.now - timedelta(days=1))
    officials.signed_in(client, engine_db, clock.now, Role.FINANCE)
    keep_outlooks(engine_db, NANJING, clock.now)

    assert "预算很可能在" in _text(client)


def test_every_alert_leads_to_a_page_that_is_there() -> None:
    led_to = set(re.findall(r'"(/[a-z]+[a-z/]*)"[,)]', inspect.getsource(overview)))

    assert len(led_to) >= 5
    assert led_to - {one.rule for one in DECLARED} == set()
