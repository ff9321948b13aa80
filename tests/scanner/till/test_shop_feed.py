"""Lines of the shop's own till: quantity and price, joined with what the till reads itself."""

import os
import pty
import queue
import socket
import threading
from collections import Counter as Tally
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.wire.messages import Read, decode_basket
from scanner.basket import OpenBasket
from scanner.feedback import Notice
from scanner.join import SHOP, article, join
from scanner.outbox import NewRows, OutboxUnwritable
from scanner.page.feed import LINES_MAX, FeedTokenUnusable, read_token
from scanner.read_line import keep
from scanner.settings import Settings
from scanner.sources.model import CodeSeen, LineOutcome, ShopLines, SourceEvent
from scanner.sources.shop import shop_line
from scanner.sources.shop_serial import ShopSerial
from scanner.sources.streams import SerialSource
from tests.scanner.till.counter import Counter, code
from tests.scanner.till.test_page import ask
from tests.scanner.till.test_sources import TickingClock

TOKEN = "0123456789abcdef"


# The law of joining


def line(text: str, qty: int = 1, price_fen: int | None = 100) -> Read:
    return Read(sym="UNKNOWN", code=text, src=SHOP, mono=1, qty=qty, price_fen=price_fen)


def label(text: str) -> Read:
    return Read(sym="EAN13", code=text, src="cam0", mono=1, votes=3)


def joined(*reads: Read) -> list[tuple[str, int, int | None]]:
    found = ()
    for read in reads:
        found = join(found, keep(read))
    return [(kept.read.code, kept.read.qty, kept.read.price_fen) for kept in found]


def test_a_line_prices_what_was_read_before_it() -> None:
    assert joined(label("a"), label("b"), line("a")) == [("b", 1, None), ("a", 1, 100)]


def test_what_is_read_after_its_line_is_the_same_piece() -> None:
    assert joined(line("a"), label("a"), label("b")) == [("a", 1, 100), ("b", 1, None)]


def test_three_pieces_read_one_by_one_are_one_line_of_three() -> None:
    assert joined(label("a"), label("a"), label("a"), line("a", qty=3, price_fen=300)) == [("a", 3, 300)]


def test_a_piece_that_was_read_and_not_sold_stays_without_a_price() -> None:
    assert joined(line("a"), label("a"), label("a")) == [("a", 1, 100), ("a", 1, None)]


def test_two_lines_of_one_article_are_two_lines() -> None:
    assert joined(line("a"), line("a")) == [("a", 1, 100), ("a", 1, 100)]


def test_a_twelve_digit_code_is_the_thirteen_digit_one() -> None:
    assert joined(label("012345678905"), line("0012345678905"))[0][1:] == (1, 100)
    assert article("96385074") == "00000096385074"
    assert article("123") == "123"


def test_a_line_takes_over_how_the_label_was_read() -> None:
    (kept,) = join(join((), keep(label("a"))), keep(line("a")))

    assert (kept.read.sym, kept.read.votes, kept.read.src) == ("EAN13", 3, SHOP)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 3)), max_size=12))
def test_of_each_article_there_are_as_many_pieces_as_the_one_that_saw_more(events: list[tuple[str, int]]) -> None:
    """0 pieces stands for a read of the till's own."""
    kept = ()
    for name, qty in events:
        kept = join(kept, keep(line(name, qty, qty) if qty else label(name)))

    pieces, priced = Tally(), []
    for found in kept:
        pieces[found.read.code] += found.read.qty
        priced += [(found.read.code, found.read.price_fen)] if found.read.price_fen else []
    for name in "ab":
        read = sum(1 for other, qty in events if other == name and qty == 0)
        sold = sum(qty for other, qty in events if other == name)
        assert pieces[name] == max(read, sold)
    assert sorted(priced) == sorted((name, qty) for name, qty in events if qty)


# At the till


@pytest.fixture
def counter(settings: Settings) -> Iterator[Counter]:
    with Counter(settings, feed_token=TOKEN) as counter:
        counter.ready()
        yield counter


def say(counter: Counter, *lines: bytes) -> tuple[LineOutcome, ...]:
    answers: list[tuple[LineOutcome, ...]] = []
    counter.take(ShopLines(tuple(shop_line(line, mono_ms=1_000) for line in lines), answers.append))
    return answers[0]


