"""The phone page as a phone has it: served over HTTP, a browser with a camera, the demonstration city behind it."""

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from playwright.sync_api import Browser, BrowserContext, Page
from structlog.testing import capture_logs
from werkzeug.serving import make_server

from backend.audit.acting import acting
from backend.audit.model import Actor
from backend.bootstrap import build
from backend.demo import seed
from backend.kernel.periods import milliseconds
from backend.resident_settings import TextMessages
from backend.storage.transaction import Database
from backend.web.app import create_app
from tests.conftest import copied
from tests.http.conftest import BRIDGE_TOKEN, Keys, bearer, settings_of
from tests.http.shop import BATCH, Shop, batch, open_shop
from tests.worlds import books, wechat
from tests.worlds.browser import launched
from tests.worlds.city import FRIDGE, NANJING, read
from tests.worlds.wechat import APPID, SECRET, WechatServer

PHONE_SCREEN = {"width": 390, "height": 844}
NUMBERS = count(1)
GO = """screen => new Promise(gone => {
  if (location.hash === `#/${screen}`) return gone();
  window.addEventListener("hashchange", gone, { once: true });
  location.hash = `#/${screen}`;
})"""
"""Ends after the page has heard of it too: its listener is the older one."""


@dataclass
class World:
    """What the phones reach: `url` of the server, a till of the city, the fake WeChat."""

    url: str
    shop: Shop
    keys: Keys
    wechat: WechatServer
    database_url: str

    def minutes_later(self) -> None:
        """For the wait between two messages to a phone."""
        owner = Database(self.database_url, role=None, pool_size=1)
        owner.write(lambda c: c.exec_driver_sql("UPDATE phone_codes SET sent_at = sent_at - interval '3 minutes'"))
        owner.close()

    def rows(self, statement: str) -> list[Any]:
        owner = Database(self.database_url, role=None, pool_size=1)
        found = books.rows(owner, statement)
        owner.close()
        return found

    def ring_up(self, member: str, code: str = FRIDGE) -> None:
        """A till's sale of one piece at 4,999 yuan to the holder of a member code."""
        self.sell(read(code, price_fen=499_900), member=member)

    def sell(self, *reads: dict[str, Any], **changes: str) -> None:
        """A till's sale as its line says it."""
        self.shop.sold_at_ms = milliseconds(datetime.now(UTC))
        line = self.shop.line(*reads, **changes)
        sent = httpx.post(
            self.url + BATCH,
            json=batch(self.shop.delivery(self.shop.message(line))),
            headers=bearer(BRIDGE_TOKEN),
            timeout=20,
        )
        assert sent.status_code == 200, sent.text


@dataclass
class Phone:
    """One resident's phone with the page open. `complaints`: what its console said of errors."""

    page: Page
    world: World
    camera: Path
    number: str = field(default_factory=lambda: f"138{next(NUMBERS):08d}")
    complaints: list[str] = field(default_factory=list)

    def go(self, screen: str) -> None:
        """Until the screen says that it is whole."""
        self.page.evaluate(GO, screen)
        self.page.wait_for_selector(f'[data-screen="{re.split("[/?]", screen)[0]}"]:not([aria-busy]) h1')

    def sign_in(self) -> None:
        """By the form, with the code that the message held."""
        self.prove(self.number, "登录")
        self.page.wait_for_selector('[data-screen="home"] .figure')

    def sign_in_by_wechat(self, openid: str) -> str:
        """As the mini-program opens the page: with a code of wx.login in its address. The code."""
        code = self.world.wechat.login(openid)
        self.page.goto("about:blank")
        self.page.goto(f"{self.world.url}/m/#/sign-in?wechat_code={code}")
        self.page.wait_for_selector('[data-screen="home"] .figure')
        return code

    def asked(self, path: str, method: str = "GET") -> Any:
        """What the resident API answers to this phone, as its page asks."""
        token = self.page.evaluate("JSON.parse(localStorage.getItem('greenpoints.session')).token")
        answer = httpx.request(method, f"{self.world.url}/api/resident/v1{path}", headers=bearer(token), timeout=20)
        assert answer.is_success, answer.text
        return answer.json()

    def prove(self, number: str, button: str, *, typed: str | None = None) -> None:
        """With the code that was sent, or what is `typed` in its place."""
        self.page.get_by_label("手机号", exact=True).fill(number)
        with capture_logs() as logged, self.page.expect_response("**/phone-codes"):
            self.page.get_by_role("button", name="获取验证码").click()
        self.page.get_by_label("短信里的六位验证码").fill(typed or code_of(logged))
        self.page.get_by_role("button", name=button, exact=True).click()

    def sign_in_by_keyboard(self) -> None:
        """From the top of the page, by Tab, Enter and what is typed."""
        keys = self.page.keyboard
        self._tab_to("phone")
        keys.type(self.number)
        with capture_logs() as logged, self.page.expect_response("**/phone-codes"):
            keys.press("Enter")
        # Not `wait_for_function`: whenever it has to ask twice it evaluates text, which the page's own policy forbids.
        self.page.locator("#sms:focus").wait_for()
        keys.type(code_of(logged))
        keys.press("Enter")
        self.page.wait_for_selector('[data-screen="home"] .figure')

    def _tab_to(self, place: str) -> None:
        for _step in range(12):
            if self.page.evaluate("document.activeElement.id") == place:
                return
            self.page.keyboard.press("Tab")
        pytest.fail(f"Tab does not lead to {place}")


