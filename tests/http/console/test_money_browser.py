"""The pages of money in a real browser: no complaint, nothing that axe knows, and a month closed by hand."""

import os
from datetime import UTC, datetime, timedelta

from playwright.sync_api import BrowserContext

from backend.officials.model import Role
from backend.settlements.clock import month_before
from tests.http.page.looks import fits, violations
from tests.worlds.city import resident
from tests.worlds.console import Served
from tests.worlds.redeeming import SHOP, entry, open_counter
from tests.worlds.settling import BIG, open_office

SHOTS = os.environ.get("CONSOLE_SHOTS")


def test_finance_closes_a_month_and_sees_what_it_owes(served: Served, window: BrowserContext) -> None:
    now = datetime.now(UTC)
    sold_at, month = now.replace(day=1, hour=1) - timedelta(days=3), month_before(now)
    office = open_office(served.engine)
    for number in range(12):
        office.sell(1 + number % 5, ("s1", "s2", "s3")[number % 3], sold_at + timedelta(hours=number))
    counter = open_counter(served.engine, entry("bus", points=3, at_till=True, stores=[SHOP], shop_fen=200))
    counter.at_till(counter.hold(resident(1), 1, entry="bus", now=now), now=now)
    desk = served.enter(window, Role.FINANCE, name="赵敏")
    page = desk.page
    page.set_viewport_size({"width": 1280, "height": 900})

    def looked(path: str) -> None:
        desk.go(path)
        if SHOTS:
            page.wait_for_timeout(400)
            page.screenshot(path=f"{SHOTS}/{path.strip('/').replace('/', '_').split('?')[0]}.png", full_page=True)
        assert violations(page) == [], path
        assert fits(page) == [], path
        assert desk.complaints == [], path

    page.on("dialog", lambda asked: asked.accept())
    looked("/settlements")
    page.get_by_role("button", name=f"结 {month} 账").click()
    page.get_by_role("link", name=BIG).last.click()
    assert page.locator("h1").inner_text() == f"{BIG} · {month}"
    for path in ("/settlements", f"/statements/{month}/{BIG}", f"/statement-lines/{month}/1/{BIG}", "/budgets"):
        looked(path)
    for path in ("/liability?days=90", "/reconciliation", "/adjustments/new", "/exports", "/payments", "/reservations"):
        looked(path)
