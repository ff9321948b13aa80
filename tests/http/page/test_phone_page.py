"""A resident's way through the phone page, in a real browser with a fake camera before a real label."""

import secrets
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pytest
from playwright.sync_api import BrowserContext, Route, expect
from structlog.testing import capture_logs

from backend.demo.city import ENERGY
from backend.demo.pictures import label_card, photograph, write_picture
from backend.kernel.ids import new_id
from backend.kernel.periods import CHINA
from backend.kernel.tokens import token_hash
from backend.residents.cards.number import CardNumber, drawn, secret_of
from backend.residents.identities import identity_hash, of_wechat
from backend.storage.transaction import Database
from backend.usecases.issue_card import DrawnCard, issue_card
from firmware_bridge.wire.member_code import verify_member_code
from scanner.decode.still import VotingStillReader
from tests.http.page.conftest import Phone, World
from tests.http.page.film import film_label
from tests.http.page.looks import AXE, look_over, violations
from tests.http.test_leaving import dumped, everything
from tests.worlds.city import NANJING, read
from tests.worlds.wechat import APPID

OPEN_ID = "CANARY-openid-of-chen"
TEA, FRIDGE, EXPIRED = "有机码:000124990000000001", "9521234000013", "9521234000334"
SCREENS = ("home", "code", "scan", "history", "claim", "redeem", "consents", "merge", "my-data", "appeals", "me")


def test_from_the_first_opening_to_leaving_without_a_trace(phone: Phone) -> None:
    with capture_logs() as logged:
        canaries = shop_and_redeem(phone)
        here = traces(phone.world.database_url, canaries, "")
        decide_and_leave(phone)

    assert {"person_directory", "resident_sessions", "dump"} <= {place for place, _ in here}
    assert traces(phone.world.database_url, canaries, str(logged)) == set()
    assert phone.world.rows("SELECT count(*) FROM notice_grants") == [(0,)]
    phone.sign_in_by_wechat(OPEN_ID)
    expect(phone.page.locator(".figure")).to_have_text("0分")


def shop_and_redeem(phone: Phone) -> list[str]:
    """Signs in by WeChat, scans, buys, redeems. What nothing may hold once the person has left."""
    page = phone.page
    code = phone.sign_in_by_wechat(OPEN_ID)
    assert code not in page.url
    token = page.evaluate("JSON.parse(localStorage.getItem('greenpoints.session')).token")
    (session,) = [one["session"] for one in phone.asked("/sessions")["sessions"]]
    film_label(phone.camera, "QRCODE", TEA)

    phone.go("scan")
    page.get_by_role("button", name="打开相机扫码").click()
    expect(page.locator(".verdict .outcome")).to_have_text("+2 分")
    expect(page.locator(".verdict .sentence")).to_have_text("这款茶叶按政策奖励 2 分。")
    page.get_by_role("link", name="看全部理由").click()
    expect(page.locator(".rules")).to_contain_text("扫码认识绿色标签")
    expect(page.locator("main")).to_contain_text("与当时的结果一致")

    phone.go("code")
    expect(page.locator(".qr svg")).to_be_visible()
    shown = code_on_screen(phone)
    phone.world.ring_up(shown)

    phone.go("home")
    expect(page.locator(".figure")).to_have_text("502分")
    phone.go("history")
    expect(page.locator(".scans li")).to_have_count(2)
    expect(page.locator(".scans li").first).to_contain_text("+500 分")

    phone.go("redeem")
    offered = page.locator("li.card", has_text="公共自行车骑行时长 1 小时")
    offered.get_by_label("几份").select_option("2 份")
    offered.get_by_role("button", name="兑换").click()
    page.get_by_role("button", name="确认兑换").click()
    expect(page.locator(".verdict.won")).to_contain_text("共 120 分")
    phone.go("home")
    expect(page.locator(".figure")).to_have_text("382分")
    identity = identity_hash(bytes(32), of_wechat(APPID, OPEN_ID))
    return [OPEN_ID, code, token, token_hash(token).hex(), session, shown, identity.hex()]


