"""A policy's whole way in a real browser: written in the form, caught by the linter, previewed, approved by another, in force."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from backend.officials.model import Role
from backend.usecases.preview_policy import Place
from backend.usecases.run_previews import run_previews
from tests.http.page.looks import violations
from tests.worlds import books, rules
from tests.worlds.city import FRIDGE, NANJING, WASHER, City, open_city, read, resident
from tests.worlds.console import Desk, Served

NOW = datetime.now(UTC).replace(microsecond=0)
THIN = "\N{NARROW NO-BREAK SPACE}"
DISTRICTS = ("320102", "320104", "320105")


@pytest.fixture
def city(served: Served) -> City:
    """A year of sales under a policy that gives points."""
    city = open_city(
        served.engine, {**rules.document(starts="2020-01-01T00:00:00+08:00", ends="2090-01-01T00:00:00+08:00")}
    )
    city.recorder = city.another_process()
    for number in range(36):
        sold_at = NOW - timedelta(days=5 + 9 * number, hours=number % 7)
        goods = FRIDGE if number % 3 else WASHER
        basket = city.till(1 + number).basket(
            read(goods, price_fen=299_900 + 70_000 * (number % 9)), resident=resident(number % 20), sold_at=sold_at
        )
        basket.basket.store, basket.basket.district = f"s{number % 4}", DISTRICTS[number % 3]
        city.record(basket, now=sold_at)
    return city


def clean(desk: Desk, name: str) -> None:
    assert violations(desk.page) == [], name
    assert desk.complaints == [], name
    wide = desk.page.evaluate("() => document.documentElement.scrollWidth > innerWidth")
    assert not wide, name


def fill(page: Page, **values: str) -> None:
    for place, text in values.items():
        field = page.locator(f"[name='{place.replace('__', '.')}']")
        if field.evaluate("one => one.tagName") == "SELECT":
            field.select_option(text)
        else:
            field.fill(text)


def write_the_appliance_policy(page: Page) -> None:
    """P3 of 2026 as an author types it, with petrol among the goods and no budget yet."""
    fill(
        page,
        title_zh="家电以旧换新补贴",
        title_en="Appliances",
        document__number="宁商发〔2026〕1号",
        document__issuer="南京市商务局",
        document__published_on=f"{NOW.year}-01-01",
        policy="appliances",
        until=f"{NOW.year}-12-31",
        scope__categories="冰箱、洗衣机、电视、空调、汽油",
        rules__0__name_zh="一级能效 15%",
        rules__0__name_en="Grade 1",
        rules__0__when__0__value="1",
        rules__0__rewards__0__kind="table",
        rules__0__rewards__0__cap_per_unit="1500",
        caps__0__period="lifetime",
        caps__0__counts="pieces",
        caps__0__limit="1",
        stacking__group="money",
        stacking__mode="sum",
    )
    fill(page, **{"from": f"{NOW.year}-01-01"})
    page.locator("input[name='caps.0.per'][value=category]").check()


def correct_it(page: Page) -> None:
    """By the table of grades and the budget that were missing; rows come and go by keyboard, which stays with them."""
    page.locator("#at-budgets-0-amount .gp-finding-blocker").wait_for()
    page.locator("[value='add:rules.0.when']").focus()
    page.keyboard.press("Enter")
    added = page.locator("[name='rules.0.when.1.fact']")
    added.wait_for()
    expect(added).to_be_focused()
    page.locator("[value='remove:rules.0.when.1']").click()
    added.wait_for(state="detached")
    page.locator("[value='add:rules.0.rewards.0.percents']").click()
    page.locator("[name='rules.0.rewards.0.percents.0.key']").wait_for()
    fill(page, **{"rules.0.rewards.0.by": "grade", "rules.0.rewards.0.percents.0.key": "1"})
    fill(page, **{"rules.0.rewards.0.percents.0.value": "15", "budgets.0.amount": "1000000"})


def show_the_text_and_come_back(desk: Desk) -> None:
    desk.page.get_by_role("button", name="JSON 原文（专家）").click()
    desk.page.locator("#document").wait_for()
    clean(desk, "text")
    desk.page.get_by_role("button", name="表单", exact=True).click()
    desk.page.locator("#fields").wait_for()


def look_through(desk: Desk, draft: str) -> None:
    """The pages that only read, and one of them in English."""
    for path in ("/policies/appliances/versions/1", "/policies/appliances/difference", "/policy-drafts?all=1"):
        desk.go(path)
        clean(desk, path.replace("/", "-"))
    desk.page.get_by_role("link", name="English").click()
    desk.page.goto(draft)
    clean(desk, "draft in English")


def test_the_appliance_policy_from_the_form_to_a_basket(served: Served, window: BrowserContext, city: City) -> None:
    author = served.enter(window, Role.POLICY_AUTHOR, login="li.na", name="李娜")
    page = author.page
    author.go("/policies")
    clean(author, "list")
    page.get_by_role("link", name="起草政策").last.click()

    write_the_appliance_policy(page)
    petrol = page.locator("#at-scope-categories .gp-finding-blocker")
    correct_it(page)
    petrol.wait_for()
    assert "与绿色消费的目标相反" in petrol.inner_text()

    fill(page, scope__categories="冰箱、洗衣机、电视、空调")
    petrol.wait_for(state="detached")
    page.get_by_text("须改 0 处").wait_for()
    expect(page.locator("#paper")).to_contain_text("能效（水效）等级达到 1 级及以上")
    clean(author, "whole form")
    show_the_text_and_come_back(author)
    page.get_by_role("button", name="保存草案").last.click()
    page.get_by_text("尚未预演。").wait_for()

    page.get_by_role("button", name="开始预演").click()
    page.locator("#progress").wait_for()
    run_previews(served.engine, Place(_url(served), "greenpoints_auditor"), NANJING, NOW, lambda: False)
    page.locator(".gp-chart canvas").first.wait_for()
    expect(page.locator("#preview")).to_contain_text("各月支出")
    clean(author, "preview")
    page.get_by_role("button", name="提交复核").click()
    page.get_by_text("起草人不能复核自己的政策").wait_for()
    draft = page.url

    window.clear_cookies()
    approver = served.enter(window, Role.APPROVER, login="wang.min", name="王敏")
    approver.page.goto(draft)
    clean(approver, "judged")
    approver.page.get_by_label("复核意见").fill("同意发布")
    approver.page.get_by_role("button", name="批准并发布").click()
    approver.page.get_by_text("已批准并发布").wait_for()
    approver.go("/policies/appliances")
    clean(approver, "policy")

    look_through(approver, draft)

    bought = city.till(99).basket(read(FRIDGE, price_fen=999_900), resident=resident(77), sold_at=NOW)
    city.another_process().record(NANJING, [bought], NOW)
    assert 149_985 in books.wallets(served.engine, NANJING).values()


def _url(served: Served) -> str:
    return served.engine._engine.url.render_as_string(hide_password=False)
