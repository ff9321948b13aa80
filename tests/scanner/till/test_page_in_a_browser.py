"""The cashier's page as a cashier has it: in a browser, with a real till behind it."""

from collections.abc import Iterator

import cv2
import httpx
import numpy as np
import pytest
import zxingcpp
from playwright.sync_api import Page, expect

from scanner.settings import Settings
from scanner.sources.model import CodeSeen, FinishSeen
from tests.scanner.till.counter import Counter, code
from tests.scanner.till.scene import DEVICE, Shop, free_port

PANEL = {"width": 800, "height": 480}
"""A 7-inch panel, the smallest that stands on a counter."""


@pytest.fixture
def counter(settings: Settings, tab: Page) -> Iterator[Counter]:
    with Counter(settings) as counter:
        counter.ready()
        tab.goto(counter.url)
        yield counter


def test_a_customer_from_the_first_label_to_the_claim_code(counter: Counter, tab: Page) -> None:
    expect(tab.locator("#word")).to_have_text("可以扫码")
    expect(tab.locator("#finish")).to_be_disabled()

    counter.take(code("6901234567892", qty=2, price_fen=1_990))
    expect(tab.locator("#word")).to_have_text("正在扫码")
    expect(tab.locator("#lines tr")).to_have_text(["6901234567892 2 ¥19.90".replace(" ", "")])
    expect(tab.locator("#reads li")).to_have_count(1)
    tab.click("#finish")

    expect(tab.locator("#word")).to_have_text("请把领取码交给顾客")
    claim = tab.locator("#claim").text_content()
    assert qr_on(tab) == claim
    expect(tab.locator("#baskets li")).to_contain_text("第 1 单")


def qr_on(tab: Page) -> str:
    """What a phone that is held to the screen reads."""
    picture = cv2.imdecode(np.frombuffer(tab.locator("#slip").screenshot(), np.uint8), cv2.IMREAD_COLOR)
    (found,) = zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode)
    return str(found.text)


def test_a_void_takes_two_presses_and_names_its_basket(counter: Counter, tab: Page) -> None:
    counter.take(code("6901"), FinishSeen())
    button = tab.locator("#void")
    expect(button).to_have_text("作废上一单（第 1 单）")

    button.click()
    expect(button).to_have_text("再按一次，作废第 1 单")
    assert counter.outbox.fill().baskets == 1
    button.click()

    expect(tab.locator("#baskets li")).to_contain_text("已作废")
    expect(button).to_be_disabled()
    assert counter.outbox.fill().baskets == 2


def test_a_first_press_is_forgotten_when_another_basket_closes(counter: Counter, tab: Page) -> None:
    counter.take(code("6901"), FinishSeen())
    tab.click("#void")

    counter.take(code("6902"), FinishSeen())

    expect(tab.locator("#void")).to_have_text("作废上一单（第 2 单）")


def test_every_state_has_its_own_sign_and_fits_the_smallest_panel(counter: Counter, tab: Page, shop: Shop) -> None:
    tab.set_viewport_size(PANEL)
    signs = {}
    for name in ("ready", "offline", "member", "refused", "source_lost"):
        if name == "member":
            counter.take(CodeSeen(code=shop.member_code(), symbology="QRCODE", mono_ms=1_000, src="cam0"))
        elif name == "refused":
            counter.take(CodeSeen(code="GPM1.forged", symbology="QRCODE", mono_ms=1_000, src="cam0"))
        elif name != "ready":
            counter.tell(name)
        shown = counter.screen()["state"]
        expect(tab.locator("#word")).to_have_text(shown["zh"])
        expect(tab.locator("#detail")).to_have_text(shown["detail_zh"])
        signs[shown["level"]] = tab.locator("#sign").text_content()
        assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert tab.locator("#word").evaluate("word => parseFloat(getComputedStyle(word).fontSize) > innerHeight / 12")
        assert tab.locator("#finish").evaluate("button => button.getBoundingClientRect().bottom <= innerHeight")

    assert set(signs) == {"plain", "warn", "good", "stop"}
    assert len(set(signs.values())) == 4


def test_a_code_is_shown_as_text_whatever_it_says(counter: Counter, tab: Page) -> None:
    counter.take(code("<img src=x onerror=alert(1)>"))

    expect(tab.locator("#lines td").first).to_have_text("<img src=x onerror=alert(1)>")
    expect(tab.locator("#lines img")).to_have_count(0)


def test_an_earlier_claim_code_can_be_shown_again_and_goes_with_the_next_customer(counter: Counter, tab: Page) -> None:
    counter.take(code("6901"), FinishSeen(), code("6902"), FinishSeen())
    expect(tab.locator("#baskets li")).to_have_count(2)

    tab.locator("#baskets li").nth(1).get_by_role("button").click()
    assert tab.locator("#claim").text_content() == counter.screen()["baskets"][1]["claim"]
    counter.take(code("6903"))

    expect(tab.locator("#slip")).to_be_hidden()
    expect(tab.locator("#lines tr")).to_have_count(1)


def test_a_claim_code_outlives_a_restart_until_it_has_stood_on_the_page(settings: Settings, tab: Page) -> None:
    with Counter(settings) as counter:
        counter.take(code("6901"), FinishSeen())
        claim = counter.screen()["slip"]["claim"]

    with Counter(settings) as counter:
        with tab.expect_response("**/slips/shown"):
            tab.goto(counter.url)
        expect(tab.locator("#claim")).to_have_text(claim)
        counter.take(code("6902"))
        assert counter.outbox.slips_to_show() == []


def test_a_till_that_stopped_is_said_and_found_again(counter: Counter, tab: Page) -> None:
    expect(tab.locator("#device")).to_have_text(DEVICE)
    counter.server.stop()
    expect(tab.locator("#word")).to_have_text("扫码终端没有运行")
    expect(tab.locator("#void")).to_be_disabled()

    counter.serve(counter.server.server_port)

    expect(tab.locator("#word")).to_have_text("可以扫码")


def test_the_program_serves_its_page_without_a_broker(shop: Shop, tab: Page) -> None:
    token = shop.folder / "feed.token"
    token.write_text("0123456789abcdef")
    till = shop.open_till(free_port(), PAGE_PORT="0", FEED_TOKEN_PATH=str(token))
    till.wait_for("state", state="page")
    url = str(till.of("state", "page")[0]["url"])
    tab.goto(url)
    till.wait_for("state", state="offline")
    expect(tab.locator("#word")).to_have_text("离线，照常扫码")

    till.say("6901234567892")
    till.wait_for("read")
    line = b'{"code":"6901234567892","qty":2,"price_fen":1990,"cashier":"c07"}'
    answer = httpx.post(f"{url}feed/lines", content=line, headers={"Authorization": "Bearer 0123456789abcdef"})
    assert answer.json()["lines"][0]["state"] == "taken"
    expect(tab.locator("#total")).to_have_text("共 2 件 ¥19.90")
    expect(tab.locator("#cashier")).to_have_text("收银员 c07")
    tab.click("#finish")

    expect(tab.locator("#link")).to_contain_text("1 单待上传")
    assert tab.locator("#claim").text_content() == till.of("basket_closed")[0]["claim"]
    assert till.terminate() == 0
    expect(tab.locator("#word")).to_have_text("扫码终端没有运行")
