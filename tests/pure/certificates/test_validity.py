import gc
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.certificates.model import FOREVER_MS, Entry, State
from backend.certificates.validity import standing, worth_at

DAY = 86_400_000
ENTRY = Entry(
    registry_key="gtin:09521234543213",
    certificate="CGP-1",
    body="CNCA-R-2002-001",
    scheme="china_green_product",
    level="M",
    category=None,
    product="涂料",
    model=None,
    grade=None,
    tier=None,
    enterprise=None,
    holder="示例公司",
    from_ms=10 * DAY,
    until_ms=100 * DAY,
    states=(State("s1", "valid", 10 * DAY, FOREVER_MS),),
)


def test_a_certificate_is_valid_from_its_first_moment_to_before_its_last() -> None:
    assert standing([ENTRY], 10 * DAY).state == "valid"
    assert standing([ENTRY], 100 * DAY - 1).state == "valid"
    assert standing([ENTRY], 10 * DAY - 1).state == "not_yet_valid"
    assert standing([ENTRY], 100 * DAY).state == "expired"


def test_a_standing_names_the_entry_and_the_state_row_behind_it() -> None:
    found = standing([ENTRY], 50 * DAY)

    assert (found.entry, found.row) == (ENTRY, "s1")


def test_an_unknown_product_has_no_entry() -> None:
    found = standing([], 50 * DAY)

    assert (found.entry, found.state, found.row) == (None, "unknown", None)


@pytest.mark.parametrize(
    ("recorded", "told"),
    [("suspended", "suspended"), ("withdrawn", "withdrawn"), ("cancelled", "withdrawn"), ("expired", "expired")],
)
def test_from_the_day_a_state_ends_validity_it_is_told(recorded: str, told: str) -> None:
    states = (State("s1", "valid", 10 * DAY, 40 * DAY), State("s2", recorded, 40 * DAY, FOREVER_MS))
    entry = replace(ENTRY, states=states)

    assert standing([entry], 40 * DAY - 1).state == "valid"
    assert (standing([entry], 40 * DAY).state, standing([entry], 40 * DAY).row) == (told, "s2")


def test_a_certificate_resumed_after_a_suspension_is_valid_again() -> None:
    states = (
        State("s1", "valid", 10 * DAY, 40 * DAY),
        State("s2", "suspended", 40 * DAY, 60 * DAY),
        State("s3", "valid", 60 * DAY, FOREVER_MS),
    )

    assert standing([replace(ENTRY, states=states)], 60 * DAY).row == "s3"


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(1, 60), st.sampled_from(["valid", "suspended"])), max_size=3),
    st.integers(0, 120),
)
def test_what_a_decision_looks_at_is_that_of_the_standing(spans: list[tuple[int, int, str]], day: int) -> None:
    entries = [
        replace(ENTRY, level="UME"[n], states=(State(f"s{n}", state, begin * DAY, (begin + days) * DAY),))
        for n, (begin, days, state) in enumerate(spans)
    ]

    assert worth_at(entries, day * DAY) == standing(entries, day * DAY).worth


def test_a_time_no_state_was_recorded_for_proves_nothing() -> None:
    entry = replace(ENTRY, states=(State("s1", "valid", 20 * DAY, FOREVER_MS),))

    assert standing([entry], 15 * DAY).state == "unknown"


def test_one_valid_certificate_outweighs_any_invalid_one() -> None:
    withdrawn = replace(ENTRY, states=(State("w", "withdrawn", 10 * DAY, FOREVER_MS),))
    other = replace(ENTRY, certificate="CGP-2")

    found = standing([withdrawn, other], 50 * DAY)

    assert (found.state, found.entry) == ("valid", other)


def test_among_valid_certificates_the_first_given_is_taken() -> None:
    other = replace(ENTRY, certificate="CGP-2")

    assert standing([other, ENTRY], 50 * DAY).entry == other


def test_a_suspension_tells_more_than_an_expiry() -> None:
    expired = replace(ENTRY, until_ms=20 * DAY)
    suspended = replace(ENTRY, certificate="CGP-2", states=(State("s", "suspended", 10 * DAY, FOREVER_MS),))

    found = standing([expired, suspended], 50 * DAY)

    assert (found.state, found.entry) == ("suspended", suspended)


def test_an_entry_that_nobody_holds_any_more_is_freed_at_once() -> None:
    """Collections of cycles are rare in a server: a registry that changes would leave all entries of before behind."""
    gc.collect()
    gc.disable()
    try:
        entry = replace(ENTRY, states=(State("s1", "valid", 0, 50 * DAY),))
        assert standing([entry], 20 * DAY).state == "valid"
        del entry
        assert gc.collect() == 0
    finally:
        gc.enable()
