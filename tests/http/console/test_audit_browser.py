"""The audit in a real browser: what was done is found, opened and compared, checkpoints stand; axe finds nothing."""

from datetime import UTC, datetime, timedelta

from playwright.sync_api import BrowserContext

from backend.officials.model import Role
from backend.usecases.seal_ledger import seal_ledger
from tests.db.checkpoints.conftest import KEY
from tests.http.page.looks import fits, violations
from tests.worlds.city import FRIDGE, NANJING, open_city, read, resident
from tests.worlds.console import Desk, Served


def clean(desk: Desk) -> None:
    assert violations(desk.page) == []
    assert fits(desk.page) == []
    assert desk.complaints == []


def test_an_auditor_finds_an_act_and_reads_checkpoints(served: Served, window: BrowserContext) -> None:
    now = datetime.now(UTC)
    city = open_city(served.engine)
    arrival = city.till().basket(read(FRIDGE), resident=resident(1), sold_at=now)
    city.record(arrival, now=now)
    seal_ledger(served.engine, NANJING, now + timedelta(minutes=1), KEY, lambda: False)
    desk = served.enter(window, Role.AUDITOR, name="王敏")
    page = desk.page

    desk.go("/audit/acts")
    clean(desk)
    page.get_by_label("操作", exact=True).select_option(label="发布政策版本")
    page.get_by_role("button", name="筛选").click()
    page.get_by_role("link", name="发布政策版本").first.click()
    page.get_by_role("heading", name="前后对比").wait_for()
    clean(desk)
    desk.go("/audit/checkpoints")
    assert page.get_by_text("一致").first.is_visible()
    clean(desk)
    desk.go(f"/audit/proof?basket={arrival.basket.basket}&line=0")
    page.get_by_role("heading", name="证明", exact=True).wait_for()
    clean(desk)


def test_the_look_at_a_resident_asks_what_for(served: Served, window: BrowserContext) -> None:
    desk = served.enter(window, Role.CASE_OFFICER, name="陈静")
    desk.go("/audit/residents")
    clean(desk)
