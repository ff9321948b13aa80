"""What a check of an invariant found: how much was looked at, how much is broken, and the first places."""

from collections.abc import Iterable
from typing import NamedTuple

PLACES_SHOWN = 20


class Break(NamedTuple):
    """Where an invariant does not hold, and what stands there against what should."""

    place: str
    found: str


class Finding(NamedTuple):
    """One invariant of one city. `broken` counts all breaks; `breaks` are the first of them."""

    invariant: str
    city: str
    checked: int
    broken: int
    breaks: tuple[Break, ...]


def finding(invariant: str, city: str, checked: int, breaks: Iterable[Break]) -> Finding:
    """Counts every break and keeps the first ones, so that a broken table of millions fits in memory."""
    kept: list[Break] = []
    broken = 0
    for one in breaks:
        broken += 1
        if len(kept) < PLACES_SHOWN:
            kept.append(one)
    return Finding(invariant, city, checked, broken, tuple(kept))
