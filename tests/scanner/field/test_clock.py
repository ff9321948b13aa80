"""A clock a year off either way: reads are recorded as ever, and what the till says of its clock lets the server judge."""

import time
from collections.abc import Callable

import pytest

from firmware_bridge.wire.messages import Clock as ClockReport
from firmware_bridge.wire.messages import ClockSource, Header, decode_basket, decode_header, encode_header
from scanner import clock as clocks
from scanner import keys, member
from scanner.clock import Discipline, RoundTrips, judge
from scanner.member import MemberCodeRefused
from scanner.outbox import Outbox
from scanner.sources.model import CodeSeen, FinishSeen
from tests.scanner.till.scene import Shop
from tests.scanner.till.test_till import TestClock, Watcher, clock, new_till, outbox, watcher

__all__ = ["clock", "new_till", "outbox", "watcher"]
YEAR_MS = 365 * 86_400_000
TRUE_MS = 1_790_000_001_000


class OffClock(TestClock):
    __test__ = False

    def __init__(self, off_ms: int) -> None:
        super().__init__()
        self.off_ms = off_ms

    def wall_ms(self) -> int:
        return super().wall_ms() + self.off_ms


@pytest.fixture(autouse=True)
def _no_ntp(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clocks, "kernel_says_synchronised", lambda: False)


@pytest.mark.parametrize("off_ms", [-YEAR_MS, YEAR_MS])
def test_what_is_read_by_a_clock_a_year_off_is_recorded_with_that_clocks_own_time(
    off_ms: int, new_till: Callable[..., object], clock: TestClock, outbox: Outbox, watcher: Watcher, shop: Shop
) -> None:
    clock.wall_ms = OffClock(off_ms).wall_ms  # type: ignore[method-assign]  # the fixture's clock goes wrong
    till = new_till()

    till.take(CodeSeen(code=shop.member_code(), symbology="QRCODE", mono_ms=1_000, src="test"))
    till.take(CodeSeen(code="a", symbology="EAN13", mono_ms=1_000, src="test"))
    till.take(FinishSeen())

    (row,) = outbox.after(0, 10)
    basket = decode_basket(row.line)
    assert [read.code for read in basket.reads] == ["a"]
    assert basket.member is not None
    assert basket.ts == TRUE_MS + off_ms
    assert watcher.of("refused") == []


@pytest.mark.parametrize("off_ms", [-YEAR_MS, YEAR_MS])
def test_without_ntp_one_receipt_teaches_how_far_the_clock_is_off(off_ms: int) -> None:
    clock = OffClock(off_ms)
    trips = RoundTrips()
    assert judge(Discipline.AUTO, clock, trips.best()) == ClockReport(src=ClockSource.NONE)

    # Sent at 900, received at 1,000: the server's stamp was made half-way, 50 ms ago.
    trips.observe(srv_ts=TRUE_MS - 50, sent_mono=900, received_mono=1_000)
    said = judge(Discipline.AUTO, clock, trips.best())

    assert said == ClockReport(src=ClockSource.SRV, off_ms=-off_ms, err_ms=50)


@pytest.mark.parametrize("off_ms", [-YEAR_MS, YEAR_MS])
def test_the_offset_follows_a_clock_that_is_set_while_the_till_runs(off_ms: int) -> None:
    clock = OffClock(off_ms)
    trips = RoundTrips()
    trips.observe(srv_ts=TRUE_MS - 50, sent_mono=900, received_mono=1_000)

    clock.off_ms = 0
    clock.mono += 60_000

    assert judge(Discipline.AUTO, clock, trips.best()) == ClockReport(src=ClockSource.SRV, off_ms=0, err_ms=50)


def test_a_long_round_trip_does_not_displace_a_short_one() -> None:
    trips = RoundTrips()
    trips.observe(srv_ts=TRUE_MS - 50, sent_mono=900, received_mono=1_000)
    trips.observe(srv_ts=TRUE_MS + 9_000, sent_mono=1_000, received_mono=31_000)

    assert judge(Discipline.SRV, OffClock(0), trips.best()).err_ms == 50


@pytest.mark.parametrize("off_ms", [-YEAR_MS, YEAR_MS])
def test_the_wire_carries_an_offset_of_a_year(off_ms: int) -> None:
    report = ClockReport(src=ClockSource.SRV, off_ms=off_ms, err_ms=50)
    header = Header(dev="nj0001-1", stream="07" * 16, key="k1", boot="b", sent_mono=1, low=1, clk=report)

    assert decode_header(encode_header(header)).clk == report


def test_a_clock_that_receipts_have_set_right_judges_member_codes_again(shop: Shop) -> None:
    city_keys = keys.city_keys(shop.folder / "city.keys")
    known = ClockReport(src=ClockSource.SRV, off_ms=0, err_ms=50)
    wall_ms = int(time.time() * 1000)

    with pytest.raises(MemberCodeRefused):
        member.verify(shop.member_code(valid_s=-3_600), city_keys, wall_ms=wall_ms, clock=known)
    behind = ClockReport(src=ClockSource.SRV, off_ms=YEAR_MS, err_ms=50)
    member.verify(shop.member_code(), city_keys, wall_ms=wall_ms - YEAR_MS, clock=behind)
