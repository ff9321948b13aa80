"""A city's public page: policies in plain words, what marks prove, numbers that tell on nobody, a look-up that is not kept."""

from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import BrowserContext

from backend.policies.document import load_policy
from backend.policies.statement import statement
from backend.statistics.model import Total
from backend.storage.transaction import Database
from backend.usecases.count_scans import count_scans
from backend.web.public.suppressed import suppressed
from tests.http.conftest import Clock
from tests.http.console.test_fleet import furnished
from tests.http.page.looks import fits, violations
from tests.worlds import books, rules
from tests.worlds.city import FRIDGE, NANJING, UNCERTIFIED, City, open_city, read, resident
from tests.worlds.console import Served

DOC = rules.document(rules.rule("ten", rules.fixed(10), rules.where("grade", "=", 1)))


def furnish(database: Database, now: datetime, people: int = 12) -> City:
    """A till, so that the city is one of ours, and sales to `people` residents in the month before last."""
    furnished(database, now)
    city = open_city(database, DOC)
    sold_at = (now.replace(day=1) - timedelta(days=20)).replace(hour=4)
    till = city.till(5)
    for number in range(people):
        city.record(till.basket(read(FRIDGE), resident=resident(number), sold_at=sold_at), now=sold_at)
    count_scans(database, NANJING, now)
    return city


def look(client: FlaskClient, code: str, lang: str = "zh") -> str:
    answered = client.post(f"/c/{NANJING}/look?lang={lang}", data={"code": code})
    assert answered.status_code == 200
    return answered.get_data(as_text=True)


def test_it_says_every_clause_of_every_policy_in_force(client: FlaskClient, engine_db: Database, clock: Clock) -> None:
    furnish(engine_db, clock.now)

    page = client.get(f"/c/{NANJING}").get_data(as_text=True)

    for clause in statement(load_policy(rules.text_of(DOC)))[1:]:
        assert clause.heading.zh in page
    assert "有机产品" in page
    assert "不能证明已经购买" in page


def test_it_says_what_goods_would_earn_and_keeps_no_trace_of_the_question(
    client: FlaskClient, engine_db: Database, clock: Clock
) -> None:
    furnish(engine_db, clock.now)
    before = books.rows(engine_db, "SELECT count(*) FROM baskets")

    assert "约 10 分" in look(client, FRIDGE) or "约 10 积分" in look(client, FRIDGE)
    assert "没有查到对应的证书" in look(client, UNCERTIFIED)
    assert "The registry has no certificate" in look(client, UNCERTIFIED, "en")
    assert books.rows(engine_db, "SELECT count(*) FROM baskets") == before


@pytest.mark.parametrize(
    "code", ["<script>alert(1)</script>", "\x00\x01", "有" * 600, "320102199001011234", "' OR 1=1 --"]
)
def test_anything_typed_is_answered_and_shown_as_text(
    client: FlaskClient, engine_db: Database, clock: Clock, code: str
) -> None:
    furnish(engine_db, clock.now, people=1)

    assert "<script>" not in look(client, code)


def test_few_people_are_not_told_by_numbers(client: FlaskClient, engine_db: Database, clock: Clock) -> None:
    furnish(engine_db, clock.now, people=9)
    page = client.get(f"/c/{NANJING}").get_data(as_text=True)
    assert '<td class="number">9</td>' not in page
    assert '<td class="number">—</td>' in page

    assert suppressed(Total("", 9, 9, 0, 0, 9)) == (None, None, None)
    assert suppressed(Total("", 23, 11, 0, 0, 10)) == (20, 10, 10)


def test_one_who_came_every_month_is_not_twelve_people(client: FlaskClient, engine_db: Database, clock: Clock) -> None:
    furnished(engine_db, clock.now)
    city = open_city(engine_db, DOC)
    for month in range(1, 12):
        sold_at = clock.now - timedelta(days=31 * month)
        till = city.till(10 + month)
        city.record(till.basket(*[read(FRIDGE)] * 10, resident=resident(1), sold_at=sold_at), now=sold_at)
    count_scans(engine_db, NANJING, clock.now)

    numbers = client.get(f"/c/{NANJING}").get_data(as_text=True).partition('id="numbers"')[2]
    assert ">100<" not in numbers
    assert ">110<" not in numbers
    assert suppressed(Total("", 40, 7, 0, 0, 20)) == (40, None, 20)


def test_a_city_that_takes_no_part_has_no_page(client: FlaskClient, engine_db: Database) -> None:
    assert client.get("/c/110000").status_code == 404
    assert client.get("/c/assets/nothing.css").status_code == 404


def test_it_has_no_barrier_asks_nobody_else_and_works_on_a_narrow_phone(served: Served, window: BrowserContext) -> None:
    furnish(served.engine, datetime.now(UTC))
    tab = served.tab(window)
    asked: list[str] = []
    tab.page.on("request", lambda request: asked.append(request.url))

    for scheme in ("light", "dark"):
        tab.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        tab.page.goto(f"{served.url}/c/{NANJING}")
        tab.page.get_by_label("输入商品条码").fill(FRIDGE)
        tab.page.get_by_role("button", name="查询").click()
        tab.page.get_by_text("证书有效").wait_for()
        assert violations(tab.page) == []
    tab.page.set_viewport_size({"width": 320, "height": 640})
    assert fits(tab.page) == []
    assert {url.startswith(served.url) for url in asked} == {True}
    assert tab.complaints == []
