"""The joint of sources, basket and outbox, with a real outbox file that a second reader looks into."""

import io
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import orjson
import pytest
import zxingcpp

from firmware_bridge.wire.messages import Clock as ClockReport
from firmware_bridge.wire.messages import ClockSource, Read, decode_basket
from scanner import keys
from scanner.basket import Moment, OpenBasket
from scanner.chaos import Chaos
from scanner.claim import qr_text
from scanner.feedback import Console, Everyone, Notice, Signal
from scanner.outbox import SLIPS_KEPT, Limits, NewRows, Outbox, OutboxUnwritable
from scanner.outbox_file import open_outbox
from scanner.read_line import keep
from scanner.settings import FeedbackPins, Settings
from scanner.snapshot.teller import Silent
from scanner.sources.model import CashierSeen, CodeSeen, FinishSeen, SourceEnded
from scanner.till import Till
from tests.scanner.till.counter import online
from tests.scanner.till.scene import Shop


class TestClock:
    __test__ = False
    boot = "boot-1"

    def __init__(self) -> None:
        self.mono = 1_000

    def mono_ms(self) -> int:
        return self.mono

    def wall_ms(self) -> int:
        return 1_790_000_000_000 + self.mono


class Watcher:
    """Looks, at the moment of each notice, at what a power cut would leave."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.notices: list[Notice] = []
        self.on_disk: list[tuple[int, int]] = []

    def show(self, notice: Notice) -> None:
        self.notices.append(notice)
        db = sqlite3.connect(self._path)
        reads, baskets = (db.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in ("open_reads", "baskets"))
        db.close()
        self.on_disk.append((reads, baskets))

    def of(self, event: str) -> list[tuple[Notice, tuple[int, int]]]:
        pairs = zip(self.notices, self.on_disk, strict=True)
        return [(notice, held) for notice, held in pairs if notice.event == event]


@pytest.fixture
def outbox(settings: Settings) -> Iterator[Outbox]:
    limits = Limits(baskets_max=10, size_max_bytes=10**6)
    outbox = open_outbox(settings.outbox_path, limits, random_stream=b"\x07" * 16, now_ts=1).outbox
    yield outbox
    outbox.close()


@pytest.fixture
def clock() -> TestClock:
    return TestClock()


@pytest.fixture
def watcher(settings: Settings) -> Watcher:
    return Watcher(settings.outbox_path)


@pytest.fixture
def new_till(settings: Settings, outbox: Outbox, clock: TestClock, watcher: Watcher) -> Callable[[], Till]:
    def make() -> Till:
        city_keys = keys.city_keys(settings.city_keys_path)
        report = ClockReport(src=ClockSource.NONE)
        said = (settings, outbox, city_keys, clock, lambda: report, watcher, lambda: None, Chaos(), Silent())
        till = Till(*said, leases=online(outbox, clock))
        till.begin()
        return till

    return make


def code(text: str, mono_ms: int = 1_000) -> CodeSeen:
    return CodeSeen(code=text, symbology="EAN13", mono_ms=mono_ms, src="test")


def test_every_read_is_on_disk_when_it_beeps_and_every_basket_when_it_is_told(
    new_till: Callable[[], Till], watcher: Watcher
) -> None:
    till = new_till()

    for event in (code("a"), code("b"), FinishSeen(), code("c")):
        till.take(event)

    assert [held for _, held in watcher.of("read")] == [(1, 0), (2, 0), (1, 1)]
    assert [held for _, held in watcher.of("basket_closed")] == [(0, 1)]
    assert all(notice.signal is Signal.GOOD for notice, _ in watcher.of("read"))


def test_a_read_that_the_disk_refused_does_not_beep(
    new_till: Callable[[], Till], watcher: Watcher, outbox: Outbox
) -> None:
    till = new_till()
    till.take(code("a"))
    outbox._db.execute("PRAGMA query_only = 1")
    till.take(code("b"))
    outbox._db.execute("PRAGMA query_only = 0")
    till.take(code("c"))
    till.take(FinishSeen())

    assert [notice.facts["code"] for notice, _ in watcher.of("read")] == ["a", "c"]
    assert [notice.facts["reason"] for notice, _ in watcher.of("refused")] == ["outbox_unwritable"]
    (row,) = outbox.after(0, 10)
    assert [read.code for read in decode_basket(row.line).reads] == ["a", "c"]


def test_claim_codes_that_nobody_sees_are_kept_up_to_a_bound(settings: Settings, outbox: Outbox) -> None:
    for number in range(SLIPS_KEPT + 2):
        new = NewRows(make_lines=lambda seq: [b"%d" % seq], ts=1, claim_code=f"code-{number}")
        outbox.record(None, new)

    assert [code for _, code in outbox.slips_to_show()] == [f"code-{n}" for n in range(2, SLIPS_KEPT + 2)]


def test_the_same_goes_for_a_restart_in_the_middle_of_a_customer(new_till: Callable[[], Till], outbox: Outbox) -> None:
    till = new_till()
    till.take(CashierSeen("c07"))
    till.take(code("a"))

    new_till()

    (row,) = outbox.after(0, 10)
    basket = decode_basket(row.line)
    assert (basket.closed_by, basket.cashier, [read.code for read in basket.reads]) == ("interrupted", "c07", ["a"])
    assert outbox.open_basket() is None


def leave_open_on_a_disk_that_takes_nothing(outbox: Outbox) -> None:
    """A basket of an earlier boot that the next start cannot close."""
    last = Moment(9_000_000, 1)
    reads = (keep(Read(sym="EAN13", code="a", src="test", mono=9_000_000)),)
    outbox.record(OpenBasket(boot="boot-0", opened_mono=9_000_000, last=last, member="GPM1.a", reads=reads))
    outbox._db.execute("PRAGMA query_only = 1")


def boots_and_codes(outbox: Outbox) -> list[tuple[str, list[str]]]:
    baskets = [decode_basket(row.line) for row in outbox.after(0, 10)]
    return [(basket.boot, [read.code for read in basket.reads]) for basket in baskets]


def test_nobody_joins_the_basket_of_the_last_run_that_the_disk_did_not_let_end(
    new_till: Callable[[], Till], outbox: Outbox, watcher: Watcher
) -> None:
    leave_open_on_a_disk_that_takes_nothing(outbox)
    till = new_till()
    till.take(code("not taken"))
    outbox._db.execute("PRAGMA query_only = 0")

    till.take(code("b"))
    till.take(FinishSeen())

    assert boots_and_codes(outbox) == [("boot-0", ["a"]), ("boot-1", ["b"])]
    assert [notice.facts["reason"] for notice, _ in watcher.of("refused")] == ["outbox_unwritable"] * 2


def test_the_basket_of_the_last_run_ends_as_soon_as_the_disk_lets_it(
    new_till: Callable[[], Till], outbox: Outbox, watcher: Watcher
) -> None:
    leave_open_on_a_disk_that_takes_nothing(outbox)
    till = new_till()
    till.tick()
    till.tick()
    outbox._db.execute("PRAGMA query_only = 0")

    till.tick()

    assert boots_and_codes(outbox) == [("boot-0", ["a"])]
    assert len(watcher.of("refused")) == 1


def test_a_basket_that_nobody_finishes_closes_by_itself(
    new_till: Callable[[], Till], clock: TestClock, watcher: Watcher, settings: Settings
) -> None:
    till = new_till()
    till.take(code("a"))
    clock.mono += 1000 * settings.basket_timeout_s - 1
    till.tick()
    assert watcher.of("basket_closed") == []

    clock.mono += 1
    till.tick()

    assert watcher.of("basket_closed")[0][0].facts["closed_by"] == "timeout"


def test_the_end_of_a_film_closes_the_basket(new_till: Callable[[], Till], watcher: Watcher) -> None:
    till = new_till()
    till.take(code("a"))

    till.take(SourceEnded("video"))

    assert len(watcher.of("basket_closed")) == 1


def test_a_clock_that_was_never_set_leaves_the_expiry_to_the_server(
    new_till: Callable[[], Till], watcher: Watcher, shop: Shop
) -> None:
    till = new_till()

    till.take(code(shop.member_code(valid_s=-86_400)))

    assert watcher.of("refused") == []
    assert [notice.facts["state"] for notice, _ in watcher.of("state")] == ["member"]


def test_a_member_code_is_never_told_to_the_console(new_till: Callable[[], Till], watcher: Watcher, shop: Shop) -> None:
    member = shop.member_code()
    till = new_till()

    for event in (code(member), code("a"), FinishSeen()):
        till.take(event)

    assert all("GPM1" not in f"{notice}" for notice in watcher.notices)


def test_the_slip_carries_the_claim_code_as_a_symbol_that_can_be_read(
    new_till: Callable[[], Till], watcher: Watcher
) -> None:
    till = new_till()
    till.take(code("a"))
    till.take(FinishSeen())

    slip = next(notice for notice, _ in watcher.of("state") if notice.facts["state"] == "slip")

    assert slip.slip is not None
    *rows, shown = slip.slip.split("\n")
    assert shown == slip.facts["claim"] == watcher.of("basket_closed")[0][0].facts["claim"]
    assert [found.text for found in zxingcpp.read_barcodes(_drawn(rows))] == [shown]


def _drawn(rows: list[str]) -> np.ndarray:
    light = {"█": (1, 1), "▀": (1, 0), "▄": (0, 1), " ": (0, 0)}
    halves = [[light[mark] for mark in row] for row in rows]
    pixels = np.array([[half[n] for half in row] for row in halves for n in (0, 1)], dtype=np.uint8) * 255
    return np.kron(pixels, np.ones((8, 8), dtype=np.uint8))


def test_a_symbol_of_an_odd_number_of_rows_is_whole() -> None:
    (found,) = zxingcpp.read_barcodes(_drawn(qr_text("ABCD-EFGH-JKMN-PQRS").split("\n")))

    assert found.text == "ABCD-EFGH-JKMN-PQRS"


def test_the_console_speaks_chinese_to_people_and_json_to_programs() -> None:
    notice = Notice("read", "✓ 已读", "read", Signal.GOOD, {"seq": 1, "code": "a"})
    people, programs = io.StringIO(), io.StringIO()

    Everyone([Console(people), Console(programs, events_json=True)]).show(notice)

    assert people.getvalue() == "✓ 已读  read\n"
    assert orjson.loads(programs.getvalue()) == {
        "event": "read",
        "seq": 1,
        "code": "a",
        "text_zh": "✓ 已读",
        "text_en": "read",
    }


def test_a_basket_whose_end_a_full_disk_refuses_is_told_once_and_ends_when_there_is_room(
    new_till: Callable[[], Till], watcher: Watcher, clock: TestClock, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    till = new_till()
    till.take(code("a"))
    clock.mono += 1_000_000

    def full(*_given: object, **_more: object) -> None:
        raise OutboxUnwritable(reason="full")

    with monkeypatch.context() as disk:
        disk.setattr(outbox, "record", full)
        for _ in range(40):
            till.tick()
        assert len(watcher.of("refused")) == 1
    till.tick()

    assert len(watcher.of("refused")) == 1
    assert [notice.facts["closed_by"] for notice, _ in watcher.of("basket_closed")] == ["timeout"]


def test_lamps_and_buzzer_follow_the_notices(monkeypatch: pytest.MonkeyPatch) -> None:
    from gpiozero import Device
    from gpiozero.pins.mock import MockFactory

    from scanner.lights import Lights

    factory = MockFactory()
    monkeypatch.setattr(Device, "pin_factory", factory)
    pressed: list[int] = []
    pins = FeedbackPins(green=None, amber=17, red=27, buzzer=None, button=22)
    lights = Lights(pins, lambda: pressed.append(1))

    lights.show(Notice("state", "", "", Signal.WARNING))
    assert factory.pin(17).state
    lights.show(Notice("read", "", "", Signal.GOOD))
    assert not factory.pin(17).state
    lights.show(Notice("refused", "", "", Signal.REFUSED))
    assert lights._red is not None
    assert lights._red.is_lit
    factory.pin(22).drive_low()
    assert pressed == [1]

    lights.show(Notice("state", "", "", Signal.STOPPED))
    for signal in (Signal.REFUSED, Signal.GOOD, Signal.WARNING):
        lights.show(Notice("refused", "", "", signal))
        assert factory.pin(27).state
    lights.show(Notice("state", "", "", Signal.RESUMED))
    assert not factory.pin(27).state
    lights.close()
    factory.close()


def test_a_key_that_others_may_read_is_refused(settings: Settings) -> None:
    settings.key_path.chmod(0o640)

    with pytest.raises(keys.KeyFileUnusable, match="600"):
        keys.signing_key(settings.key_path)


@pytest.mark.parametrize("content", ["", "n1", "n1 !!!", "n1 AAAA", "n1 a b"])
def test_a_file_without_a_public_key_is_refused(content: str, settings: Settings) -> None:
    settings.city_keys_path.write_text(content)

    with pytest.raises(keys.KeyFileUnusable):
        keys.city_keys(settings.city_keys_path)


def test_the_receipt_key_can_be_rotated(settings: Settings, shop: Shop) -> None:
    folder = shop.folder / "other"
    folder.mkdir()
    other = Shop.furnish(folder)
    lines = [settings.receipt_key_path.read_text(), (other.folder / "receipt.key").read_text()]
    settings.receipt_key_path.write_text("".join(lines))

    verify = keys.receipt_verifier(settings.receipt_key_path)

    assert verify(shop.receipt_key.sign(b"x"), b"x")
    assert verify(other.receipt_key.sign(b"x"), b"x")
    assert not verify(shop.till_key.sign(b"x"), b"x")
