"""Our side of WeChat's API, against a server that behaves as WeChat's does."""

import threading
from collections.abc import Iterator

import httpx
import pytest
from structlog.testing import capture_logs

from backend.adapters.wechat.client import CALLS_MAX, WechatClient
from backend.usecases.wechat import (
    NoticeRefused,
    WechatAway,
    WechatBusy,
    WechatCodeRefused,
    WechatPersonBlocked,
    WechatSessionOver,
)
from tests.worlds import wechat
from tests.worlds.wechat import APPID, SECRET, WechatServer


class Ticking:
    now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def server() -> Iterator[WechatServer]:
    with wechat.serving() as serving:
        yield serving


@pytest.fixture
def clock() -> Ticking:
    return Ticking()


@pytest.fixture
def client(server: WechatServer, clock: Ticking) -> Iterator[WechatClient]:
    made = WechatClient(server.url, APPID, SECRET, clock=clock)
    yield made
    made.close()


def test_a_login_code_names_the_person_once(client: WechatClient, server: WechatServer) -> None:
    code = server.login("oABC-1")

    assert client.open_id(code) == "oABC-1"
    with pytest.raises(WechatCodeRefused):
        client.open_id(code)


@pytest.mark.parametrize(
    ("errcode", "refusal"),
    [
        (40029, WechatCodeRefused),
        (40226, WechatPersonBlocked),
        (45011, WechatBusy),
        (-1, WechatBusy),
        (40013, WechatAway),
        (40125, WechatAway),
        (99999, WechatAway),
    ],
)
def test_each_errcode_is_a_refusal_that_a_resident_understands(
    client: WechatClient, server: WechatServer, errcode: int, refusal: type[Exception]
) -> None:
    server.errcodes["x"] = errcode

    with pytest.raises(refusal):
        client.open_id("x")


def test_a_busy_wechat_is_asked_again_before_anyone_is_told(client: WechatClient, server: WechatServer) -> None:
    server.busy = 2

    assert client.open_id(server.login("oABC-1")) == "oABC-1"


@pytest.mark.parametrize("mood", ["garbage", "broken"])
def test_what_is_no_answer_is_told_as_away(client: WechatClient, server: WechatServer, mood: str) -> None:
    code = server.login("oABC-1")
    server.mood = mood

    with pytest.raises(WechatAway):
        client.open_id(code)


def test_a_wechat_that_does_not_answer_in_time_is_away(server: WechatServer) -> None:
    def slow(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("slow", request=request)

    client = WechatClient(server.url, APPID, SECRET, transport=httpx.MockTransport(slow))

    with pytest.raises(WechatAway):
        client.open_id("x")


def test_a_wechat_that_hangs_holds_few_threads(server: WechatServer) -> None:
    hanging, entered = threading.Event(), threading.Semaphore(0)

    def hang(request: httpx.Request) -> httpx.Response:
        entered.release()
        hanging.wait(5)
        return httpx.Response(200, json={"openid": "oABC-1"})

    client = WechatClient(server.url, APPID, SECRET, transport=httpx.MockTransport(hang))
    waiting = [threading.Thread(target=client.open_id, args=("x",)) for _ in range(CALLS_MAX)]
    for thread in waiting:
        thread.start()
    for _ in waiting:
        assert entered.acquire(timeout=5)

    with pytest.raises(WechatBusy):
        client.open_id("x")

    hanging.set()
    for thread in waiting:
        thread.join()
    assert client.open_id("x") == "oABC-1"


def test_processes_share_one_token_and_neither_ends_the_others(client: WechatClient, server: WechatServer) -> None:
    other = WechatClient(server.url, APPID, SECRET)

    numbers = [each.phone_number(server.share_phone("13800138000")) for each in (client, other, client, other)]

    assert numbers == ["+8613800138000"] * 4
    assert server.calls["/cgi-bin/stable_token"] == 2
    other.close()


def test_threads_that_need_a_token_at_once_ask_for_one(client: WechatClient, server: WechatServer) -> None:
    codes = [server.share_phone("13800138000") for _ in range(CALLS_MAX)]
    threads = [threading.Thread(target=client.phone_number, args=(code,)) for code in codes]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert server.calls["/cgi-bin/stable_token"] == 1
    assert server.used == set(codes)


def test_a_token_is_renewed_five_minutes_before_its_end(
    client: WechatClient, server: WechatServer, clock: Ticking
) -> None:
    client.phone_number(server.share_phone("13800138000"))
    clock.now_s += 7_200 - 301
    client.phone_number(server.share_phone("13800138000"))
    assert server.calls["/cgi-bin/stable_token"] == 1

    clock.now_s += 1
    client.phone_number(server.share_phone("13800138000"))

    assert server.calls["/cgi-bin/stable_token"] == 2


def test_a_token_that_wechat_withdrew_is_had_anew_without_anyone_noticing(
    client: WechatClient, server: WechatServer
) -> None:
    client.phone_number(server.share_phone("13800138000"))
    server.expire_token()

    assert client.phone_number(server.share_phone("13900139000")) == "+8613900139000"


def test_neither_secret_nor_session_key_nor_openid_is_logged(server: WechatServer) -> None:
    client = WechatClient(server.url, APPID, "wrong-secret")
    with capture_logs() as logged, pytest.raises(WechatAway):
        client.open_id(server.login("oABC-1"))

    assert [entry["event"] for entry in logged] == ["wechat_refuses_us"]
    assert not any(word in str(logged) for word in ("wrong-secret", "oABC-1", "tiihtNczf5v6AKRyjwEUhQ"))
    client.close()


def test_a_text_is_judged_by_its_result(client: WechatClient, server: WechatServer) -> None:
    judged = [
        client.is_text_acceptable("oABC-1", text) for text in ("小票上有这件商品", "真的吗?", "违法内容", "好" * 9_000)
    ]

    assert judged == [True, True, False, True]


def test_a_session_key_is_good_until_wechat_gives_another(client: WechatClient, server: WechatServer) -> None:
    server.sessions["oABC-1"] = "tiihtNczf5v6AKRyjwEUhQ=="

    client.check_session("oABC-1", "tiihtNczf5v6AKRyjwEUhQ==")

    with pytest.raises(WechatSessionOver):
        client.check_session("oABC-1", "another")


def test_a_grant_is_good_for_one_notice(client: WechatClient, server: WechatServer) -> None:
    server.grants["oABC-1", "t1"] = 1

    client.send_notice("oABC-1", "t1", {"thing1": "积分即将到期"})

    with pytest.raises(NoticeRefused):
        client.send_notice("oABC-1", "t1", {"thing1": "积分即将到期"})
    assert [one["data"] for one in server.sent] == [{"thing1": {"value": "积分即将到期"}}]
