"""What the cashier's page says, and whom its server answers."""

import http.client
import socket
from collections.abc import Iterator
from dataclasses import replace

import orjson
import pytest

from scanner import notices
from scanner.page import requests
from scanner.page.server import PagePortTaken, PageServer
from scanner.page.server import Till as PageTill
from scanner.settings import Settings
from scanner.snapshot.sayings import saying
from scanner.sources.model import (
    ButtonPressed,
    CashierSeen,
    CodeSeen,
    FinishSeen,
    SourceFailed,
    SourceLost,
    SourceOpened,
    VoidAsked,
)
from tests.scanner.till.counter import Counter, code
from tests.scanner.till.scene import Backend, Shop, needs_mosquitto, wait_until


@pytest.fixture
def counter(settings: Settings) -> Iterator[Counter]:
    with Counter(settings) as counter:
        counter.ready()
        yield counter


def states(counter: Counter) -> tuple[str, list[str]]:
    """The large one, and those beside it."""
    shown = counter.screen()
    return shown["state"]["name"], [state["name"] for state in shown["also"]]


# What it says


def test_a_till_that_waits_is_ready(counter: Counter) -> None:
    assert states(counter) == ("ready", [])


def test_a_basket_is_listed_with_all_that_the_till_knows_of_it(counter: Counter) -> None:
    counter.take(CashierSeen("c07"), code("6901", qty=2, price_fen=123_456), code("6902\x1d"))

    shown = counter.screen()

    assert (shown["state"]["name"], shown["state"]["detail_zh"]) == ("reading", "已扫 3 件，可请顾客出示会员码")
    assert shown["cashier"] == "c07"
    assert shown["basket"]["total_zh"] == "¥1,234.56"
    assert [(line["code"], line["qty"], line["price_zh"]) for line in shown["basket"]["lines"]] == [
        ("6901", 2, "¥1,234.56"),
        ("6902·", 1, ""),
    ]


def test_what_a_till_expects_of_a_read_stands_with_its_line(counter: Counter) -> None:
    counter.teller.sayings["6901"] = saying("龙井茶", {"points": 5})
    counter.take(code("6901"), code("6902"))

    first, second = counter.screen()["basket"]["lines"]

    assert (first["hint_zh"], second["hint_zh"]) == ("龙井茶 · 绿色商品，预计 5 分", "")


def test_a_member_is_known_from_the_code_to_the_finish(counter: Counter, shop: Shop) -> None:
    counter.take(CodeSeen(code=shop.member_code(), symbology="QRCODE", mono_ms=1_000, src="cam0"))
    assert states(counter)[0] == "member"
    counter.take(code("6901"))
    assert states(counter)[0] == "member"
    counter.take(FinishSeen())
    assert states(counter)[0] == "ready"
    assert counter.screen()["slip"] is None


def test_a_refusal_is_said_until_something_goes_well_or_ten_seconds(counter: Counter) -> None:
    counter.take(CodeSeen(code="GPM1.forged", symbology="QRCODE", mono_ms=1_000, src="cam0"))

    shown = counter.screen()

    assert (shown["state"]["name"], shown["state"]["level"]) == ("refused", "warn")
    assert shown["state"]["detail_zh"].startswith("会员码未被接受")
    assert (shown["reads"][0]["good"], shown["reads"][0]["code"]) == (False, "")
    counter.clock.mono += 9_999
    assert states(counter)[0] == "refused"
    counter.clock.mono += 1
    assert states(counter)[0] == "ready"


def test_what_stops_work_is_larger_than_what_can_wait(counter: Counter) -> None:
    counter.take(code("6901"))
    counter.tell("offline")
    counter.clock_known = False
    assert states(counter) == ("reading", ["offline", "clock_unsure"])
    counter.take(SourceLost(SourceFailed(src="cam0", reason="unplugged")))
    assert states(counter) == ("source_lost", ["offline", "clock_unsure"])
    counter.tell("not_admitted")
    assert states(counter) == ("not_admitted", ["source_lost", "offline", "clock_unsure"])
    counter.tell("admitted")
    counter.tell("revoked")
    assert states(counter) == ("revoked", ["source_lost", "offline", "clock_unsure"])


def test_without_a_customer_the_large_word_is_what_can_wait(counter: Counter) -> None:
    counter.tell("disconnected")
    assert states(counter) == ("offline", [])
    counter.tell("connected")
    counter.clock_known = False
    assert states(counter) == ("clock_unsure", [])


