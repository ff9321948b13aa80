"""What residents decide about themselves on the phone page: the green-credit passport, children, notices."""

from datetime import UTC, datetime

import cv2
import httpx
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from backend.credit import verifier
from backend.credit.queries import Benefit
from backend.credit.store import publish_benefit
from backend.storage.transaction import Database
from scanner.decode.still import VotingStillReader
from tests.http.page.conftest import Phone, World
from tests.http.page.looks import AXE, look_over
from tests.worlds.city import NANJING

LIBRARY = "市图书馆"
BENEFIT = Benefit(
    "library", 1, "图书馆免押金借书", "Books without a deposit", LIBRARY, "示例〔2026〕7 号", "https://example.cn/7"
)
PUBLIC = "/api/public/v1/passport"
with_axe = pytest.mark.skipif(not AXE.exists(), reason="axe-core is not set up (make setup-test)")


def declare(phone: Phone, age: str) -> None:
    phone.go("consents")
    phone.page.get_by_label("我的年龄段").select_option(age)
    with phone.page.expect_response("**/age-band"):
        phone.page.get_by_role("button", name="保存年龄段").click()


def grown_up_with_a_purchase(phone: Phone) -> None:
    phone.sign_in()
    phone.world.ring_up(phone.asked("/member-codes", "POST")["code"])
    declare(phone, "已满 18 岁")


def state(phone: Phone) -> None:
    """From the passport's screen to one statement."""
    phone.go("passport")
    phone.page.get_by_role("button", name="同意：绿色信用凭证").click()
    phone.page.get_by_role("button", name="出具声明").click()
    expect(phone.page.locator("h1")).to_have_text("12 个月内至少 1 次经核验的绿色消费")


def test_a_statement_is_shown_to_one_recipient_who_checks_it_without_us_and_ends_by_its_owner(
    phone: Phone, world: World
) -> None:
    page = phone.page
    grown_up_with_a_purchase(phone)
    phone.go("passport")
    expect(page.get_by_role("button", name="出具声明")).to_have_count(0)
    state(phone)
    page.get_by_label("出示给谁").fill(LIBRARY)
    page.get_by_role("button", name="生成出示码").click()
    expect(page.locator(".qr svg")).to_be_visible()
    expect(page.locator(".left")).to_contain_text("9 分")

    text = on_screen(page)

    claims = checked(world, text)
    assert (claims["at_least"], claims["aud"], claims["purpose"]) == (1, LIBRARY, "benefit")
    with page.expect_download() as saved:
        page.get_by_role("button", name="下载凭证文件").click()
    keys = httpx.get(f"{world.url}{PUBLIC}/keys").json()["keys"]
    assert verifier.opened(saved.value.path().read_text(encoding="utf-8"), "vc+jwt", keys)["credentialSubject"]
    page.get_by_label("我要作废这份声明").check()
    page.get_by_role("button", name="作废声明").click()
    expect(page.locator(".outcome")).to_have_text("已作废")
    with pytest.raises(verifier.Refused):
        checked(world, text)
    phone.go("passport")
    expect(page.locator("main")).to_contain_text(f"{LIBRARY}：核验绿色信用声明")
    page.get_by_role("button", name="撤回同意：绿色信用凭证").click()
    expect(page.get_by_role("button", name="同意：绿色信用凭证")).to_be_visible()
    expect(page.get_by_role("button", name="出具声明")).to_have_count(0)