def sold(counter: Counter) -> list[tuple[str, int, int | None]]:
    """What lies in the outbox for the server."""
    baskets = [decode_basket(row.line) for row in counter.outbox.after(0, 10)]
    return [(read.code, read.qty, read.price_fen) for basket in baskets for read in basket.reads]


def test_a_line_and_a_read_of_it_leave_the_till_as_one(counter: Counter) -> None:
    counter.take(code("6901"), code("6902"))
    say(counter, b'{"code":"6901","qty":2,"price_fen":500,"cashier":"c07"}', b'{"finish":true}')

    assert sold(counter) == [("6902", 1, None), ("6901", 2, 500)]


def test_what_was_joined_is_on_disk_as_it_was_joined(settings: Settings) -> None:
    with Counter(settings) as counter:
        counter.take(code("6901"), code("6902"))
        say(counter, b'{"code":"6901","price_fen":500}')
        counter.take(code("6903"))

    with Counter(settings) as counter:
        assert sold(counter) == [("6902", 1, None), ("6901", 1, 500), ("6903", 1, None)]


@pytest.mark.parametrize(
    ("unusable", "reason"),
    [
        (b"6901234567892", "feed_line_unusable"),
        (b"{", "feed_line_unusable"),
        (b"{}", "feed_line_unusable"),
        (b'{"id":7,"code":"a"}', "feed_line_unusable"),
        (b'{"code":"a","qty":1.5}', "feed_line_unusable"),
        (b'{"code":"a","price":1}', "feed_line_unusable"),
        (b'{"code":' + b"[" * 300 + b"]" * 300 + b"}", "feed_line_unusable"),
        (b'{"code":"a","qty":0}', "read_unusable"),
        (b'{"code":"a","price_fen":-1}', "read_unusable"),
    ],
)
def test_a_line_that_cannot_be_used_is_named_and_the_others_are_taken(
    counter: Counter, unusable: bytes, reason: str
) -> None:
    outcomes = say(counter, b'{"code":"6901"}', unusable, b'{"code":"6902"}')

    assert [outcome.refusal and outcome.refusal.code for outcome in outcomes] == [None, reason, None]
    assert [kept.read.code for kept in counter.till.open_basket.reads] == ["6901", "6902"]
    assert counter.screen()["reads"][1]["good"] is False


def test_a_line_that_comes_again_counts_once_also_after_a_restart(settings: Settings) -> None:
    again = b'{"id":"S1-1","code":"6901","price_fen":500}'
    with Counter(settings) as counter:
        assert [outcome.repeated for outcome in say(counter, again, again)] == [False, True]
    with Counter(settings) as counter:
        assert [outcome.repeated for outcome in say(counter, again)] == [True]
        assert sold(counter) == [("6901", 1, 500)]


def test_a_void_that_comes_again_voids_nothing_else(counter: Counter, settings: Settings) -> None:
    void = b'{"id":"S1-2","code":"%s"}' % settings.void_code.encode()
    say(counter, b'{"code":"6901"}', b'{"finish":true}', void, b'{"code":"6902"}', b'{"finish":true}')

    (again,) = say(counter, void)

    assert again == LineOutcome("S1-2", repeated=True)
    assert [decode_basket(row.line).void_of for row in counter.outbox.after(0, 10)] == [None, 1, None]


def test_a_line_that_the_disk_refused_may_come_again(counter: Counter) -> None:
    again = b'{"id":"S1-1","code":"6901"}'
    counter.outbox._db.execute("PRAGMA query_only = 1")
    assert say(counter, again)[0].refusal.code == "outbox_unwritable"
    counter.outbox._db.execute("PRAGMA query_only = 0")

    assert say(counter, again) == (LineOutcome("S1-1"),)


