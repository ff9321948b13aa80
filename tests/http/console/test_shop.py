"""Pages of a retailer's staff: their own shops' sales, tills and returns, and nobody else's."""

import hashlib
import json
import re
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import product
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import BrowserContext

from backend.audit.acting import acting
from backend.audit.model import COMMAND, Actor
from backend.devices.health.read import State
from backend.devices.health.store import NewPresence, save_presence
from backend.devices.store import Report, save_reports
from backend.kernel.periods import milliseconds
from backend.officials.model import Role, Side
from backend.scans.quarantine import Quarantined, set_aside
from backend.scans.shop_queries import returns_of
from backend.storage.transaction import Database
from backend.usecases.count_scans import count_scans
from backend.usecases.enrol_device import Enrolment, enrol_device
from backend.web.console.declare import DECLARED
from tests.http.conftest import Clock
from tests.http.page.looks import fits, violations
from tests.worlds import books, officials
from tests.worlds.city import NANJING, NOON
from tests.worlds.console import Served
from tests.worlds.settling import BIG, SMALL, Office, open_office

HERE, GONE, NEVER, OTHERS = "big-till-0001", "big-till-0002", "big-till-0003", "sml-till-0001"
HEALTH = {
    "every_s": 3_600,
    "outbox": {"baskets": 12, "percent": 1, "rejected": 3, "oldest_age_ms": 4_500_000},
    "clk": {"src": "ntp", "err_ms": 40},
    "source": {"src": "camera", "open": True},
}
PAGES = ("/", "/sales", "/returns", "/tills", f"/tills/{HERE}", "/unreceipted", "/staff", "/account")


def furnished(database: Database, at: datetime) -> Office:
    """A retailer with two shops and three tills, another with one of each: sales, a return, an outbox, refused messages."""
    with acting(Actor("command:tests", COMMAND)):
        office = open_office(database)
        office.sell(4, "s1")
        office.bring_back(office.sell(5, "s1"), 2, at=NOON + timedelta(hours=1))
        office.sell(2, "s2")
        office.bring_back(office.sell(9, "s3"), 1, at=NOON + timedelta(hours=1))
        for device, store in ((HERE, "s1"), (GONE, "s2"), (NEVER, "s2"), (OTHERS, "s3")):
            entered = Enrolment(device, NANJING, store, "k1", device.encode().ljust(32))
            database.write(partial(enrol_device, enrolment=entered, now=at))
    news = [NewPresence(GONE, State(1, online=online), "{}", milliseconds(at)) for online in (True, False)]
    news.append(NewPresence(HERE, State(1, online=True), '{"fw":"2.1"}', milliseconds(at)))
    database.write(partial(save_presence, city=NANJING, news=news))
    told = [Report(device, "health", json.dumps(HEALTH), milliseconds(at)) for device in (HERE, OTHERS)]
    database.write(partial(save_reports, city=NANJING, reports=told))
    database.write(lambda c: set_aside(c, NANJING, [_refused(device, at) for device in (HERE, OTHERS)], at))
    count_scans(database, NANJING, at)
    return office


def _refused(device: str, at: datetime) -> Quarantined:
    line = f'{{"seq":77,"of":"{device}"}}'.encode()
    return Quarantined("basket-conflict", line, hashlib.sha256(line).digest(), at, None, device)


@pytest.fixture
def office(engine_db: Database, clock: Clock) -> Office:
    clock.now = NOON + timedelta(hours=2)
    return furnished(engine_db, clock.now)


@pytest.fixture
def clerk(office: Office, client: FlaskClient, engine_db: Database, clock: Clock) -> FlaskClient:
    return officials.signed_in(client, engine_db, clock.now, Role.CLERK, retailer=BIG)