def test_a_full_till_says_so_and_that_reading_stopped(settings: Settings) -> None:
    with Counter(settings, baskets_max=1) as counter:
        counter.ready()
        counter.take(code("6901"), FinishSeen())

        counter.take(code("6902"))

        assert states(counter)[0] == "full"
        assert counter.heard.notices[-1].facts["code_refused"] == "outbox_full"


def test_a_closed_basket_is_followed_to_its_receipt(counter: Counter) -> None:
    counter.take(code("6901"), FinishSeen())
    assert counter.screen()["baskets"][0]["progress"] == "kept"
    for state, progress in (("recorded", "recorded"), ("recorded", "recorded")):
        counter.feedback.show(notices.state("", "", "", seq=1))
        counter.feedback.show(replace(notices.state("", "", ""), event="receipt", facts={"seq": 1, "state": state}))
        assert counter.screen()["baskets"][0]["progress"] == progress


def test_the_claim_code_stands_there_until_the_next_customer(counter: Counter) -> None:
    counter.take(code("6901"), FinishSeen())
    slip = counter.screen()["slip"]
    assert states(counter)[0] == "slip"
    assert (slip["seq"], len(slip["claim"])) == (1, len("XXXX-XXXX-XXXX-XXXX"))

    counter.take(code("6902"))

    assert counter.screen()["slip"] is None
    assert counter.screen()["baskets"][0]["claim"] == slip["claim"]


def test_a_cashiers_badge_names_who_is_at_the_till(counter: Counter) -> None:
    counter.take(code("GPCASHIER-c09"))
    assert (counter.screen()["cashier"], counter.screen()["basket"]) == ("c09", None)


def test_a_void_is_of_the_basket_that_was_seen_as_the_last(counter: Counter) -> None:
    counter.take(code("6901"), FinishSeen(), code("6902"), FinishSeen())

    counter.take(VoidAsked(1))
    assert counter.heard.notices[-1].facts["code_refused"] == "another_is_last"
    assert counter.screen()["void_seq"] == 2
    counter.take(VoidAsked(2), VoidAsked(2))

    assert counter.heard.notices[-1].facts["code_refused"] == "nothing_to_void"
    assert [past["progress"] for past in counter.screen()["baskets"]] == ["voided", "kept"]
    assert counter.outbox.fill().baskets == 3
    assert counter.screen()["void_seq"] is None


# Whom the server answers


def ask(
    counter: Counter, method: str, path: str, body: bytes = b"", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", counter.server.server_port, timeout=5)
    try:
        connection.putrequest(method, path, skip_host="Host" in headers)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        return answer.status, dict(answer.headers), answer.read()
    finally:
        connection.close()


def test_the_page_and_its_parts_come_from_the_till_alone(counter: Counter) -> None:
    for path, kind in (("/", "text/html"), ("/page.css", "text/css"), ("/page.js", "text/javascript")):
        status, headers, body = ask(counter, "GET", path)

        assert (status, headers["Content-Type"].partition(";")[0]) == (200, kind)
        assert b"//" not in body.replace(b"  // ", b"").replace(b"; // ", b"").replace(b"{ // ", b"")[3:]
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert "Access-Control-Allow-Origin" not in headers


def test_no_path_finds_a_file(counter: Counter) -> None:
    for path in ("/../settings.py", "/%2e%2e/till.py", "/page.html", "/slips/0.svg", "/slips/9.svg", "/?a"):
        status, headers, body = ask(counter, "GET", path)

        assert (status, headers["Content-Type"]) == (404, "application/problem+json")
        assert orjson.loads(body)["type"] == "/problems/no-such-page"


def test_a_foreign_name_for_this_machine_is_refused(counter: Counter) -> None:
    """Else a page of that name, resolved to 127.0.0.1, would read the customer's claim code."""
    status, _, body = ask(counter, "GET", "/", Host="evil.example")

    assert (status, orjson.loads(body)["type"]) == (403, "/problems/host-refused")


@pytest.mark.parametrize("host", ["", "127.0.0.1", "evil.example:80", "localhost:81", "127.0.0.1.evil.example:80"])
def test_a_host_is_this_machine_and_this_port(host: str) -> None:
    assert requests.check_host({"Host": "localhost:80"}, 80) == "http://localhost:80"
    with pytest.raises(requests.HostRefused):
        requests.check_host({"Host": host}, 80)


def test_only_the_page_itself_may_finish_or_void(counter: Counter) -> None:
    counter.take(code("6901"), FinishSeen(), code("6902"))

    for origin in ({}, {"Origin": "null"}, {"Origin": "https://evil.example"}):
        assert ask(counter, "POST", "/finish", **origin)[0] == 403
        assert ask(counter, "POST", "/void", b'{"seq":1}', **origin)[0] == 403
    assert counter.till.open_basket is not None


def test_the_page_finishes_and_voids(counter: Counter) -> None:
    counter.take(code("6901"))

    assert ask(counter, "POST", "/finish", Origin=counter.url)[0] == 202
    assert ask(counter, "POST", "/void", b'{"seq":1}', Origin=counter.url)[0] == 202

    assert [notice.facts["void_of"] for notice in counter.heard.notices if notice.event == "basket_closed"] == [None, 1]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'{"seq":"1"}', b'{"seq":true}', b'{"seq":0}', b'{"seq":99999999999999999}']
)
def test_a_body_that_names_no_basket_is_refused(body: bytes) -> None:
    with pytest.raises(requests.BodyUnusable):
        requests.seq_of(body)


