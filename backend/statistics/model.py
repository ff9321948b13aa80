"""What is counted, and by what. Pure."""

from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple


class Period(StrEnum):
    DAY = "day"
    MONTH = "month"


KEYS_MAX = 40
"""Of each facet."""
SPANS = (7, 30, 90, 365)
"""Days whose totals are kept by facet; a year is added up from its months."""
BY_MONTH = 365


class Facet(StrEnum):
    """What a total is of: the whole city, or apart by the hour of sale, the certification, the district, the shop."""

    CITY = "city"
    HOUR = "hour"
    SCHEME = "scheme"
    DISTRICT = "district"
    STORE = "store"


class Total(NamedTuple):
    """`key` names the hour (00-23), scheme, district or shop; empty for what has none. `persons`: residents with a scan in
    the period, each counted once. `fen`, `points`: awarded by the last decision; what returns took back is not off it.
    """

    key: str
    scans: int
    awarded: int
    points: int
    fen: int
    persons: int


REFUSED_DAYS = 92
"""How far back refusals are counted."""
REFUSED_KEPT = 20
"""Of one shop, day and reason; more are counted alone."""


class Refusals(NamedTuple):
    """Lines of tills that earned nothing for one reason."""

    reason: str
    lines: int


class RefusedLine(NamedTuple):
    """One of them, by the key of its decision."""

    sold_at: datetime
    basket: str
    line_no: int


class DayTotal(NamedTuple):
    begins: date
    scans: int
    awarded: int
    points: int
    fen: int
    persons: int


class Sums(NamedTuple):
    """Since a day: pieces with a valid certificate and their prices, and what was awarded."""

    certified_units: int
    certified_fen: int
    points: int
    fen: int


class ShopTotal(NamedTuple):
    """Of one day, or of one shop. `lines` were read, of which `certified` had a certificate valid at the sale, and `awarded`
    earned something; `points`, `fen` as in Total. `baskets` and `certified` are None where not all was counted
    by this release.
    """

    key: str
    baskets: int | None
    lines: int
    certified: int | None
    awarded: int
    points: int
    fen: int


class Use(NamedTuple):
    """What one budget gave by one certification, district or retailer (`key`; empty for what has none), in its unit: in all,
    and in the present and the last month of sale.
    """

    facet: str
    key: str
    amount: int
    awards: int
    lately: int


class MonthUse(NamedTuple):
    month: date
    amount: int
    awards: int


def span_of(days: int, today: date) -> tuple[Period, date, date]:
    """What the last `days` days, today among them, are added up from: by day, or by month from the first of one; until the day
    after `today`.
    """
    end = today + timedelta(days=1)
    first = end - timedelta(days=days)
    return (Period.MONTH, first.replace(day=1), end) if days >= BY_MONTH else (Period.DAY, first, end)


class BudgetOutlook(NamedTuple):
    """A budget as it stood on the morning of `day`; `p50` and `p90` are None where it outlasts `until`."""

    policy: str
    unit: str
    day: date
    title_zh: str
    granted: int
    left: int
    daily: int
    p50: date | None
    p90: date | None
    until: date
    reckoned_at: datetime
