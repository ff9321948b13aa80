"""Where districts stand to one another, as tiles: rows from north to south, each from west to east. Pure."""

from collections.abc import Mapping, Sequence
from math import isqrt
from typing import NamedTuple

UNPLACED_A_ROW = 6
STEPS = 5


class Place(NamedTuple):
    """Millionths of a degree."""

    latitude_e6: int
    longitude_e6: int


def rows_of(districts: Sequence[str], places: Mapping[str, Place]) -> list[list[str]]:
    """Nearly a square of those whose place is known; below it the others, by code."""
    placed = sorted((one for one in districts if one in places), key=lambda one: (-places[one].latitude_e6, one))
    columns = max(-(-len(placed) // _rows_for(len(placed))), 1)
    rows = [
        sorted(placed[first : first + columns], key=lambda one: (places[one].longitude_e6, one))
        for first in range(0, len(placed), columns)
    ]
    others = sorted(one for one in districts if one not in places)
    return rows + [others[first : first + UNPLACED_A_ROW] for first in range(0, len(others), UNPLACED_A_ROW)]


def step_of(value: int, most: int) -> int:
    """From 0 (nothing) to 5 (most), by its part of the most."""
    return -(-value * STEPS // most) if most else 0


def bounds_of(most: int) -> list[tuple[int, int]]:
    """The least and the most of each step from 1 on; steps that no whole number falls into are left out."""
    found = [(most * (step - 1) // STEPS + 1, most * step // STEPS) for step in range(1, STEPS + 1)]
    return [(least, greatest) for least, greatest in found if least <= greatest]


def _rows_for(count: int) -> int:
    """The root, rounded up; 1 of nothing."""
    return max(isqrt(max(count - 1, 0)) + 1, 1)
