"""Statistics for everyone: a cell of few people is left out, and what could be reckoned back from it is rounded. Pure."""

from typing import NamedTuple

from backend.statistics.model import DayTotal, Total

PERSONS_MIN = 10
"""Source: product.md F14, k >= 10."""
ROUNDED_TO = 5


class Shown(NamedTuple):
    """None where fewer than ten people may stand behind a cell. Counts are rounded down to five, so that the difference of
    two cells names nobody.
    """

    scans: int | None
    awarded: int | None
    persons: int | None


def suppressed(total: Total | DayTotal) -> Shown:
    if total.persons < PERSONS_MIN:
        return Shown(None, None, None)
    few_awarded = total.awarded < PERSONS_MIN
    return Shown(_rounded(total.scans), None if few_awarded else _rounded(total.awarded), _rounded(total.persons))


def _rounded(count: int) -> int:
    return count - count % ROUNDED_TO