def decide_and_leave(phone: Phone) -> None:
    page = phone.page
    phone.go("consents")
    notices = page.locator('[data-purpose="notices"]')
    notices.get_by_role("button", name="同意").click()
    expect(notices.locator(".state")).to_contain_text("已同意")
    phone.go(f"notices?wechat_code={phone.world.wechat.login(OPEN_ID)}")
    page.get_by_role("button", name="再允许一条").click()
    expect(page.locator(".grants")).to_contain_text("还可收到 1 条提醒")
    phone.go("consents")
    notices.get_by_role("button", name="撤回同意").click()
    expect(notices.locator(".state")).to_have_text("未同意")

    phone.go("my-data")
    with page.expect_download() as saved:
        page.get_by_role("button", name="下载 JSON").click()
    assert FRIDGE in saved.value.path().read_text(encoding="utf-8")
    page.get_by_role("button", name="看注销的后果").click()
    expect(page.locator(".plain").first).to_contain_text("积分 382")
    page.get_by_label("我已看过，仍要注销").check()
    page.get_by_role("button", name="注销账户").click()
    expect(page.locator("h1")).to_have_text("登录")
    assert page.evaluate("localStorage.length") == 0


def traces(url: str, canaries: list[str], logged: str) -> set[tuple[str, str]]:
    """Where one of them still stands: in a table, in the dump, in the log."""
    owner = Database(url, role=None, pool_size=1)
    places = {**everything(owner), "dump": dumped(url), "log": logged}
    owner.close()
    return {
        (place, one) for one in canaries for place, text in places.items() if one in text or one.encode().hex() in text
    }


