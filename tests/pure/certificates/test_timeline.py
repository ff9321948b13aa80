from datetime import date
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from backend.certificates.timeline import (
    FOREVER_DAY,
    Segment,
    civil_day,
    day_number,
    fact_on,
    midnight_ms,
    next_start,
    overlay,
)

DAYS = st.integers(0, 40)


@st.composite
def recorded(draw: st.DrawFn) -> list[Segment[str]]:
    rows = []
    for number in range(draw(st.integers(0, 8))):
        start = draw(DAYS)
        end = draw(st.integers(start + 1, 41) | st.just(FOREVER_DAY))
        rows.append(Segment(f"row{number}", start, end, draw(st.sampled_from("abc"))))
    return rows


@given(recorded(), DAYS)
def test_the_row_recorded_last_among_those_that_cover_a_day_says_what_held(rows: list[Segment[str]], day: int) -> None:
    covering = [row for row in rows if row.from_day <= day < row.until_day]

    known = fact_on(overlay(rows), day)

    assert (known.row if known else None) == (covering[-1].row if covering else None)


@given(recorded())
def test_what_is_known_is_sorted_and_never_overlaps(rows: list[Segment[str]]) -> None:
    timeline = overlay(rows)

    for before, after in pairwise(timeline):
        assert before.until_day <= after.from_day


@given(recorded(), DAYS)
def test_nothing_begins_between_a_day_and_the_next_start(rows: list[Segment[str]], day: int) -> None:
    timeline = overlay(rows)

    following = next_start(timeline, day)

    assert all(not day < segment.from_day < following for segment in timeline)


def test_a_later_row_in_the_middle_splits_the_earlier_one() -> None:
    timeline = overlay([Segment("valid", 10, FOREVER_DAY, "valid"), Segment("suspended", 20, 30, "suspended")])

    assert [(part.row, part.from_day, part.until_day) for part in timeline] == [
        ("valid", 10, 20),
        ("suspended", 20, 30),
        ("valid", 30, FOREVER_DAY),
    ]


def test_a_civil_day_begins_at_midnight_in_shanghai() -> None:
    # 2026-01-01 00:00 +08:00 is 2025-12-31 16:00 UTC.
    assert midnight_ms(day_number(date(2026, 1, 1))) == 1_767_196_800_000


@given(st.dates(date(1990, 1, 1), date(2100, 12, 31)))
def test_a_day_number_names_its_date(on: date) -> None:
    assert civil_day(day_number(on)) == on


def test_the_end_of_what_has_no_end_has_no_date() -> None:
    assert civil_day(FOREVER_DAY) is None
