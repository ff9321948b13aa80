"""The console's door and frame in a real browser: by keyboard alone, in both languages, without a barrier that axe knows."""

from datetime import UTC, datetime

import pyotp
from playwright.sync_api import BrowserContext, Page

from backend.officials import passwords
from backend.officials.model import Role
from backend.storage.transaction import hot
from tests.http.page.looks import fits, violations
from tests.worlds import officials
from tests.worlds.console import Desk, Served

ONCE, OWN = "one-time-secret-7", "purple tractor lemon 42"
ENDED = "UPDATE official_sessions SET expires_at = issued_at"


def clean(desk: Desk) -> None:
    assert violations(desk.page) == []
    assert fits(desk.page) == []
    assert desk.complaints == []


def type_and_enter(page: Page, *typed: str) -> None:
    """What is typed into the field that has the focus and those behind it, then Enter."""
    for one in typed[:-1]:
        page.keyboard.type(one)
        page.keyboard.press("Tab")
    page.keyboard.type(typed[-1])
    with page.expect_navigation():
        page.keyboard.press("Enter")


def first_time(served: Served, desk: Desk, login: str, name: str) -> pyotp.TOTP:
    """An administrator signs in for the first time by keyboard alone; what gives the codes from then on."""
    hashed, page = passwords.hashed(ONCE), desk.page
    now = datetime.now(UTC)
    officials.enter(served.engine, now, Role.CITY_ADMINISTRATOR, login=login, name=name, password_hash=hashed)
    desk.go("/officials")
    clean(desk)
    type_and_enter(page, login, ONCE)
    clean(desk)
    codes = pyotp.TOTP(page.locator("code").inner_text().replace(" ", ""))
    type_and_enter(page, codes.now())
    clean(desk)
    type_and_enter(page, OWN, OWN)
    return codes


def test_a_first_sign_in_by_keyboard_alone(served: Served, window: BrowserContext) -> None:
    desk = served.tab(window)
    page = desk.page

    first_time(served, desk, "li.na", "李娜")

    assert page.url == f"{served.url}/console/officials"
    assert page.locator("h1").inner_text() == "人员"
    clean(desk)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "gp-skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_the_frame_is_read_in_english(served: Served, window: BrowserContext) -> None:
    desk = served.enter(window, Role.CITY_ADMINISTRATOR, Role.POLICY_AUTHOR, login="zhao.jun", name="赵军")
    desk.go("/account")
    desk.page.get_by_role("link", name="English").click()
    desk.page.get_by_role("heading", name="My account").wait_for()
    clean(desk)
    assert desk.page.locator("html").get_attribute("lang") == "en"


def test_an_administrator_adds_an_official_and_reads_the_one_time_password(
    served: Served, window: BrowserContext
) -> None:
    desk = served.enter(window, Role.CITY_ADMINISTRATOR, login="zhou.min", name="周敏")
    page = desk.page
    desk.go("/officials/new")
    clean(desk)

    page.get_by_label("登录名").fill("he.ping")
    page.get_by_label("姓名").fill("何平")
    page.get_by_label("理由").fill("宁商〔2026〕8 号")
    page.get_by_role("button", name="登记").click()
    page.get_by_text("至少一个角色").wait_for()
    clean(desk)
    page.get_by_label("终端管理").check()
    page.get_by_label("区县").select_option(label="江苏省玄武区")
    page.get_by_role("button", name="登记").click()

    assert len(page.locator("#once").inner_text()) >= 20
    clean(desk)
    page.get_by_role("link", name="完成").click()
    page.get_by_role("link", name="he.ping").click()
    clean(desk)


def test_a_form_waits_behind_the_page_that_asks_for_a_code(served: Served, window: BrowserContext) -> None:
    desk = served.tab(window)
    page, codes = desk.page, first_time(served, desk, "sun.wei", "孙伟")
    desk.go("/officials/new")
    page.get_by_label("登录名").fill("qian.yu")
    page.get_by_label("姓名").fill("钱雨")
    page.get_by_label("理由").fill("宁商〔2026〕9 号")
    page.get_by_label("终端管理").check()
    served.engine.write(lambda c: hot(c, "UPDATE official_sessions SET proved_at = proved_at - interval '1 hour'"))

    page.get_by_role("button", name="登记").click()
    page.get_by_text("您刚才填写的内容已保留").wait_for()
    clean(desk)
    page.get_by_label("六位动态码").fill(
        codes.at(int(datetime.now(UTC).timestamp()) + codes.interval)
    )  # each is good once
    page.get_by_role("button", name="继续").click()

    assert len(page.locator("#once").inner_text()) >= 20
    clean(desk)
    page.get_by_role("link", name="完成").click()
    page.get_by_role("link", name="qian.yu").wait_for()


def test_a_form_that_is_sent_after_the_session_ended_waits_for_a_new_one(
    served: Served, window: BrowserContext
) -> None:
    desk = served.tab(window)
    page, codes = desk.page, first_time(served, desk, "wu.gang", "吴刚")
    desk.go("/officials/new")
    page.get_by_label("登录名").fill("xu.jing")
    page.get_by_label("姓名").fill("徐静")
    page.get_by_label("理由").fill("宁商〔2026〕10 号")
    page.get_by_label("终端管理").check()
    served.engine.write(lambda c: hot(c, ENDED))

    page.get_by_role("button", name="登记").click()
    page.get_by_text("您填写的内容保留在本页").wait_for()
    clean(desk)
    with window.expect_page() as opened:
        page.get_by_role("link", name="在新窗口登录").click()
    door = opened.value
    door.get_by_label("登录名").click()
    type_and_enter(door, "wu.gang", OWN)
    type_and_enter(door, codes.at(int(datetime.now(UTC).timestamp()) + codes.interval))  # each is good once
    door.close()
    for _ in range(2):  # the first time it carries the token of no session
        with page.expect_navigation():
            page.get_by_role("button", name="提交所填内容").click()

    assert len(page.locator("#once").inner_text()) >= 20
    clean(desk)
