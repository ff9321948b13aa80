"""Totals of days or shops: added to one, and without gaps. Pure."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from backend.statistics.model import ShopTotal


def nothing_on(day: date) -> ShopTotal:
    return ShopTotal(day.isoformat(), 0, 0, 0, 0, 0, 0)


def without_gaps(rows: Sequence[ShopTotal], first: date, today: date) -> list[ShopTotal]:
    """Days in order, from `first` to today: also those on which nothing was sold. None where nothing was on any."""
    if not rows:
        return []
    found = {one.key: one for one in rows}
    days = [first + timedelta(days=number) for number in range((today - first).days + 1)]
    return [found.get(day.isoformat(), nothing_on(day)) for day in days]


def summed(rows: Sequence[ShopTotal]) -> ShopTotal:
    """What one of them does not know, the sum does not know."""
    return ShopTotal(
        "",
        _sum(one.baskets for one in rows),
        sum(one.lines for one in rows),
        _sum(one.certified for one in rows),
        sum(one.awarded for one in rows),
        sum(one.points for one in rows),
        sum(one.fen for one in rows),
    )


def _sum(values: Iterable[int | None]) -> int | None:
    total = 0
    for value in values:
        if value is None:
            return None
        total += value
    return total