def code_of(logged: object) -> str:
    """The six digits of the message that was sent."""
    assert isinstance(logged, list)
    (sent,) = [entry for entry in logged if entry["event"] == "text_message"]
    found = re.search(r"\d{6}", sent["text"])
    assert found is not None
    return found[0]


@pytest.fixture(scope="module")
def camera(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What lies before the camera: a film that a test may exchange before the camera is opened."""
    return tmp_path_factory.mktemp("camera") / "before-it.y4m"


@pytest.fixture(scope="module")
def browser(camera: Path) -> Iterator[Browser]:
    fake = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")
    with launched(*fake, f"--use-file-for-fake-video-capture={camera}") as browser:
        yield browser


@pytest.fixture(scope="module")
def world(server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One server for all tests of a file; each signs in with a number of its own."""
    keys, folder = Keys(), tmp_path_factory.mktemp("keys")
    with copied(server_url, template) as url, wechat.serving() as serving:
        (folder / "wechat").write_text(SECRET)
        (folder / "passport").write_bytes(Ed25519PrivateKey.generate().private_bytes_raw())
        chosen = replace(
            settings_of(url, keys, folder),
            text_messages=TextMessages.LOG,
            wechat_appid=APPID,
            wechat_secret_file=folder / "wechat",
            wechat_url=serving.url,
            passport_key_file=folder / "passport",
        )
        with acting(Actor("command:tests", "command")):  # before any one test acts
            backend, shop = build(chosen), _demonstration(url, folder)
        server = make_server("127.0.0.1", 0, create_app(backend), threaded=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield World(f"http://127.0.0.1:{server.server_port}", shop, keys, serving, url)
        server.shutdown()
        server.server_close()
        thread.join()
        backend.close()


def _demonstration(url: str, folder: Path) -> Shop:
    """The demonstration city as it is shown, and a till more."""
    now = datetime.now(UTC)
    owner = Database(url, role=None, pool_size=2)
    seed.import_certificates(owner, now)
    seed.publish(url, owner, now)
    (folder / "bridge.token").write_text(BRIDGE_TOKEN)
    seed.open_shops(owner, folder / "bridge.token", now)
    seed.publish_goods(owner, now)
    shop = open_shop(owner, NANJING)
    owner.close()
    return shop


@pytest.fixture
def phone(world: World, window: BrowserContext, camera: Path) -> Iterator[Phone]:
    page = window.new_page()
    page.set_viewport_size(PHONE_SCREEN)
    phone = Phone(page, world, camera)
    page.on("console", lambda said: phone.complaints.append(said.text) if said.type == "error" else None)
    page.goto(f"{world.url}/m/")
    page.wait_for_selector("main .screen:not([aria-busy]) h1")
    yield phone
    assert phone.complaints == []