BEHIND = "11111111-1111-1111-1111-111111111111"
HOSTILE = (
    "\x00",
    "²",
    "9" * 20,
    f"2026-11-22T00:00:00+00:00~{BEHIND}~{'9' * 12}",
    f"0001-01-01T00:00:00+14:00~{BEHIND}~-1",
)
PLACES = ("after", "place", "days", "store", "reason", "show")


def text(client: FlaskClient, path: str) -> str:
    answer = client.get(f"/shop{path}")
    assert answer.status_code == 200, path
    return answer.get_data(as_text=True)


def row_of(page: str, start: str) -> list[str]:
    """Texts of the cells of the table row whose first cell is `start`."""
    for row in re.findall(r"<tr>(.*?)</tr>", page, re.DOTALL):
        cells = [re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL)]
        if cells and cells[0].startswith(start):
            return cells
    return []


def test_sales_by_day_and_shop_are_the_retailers_own(clerk: FlaskClient) -> None:
    sales, one_shop = text(clerk, "/sales"), text(clerk, "/sales?store=s2")

    assert row_of(sales, "2026-11-22")[1:6] == ["3", "3", "3", "3", "11"], "4, 5 and 2 pieces, a point each"
    assert row_of(sales, "示例店 s1")[1:6] == ["2", "2", "2", "2", "9"]
    assert row_of(one_shop, "2026-11-22")[1:6] == ["1", "1", "1", "1", "2"]
    assert "示例店 s3" not in sales
    assert row_of(text(clerk, "/sales?store=s3"), "2026-11-22")[5] == "11", "another's shop is not looked at"


def test_home_says_what_was_sold_today_and_leads_to_what_waits(clerk: FlaskClient) -> None:
    home = text(clerk, "/")

    assert row_of(home, "示例店 s2")[1:4] == ["1", "1", "2"]
    for href, said in (
        ("/shop/tills?show=absent", "1 台终端没有联网"),
        ("/shop/tills", "1 台终端登记后从未上线"),
        ("/shop/unreceipted", "12 个购物篮还没有回执，在 1 台终端上"),
        ("/shop/unreceipted", "近 7 天有 1 条终端消息未能入账"),
    ):
        assert f'<a href="{href}">{said}</a>' in home


def test_a_statement_that_can_still_be_confirmed_waits_on_the_first_page(
    clerk: FlaskClient, office: Office, clock: Clock
) -> None:
    with acting(Actor("command:tests", COMMAND)):
        closed = office.close()
    clock.now = NOON + timedelta(days=9)
    clerk = officials.signed_in(clerk, office.database, clock.now, Role.CLERK, retailer=BIG)

    assert closed
    assert '<a href="/shop/statements/2026-11">2026-11 对账单待确认，异议截止 2026-12-06</a>' in text(clerk, "/")


def test_tills_are_the_retailers_own_with_what_they_have_not_got_a_receipt_for(clerk: FlaskClient) -> None:
    tills, gone = text(clerk, "/tills"), text(clerk, "/tills?show=absent")

    assert row_of(tills, HERE)[1:] == [
        "示例店 s1", "在线", "2026-11-22 14:00", "12", "1 小时 15 分", "3", "网络校时 ±40 毫秒", "2.1",
    ]  # fmt: skip
    assert OTHERS not in tills
    assert (HERE in gone, GONE in gone) == (False, True)
    waiting = text(clerk, "/unreceipted")
    assert row_of(waiting, HERE)[3:6] == ["12", "1 小时 15 分", "3"]
    assert "77" in row_of(waiting, "2026-11-22 14:00:00")
    assert "同一编号先后两份内容" in text(clerk, f"/tills/{HERE}")
    assert OTHERS not in waiting
    assert clerk.get(f"/shop/tills/{OTHERS}").status_code == 404


