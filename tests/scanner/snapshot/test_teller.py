"""What a till says at a read: likely, by the right reading, and nothing that it cannot know."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from firmware_bridge.wire.messages import Clock as ClockReport
from firmware_bridge.wire.messages import ClockSource
from scanner.snapshot.file import SnapshotFile
from scanner.snapshot.sayings import UNKNOWN, State, saying
from scanner.snapshot.teller import SnapshotTeller
from scanner.sources.model import CodeSeen
from tests.scanner.snapshot.conftest import FRIDGE, HOUR_MS, LABEL, MADE_MS, RICE, USUAL, many, message

UNIT = f"(01)0{FRIDGE}(21)S1"


@dataclass
class SetClock:
    now_ms: int = MADE_MS
    boot: str = "b1"
    report: ClockReport = field(default_factory=lambda: ClockReport(src=ClockSource.NTP, err_ms=50))

    def mono_ms(self) -> int:
        return 0

    def wall_ms(self) -> int:
        return self.now_ms


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def teller(file: SnapshotFile, clock: SetClock) -> SnapshotTeller:
    file.apply(message(USUAL))
    return SnapshotTeller(file, clock, lambda: clock.report)


def seen(code: str, price_fen: int | None = None, **more: object) -> CodeSeen:
    usual = {"symbology": "EAN13" if code.isdigit() else "QRCODE", "mono_ms": 1, "src": "test"}
    return CodeSeen(code=code, price_fen=price_fen, **{**usual, **more})  # type: ignore[arg-type]  # fields of their types


@pytest.mark.parametrize(
    ("read", "text_zh"),
    [
        (seen(FRIDGE), "绿色商品，预计 5 分"),
        (seen(FRIDGE, 10_000), "绿色商品，预计 10 分"),
        (seen(UNIT), "绿色商品，预计 7 分"),
        (seen(UNIT, 10_000), "认证商品，结单后核定"),
        (seen(FRIDGE, qty=2), "认证商品，结单后核定"),
        (seen(RICE, 10_000), "认证商品，按价格计分"),
        (seen(RICE), "认证商品，目前不计分"),
        (seen(LABEL), "认证商品，目前不计分"),
        (seen("gf 3201 1523 0001"), "认证商品，目前不计分"),
        (seen("9521234000990"), "已记录，稍后核定"),
        (seen("9521234000014"), "已记录，稍后核定"),
        (seen("http://example.com"), "已记录，稍后核定"),
        (seen(FRIDGE, raw=b"\xff"), "已记录，稍后核定"),
    ],
)
def test_each_label_is_answered_by_its_own_offer(teller: SnapshotTeller, read: CodeSeen, text_zh: str) -> None:
    assert teller.tell(read).text_zh == text_zh


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ({"district": "320104", "store": "s1"}, {"fen": 1250}),
        ({"district": "320104", "store": "s9"}, {"points": 99}),
        ({"district": "320106", "store": "s1"}, {"points": 10}),
    ],
)
def test_it_stands_where_the_server_says_that_it_stands(
    file: SnapshotFile, clock: SetClock, place: dict[str, str], said: dict[str, int]
) -> None:
    file.apply(message(USUAL, **place))

    told = SnapshotTeller(file, clock, lambda: clock.report).tell(seen(FRIDGE, 10_000))

    assert told.facts()["amounts"] == said
    assert told.product == "冰箱"


@pytest.mark.parametrize(
    ("now_ms", "known"),
    [
        (MADE_MS + 24 * HOUR_MS - 1, True),
        (MADE_MS + 24 * HOUR_MS, False),
        (MADE_MS - 300_000, True),
        (MADE_MS - 300_001, False),
    ],
)
def test_a_snapshot_that_is_over_or_lies_ahead_promises_nothing(
    teller: SnapshotTeller, clock: SetClock, now_ms: int, *, known: bool
) -> None:
    clock.now_ms = now_ms

    assert (teller.tell(seen(FRIDGE)) is not UNKNOWN) is known


def test_a_certificate_that_ends_within_the_snapshots_time_ends_here_too(
    teller: SnapshotTeller, clock: SetClock
) -> None:
    clock.now_ms = MADE_MS + HOUR_MS - 1
    assert teller.tell(seen(RICE, 1)).state is State.PRICED
    clock.now_ms += 1
    assert teller.tell(seen(RICE, 1)) is UNKNOWN


def test_an_unsure_clock_promises_nothing_and_a_wrong_one_is_set_right(teller: SnapshotTeller, clock: SetClock) -> None:
    clock.report = ClockReport(src=ClockSource.NONE)
    assert teller.tell(seen(FRIDGE)) is UNKNOWN

    clock.now_ms = 0
    clock.report = ClockReport(src=ClockSource.SRV, off_ms=MADE_MS + 1, err_ms=20)
    assert teller.tell(seen(FRIDGE)).state is State.LIKELY


def test_without_a_snapshot_and_with_one_of_a_later_release_nothing_is_said(
    file: SnapshotFile, clock: SetClock
) -> None:
    teller = SnapshotTeller(file, clock, lambda: clock.report)
    assert teller.tell(seen(FRIDGE)) is UNKNOWN

    for line in ('{"later":1}', "[]", '["x","k9",1]', f'["x","odd",{2**53}]'):
        file.apply(message({f"g:0{FRIDGE}": line, "k:odd": "[1]"}, checked_at=MADE_MS))
        assert teller.tell(seen(FRIDGE)) is UNKNOWN


@pytest.mark.parametrize(
    ("offer", "text_zh"),
    [
        ({"points": 10, "fen": 1205}, "绿色商品，预计 10 分，补贴 12.05 元"),
        ({"gco2e": 300, "evidence": 1}, "绿色商品，预计减碳 300 克，绿色凭证 1 份"),
        ({"points": 10, "fen": "price"}, "绿色商品，预计 10 分"),
        ({"fen": "price", "points": "later"}, "认证商品，按价格计分"),
    ],
)
def test_sums_are_written_as_people_read_them(offer: dict[str, int | str], text_zh: str) -> None:
    assert saying("冰箱", offer).text_zh == text_zh


def test_a_read_is_answered_well_within_a_millisecond_of_fifty_thousand(file: SnapshotFile, clock: SetClock) -> None:
    file.apply(message(many(50_000)))
    teller = SnapshotTeller(file, clock, lambda: clock.report)
    codes = [seen(code) for number in range(0, 50_000, 500) if (code := with_check_digit(number))]

    def took_s(ask: Callable[[CodeSeen], object]) -> float:
        times = []
        for code in codes:
            begin = time.perf_counter()
            ask(code)
            times.append(time.perf_counter() - begin)
        return sorted(times)[len(times) // 2]

    assert took_s(teller.tell) < 0.001


def with_check_digit(number: int) -> str:
    padded = f"{number // 10 * 10:014d}"
    weighted = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(padded[:-1]))
    return padded[:-1] + str(-weighted % 10)


@pytest.mark.parametrize(
    ("read", "payers"),
    [
        (seen(FRIDGE), {("green", "points"): 5}),
        (seen(FRIDGE, 10_000), {}),
        (seen(RICE, 10_000), {("green", "points"): 3}),
        (seen(UNIT), {}),
        (seen(FRIDGE, qty=2), None),
    ],
    ids=["without a price", "a price that pays otherwise online", "either way the same", "one piece", "two pieces"],
)
def test_who_pays_is_known_only_where_it_is_sure(
    file: SnapshotFile, clock: SetClock, read: CodeSeen, payers: dict[tuple[str, str], int] | None
) -> None:
    """Of a label of one piece nobody but the server knows whether it was paid for; a late basket proves less."""
    sure = {
        "l:one": '[{"":[{"points":{"green":5}},{"points":{"green":10}},{"points":{"green":7}},{}]}]',
        "l:priced": '[{"":[{"points":{"green":3}},{"points":{"green":3}},{},{}]}]',
    }
    file.apply(message({**USUAL, **sure}, version=101))

    assert SnapshotTeller(file, clock, lambda: clock.report).tell(read).payers == payers
