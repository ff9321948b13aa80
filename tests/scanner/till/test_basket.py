from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.wire.envelope import PAYLOAD_BYTES_MAX
from firmware_bridge.wire.messages import READS_MAX, ClosedBy, Read, decode_basket
from scanner.basket import (
    OPEN_READS_MAX,
    BasketTooLong,
    CashierNamed,
    CloseAsked,
    Closing,
    Event,
    KeptRead,
    LabelRead,
    MemberShown,
    Moment,
    Note,
    OpenBasket,
    Rules,
    SlipNumbered,
    TimePassed,
    interrupted,
    lines,
    step,
    void_lines,
)
from scanner.read_line import ReadUnusable, keep

RULES = Rules(boot="boot-1", timeout_ms=1_000)


def label(code: str, mono: int) -> LabelRead:
    return LabelRead(keep(Read(sym="EAN13", code=code, src="test", mono=mono)), Moment(mono, mono + 10**12))


def member(code: str, mono: int) -> MemberShown:
    return MemberShown(code, Moment(mono, mono + 10**12))


def finish(mono: int) -> CloseAsked:
    return CloseAsked(ClosedBy.FINISH, Moment(mono, mono + 10**12))


def run(*events: Event) -> tuple[list[Closing], OpenBasket | None]:
    closings, current = [], None
    for event in events:
        after = step(current, event, RULES)
        current = after.open
        closings += [after.closing] if after.closing else []
    return closings, current


def codes(closing: Closing) -> list[str]:
    return [kept.read.code for kept in closing.basket.reads]


def test_a_member_code_after_the_labels_covers_all_of_them() -> None:
    (closing,), current = run(label("a", 1), label("b", 2), member("M1", 3), finish(4))

    assert (closing.basket.member, codes(closing), closing.by, current) == ("M1", ["a", "b"], ClosedBy.FINISH, None)


def test_the_next_customers_member_code_closes_the_basket_of_the_one_before() -> None:
    (closing,), current = run(member("M1", 1), label("a", 2), member("M2", 3))

    assert (closing.basket.member, closing.by) == ("M1", ClosedBy.MEMBER)
    assert current is not None
    assert (current.member, current.reads) == ("M2", ())


def test_the_same_member_code_again_changes_nothing() -> None:
    _, current = run(member("M1", 1), label("a", 2))

    after = step(current, member("M1", 3), RULES)

    assert (after.open, after.closing, after.note) == (current, None, Note.MEMBER_ALREADY_THERE)


def test_a_member_without_reads_leaves_no_basket() -> None:
    closings, current = run(member("M1", 1), finish(2))

    assert (closings, current) == ([], None)


def test_a_basket_closes_by_itself_a_timeout_after_its_last_read() -> None:
    closings, current = run(label("a", 0), TimePassed(Moment(999, 1)), label("b", 999), TimePassed(Moment(1_998, 1)))
    assert closings == []

    after = step(current, TimePassed(Moment(1_999, 7)), RULES)

    assert after.closing is not None
    assert (after.closing.by, after.closing.at.mono, after.open) == (ClosedBy.TIMEOUT, 1_999, None)


def test_an_interrupted_basket_ended_with_its_last_read_in_its_own_boot() -> None:
    _, current = run(label("a", 5), label("b", 9))
    assert current is not None

    closing = interrupted(replace(current, boot="boot-0")).closing

    assert closing is not None
    basket = decode_basket(lines(closing, 1, None)[0])
    assert (basket.closed_by, basket.boot, basket.closed_mono, basket.ts) == ("interrupted", "boot-0", 9, 10**12 + 9)


def test_the_cashier_named_in_the_middle_stands_in_the_basket() -> None:
    (closing,), _ = run(label("a", 1), CashierNamed("c07"), finish(2))

    assert decode_basket(lines(closing, 1, None)[0]).cashier == "c07"


def test_a_basket_of_101_reads_becomes_three_that_share_member_and_first_seq() -> None:
    (closing,), _ = run(*[label(str(n), n) for n in range(101)], member("M1", 200), finish(201))

    baskets = [decode_basket(line) for line in lines(closing, 7, None)]

    assert [len(basket.reads) for basket in baskets] == [50, 50, 1]
    assert [(basket.seq, basket.part_of, basket.member) for basket in baskets] == [
        (7, None, "M1"),
        (8, 7, "M1"),
        (9, 7, "M1"),
    ]