def code_on_screen(phone: Phone) -> str:
    """What a till's camera reads from the phone, believed by the city's public key alone."""
    picture = cv2.imdecode(np.frombuffer(phone.page.screenshot(), np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    (found,) = VotingStillReader().read(picture)
    key = phone.world.keys.member.public_key()
    believed = {"n1": lambda signature, message: key.verify(signature, message) is None}
    verify_member_code(found.text, now_s=int(datetime.now(UTC).timestamp()), keys=believed, clock_slack_s=0)
    return found.text


@pytest.mark.skipif(
    not AXE.exists(), reason="axe-core is not set up (make setup-test): no page is checked for barriers"
)
def test_no_screen_has_a_barrier_or_is_wider_than_the_phone(phone: Phone) -> None:
    page = phone.page
    assert violations(page) == []
    phone.sign_in()
    phone.go("scan")
    page.get_by_label("或者输入标签上的编号").fill(ENERGY.format(9, "27"))
    page.get_by_role("button", name="查询").click()
    page.locator(".verdict").wait_for()
    place = page.get_by_role("link", name="看全部理由").get_attribute("href") or ""

    for screen in (*SCREENS, place.removeprefix("#/")):
        look_over(phone, screen)


def test_another_account_of_ones_own_is_merged_by_its_number(phone: Phone) -> None:
    page = phone.page
    phone.sign_in()
    phone.go("scan")
    page.get_by_label("或者输入标签上的编号").fill(FRIDGE)
    page.get_by_role("button", name="查询").click()
    page.locator(".verdict.won").wait_for()
    phone.go("me")
    page.get_by_role("button", name="退出登录").click()
    page.locator("#phone").wait_for()
    first, phone.number = phone.number, f"139{phone.number[3:]}"
    phone.sign_in()

    phone.world.minutes_later()
    phone.go("merge")
    phone.prove(first, "合并到本账户", typed="x00000")
    expect(page.locator("#sms-fault")).to_contain_text("验证码不正确")
    expect(page.locator('[data-screen="merge"]')).to_be_visible()  # still signed in
    phone.complaints.clear()  # a browser says of every refusal that it was one

    phone.world.minutes_later()
    phone.go("me")
    phone.go("merge")
    phone.prove(first, "合并到本账户")

    expect(page.locator(".verdict .outcome")).to_have_text("已合并")
    phone.go("home")
    expect(page.locator(".figure")).to_have_text("2分")


def test_a_paper_card_is_merged_by_its_sheet_and_reported_lost(phone: Phone, world: World) -> None:
    page = phone.page
    card, secret = issue_card_at_a_counter(world)
    world.ring_up(card.text)
    phone.sign_in()
    phone.go("merge")
    page.get_by_label("卡号（19 位）").fill(card.shown[:-1] + ("8" if card.number[-1] != "8" else "7"))
    page.get_by_label("绑定码（印在卡外，12 位）").fill(secret)
    page.get_by_role("button", name="把卡并入本账户").click()
    expect(page.locator("#card-number-fault")).to_contain_text("卡号应为 19 位")
    phone.complaints.clear()  # a browser says of every refusal that it was one
    page.get_by_label("卡号（19 位）").fill(card.shown)
    page.get_by_role("button", name="把卡并入本账户").click()
    expect(page.locator(".verdict .outcome")).to_have_text("已合并")

    phone.go("cards")
    page.get_by_role("button", name=f"挂失尾号 {card.ending} 的卡").click()
    expect(page.locator(f'[data-card="{card.ending}"] .state')).to_contain_text("已挂失")

    look_over(phone, "cards")
    look_over(phone, "merge")


def issue_card_at_a_counter(world: World) -> tuple[CardNumber, str]:
    octets = secrets.token_bytes(8)
    new = DrawnCard(new_id(), drawn(NANJING, octets), secret_of(octets), new_id())
    owner = Database(world.database_url, role=None, pool_size=1)
    owner.write(lambda c: issue_card(c, new, None, bytes(32), "窗口", datetime.now(UTC)))
    owner.close()
    return new.number, new.secret


def test_a_scan_without_award_can_be_appealed_against(phone: Phone) -> None:
    page = phone.page
    phone.sign_in()
    phone.go("scan")
    page.get_by_label("或者输入标签上的编号").fill(EXPIRED)
    page.get_by_role("button", name="查询").click()
    page.get_by_role("link", name="看全部理由").click()
    page.get_by_text("我有异议，申请复核").click()
    page.get_by_label("哪里不对？请写明理由").fill("包装上的证书还在有效期内。")
    page.get_by_role("button", name="提交申诉").click()

    page.get_by_role("link", name="我的申诉").click()
    expect(page.locator(".card")).to_contain_text("包装上的证书还在有效期内。")


def test_points_that_no_till_credited_are_claimed_by_the_sales_slip(phone: Phone) -> None:
    page = phone.page
    phone.world.sell(read(FRIDGE, price_fen=499_900), slip_no="S01-20261127/0042", claim_sha256="ab" * 32)
    phone.sign_in()
    phone.go("missing")
    page.get_by_label("门店名称").fill("不存在的店")
    page.get_by_role("button", name="查找门店").click()
    expect(page.locator("#shop-fault")).to_contain_text("没有找到这家门店")
    page.get_by_label("门店名称").fill("新街口店")
    page.get_by_role("button", name="查找门店").click()
    page.get_by_label("小票上的日期").fill(datetime.now(CHINA).date().isoformat())
    page.get_by_label("小票号（流水号）").fill("s01 20261127 0042")
    page.get_by_label("合计金额（元），或其中一件的金额").fill("4999.5")
    page.get_by_role("button", name="申请补记").click()
    expect(page.locator(".result")).to_contain_text("没有自动找到可以补记的销售")

    page.get_by_label("合计金额（元），或其中一件的金额").fill("4999")
    page.get_by_role("button", name="申请补记").click()
    expect(page.locator(".result .outcome")).to_be_visible()
    page.get_by_role("button", name="申请补记").click()
    expect(page.locator("#slip-no-fault")).to_contain_text("已经为您补记过")
    phone.complaints.clear()  # a browser says of every refusal that it was one

    look_over(phone, "missing")


def test_a_photo_of_a_label_is_read_by_the_server(phone: Phone, tmp_path: Path) -> None:
    phone.sign_in()
    phone.go("scan")
    write_picture(tmp_path / "label.jpg", photograph(label_card("EAN13", FRIDGE, "LABEL", "示例"), 7))

    phone.page.locator("#photo").set_input_files(tmp_path / "label.jpg")

    expect(phone.page.locator(".verdict .facts")).to_contain_text(FRIDGE, timeout=30_000)


def test_the_keyboard_alone_suffices(phone: Phone) -> None:
    page = phone.page
    keys = page.keyboard
    page.get_by_label("手机号", exact=True).wait_for()
    keys.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    phone.sign_in_by_keyboard()

    walk_to(phone, "扫一扫看商品认证")
    keys.press("Enter")
    expect(page.locator("h1")).to_be_focused()
    walk_to(phone, "typed")
    keys.type(FRIDGE)
    keys.press("Enter")

    expect(page.locator(".result")).to_be_focused()
    walk_to(phone, "看全部理由")
    keys.press("Enter")
    expect(page.locator('[data-screen="explain"] h1')).to_be_focused()


def walk_to(phone: Phone, name: str) -> None:
    """Tab after Tab, to what has this text or id; each place on the way can be seen."""
    for _step in range(40):
        phone.page.keyboard.press("Tab")
        here = phone.page.evaluate(
            "() => [document.activeElement.textContent.trim() || document.activeElement.id,"
            " getComputedStyle(document.activeElement).outlineStyle]"
        )
        assert here[1] != "none", here
        if here[0] == name:
            return
    pytest.fail(f"no way to {name}")


def test_without_a_network_it_opens_and_says_so_and_keeps_nothing_of_a_person(
    phone: Phone, window: BrowserContext
) -> None:
    page = phone.page
    phone.sign_in()
    page.evaluate("() => navigator.serviceWorker.ready.then(() => null)")

    window.set_offline(True)
    page.reload()
    expect(page.locator("#offline")).to_be_visible()
    expect(page.locator('[role="alert"]').last).to_contain_text("没有连上服务")
    phone.complaints.clear()  # the browser's own words on requests that failed
    kept = page.evaluate(
        "async () => (await Promise.all((await caches.keys()).map(async (name) =>"
        " (await (await caches.open(name)).keys()).map((one) => new URL(one.url).pathname)))).flat()"
    )
    window.set_offline(False)

    expect(page.locator(".figure")).to_be_visible()
    assert "/m/" in kept
    assert [path for path in kept if not path.startswith("/m/")] == []
    phone.complaints.clear()


def test_a_scan_whose_answer_was_lost_is_sent_again_and_not_anew_once_the_network_is_back(
    phone: Phone, window: BrowserContext
) -> None:
    def lose_the_answer(route: Route) -> None:
        route.fetch()
        route.abort()

    page = phone.page
    phone.sign_in()
    phone.go("scan")
    page.route("**/api/resident/v1/scans", lose_the_answer, times=1)
    page.get_by_label("或者输入标签上的编号").fill(FRIDGE)
    page.get_by_role("button", name="查询").click()
    again = page.get_by_role("button", name="重试")
    expect(again).to_be_visible()

    window.set_offline(True)
    expect(page.locator("#offline")).to_be_visible()
    window.set_offline(False)
    expect(page.locator("#offline")).to_be_hidden()

    expect(page.get_by_label("或者输入标签上的编号")).to_have_value(FRIDGE)
    again.click(timeout=5_000)
    expect(page.locator(".verdict .outcome")).to_be_visible()
    assert len(phone.asked("/scans")["scans"]) == 1
    phone.complaints.clear()  # the browser's own words on the request that failed


def test_a_link_that_was_cut_in_the_midst_of_a_letter_leads_to_the_first_screen(phone: Phone) -> None:
    phone.page.goto("about:blank")
    phone.page.goto(f"{phone.world.url}/m/#/explain/%E7%9")

    expect(phone.page.locator("main h1")).to_be_visible()


def test_whoever_is_not_signed_in_may_look_a_label_up(phone: Phone) -> None:
    page = phone.page
    phone.go("scan")
    page.get_by_label("或者输入标签上的编号").fill(FRIDGE)
    page.get_by_role("button", name="查询").click()

    expect(page.locator(".verdict .outcome")).to_have_text("已认证")
    expect(page.locator("#photo")).to_have_count(0)


def test_english_beside_chinese_and_sign_out(phone: Phone) -> None:
    page = phone.page
    phone.sign_in()
    phone.go("history")
    page.get_by_role("link", name="English").click()
    expect(page.locator("h1")).to_have_text("History")
    assert page.evaluate("document.documentElement.lang") == "en"

    phone.go("me")
    page.get_by_role("button", name="Sign out").click()

    expect(page.locator("h1")).to_have_text("Sign in")
    assert page.evaluate("localStorage.length") == 0