def test_returns_stand_by_the_line_that_was_sold_with_what_was_taken_back(clerk: FlaskClient) -> None:
    rows = re.findall(r"<tr>\s*<td>2026", text(clerk, "/returns"))
    cells = row_of(text(clerk, "/returns"), "2026-11-22 13:00")

    assert len(rows) == 1, "the other retailer's is not there"
    assert cells[1] == "示例店 s1"
    assert cells[2].startswith("2026-11-22 12:00 第 1 单第 1 行till-320100-2")
    assert cells[4:7] == ["2 / 5", "3", "手续费 0.06 元2 分"]


def test_a_page_of_returns_goes_on_behind_its_last_line(office: Office) -> None:
    for hours in (2, 3, 4):
        office.bring_back(office.sell(1, "s2"), 1, at=NOON + timedelta(hours=hours))

    with office.database.read() as connection:
        first = returns_of(connection, NANJING, ["s1", "s2"], limit=2)
        last = first[-1].return_id, first[-1].place
        further = returns_of(connection, NANJING, ["s1", "s2"], after=last, limit=9)

    assert [(one.returned_at - NOON) // timedelta(hours=1) for one in (*first, *further)] == [4, 3, 2, 1]


def test_totals_of_an_earlier_release_are_said_to_be_unknown_and_counted_anew(
    clerk: FlaskClient, office: Office, clock: Clock, database_url: str
) -> None:
    owner = Database(database_url, role=None, pool_size=1)
    owner.write(lambda c: c.exec_driver_sql("UPDATE scan_totals SET baskets = NULL, certified = NULL"))
    owner.close()
    assert row_of(text(clerk, "/sales"), "2026-11-22")[1:4] == ["—", "3", "—"]

    count_scans(office.database, NANJING, clock.now + timedelta(hours=9))

    assert row_of(text(clerk, "/sales"), "2026-11-22")[1:4] == ["3", "3", "3"]
    assert books.rows(office.database, "SELECT 1 FROM scan_totals WHERE baskets IS NULL AND period = 'day'") == []


def test_a_retailer_without_anything_is_told_what_to_do(office: Office, client: FlaskClient, clock: Clock) -> None:
    new = officials.signed_in(client, office.database, clock.now, Role.SHOPKEEPER, retailer="新商户")

    for path, said in (("/", "没有门店"), ("/sales", "没有销售"), ("/tills", "还没有终端"), ("/returns", "没有退货")):
        assert said in text(new, path), path


def test_the_pages_of_shops_have_no_barrier_and_the_keyboard_suffices(served: Served, window: BrowserContext) -> None:
    furnished(served.engine, datetime.now(UTC))
    desk = served.enter(window, Role.SHOPKEEPER, retailer=BIG)
    page = desk.page

    for path in PAGES:
        desk.shop(path)
        assert (path, violations(page), fits(page), desk.complaints) == (path, [], [], [])

    desk.shop("/")
    page.get_by_role("link", name="终端没有联网").focus()
    page.keyboard.press("Enter")
    page.get_by_role("link", name=GONE).focus()
    page.keyboard.press("Enter")
    page.get_by_role("heading", name=GONE).wait_for()
    assert desk.complaints == []
    assert SMALL not in page.content()


def test_no_address_makes_a_page_of_a_shop_fail(clerk: FlaskClient) -> None:
    rules = [one.url for one in DECLARED if (one.side, one.method) == (Side.SHOP, "GET") and Role.CLERK in one.roles]
    assert len(rules) > 15
    for rule, given in product(rules, HOSTILE):
        path = re.sub(r"<int:\w+>", "9" * 12, re.sub(r"<uuid:\w+>", BEHIND, rule))
        answer = clerk.get(re.sub(r"<\w+>", quote(given), path), query_string=dict.fromkeys(PLACES, given))
        assert answer.status_code < 500, (path, given)


def test_a_week_has_seven_days_and_a_month_thirty_however_lately_a_shop_began(clerk: FlaskClient) -> None:
    for path, days in (("/", 7), ("/sales?days=30", 30)):
        assert len(set(re.findall(r"<td>((?:2026-)?1[01]-\d\d)</td>", text(clerk, path)))) == days
