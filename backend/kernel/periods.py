from datetime import UTC, date, datetime, timedelta, timezone
from enum import StrEnum
from functools import lru_cache

CHINA = timezone(timedelta(hours=8), "Asia/Shanghai")
"""Civil time of every city. China has kept UTC+8 without daylight saving since 1991, so a fixed offset is exact."""

_OFFSET_MS = 8 * 3600 * 1000
_DAY_MS = 86_400_000
_HOUR_MS = 3_600_000
_HOURS = tuple(f"{hour:02d}" for hour in range(24))
_HOUR_MS = 3_600_000
_EPOCH = date(1970, 1, 1)
_SATURDAY = 5


class Period(StrEnum):
    DAY = "day"
    MONTH = "month"
    YEAR = "year"
    LIFETIME = "lifetime"


# CPython 3.11 runs Python code for each `Enum.MEMBER` (0.3 µs), and the hot path reads these for every scan.
PERIODS = tuple(Period)
"""In the order of the keys that `period_keys` gives."""
_DAYS_KEPT = 4_096


def civil_date(at_ms: int) -> date:
    """The date in Asia/Shanghai of a UTC instant in Unix milliseconds."""
    return _date((at_ms + _OFFSET_MS) // _DAY_MS)


def hour_of_day(at_ms: int) -> str:
    """The hour in Asia/Shanghai of a UTC instant in Unix milliseconds, as two digits."""
    return _HOURS[(at_ms + _OFFSET_MS) // _HOUR_MS % 24]


@lru_cache(_DAYS_KEPT)
def _date(day: int) -> date:
    return _EPOCH + timedelta(days=day)


@lru_cache(_DAYS_KEPT)
def period_keys(on: date) -> tuple[str, ...]:
    """Names the half-open civil periods that hold `on`, one for each of PERIODS: 2026-11-22, 2026-11, 2026, and '-'."""
    return on.isoformat(), on.isoformat()[:7], str(on.year), "-"


def instant(at_ms: int) -> datetime:
    """The aware UTC instant of Unix milliseconds."""
    return datetime.fromtimestamp(at_ms / 1000, UTC)


def milliseconds(at: datetime) -> int:
    """Unix milliseconds of an aware instant, rounded down."""
    if at.tzinfo is None:
        raise ValueError("an instant carries its zone")
    delta = at - datetime(1970, 1, 1, tzinfo=UTC)
    return delta.days * _DAY_MS + delta.seconds * 1000 + delta.microseconds // 1000


def day_start_ms(on: date) -> int:
    """00:00 of a civil day (Asia/Shanghai) in Unix milliseconds."""
    return (on - _EPOCH).days * _DAY_MS - _OFFSET_MS


def civil_hour(at_ms: int) -> str:
    """The civil hour (Asia/Shanghai) that holds Unix milliseconds: 2026112207 is 07:00 to 08:00."""
    return f"{civil_date(at_ms):%Y%m%d}{(at_ms + _OFFSET_MS) % _DAY_MS // _HOUR_MS:02d}"


def next_hour_ms(at_ms: int) -> int:
    """`at_ms` rounded up to a full hour, in Unix milliseconds."""
    return -(-at_ms // _HOUR_MS) * _HOUR_MS


def month_end(on: date, months: int) -> date:
    """The last day of the civil month that lies `months` after that of `on`."""
    year, month = divmod(on.year * 12 + on.month + months, 12)
    return date(year, month + 1, 1) - timedelta(days=1)


def working_days_after(on: date, days: int) -> date:
    """The civil day by whose end something is due that takes `days` working days after `on`, Mondays to Fridays.

    Public holidays are not known here, so a real deadline is never later than the law's.
    """
    day = on
    while days:
        day += timedelta(days=1)
        days -= day.weekday() < _SATURDAY
    return day