@pytest.mark.parametrize("length", ["", "-1", "x", "9" * 30, "²", "+1", " 1"])
def test_a_body_has_a_stated_length(length: str) -> None:
    with pytest.raises(requests.BodyUnusable):
        requests.body_size({"Content-Length": length}, 1_024)


def test_a_body_that_is_too_large_is_not_even_read(counter: Counter) -> None:
    headers = {"Origin": counter.url, "Content-Length": "1025"}

    assert ask(counter, "POST", "/void", **headers)[0] == 413
    assert ask(counter, "POST", "/void", b"[]", Origin=counter.url)[0] == 400


def test_a_till_that_is_busy_says_try_again(settings: Settings, counter: Counter) -> None:
    server = PageServer(0, counter.page, PageTill(put=lambda _: False, slip_shown=lambda _: None))
    counter.server.stop()
    counter.server = server
    server.start()
    url = f"http://127.0.0.1:{server.server_port}"

    status, _, body = ask(counter, "POST", "/finish", Origin=url)

    assert (status, orjson.loads(body)["type"]) == (503, "/problems/page-busy")


def test_a_port_that_is_taken_is_named(counter: Counter) -> None:
    port = counter.server.server_port
    with pytest.raises(PagePortTaken, match=str(port)):
        PageServer(port, counter.page, counter.server.till)


def test_screens_are_limited_and_a_closed_one_makes_room(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scanner.page.server.LOOK_S", 0.01)
    monkeypatch.setattr("scanner.page.server.QUIET_S_MAX", 0.01)
    watching = [watch(counter) for _ in range(4)]
    assert [answer.readline()[:7] for answer in watching] == [b"data: {"] * 4

    assert ask(counter, "GET", "/events")[0] == 503
    for answer in watching:
        answer.close()
    wait_until(lambda: watch(counter).readline().startswith(b"data: {"))


def watch(counter: Counter) -> http.client.HTTPResponse:
    """Lives as long as it is held."""
    connection = http.client.HTTPConnection("127.0.0.1", counter.server.server_port, timeout=5)
    connection.request("GET", "/events")
    return connection.getresponse()


def test_a_till_that_starts_has_its_source_to_wait_for(settings: Settings) -> None:
    with Counter(settings) as counter:
        assert states(counter)[0] == "starting"
        counter.take(SourceOpened("cam0"))
        assert states(counter)[0] == "ready"
        counter.take(ButtonPressed())
        assert states(counter)[0] == "nothing_to_close"


@needs_mosquitto
def test_a_till_whose_page_cannot_be_shown_sells_all_the_same(shop: Shop, backend: Backend) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        till = shop.open_till(backend.broker.port, PAGE_PORT=str(taken.getsockname()[1]), EXIT_WHEN_DONE="true")
        till.say({"code": "6901234567892", "sym": "EAN13"}, "GPFIN")
        till.end_input()

        assert till.wait() == 0
    assert till.of("state", state="page_off")
    assert len(backend.baskets()) == 1
