"""A certificate's standing on both axes of time: what each registry version knew of which days. Pure."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from backend.certificates.screens import StateRow
from backend.certificates.timeline import FOREVER_DAY, Segment, civil_day, day_number, overlay

VERSIONS_MAX = 12
"""Lines of the picture: the latest versions."""
_MARGIN_DAYS = 90


class Bar(NamedTuple):
    """A state from `left` on, `width` wide, in thousandths of the picture."""

    state: str
    left: int
    width: int
    from_on: date | None
    until_on: date | None


class Known(NamedTuple):
    """What version `version` knew, and who recorded it when."""

    version: int
    recorded_at: datetime
    recorded_by: str
    reason: str | None
    bars: Sequence[Bar]


class Picture(NamedTuple):
    """`lines`: the latest version first; `marks`: years and where they begin, `today` too, in thousandths."""

    lines: Sequence[Known]
    marks: Sequence[tuple[int, int]]
    today: int


def picture(rows: Sequence[StateRow], today: date) -> Picture:
    """`rows` in recording order."""
    starts = [day_number(row.from_on) for row in rows]
    ends = [day_number(row.until_on) for row in rows if row.until_on is not None]
    first = max(min([*starts, day_number(today)]) - _MARGIN_DAYS, day_number(date.min))
    last = min(max([*starts, *ends, day_number(today)]) + _MARGIN_DAYS * 4, day_number(date.max))
    scale = _Scale(first, last)
    versions = sorted({row.version for row in rows})[-VERSIONS_MAX:]
    lines = [_known(rows, version, scale) for version in reversed(versions)]
    years = range((civil_day(first) or today).year + 1, (civil_day(last) or today).year + 1)
    marks = [(year, scale.place(day_number(date(year, 1, 1)))) for year in years]
    return Picture(lines, marks[:: max(1, len(marks) // 12)], scale.place(day_number(today)))


class _Scale(NamedTuple):
    first: int
    last: int

    def place(self, day: int) -> int:
        return (min(max(day, self.first), self.last) - self.first) * 1_000 // (self.last - self.first)


def _known(rows: Sequence[StateRow], version: int, scale: _Scale) -> Known:
    known = [row for row in rows if row.version <= version]
    own = next(row for row in reversed(known) if row.version == version)
    segments = overlay([Segment(row.row, day_number(row.from_on), _until(row), row.state) for row in known])
    bars = []
    for one in segments:
        left, right = scale.place(one.from_day), scale.place(one.until_day)
        bars.append(Bar(one.fact, left, max(right - left, 2), civil_day(one.from_day), civil_day(one.until_day)))
    return Known(version, own.recorded_at, own.recorded_by, own.reason, bars)


def _until(row: StateRow) -> int:
    return FOREVER_DAY if row.until_on is None else day_number(row.until_on)
