"""Distances, speeds and weeks, each to be checked by hand."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from backend.scans.signals import KMH_MAX, Place, Signals, distance_m, kmh, week_of

XINJIEKOU, GAOCHUN = Place(32_041_000, 118_784_000), Place(31_327_000, 118_892_000)
places = st.builds(Place, st.integers(-90_000_000, 90_000_000), st.integers(-180_000_000, 180_000_000))


def test_a_degree_of_latitude_is_111_kilometres() -> None:
    assert 111_190 <= distance_m(Place(31_000_000, 118_000_000), Place(32_000_000, 118_000_000)) <= 111_200
    assert 80_000 <= distance_m(XINJIEKOU, GAOCHUN) <= 80_300


def test_a_minute_is_given_for_clocks_that_differ() -> None:
    """80 km in 59 minutes, and one for the clocks: 80 km an hour."""
    assert kmh(XINJIEKOU, GAOCHUN, 59 * 60) == 80
    assert kmh(XINJIEKOU, GAOCHUN, 0) == kmh(XINJIEKOU, GAOCHUN, -5) == 4_802
    assert kmh(Place(0, 0), Place(0, 180_000_000), 0) == KMH_MAX


@given(places, places, st.integers(0, 10**6))
def test_a_journey_is_as_long_back_as_there_and_never_negative(one: Place, other: Place, between_s: int) -> None:
    assert 0 <= distance_m(one, other) <= 20_016_000
    assert abs(distance_m(one, other) - distance_m(other, one)) <= 1
    assert 0 <= kmh(one, other, between_s) <= KMH_MAX


def test_a_sale_is_compared_with_its_own_week_or_else_the_week_before() -> None:
    sunday, monday = date(2026, 11, 22), date(2026, 11, 16)
    own, before = {("gtin:1", monday): 5}, {("gtin:1", monday - timedelta(days=7)): 7}

    assert week_of(sunday) == week_of(monday) == monday
    assert Signals({**own, **before}, {}).of("b", "gtin:1", sunday) == (5, None)
    assert Signals(before, {"b": 9}).of("b", "gtin:1", sunday) == (7, 9)
    assert Signals(before, {}).of("b", "gtin:1", monday + timedelta(days=7)) == (None, None)
    assert Signals(own, {}).of("b", None, sunday) == (None, None)
