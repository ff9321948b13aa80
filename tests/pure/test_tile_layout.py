"""Tiles of districts stand to one another as the districts do."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from backend.statistics.layout import Place, bounds_of, rows_of, step_of

CODES = [f"3205{number:02d}" for number in range(1, 30)]
places = st.builds(Place, st.integers(-90_000_000, 90_000_000), st.integers(-180_000_000, 180_000_000))


def test_north_is_above_and_west_is_left() -> None:
    at = {"a": Place(31, 10), "b": Place(31, 20), "c": Place(30, 15), "d": Place(30, 5)}

    assert rows_of(["d", "c", "b", "a"], at) == [["a", "b"], ["d", "c"]]


def test_without_places_they_stand_by_code_and_beside_placed_ones_below() -> None:
    assert rows_of(["c", "a", "b"], {}) == [["a", "b", "c"]]
    assert rows_of(["c", "a", "b"], {"c": Place(1, 1)}) == [["c"], ["a", "b"]]
    assert rows_of([], {}) == []


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(CODES), st.none() | places, max_size=29))
def test_each_district_has_one_tile_and_no_row_lies_north_of_the_one_above(
    given_places: dict[str, Place | None],
) -> None:
    at = {code: place for code, place in given_places.items() if place is not None}

    rows = rows_of(list(given_places), at)

    assert sorted(code for row in rows for code in row) == sorted(given_places)
    placed = [[at[code] for code in row] for row in rows if row[0] in at]
    for above, below in itertools.pairwise(placed):
        assert min(p.latitude_e6 for p in above) >= max(p.latitude_e6 for p in below)
    for row in placed:
        assert [p.longitude_e6 for p in row] == sorted(p.longitude_e6 for p in row)
        assert len(row) <= len(placed[0])


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 10**9), st.integers(0, 10**9))
def test_the_legend_says_of_every_count_the_shade_that_it_has(most: int, value: int) -> None:
    value = min(value, most)
    bounds = {step_of(greatest, most): (least, greatest) for least, greatest in bounds_of(most)}

    step = step_of(value, most)

    assert (step == 0) == (value == 0)
    if value:
        assert bounds[step][0] <= value <= bounds[step][1]
