"""Rows recorded one after another about periods of the world, and what they say together.

Periods are half-open, in days since 1970-01-01 (`day_number`); `FOREVER_DAY` ends what has no end.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from typing import Generic, TypeVar

from backend.certificates.model import FOREVER_MS

Fact = TypeVar("Fact")

FOREVER_DAY = 2**31
_DAY_MS = 86_400_000
_CHINA_MS = 8 * 3600 * 1000
_DAYS_KEPT = 16_384
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Segment(Generic[Fact]):
    row: str
    from_day: int
    until_day: int
    fact: Fact

    def __post_init__(self) -> None:
        assert self.from_day < self.until_day


def overlay(recorded: Sequence[Segment[Fact]]) -> tuple[Segment[Fact], ...]:
    """What rows in recording order say now: sorted, not overlapping; a later row replaces earlier ones it overlaps."""
    if len(recorded) < 2:  # noqa: PLR2004 - one row overlaps nothing
        return tuple(recorded)
    known: list[Segment[Fact]] = []
    for row in recorded:
        known = [part for old in known for part in _outside(old, row)]
        known.append(row)
    return tuple(sorted(known, key=lambda segment: segment.from_day))


def fact_on(timeline: Sequence[Segment[Fact]], day: int) -> Segment[Fact] | None:
    for segment in timeline:
        if segment.from_day <= day < segment.until_day:
            return segment
    return None


def next_start(timeline: Sequence[Segment[Fact]], day: int) -> int:
    """The first day after `day` on which something else begins; FOREVER_DAY when nothing does."""
    return min((segment.from_day for segment in timeline if segment.from_day > day), default=FOREVER_DAY)


def day_number(on: date) -> int:
    return (on - _EPOCH).days


def civil_day(number: int) -> date | None:
    """The date of a day number; None for FOREVER_DAY."""
    return None if number >= FOREVER_DAY else date.fromordinal(_EPOCH.toordinal() + number)


@lru_cache(_DAYS_KEPT)
def midnight_ms(day: int) -> int:
    """Unix ms at which the day begins in Asia/Shanghai; FOREVER_MS for FOREVER_DAY."""
    return FOREVER_MS if day >= FOREVER_DAY else day * _DAY_MS - _CHINA_MS


def _outside(old: Segment[Fact], new: Segment[Fact]) -> list[Segment[Fact]]:
    if old.until_day <= new.from_day or new.until_day <= old.from_day:
        return [old]
    parts = []
    if old.from_day < new.from_day:
        parts.append(replace(old, until_day=new.from_day))
    if old.until_day > new.until_day:
        parts.append(replace(old, from_day=new.until_day))
    return parts
