"""The pure parts of the uplink: when a basket is sent again, and when a till holds its tongue."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.wire.bridge_state import BridgeCondition, BridgeState
from firmware_bridge.wire.envelope import BASKETS_MAX
from firmware_bridge.wire.messages import ClockSource
from scanner.bridges import Bridges
from scanner.clock import Discipline, RoundTrips, judge
from scanner.pending import ALONE_AFTER, PENDING_MAX, Pending, ResendLaw

LAW = ResendLaw(min_s=5, max_s=120)


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_a_resend_waits_at_least_5_s_and_at_most_120(sendings: int, draw: float) -> None:
    assert 5 <= LAW.wait_s(sendings, draw) <= 120


@pytest.mark.parametrize(("sendings", "longest_s"), [(1, 10), (2, 20), (4, 80), (5, 120), (50, 120)])
def test_the_wait_doubles_up_to_its_bound(sendings: int, longest_s: int) -> None:
    assert LAW.wait_s(sendings, 0.0) == 5
    assert LAW.wait_s(sendings, 0.999999) == pytest.approx(longest_s, abs=0.01)


@given(st.lists(st.tuples(st.integers(1, 40), st.integers(0, 30)), max_size=60))
def test_what_is_sent_and_not_settled_always_comes_due_again(script: list[tuple[int, int]]) -> None:
    pending = Pending(LAW, lambda: 0.5)
    now_s = 0.0
    owed: set[int] = set()
    for seq, wait_s in script:
        now_s += wait_s
        if seq % 3 == 0:
            pending.settle([seq])
            owed.discard(seq)
        else:
            pending.mark_sent([seq], now_s)
            owed.add(seq)

    seen: set[int] = set()
    while group := pending.due(now_s + 1_000):
        assert len(group) <= BASKETS_MAX
        seen |= set(group)
        pending.settle(group)
    assert seen == owed


def test_a_basket_that_failed_often_travels_alone() -> None:
    pending = Pending(LAW, lambda: 0.0)
    for _ in range(ALONE_AFTER):
        pending.mark_sent([1], 0.0)
    pending.mark_sent([2, 3], 0.0)

    assert pending.due(100.0) == [1]
    pending.settle([1])
    assert pending.due(100.0) == [2, 3]


def test_a_bridge_that_comes_up_hastens_everything_within_its_jitter() -> None:
    pending = Pending(LAW, lambda: 0.25)
    pending.mark_sent([1, 2], 100.0)

    pending.hasten(101.0, 10.0)

    assert pending.next_due_s() == 101.0 + 2.5


def test_what_fell_due_while_no_receipt_could_come_is_spread_when_one_can_again() -> None:
    pending = Pending(LAW, lambda: 0.25)
    pending.mark_sent([1], 0.0)
    pending.mark_sent([2], 3_598.0)

    pending.spread(3_600.0, within_s=10)

    assert pending.due(3_604.0) == []
    assert pending.due(3_604.5) == [2]
    assert pending.due(3_607.5) == [1, 2]


def test_only_so_many_baskets_are_under_way() -> None:
    pending = Pending(LAW, lambda: 0.0)
    pending.mark_sent(range(1, 901), 0.0)

    assert pending.room == PENDING_MAX - 900


def state(condition: BridgeCondition, session: int = 1) -> BridgeState:
    return BridgeState(state=condition, session=session)


def test_a_till_holds_back_only_while_all_bridges_are_offline() -> None:
    bridges = Bridges(grace_s=15)
    bridges.listen(0.0)
    assert bridges.hear("a", state(BridgeCondition.ONLINE))
    assert not bridges.hear("b", state(BridgeCondition.OFFLINE))
    assert bridges.may_send(0.0)

    bridges.hear("a", state(BridgeCondition.OFFLINE))
    assert not bridges.may_send(1_000.0)

    assert bridges.hear("b", state(BridgeCondition.DEGRADED, session=2))
    assert bridges.may_send(1_000.0)


def test_no_receipt_may_be_hoped_for_while_every_bridge_that_is_up_waits_for_the_backend() -> None:
    bridges = Bridges(grace_s=15)
    bridges.listen(0)
    assert bridges.answer()

    bridges.hear("a", BridgeState(state=BridgeCondition.DEGRADED, session=1))
    bridges.hear("b", BridgeState(state=BridgeCondition.OFFLINE, session=1))

    assert not bridges.answer()
    assert bridges.may_send(0)
    bridges.hear("b", BridgeState(state=BridgeCondition.ONLINE, session=2))
    assert bridges.answer()


def test_a_death_older_than_the_last_birth_is_stale() -> None:
    bridges = Bridges(grace_s=15)
    bridges.listen(0.0)
    bridges.hear("a", state(BridgeCondition.ONLINE, session=2))

    bridges.hear("a", state(BridgeCondition.OFFLINE, session=1))

    assert bridges.may_send(0.0)


def test_a_till_that_hears_nothing_waits_its_grace_and_then_sends() -> None:
    bridges = Bridges(grace_s=15)
    assert not bridges.may_send(100.0)
    bridges.listen(100.0)

    assert (bridges.may_send(114.9), bridges.may_send(115.0), bridges.grace_ends_s()) == (False, True, 115.0)


class StoppedClock:
    boot = "b"

    def mono_ms(self) -> int:
        return 10_000

    def wall_ms(self) -> int:
        return 1_000_000


def test_the_shortest_round_trip_tells_the_time() -> None:
    trips = RoundTrips()
    trips.observe(srv_ts=5_000_000, sent_mono=1_000, received_mono=9_000)
    trips.observe(srv_ts=5_001_000, sent_mono=5_000, received_mono=5_100)

    report = judge(Discipline.SRV, StoppedClock(), trips.best())

    # Server time at mono 5,050 was 5,001,000: at mono 10,000 it is 5,005,950, and the till's clock says 1,000,000.
    assert (report.src, report.off_ms, report.err_ms) == (ClockSource.SRV, 4_005_950, 50)


def test_an_answer_from_before_the_question_teaches_nothing() -> None:
    trips = RoundTrips()

    trips.observe(srv_ts=5_000_000, sent_mono=9_000, received_mono=1_000)

    assert trips.best() is None
    assert judge(Discipline.SRV, StoppedClock(), trips.best()).src is ClockSource.NONE


def test_a_round_trip_does_not_correct_a_clock_that_ntp_sets() -> None:
    trips = RoundTrips()
    trips.observe(srv_ts=5_001_000, sent_mono=5_000, received_mono=5_100)

    assert judge(Discipline.NTP, StoppedClock(), trips.best()).off_ms == 0
