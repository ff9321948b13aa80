"""The counter of leases under anything that may happen to it: no unit of a lease is ever promised twice."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from firmware_bridge.wire.errors import WireError
from firmware_bridge.wire.leases import Lease, LeaseMessage, decode_leases, encode_leases
from scanner.lease.book import BACK_MS_MAX, EMPTY, Book, hear, promise, read_book, usable, write_book

STREAM, OTHER = "07" * 16, "08" * 16
BEGIN, UNTIL = 1_790_000_000_000, 1_790_000_000_000 + 8 * 3_600_000
POINTS = ("green", "points")


def lease(number: int, amount: int = 50, **changes: object) -> Lease:
    usual = {
        "lease": f"01900000-0000-7000-8000-{number:012x}",
        "stream": STREAM,
        "policy": "green",
        "unit": "points",
        "amount": amount,
        "awards": 10,
        "begin": BEGIN,
        "until": UNTIL,
    }
    return Lease(**{**usual, **changes})  # type: ignore[arg-type]  # fields of their types


def told(*leases: Lease, version: int = 1, book: Book = EMPTY, now_ms: int = BEGIN) -> Book:
    return hear(book, LeaseMessage(version, leases), STREAM, now_ms)


def promised(book: Book, amount: int, now_ms: int = BEGIN, key: tuple[str, str] = POINTS) -> tuple[Book, int]:
    after, promises, _ = promise(book, {key: amount}, now_ms)
    return after, sum(one.amount for one in promises)


def test_what_it_holds_is_promised_and_no_more() -> None:
    book = told(lease(1, 50))
    for amount, given_ in ((20, 20), (20, 20), (20, 0), (10, 10), (1, 0)):
        book, got = promised(book, amount)
        assert got == given_


@pytest.mark.parametrize(
    ("book", "now_ms"),
    [
        (told(lease(1)), UNTIL),
        (told(lease(1)), BEGIN - 1),
        (told(lease(1), now_ms=BEGIN + 3_600_000), BEGIN + 3_600_000 - BACK_MS_MAX - 1),
        (told(lease(1, stream=OTHER)), BEGIN),
        (told(version=2, book=told(lease(1))), BEGIN),
        (told(lease(1, policy="blue")), BEGIN),
        (told(lease(1, unit="fen")), BEGIN),
        (EMPTY, BEGIN),
    ],
    ids=["over", "not begun", "clock turned back", "another outbox", "taken away", "another policy", "unit", "none"],
)
def test_nothing_is_promised_out_of_what_is_not_good(book: Book, now_ms: int) -> None:
    assert promised(book, 1, now_ms) == (book, 0)


def test_the_one_that_ends_first_is_used_first_and_two_may_stand_together() -> None:
    early = replace(lease(2, 15), until=UNTIL - 1)
    book = told(lease(1, 50), early)

    after, promises, amounts = promise(book, {POINTS: 20}, BEGIN)

    assert [(one.lease, one.amount) for one in promises] == [(early.lease, 15), (lease(1).lease, 5)]
    assert amounts == {"points": 20}
    assert [one.promises for one in after.held] == [1, 1]


def test_half_a_promise_is_none_and_units_stand_apart() -> None:
    book = told(lease(1, 50), lease(2, 100, unit="fen"))
    wanted = {POINTS: 20, ("green", "fen"): 80, ("blue", "fen"): 1}

    after, promises, amounts = promise(book, wanted, BEGIN)

    assert (len(promises), amounts) == (1, {"points": 20})
    assert [one.used for one in after.held] == [20, 0]


def test_an_older_message_is_no_news_and_a_lease_that_comes_back_is_not_new() -> None:
    book, _ = promised(told(lease(1, 50), version=5), 30)

    assert told(lease(1, 50), lease(9, 1_000), version=5, book=book) == book
    again = told(lease(1, 500), version=7, book=told(version=6, book=book))

    assert promised(again, 21)[1] == 0
    assert promised(again, 20)[1] == 20


def test_promises_are_counted_as_well_as_amounts() -> None:
    book = told(lease(1, 50, awards=2))
    for given_ in (1, 1, 0):
        book, got = promised(book, 1)
        assert got == given_


@given(st.text(max_size=60) | st.sampled_from(['{"version":1}', '{"version":1,"latest":0,"held":[{}]}', "[]"]))
def test_a_book_that_cannot_be_read_promises_nothing(text: str) -> None:
    assert promised(read_book(text), 1)[1] == 0


@given(
    st.binary(max_size=120) | st.builds(lambda n: encode_leases(LeaseMessage(1, (lease(1),)))[:n], st.integers(0, 300))
)
def test_a_message_is_understood_or_refused_by_name(body: bytes) -> None:
    try:
        message = decode_leases(body)
    except WireError:
        return
    assert decode_leases(encode_leases(message)) == message


class Counter(RuleBasedStateMachine):
    """A till that hears the server, promises, loses its power and has its clock moved, in any order."""

    @initialize()
    def begin(self) -> None:
        self.book, self.version, self.now_ms = EMPTY, 0, BEGIN
        self.granted: dict[str, Lease] = {}
        self.paid: dict[str, list[int]] = {}
        self.latest = 0

    @rule(amount=st.integers(1, 60), awards=st.integers(1, 5), hours=st.integers(1, 8), mine=st.booleans())
    def grant(self, amount: int, awards: int, hours: int, *, mine: bool) -> None:
        ends = {"begin": self.now_ms, "until": self.now_ms + hours * 3_600_000}
        new = lease(len(self.granted), amount, awards=awards, stream=STREAM if mine else OTHER, **ends)
        self.granted[new.lease] = new
        self.hear(subset=0)

    @rule(subset=st.integers(0, 3))
    def hear(self, subset: int) -> None:
        """Some leases, or all, as the server says it anew."""
        self.version += 1
        said = tuple(one for place, one in enumerate(self.granted.values()) if subset == 0 or place % (subset + 1))
        self.book = hear(self.book, LeaseMessage(self.version, said[-64:]), STREAM, self.now_ms)

    @precondition(lambda self: self.granted)
    @rule()
    def hear_what_is_old(self) -> None:
        self.book = hear(self.book, LeaseMessage(1, tuple(self.granted.values())[-64:]), STREAM, self.now_ms)

    @rule(amount=st.integers(1, 40))
    def promise(self, amount: int) -> None:
        self.book, promises, _ = promise(self.book, {POINTS: amount}, self.now_ms)
        assert sum(one.amount for one in promises) in (0, amount)
        assert not promises or self.now_ms >= self.latest - BACK_MS_MAX
        for one in promises:
            known = self.granted[one.lease]
            assert known.stream == STREAM
            assert known.begin <= self.now_ms < known.until
            self.paid.setdefault(one.lease, []).append(one.amount)
            self.latest = max(self.latest, self.now_ms)

    @rule()
    def lose_power(self) -> None:
        self.book = read_book(write_book(self.book))

    @rule(by_ms=st.integers(-10 * 3_600_000, 4 * 3_600_000))
    def move_clock(self, by_ms: int) -> None:
        self.now_ms = max(0, self.now_ms + by_ms)

    @invariant()
    def never_more_than_was_granted(self) -> None:
        for name, amounts in getattr(self, "paid", {}).items():
            assert sum(amounts) <= self.granted[name].amount
            assert len(amounts) <= self.granted[name].awards
        for one in usable(self.book, self.now_ms) if hasattr(self, "book") else []:
            assert one.used == sum(self.paid.get(one.lease.lease, []))


TestCounter = Counter.TestCase
TestCounter.settings = settings(max_examples=100, stateful_step_count=25, deadline=None)
