"""Counts of certificates are what asking each certificate on the last day of every month says."""

from collections.abc import Sequence
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from backend.certificates.counts import NOWHERE, Cell, Moves, difference, moves_of
from backend.certificates.history import History, TermFact
from backend.certificates.timeline import FOREVER_DAY, Segment, day_number, fact_on

SUZHOU, WUJIANG = "91320508MA1TEST00X", "91320509MA1TEST00X"
START = day_number(date(2025, 1, 1))
MONTHS = [date(2025, month, 1) for month in range(1, 13)]


def history(terms: Sequence[tuple[int, int, str | None]], states: Sequence[tuple[int, int, str]]) -> History:
    """Days count from 2025-01-01; an end of 0 is no end."""
    found = History("c", "N-1", "B", "organic", "U")
    for number, (first, end, enterprise) in enumerate(terms):
        fact = TermFact("持证企业", enterprise)
        found.terms.append(Segment(f"t{number}", START + first, START + end if end else FOREVER_DAY, fact))
    for number, (first, end, state) in enumerate(states):
        found.states.append(Segment(f"s{number}", START + first, START + end if end else FOREVER_DAY, state))
    return found


def moves(one: History) -> dict[tuple[str, int], Moves]:
    """By county and month of 2025."""
    return {
        (cell.region, cell.month.month): found
        for cell, found in difference({}, {"c": one}).items()
        if cell.month.year == 2025
    }


def test_a_certificate_counts_from_its_first_month_to_the_one_in_which_it_ends() -> None:
    one = history([(10, 100, SUZHOU)], [(10, 0, "valid")])

    assert moves(one) == {("320508", 1): Moves(delta=1, added=1), ("320508", 4): Moves(delta=-1, expired=1)}


def test_what_is_renewed_in_time_never_expires() -> None:
    assert moves(history([(0, 40, SUZHOU), (40, 400, SUZHOU)], [(0, 0, "valid")])) == {("320508", 1): Moves(1, 1)}


def test_a_suspension_is_no_loss_of_the_certificate_and_a_withdrawal_counts_once() -> None:
    one = history([(0, 0, SUZHOU)], [(0, 0, "valid"), (40, 0, "suspended"), (70, 0, "withdrawn")])

    assert moves(one) == {
        ("320508", 1): Moves(1, 1),
        ("320508", 2): Moves(delta=-1),
        ("320508", 3): Moves(withdrawn=1),
    }


def test_a_holder_who_moves_takes_the_certificate_along() -> None:
    one = history([(0, 40, SUZHOU), (40, 0, WUJIANG)], [(0, 0, "valid")])

    assert moves(one) == {("320508", 1): Moves(1, 1), ("320508", 2): Moves(-1), ("320509", 2): Moves(1)}


def test_without_a_code_it_is_nowhere_and_without_a_term_it_is_not_counted() -> None:
    assert moves(history([(0, 0, None)], [(0, 0, "valid")])) == {(NOWHERE, 1): Moves(1, 1)}
    assert moves(history([], [(0, 0, "valid")])) == {}


days = st.integers(0, 330)
ends = st.integers(1, 400)
terms = st.lists(st.tuples(days, ends, st.sampled_from([SUZHOU, WUJIANG, None])), min_size=1, max_size=4)
states = st.lists(st.tuples(days, ends, st.sampled_from(["valid", "suspended", "withdrawn", "expired"])), max_size=4)


@settings(max_examples=80, deadline=None)
@given(terms, states)
def test_the_sum_of_all_moves_is_what_holds_on_each_months_last_day(
    held: list[tuple[int, int, str | None]], said: list[tuple[int, int, str]]
) -> None:
    one = history(
        [(first, first + length, enterprise) for first, length, enterprise in held],
        [(first, first + length, state) for first, length, state in said],
    )
    all_moves = list(moves_of(one))

    for begins in MONTHS:
        last = day_number((begins + timedelta(days=32)).replace(day=1)) - 1
        term, state = fact_on(one.known_terms(), last), fact_on(one.known_states(), last)
        valid = term is not None and state is not None and state.fact == "valid"
        counted = sum(found.delta for cell, found in all_moves if cell.month <= begins)
        assert counted == int(valid)
        if valid and term is not None:
            region = term.fact.enterprise[2:8] if term.fact.enterprise else NOWHERE
            there = sum(f.delta for cell, f in all_moves if cell.month <= begins and cell.region == region)
            assert there == 1
    assert sum(found.added for _, found in all_moves) <= 1


def test_a_difference_takes_off_what_was_known_and_adds_what_is() -> None:
    earlier = history([(0, 0, SUZHOU)], [(0, 0, "valid")])
    later = history([(0, 0, SUZHOU)], [(0, 0, "valid"), (40, 0, "withdrawn")])

    assert difference({"c": earlier}, {"c": earlier}) == {}
    assert difference({"c": earlier}, {"c": later}) == {
        Cell("320508", "organic", date(2025, 2, 1)): Moves(delta=-1, withdrawn=1)
    }
