"""How much is lent to whom: never beyond the share, never more to one till than the terms say, a part for everybody."""

from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.leases.grant import Outbox, plan
from backend.leases.judge import TOLERANCE, fault_of
from backend.leases.model import Fault, Lease, Terms

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
STREAM, OTHER = (f"01900000-0000-7000-8000-00000000000{end}" for end in "ab")
TERMS = Terms("green", "points", amount=100, awards=10, hours=8, grace_hours=72, share_bp=1_000)


def lease(device: str = "till-1", drawn: int = 0, promises: int = 0, age: timedelta = HOUR, amount: int = 100) -> Lease:
    begun = NOW - age
    ends = begun + 8 * HOUR
    return Lease(
        "l",
        device,
        STREAM,
        "green",
        "points",
        amount,
        10,
        begun,
        ends,
        None,
        ends + 72 * HOUR,
        None,
        drawn,
        0,
        promises,
        1,
    )


def test_a_till_is_lent_more_when_half_is_used_and_longer_when_half_the_time_is_over() -> None:
    till, old, over = Outbox("till-1", STREAM), timedelta(hours=4, seconds=1), 9 * HOUR
    for held, wanted, extended in (
        ([], 100, 0),
        ([lease()], 0, 0),
        ([lease(drawn=49)], 0, 0),
        ([lease(drawn=50)], 50, 0),
        ([lease(drawn=10, promises=5)], 10, 0),
        ([lease(drawn=10, promises=10)], 100, 0),
        ([lease(age=old)], 0, 1),
        ([lease(age=old, drawn=60), lease(amount=60)], 0, 1),
        ([lease(age=over)], 100, 0),
        ([lease(age=old)._replace(ended_at=NOW)], 100, 0),
        ([lease(age=old)._replace(stream=OTHER)], 100, 0),
    ):
        planned = plan(TERMS, [till], {"till-1": held}, 10**6, NOW)
        assert (planned.granted, len(planned.extended)) == ({till: wanted} if wanted else {}, extended), held


def test_crumbs_are_not_lent_unless_no_more_is_wanted() -> None:
    till = Outbox("till-1", STREAM)

    assert plan(TERMS, [till], {}, 99, NOW).granted == {}
    assert plan(TERMS, [till], {}, 100, NOW).granted == {till: 10}


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.integers(0, 10_000),
    st.integers(1, 40),
    st.lists(st.tuples(st.integers(0, 39), st.integers(0, 100)), max_size=12),
    st.integers(1, 5_000),
)
def test_never_beyond_the_share_and_the_terms(
    left: int, tills: int, held: list[tuple[int, int]], share_bp: int
) -> None:
    there = [Outbox(f"till-{n}", STREAM) for n in range(tills)]
    known: dict[str, list[Lease]] = {}
    for number, drawn in held:
        known.setdefault(f"till-{number}", []).append(lease(f"till-{number}", drawn=drawn))
    lent = sum(one.left for leases in known.values() for one in leases)

    granted = plan(TERMS._replace(share_bp=share_bp), there, known, left, NOW).granted

    total = sum(granted.values())
    assert all(0 < amount <= TERMS.amount for amount in granted.values())
    assert total <= left
    assert total == 0 or lent + total <= (left + lent) * share_bp // 10_000


def test_each_fault_by_its_own_name() -> None:
    good = lease()
    sold_at_ms = int(NOW.timestamp() * 1000)
    asked = {"device": "till-1", "stream": STREAM, "sold_at_ms": sold_at_ms, "now": NOW, "taken": 0}
    late_ms = sold_at_ms + int((7 * HOUR + TOLERANCE).total_seconds() * 1000)

    for changed, fault in (
        ({}, None),
        ({"lease": None}, Fault.UNKNOWN),
        ({"device": "till-2"}, Fault.ANOTHER_TILL),
        ({"stream": STREAM[:-1] + "b"}, Fault.ANOTHER_TILL),
        ({"now": NOW + 79 * HOUR}, Fault.LATE),
        ({"sold_at_ms": late_ms}, None),
        ({"sold_at_ms": late_ms + 1}, Fault.OUT_OF_TIME),
        ({"sold_at_ms": None}, None),
        ({"taken": 10}, Fault.USED_UP),
        ({"lease": lease(drawn=100)}, Fault.USED_UP),
    ):
        assert fault_of(**{"lease": good, **asked, **changed}) is fault, changed  # type: ignore[arg-type]  # as named