def test_long_codes_are_cut_into_parts_that_fit_a_message() -> None:
    worst = keep(Read(sym="QRCODE", code="\x01" * 2_048, raw=b"\x01" * 2_048, src="test", mono=1))
    closing = Closing(
        OpenBasket(boot="b", opened_mono=0, last=Moment(1, 1), reads=(worst,) * 50), ClosedBy.FINISH, Moment(2, 2)
    )

    parts = lines(closing, 1, "0" * 64)

    assert len(parts) > 1
    assert all(len(part) < PAYLOAD_BYTES_MAX - 1_000 for part in parts)
    assert sum(len(decode_basket(part).reads) for part in parts) == 50


def test_more_reads_than_a_basket_may_hold_open_are_refused() -> None:
    _, current = run(*[label("a", n) for n in range(OPEN_READS_MAX)])

    with pytest.raises(BasketTooLong):
        step(current, label("b", OPEN_READS_MAX), RULES)


@pytest.mark.parametrize(
    "read",
    [
        Read(sym="QRCODE", code="x" * 2_049, src="test", mono=1),
        Read(sym="QRCODE", code="\ud800", src="test", mono=1),
        Read(sym="EAN13", code="1", src="test", mono=1, qty=0),
        Read(sym="EAN13", code="1", src="test", mono=1, price_fen=-1),
        Read(sym="EAN13", code="1", src="test", mono=1, sn="s" * 65),
    ],
)
def test_what_the_wire_cannot_carry_is_refused_before_it_joins_a_basket(read: Read) -> None:
    with pytest.raises(ReadUnusable):
        keep(read)


def test_a_void_names_each_part_of_the_basket_it_undoes() -> None:
    baskets = [decode_basket(line) for line in void_lines([4, 5], 9, RULES, Moment(1, 2))]

    assert [(basket.seq, basket.void_of, basket.reads) for basket in baskets] == [(9, 4, ()), (10, 5, ())]


EVENTS = st.lists(
    st.one_of(
        st.sampled_from(["a", "b", "c"]).map(lambda code: ("read", code)),
        st.sampled_from(["M1", "M2"]).map(lambda code: ("member", code)),
        st.sampled_from(list(ClosedBy)).map(lambda by: ("close", by)),
        st.integers(0, 1_500).map(lambda ms: ("wait", ms)),
    ),
    max_size=120,
)


@given(EVENTS)
def test_every_read_stands_in_exactly_one_basket_in_order_whatever_happens(script: list[tuple[str, object]]) -> None:
    closings: list[Closing] = []
    current: OpenBasket | None = None
    given_reads: list[KeptRead] = []
    mono = 0
    for kind, value in script:
        mono += int(value) if kind == "wait" and isinstance(value, int) else 1
        event: Event
        if kind == "read":
            event = label(str(value), mono)
            given_reads.append(event.read)
        elif kind == "member":
            event = member(str(value), mono)
        elif kind == "close":
            event = CloseAsked(ClosedBy(str(value)), Moment(mono, mono))
        else:
            event = TimePassed(Moment(mono, mono))
        after = step(current, event, RULES)
        current = after.open
        closings += [after.closing] if after.closing else []

    seen = [kept for closing in closings for kept in closing.basket.reads]
    seen += list(current.reads) if current else []
    assert seen == given_reads
    numbered = [decode_basket(line) for closing in closings for line in lines(closing, 1, None)]
    assert all(1 <= len(basket.reads) <= READS_MAX for basket in numbered)
    assert all(basket.opened_mono <= basket.closed_mono for basket in numbered)


def slip(number: str, mono: int) -> SlipNumbered:
    return SlipNumbered(number, Moment(mono, 10**12 + mono))


def test_the_shops_slip_number_stands_in_every_part_of_its_basket() -> None:
    (closing,), _ = run(slip("S-1", 0), *[label(str(n), n) for n in range(51)], slip("S-1", 60), finish(61))

    assert [decode_basket(line).slip_no for line in lines(closing, 1, None)] == ["S-1", "S-1"]


def test_the_number_of_the_next_sale_ends_the_one_before() -> None:
    (closing,), current = run(slip("S-1", 0), label("a", 1), slip("S-2", 2))

    assert (closing.basket.slip_no, closing.by) == ("S-1", ClosedBy.FINISH)
    assert current is not None
    assert (current.slip_no, current.reads) == ("S-2", ())


def test_a_slip_number_may_be_said_before_or_after_the_goods() -> None:
    (closing,), _ = run(label("a", 1), slip("S-1", 2), finish(3))
    assert closing.basket.slip_no == "S-1"

    _, current = run(slip("S-1", 1), slip("S-2", 2), member("M1", 3))
    assert current is not None
    assert (current.slip_no, current.member) == ("S-2", "M1")