def on_screen(page: Page) -> str:
    """What a camera reads of the QR code."""
    picture = cv2.imdecode(np.frombuffer(page.locator(".qr").screenshot(), np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    (found,) = VotingStillReader().read(picture)
    return found.text


def checked(world: World, text: str) -> dict[str, object]:
    """By the published key and the status list alone."""
    keys = httpx.get(f"{world.url}{PUBLIC}/keys").json()["keys"]
    listed = httpx.get(f"{world.url}{PUBLIC}/status-lists/{NANJING}").text
    return verifier.checked(text, keys, LIBRARY, listed, datetime.now(UTC).timestamp())


def test_children_have_no_passport_and_earn_once_a_guardian_agreed(phone: Phone) -> None:
    page = phone.page
    phone.sign_in()
    declare(phone, "未满 14 岁")
    phone.go("passport")
    expect(page.locator('[data-purpose="credit_passport"]')).to_contain_text("监护")
    expect(page.get_by_role("button", name="同意：绿色信用凭证")).to_have_count(0)
    phone.go("family")
    expect(page.locator("main")).to_contain_text("监护人还没有同意")
    page.get_by_role("button", name="获取监护码").click()
    code = page.locator(".code").inner_text()
    child, phone.number = phone.number, f"137{phone.number[3:]}"
    sign_out(phone)
    phone.sign_in()
    declare(phone, "已满 18 岁")

    phone.go("family")
    page.get_by_label("孩子手机上的监护码").fill(code.lower())
    page.get_by_role("button", name="我同意").click()

    expect(page.locator(".rows li")).to_contain_text("第 1 个孩子")
    page.get_by_role("button", name="撤回对第 1 个孩子的同意").click()
    expect(page.locator(".rows li")).to_have_count(0)
    phone.number = child
    sign_out(phone)
    phone.world.minutes_later()
    phone.sign_in()
    phone.go("family")
    expect(page.locator("main")).to_contain_text("监护人还没有同意")


def sign_out(phone: Phone) -> None:
    phone.go("me")
    phone.page.get_by_role("button", name="退出登录").click()
    phone.page.locator("#phone").wait_for()


def test_notices_are_agreed_to_and_granted_one_by_one(phone: Phone, world: World) -> None:
    page = phone.page
    phone.sign_in_by_wechat("openid-of-he")
    phone.go("notices")
    expect(page.locator(".grants")).to_contain_text("没有可用的授权")
    page.get_by_role("button", name="同意：消息提醒").click()
    expect(page.locator('[data-purpose="notices"] .state')).to_contain_text("已同意")

    phone.go(f"notices?wechat_code={world.wechat.login('openid-of-whoever-sent-a-link')}")
    page.get_by_role("button", name="再允许一条").click()
    expect(page.locator(".grants [role=alert]")).to_contain_text("没有绑定您的账户")
    phone.go("me")
    phone.go("notices?wechat_code=0a1-was-used-before")
    page.get_by_role("button", name="再允许一条").click()
    expect(page.locator(".grants [role=alert]")).to_contain_text("凭证已失效")
    phone.go("me")
    phone.go(f"notices?wechat_code={world.wechat.login('openid-of-he')}")
    page.get_by_role("button", name="再允许一条").click()

    expect(page.locator(".grants")).to_contain_text("还可收到 1 条提醒")
    phone.complaints.clear()  # the browser's own words on the request that was refused
    page.get_by_role("button", name="不再接收，清除授权").click()
    expect(page.locator(".grants")).to_contain_text("没有可用的授权")


@with_axe
def test_no_screen_of_rights_has_a_barrier_or_is_wider_than_the_phone(phone: Phone, world: World) -> None:
    owner = Database(world.database_url, role=None, pool_size=1)
    owner.write(lambda c: publish_benefit(c, NANJING, BENEFIT, datetime.now(UTC)))
    owner.close()
    grown_up_with_a_purchase(phone)
    state(phone)
    statement = phone.page.evaluate("location.hash").removeprefix("#/")

    for screen in ("passport", statement, "family", "notices"):
        look_over(phone, screen)
    assert phone.complaints == []


def test_every_control_of_these_screens_is_reached_by_the_tab_key_and_seen_there(phone: Phone) -> None:
    grown_up_with_a_purchase(phone)
    for screen in ("passport", "family", "notices", "missing", "cards", "merge", "consents", "my-data"):
        phone.go(screen)
        phone.page.wait_for_load_state("networkidle")
        phone.page.locator(SHOWN_CONTROL).first.wait_for()
        wanted = set(phone.page.evaluate(CONTROLS))
        reached = set()
        for _step in range(60):
            phone.page.keyboard.press("Tab")
            place, outline = phone.page.evaluate(FOCUSED)
            reached.add(place)
            assert place == -1 or outline != "none", (screen, place)
        assert wanted - reached == set(), screen


SHOWN_CONTROL = ":is(main a[href], main button, main input, main select, main textarea, main summary):visible"
CONTROLS = """() => {
  const all = [...document.querySelectorAll("main a[href], main button, main input, main select, main textarea, main summary")];
  all.forEach((one, place) => { one.dataset.place = place; });
  const shown = all.filter((one) => one.checkVisibility() && !one.disabled && one.type !== "hidden");
  const radios = new Set();
  return shown.filter((one) => one.type !== "radio" || (!radios.has(one.name) && radios.add(one.name)))
    .map((one) => one.type === "radio" ? -1 : Number(one.dataset.place));
}"""
FOCUSED = """() => [Number(document.activeElement.dataset.place ?? -1), getComputedStyle(document.activeElement).outlineStyle]"""
