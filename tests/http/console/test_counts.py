"""What is counted for officials: certificates by kind, county and month; what a budget went to."""

import re
from datetime import UTC, datetime, timedelta

from flask.testing import FlaskClient
from playwright.sync_api import BrowserContext

from backend.officials.model import Role
from backend.storage.transaction import Database
from backend.usecases.count_certificates import count_certificates
from backend.usecases.count_scans import count_scans, keep_outlooks
from tests.http.conftest import Clock
from tests.http.page.looks import fits, violations
from tests.worlds import officials, rules
from tests.worlds.city import FRIDGE, NANJING, SUZHOU, WASHER, open_city, read, register, resident
from tests.worlds.console import Served

XUANWU, GULOU = "91320102MA1000000B", "91320106MA10000005"
GTINS = ("9521234567011", "9521234567028", "9521234567035", "9521234567042")
CELL = re.compile(r'<td class="gp-number" data-value="(-?\d+)">')


def _register(database: Database) -> None:
    """Two certificates in 玄武, one in 鼓楼, one of a holder without a code."""
    for number, (scheme, uscc) in enumerate(
        [("green_food", XUANWU), ("water_saving", XUANWU), ("green_food", GULOU), ("green_food", "")]
    ):
        row = {
            "scheme": scheme,
            "certificate_no": f"LB-03-2401{number:010d}A" if scheme == "green_food" else f"DEMO-{number:06d}",
            "body": "CGFDC" if scheme == "green_food" else "CNCA-R-2002-001",
            "code": GTINS[number],
            "uscc": uscc,
        }
        register(database, row)
    count_certificates(database)


def _sold(database: Database, now: datetime) -> None:
    city = open_city(database, rules.document(rules.rule("ten", rules.fixed(10), rules.where("grade", "=", 1))))
    till = city.till(7)
    for number in range(6):
        arrival = till.basket(read(FRIDGE), read(WASHER), resident=resident(number), sold_at=now - timedelta(hours=1))
        arrival.basket.district = "320106" if number % 3 == 0 else "320102"
        city.record(arrival, now=now - timedelta(minutes=50))
    count_scans(database, NANJING, now)
    keep_outlooks(database, NANJING, now)


def _row(page: str, name: str) -> list[int]:
    """The numbers of the row that `name` begins."""
    found = re.search(rf"<tr><td[^>]*>{name}</td>(.*?)</tr>", page)
    assert found is not None, name
    return [int(cell) for cell in CELL.findall(found[1])]


def _text(client: FlaskClient, path: str) -> str:
    answered = client.get(f"/console{path}")
    assert answered.status_code == 200
    return answered.get_data(as_text=True)


def test_certificates_are_counted_where_their_holder_is_registered(
    client: FlaskClient, engine_db: Database, clock: Clock
) -> None:
    _register(engine_db)
    officials.signed_in(client, engine_db, clock.now, Role.AUDITOR)

    page = _text(client, "/registry/counts?months=36")

    assert (_row(page, "玄武区")[0], _row(page, "鼓楼区")[0]) == (2, 1)
    assert _row(page, "绿色食品")[0] == 2
    assert _row(page, f"{clock.now:%Y-%m}")[0] == 3
    assert "另有 1 张有效证书" in page
    one = _text(client, "/registry/counts?months=36&scheme=water_saving&region=320102")
    assert _row(one, f"{clock.now:%Y-%m}")[0] == 1
    for wrong in ("scheme=nobodys", "region=320508", "months=7", "region=x"):
        assert _row(_text(client, f"/registry/counts?{wrong}"), f"{clock.now:%Y-%m}")[0] == 3


def test_a_districts_official_counts_their_district_and_a_province_its_cities(
    client: FlaskClient, engine_db: Database, clock: Clock
) -> None:
    _register(engine_db)
    officials.signed_in(client, engine_db, clock.now, Role.AUDITOR, district="320106")
    assert _row(_text(client, "/registry/counts?region=320102"), f"{clock.now:%Y-%m}")[0] == 1

    officials.signed_in(client, engine_db, clock.now, Role.PROVINCE, city="320000")
    assert _row(_text(client, "/registry/counts"), "南京市")[0] == 3

    officials.signed_in(client, engine_db, clock.now, Role.AUDITOR, city=SUZHOU)
    assert "这里还没有证书" in _text(client, "/registry/counts")


def test_a_budget_says_what_it_went_to_and_when_it_runs_out(
    client: FlaskClient, engine_db: Database, clock: Clock
) -> None:
    _sold(engine_db, clock.now)
    officials.signed_in(client, engine_db, clock.now, Role.FINANCE)

    page = _text(client, "/budgets/green/points")

    assert 'href="/console/budgets/green/points"' in _text(client, "/budgets")
    assert (_row(page, "玄武区"), _row(page, "鼓楼区")) == ([40, 4, 40], [20, 2, 20])
    assert _row(page, f"{clock.now + timedelta(hours=8):%Y-%m}")[0] == 60
    assert "预计用完（九成把握）" in page
    for nothing in ("/budgets/green/fen", "/budgets/nobodys/points", "/budgets/green/made-up"):
        assert client.get(f"/console{nothing}").status_code == 404
    officials.signed_in(client, engine_db, clock.now, Role.FINANCE, city=SUZHOU)
    assert client.get("/console/budgets/green/points").status_code == 404


def test_counts_have_no_barrier(served: Served, window: BrowserContext) -> None:
    now = datetime.now(UTC)
    _register(served.engine)
    _sold(served.engine, now)
    desk = served.enter(window, Role.CITY_ADMINISTRATOR, city=NANJING)
    for path in ("/registry/counts", "/budgets/green/points"):
        desk.go(path)
        desk.page.locator(".gp-chart canvas").first.wait_for()
        for closed in desk.page.locator("details summary").all():
            closed.click()
        assert (violations(desk.page), fits(desk.page), desk.complaints) == ([], [], []), path