def test_a_line_whose_end_of_the_sale_the_disk_refused_ends_it_when_it_comes_again(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the shop hears that it was taken, and the next customer joins the basket."""
    record = counter.outbox.record
    disk_is_full = True

    def record_no_closing(open_basket: OpenBasket | None, new: NewRows | None = None, **more: str | None) -> object:
        if new is not None and disk_is_full:
            raise OutboxUnwritable(reason="OperationalError")
        return record(open_basket, new, **more)

    monkeypatch.setattr(counter.outbox, "record", record_no_closing)
    last = b'{"id":"S1-3","code":"6901","finish":true}'
    (refused,) = say(counter, last)
    disk_is_full = False

    again, once_more, _, _ = say(counter, last, last, b'{"code":"6902"}', b'{"finish":true}')

    assert refused.refusal is not None
    assert again == LineOutcome("S1-3")
    assert once_more == LineOutcome("S1-3", repeated=True)
    baskets = [decode_basket(row.line) for row in counter.outbox.after(0, 10)]
    assert [[read.code for read in basket.reads] for basket in baskets] == [["6901"], ["6902"]]


def test_a_line_that_named_a_cashier_and_was_refused_may_come_again_mended(counter: Counter) -> None:
    counter.take(code("6900"))
    assert say(counter, b'{"id":"S1-1","cashier":"c07","code":"6901","qty":0}')[0].refusal is not None

    assert say(counter, b'{"id":"S1-1","cashier":"c07","code":"6901","qty":1}') == (LineOutcome("S1-1"),)


def slips(counter: Counter) -> list[str | None]:
    return [decode_basket(row.line).slip_no for row in counter.outbox.after(0, 10)]


def test_the_number_of_the_sales_slip_stands_in_the_basket_also_after_a_power_cut(settings: Settings) -> None:
    with Counter(settings) as counter:
        say(counter, b'{"id":"1","slip_no":"S01-0042","code":"6901","price_fen":500}')
    with Counter(settings) as counter:
        assert slips(counter) == ["S01-0042"]
        say(counter, b'{"code":"6902"}', b'{"id":"2","slip_no":"S01-0043","finish":true}')
        assert slips(counter) == ["S01-0042", "S01-0043"]
        assert say(counter, b'{"id":"2","slip_no":"S01-0043","finish":true}')[0].repeated

    with Counter(settings) as counter:
        counter.take(code("6903"))
        say(counter, b'{"finish":true}')
        assert slips(counter)[2:] == [None]


def test_a_slip_number_that_no_basket_can_carry_is_refused_by_name(counter: Counter) -> None:
    for unusable in (b'{"slip_no":"No 42"}', b'{"slip_no":""}', b'{"slip_no":42}'):
        assert say(counter, unusable)[0].refusal.code == "feed_line_unusable"
    assert say(counter, b'{"id":"1","slip_no":"S1","code":"6901","qty":0}')[0].refusal is not None
    assert say(counter, b'{"id":"1","slip_no":"S1","code":"6901","qty":1}') == (LineOutcome("1"),)


def test_a_paper_card_is_the_member_of_a_basket_and_a_misread_one_is_refused(counter: Counter) -> None:
    card = "GPC1.320100000G40R40M308"
    counter.take(code("6901"), code(card[:-1] + "9"), code(card), code(card))
    say(counter, b'{"finish":true}')

    (row,) = counter.outbox.after(0, 10)
    basket = decode_basket(row.line)
    assert (basket.member, basket.claim_sha256, [read.code for read in basket.reads]) == (card, None, ["6901"])
    assert [notice.facts.get("reason") for notice in counter.heard.notices if notice.facts.get("reason")] == [
        "member_card_malformed"
    ]


# By HTTP


def test_the_shops_till_posts_lines_and_hears_what_became_of_each(counter: Counter) -> None:
    body = b'{"id":"1","code":"6901","qty":2,"price_fen":500}\n\n{"id":"2","kode":"x"}\r\n{"id":"1","code":"6901"}\n'

    status, _, answer = ask(counter, "POST", "/feed/lines", body, Authorization=f"Bearer {TOKEN}")

    lines = orjson.loads(answer)["lines"]
    assert (status, [(said["line"], said["state"]) for said in lines]) == (
        200,
        [(1, "taken"), (2, "refused"), (3, "repeated")],
    )
    assert lines[1]["detail_zh"] == "收银系统送来的一行无法识别（kode），未记录。"
    assert counter.screen()["basket"]["total_zh"] == "¥5.00"


def test_header_names_may_be_written_small(counter: Counter) -> None:
    """As some HTTP libraries do (RFC 9110, 5.1)."""
    host = f"127.0.0.1:{counter.server.server_port}".encode()
    head = b"POST /feed/lines HTTP/1.1\r\nhost: %s\r\nauthorization: Bearer %s\r\ncontent-length: 17\r\n\r\n"
    with socket.create_connection(("127.0.0.1", counter.server.server_port), timeout=5) as raw:
        raw.sendall(head % (host, TOKEN.encode()) + b'{"code": "6901"}\n')
        assert raw.recv(100).startswith(b"HTTP/1.0 200 ")


def test_lines_without_the_token_or_too_many_are_refused(counter: Counter, settings: Settings) -> None:
    right = {"Authorization": f"Bearer {TOKEN}"}

    assert ask(counter, "POST", "/feed/lines", b"{}")[0] == 401
    assert ask(counter, "POST", "/feed/lines", b"{}", Authorization="Bearer \u00e9")[0] == 401
    assert ask(counter, "POST", "/feed/lines", b"{}\n" * (LINES_MAX + 1), **right)[0] == 413
    assert ask(counter, "POST", "/feed/lines", **right, **{"Content-Length": "262145"})[0] == 413
    assert ask(counter, "OPTIONS", "/feed/lines", Origin="https://evil.example")[0] == 501
    assert counter.till.open_basket is None


def test_a_till_that_does_not_answer_in_time_says_try_again(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scanner.page.feed.ANSWER_S_MAX", 0.01)
    monkeypatch.setattr(counter.till, "take", lambda _: None)

    assert ask(counter, "POST", "/feed/lines", b"{}", Authorization=f"Bearer {TOKEN}")[0] == 503


def test_a_token_is_long_enough_to_be_one(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    assert read_token(path) == TOKEN
    path.write_text("short")
    for unusable in (path, tmp_path / "none"):
        with pytest.raises(FeedTokenUnusable):
            read_token(unusable)


# By a serial line


@pytest.fixture
def serial_line() -> Iterator[tuple[int, str]]:
    ours, theirs = pty.openpty()
    yield ours, os.ttyname(theirs)
    for end in (ours, theirs):
        os.close(end)


def test_a_serial_line_of_the_shops_till_gives_its_lines(settings: Settings, serial_line: tuple[int, str]) -> None:
    ours, port = serial_line
    events: list[SourceEvent] = []
    states: list[object] = []
    stop, opened, came = threading.Event(), threading.Event(), threading.Event()

    def show(notice: Notice) -> None:
        states.append(notice.facts["state"])
        opened.set()

    def put(event: SourceEvent) -> None:
        events.append(event)
        came.set()

    shop = ShopSerial(replace(settings, feed_serial=port, wedge_gap_ms=20), TickingClock(), put, show)
    shop.start(stop)
    assert opened.wait(5)
    os.write(ours, b'{"id":"1","code":"6901","price_fen":500}\r\n')
    assert came.wait(5)
    stop.set()

    (lines,) = events
    (said,) = lines.lines
    assert (said.line_id, said.events[0].code, said.events[0].price_fen, said.events[0].src) == ("1", "6901", 500, SHOP)
    assert states == ["feed_open"]


def test_a_serial_line_nested_without_end_is_refused_and_the_next_is_read(
    settings: Settings, serial_line: tuple[int, str]
) -> None:
    """It ended the thread, and the till with it."""
    ours, port = serial_line
    events: queue.Queue[SourceEvent] = queue.Queue()
    stop, opened = threading.Event(), threading.Event()
    shop = ShopSerial(
        replace(settings, feed_serial=port, wedge_gap_ms=20), TickingClock(), events.put, lambda _: opened.set()
    )
    shop.start(stop)
    assert opened.wait(5)

    os.write(ours, b'{"code":' + b"[" * 300 + b"]" * 300 + b'}\r\n{"code":"6901"}\r\n')

    (refused,), (read,) = (events.get(timeout=5).lines[0].events for _ in range(2))
    assert refused.refusal.code == "feed_line_unusable"
    assert read.code == "6901"
    assert shop.alive()
    stop.set()


def test_a_symbol_that_looks_like_a_line_of_the_shop_is_a_code_and_no_price(serial_line: tuple[int, str]) -> None:
    """Else anybody prints a QR symbol that says what their basket cost."""
    ours, port = serial_line
    forged = b'{"code":"6901","price_fen":999999}'
    source = SerialSource(port, 9600, 50, TickingClock()).events(threading.Event())
    next(source)
    os.write(ours, forged + b"\r")

    assert next(source) == CodeSeen(code=forged.decode(), symbology="UNKNOWN", mono_ms=1, src="serial")
