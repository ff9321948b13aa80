from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from backend.kernel.periods import day_start_ms, instant
from backend.statistics.model import (
    KEYS_MAX,
    BudgetOutlook,
    DayTotal,
    Facet,
    MonthUse,
    Period,
    ShopTotal,
    Sums,
    Total,
    Use,
)
from backend.storage.columns import words
from backend.storage.transaction import hot

DAYS_MAX = 400
MONTHS_MAX = 36
MORNINGS_MAX = 90

_OF_FACET = """
SELECT key, sum(scans)::bigint, sum(awarded)::bigint, sum(points)::bigint, sum(fen)::bigint, {persons}(persons)::bigint
FROM scan_totals
WHERE city = %(city)s AND period = %(period)s AND facet = %(facet)s AND begins >= %(first)s AND begins < %(end)s
GROUP BY key ORDER BY sum(scans) DESC, key LIMIT %(limit)s"""
OF_FACET, AT_LEAST = (_OF_FACET.format(persons=persons) for persons in ("sum", "max"))

OF_SPAN = """
SELECT facet, key, scans, awarded, points, fen, persons FROM span_totals
WHERE city = %(city)s AND days = %(days)s ORDER BY scans DESC, key"""

BY_DAY = """
SELECT begins, scans, awarded, points, fen, persons FROM scan_totals
WHERE city = %(city)s AND period = %(period)s AND facet = %(facet)s AND key = %(key)s
  AND begins >= %(first)s AND begins < %(end)s
ORDER BY begins LIMIT %(limit)s"""

SUMS = """
SELECT coalesce(sum(certified_units), 0)::bigint, coalesce(sum(certified_fen), 0)::bigint,
       coalesce(sum(points), 0)::bigint, coalesce(sum(fen), 0)::bigint
FROM scan_totals
WHERE city = %(city)s AND period = 'day' AND facet = %(facet)s AND key = %(key)s
  AND begins >= %(first)s AND begins < %(end)s"""

KEYS = """
SELECT count(DISTINCT key) FROM scan_totals
WHERE city = %(city)s AND period = 'day' AND facet = %(facet)s AND key <> ''
  AND begins >= %(first)s AND begins < %(end)s"""

PERSONS = """
SELECT count(DISTINCT resident) FROM baskets
WHERE city = %(city)s AND sold_at >= %(since)s AND sold_at < %(until)s AND resident IS NOT NULL
  AND void_of IS NULL"""

# Both lists stand in the primary key, so that no other shop's rows are read.
_OF_SHOPS = """
FROM scan_totals
WHERE city = %(city)s AND period = 'day' AND begins = ANY(%(days)s::date[]) AND facet = 'store'
  AND key = ANY(%(stores)s::text[])"""
_SUMS = """
       CASE WHEN count(*) = count(baskets) THEN sum(baskets)::bigint END, sum(scans)::bigint,
       CASE WHEN count(*) = count(certified) THEN sum(certified)::bigint END, sum(awarded)::bigint, sum(points)::bigint,
       sum(fen)::bigint"""
SHOPS_BY_DAY = f"SELECT begins::text,{_SUMS}{_OF_SHOPS} GROUP BY begins ORDER BY scan_totals.begins"
SHOPS = f"SELECT key,{_SUMS}{_OF_SHOPS} GROUP BY key ORDER BY sum(scans) DESC, key"

UNTIL = "SELECT until FROM counted_until WHERE city = %(city)s"


USES = """
SELECT facet, key, amount, awards, lately FROM (
  SELECT facet, key, sum(amount)::bigint AS amount, sum(awards)::bigint AS awards,
         coalesce(sum(amount) FILTER (WHERE month >= %(lately)s), 0)::bigint AS lately,
         row_number() OVER (PARTITION BY facet ORDER BY sum(amount) DESC, key) AS place
  FROM budget_uses WHERE city = %(city)s AND policy = %(policy)s AND unit = %(unit)s GROUP BY facet, key) u
WHERE place <= %(limit)s ORDER BY facet, place"""

USES_BY_MONTH = """
SELECT month, sum(amount)::bigint, sum(awards)::bigint FROM budget_uses
WHERE city = %(city)s AND policy = %(policy)s AND unit = %(unit)s AND facet = 'district'
GROUP BY month ORDER BY month DESC LIMIT %(limit)s"""

OUTLOOK_DAYS = """
SELECT policy, unit, day, title_zh, granted, "left", daily, p50, p90, until, reckoned_at FROM budget_outlooks
WHERE city = %(city)s AND policy = %(policy)s AND unit = %(unit)s ORDER BY day DESC LIMIT %(limit)s"""


OUTLOOKS = """
SELECT policy, unit, day, title_zh, granted, "left", daily, p50, p90, until, reckoned_at FROM budget_outlooks
WHERE city = %(city)s AND day = (SELECT max(o.day) FROM budget_outlooks o WHERE o.city = %(city)s)
ORDER BY policy, unit"""


def of_facet(
    connection: Connection, city: str, period: Period, facet: Facet, span: tuple[date, date], *, limit: int = KEYS_MAX
) -> Sequence[Total]:
    """The largest first. `span`: first day, and the day after the last. A person who came on several days, or in several
    months, counts in each of them.
    """
    given = {"city": city, "period": period.value, "facet": facet.value, "first": span[0], "end": span[1]}
    return [Total(*row) for row in hot(connection, OF_FACET, {**given, "limit": limit})]


def at_least(
    connection: Connection, city: str, period: Period, facet: Facet, span: tuple[date, date], *, limit: int = KEYS_MAX
) -> Sequence[Total]:
    """As `of_facet`, but `persons` is the most of one day or month: so many different people at least stand behind it, where
    one who came every month would be twelve.
    """
    given = {"city": city, "period": period.value, "facet": facet.value, "first": span[0], "end": span[1]}
    return [Total(*row) for row in hot(connection, AT_LEAST, {**given, "limit": limit})]


def of_span(connection: Connection, city: str, days: int) -> dict[Facet, list[Total]]:
    """Of the last `days` days (one of SPANS) as they were counted last, for each facet the largest first; at most 40 each.
    A person who came on several days, or in several months, counts in each of them.
    """
    found: dict[Facet, list[Total]] = {facet: [] for facet in Facet}
    for facet, *total in hot(connection, OF_SPAN, {"city": city, "days": days}):
        found[Facet(facet)].append(Total(*total))
    return found


def by_time(
    connection: Connection, city: str, period: Period, span: tuple[date, date], district: str | None = None
) -> Sequence[DayTotal]:
    """The whole city, or one district of it, by day or month, in order; days without a scan are left out."""
    facet = Facet.CITY if district is None else Facet.DISTRICT
    of = {"period": period.value, "facet": facet.value, "key": district or ""}
    given = {"city": city, **of, "first": span[0], "end": span[1], "limit": DAYS_MAX}
    return [DayTotal(*row) for row in hot(connection, BY_DAY, given)]


def sums(connection: Connection, city: str, span: tuple[date, date], scheme: str | None = None) -> Sums:
    """Of the whole city, or of one certification. `span`: first day, and the day after the last."""
    of = {"facet": Facet.CITY.value, "key": ""} if scheme is None else {"facet": Facet.SCHEME.value, "key": scheme}
    row = hot(connection, SUMS, {"city": city, **of, "first": span[0], "end": span[1]}).fetchone()
    assert row is not None
    return Sums(*row)


def keys(connection: Connection, city: str, facet: Facet, span: tuple[date, date]) -> int:
    """How many shops, districts or certifications had a scan."""
    given = {"city": city, "facet": facet.value, "first": span[0], "end": span[1]}
    return _only(hot(connection, KEYS, given).fetchone())


def persons(connection: Connection, city: str, span: tuple[date, date]) -> int:
    """Residents with a sale, each counted once. Reads every sale of the span: for jobs."""
    since, until = (instant(day_start_ms(day)) for day in span)
    return _only(hot(connection, PERSONS, {"city": city, "since": since, "until": until}).fetchone())


def shops_by_day(
    connection: Connection, city: str, stores: Sequence[str], first: date, days: int
) -> Sequence[ShopTotal]:
    """These shops together, by day of sale from `first` on; days without a line are left out."""
    return _of_shops(connection, SHOPS_BY_DAY, city, stores, first, days)


def by_shop(connection: Connection, city: str, stores: Sequence[str], first: date, days: int) -> Sequence[ShopTotal]:
    """Each of these shops over `days` days of sale, the one with the most lines first."""
    return _of_shops(connection, SHOPS, city, stores, first, days)


def counted_until(connection: Connection, city: str) -> datetime | None:
    """Up to when decisions are in the totals; None before the first count."""
    row = hot(connection, UNTIL, {"city": city}).fetchone()
    return None if row is None else row[0]


def uses(connection: Connection, city: str, budget: tuple[str, str], lately: date) -> Sequence[Use]:
    """`budget`: its policy and unit. Of each facet those that got most; `lately`: the first day of a month."""
    given = {"city": city, "policy": budget[0], "unit": budget[1], "lately": lately, "limit": KEYS_MAX}
    return [Use(*row) for row in hot(connection, USES, given)]


def uses_by_month(connection: Connection, city: str, budget: tuple[str, str]) -> Sequence[MonthUse]:
    """In order; the last three years."""
    given = {"city": city, "policy": budget[0], "unit": budget[1], "limit": MONTHS_MAX}
    return [MonthUse(*row) for row in hot(connection, USES_BY_MONTH, given)][::-1]


def outlook_days(connection: Connection, city: str, budget: tuple[str, str]) -> Sequence[BudgetOutlook]:
    """What each of the last ninety mornings said, in order."""
    given = {"city": city, "policy": budget[0], "unit": budget[1], "limit": MORNINGS_MAX}
    return [BudgetOutlook(*row) for row in hot(connection, OUTLOOK_DAYS, given)][::-1]


def outlooks(connection: Connection, city: str) -> Sequence[BudgetOutlook]:
    """Of every budget in force, as last reckoned."""
    return [BudgetOutlook(*row) for row in hot(connection, OUTLOOKS, {"city": city})]


def _only(row: tuple[Any, ...] | None) -> int:
    assert row is not None
    return int(row[0])


def _of_shops(
    connection: Connection, statement: str, city: str, stores: Sequence[str], first: date, days: int
) -> Sequence[ShopTotal]:
    span = [(first + timedelta(days=number)).isoformat() for number in range(min(days, DAYS_MAX))]
    given = {"city": city, "stores": words(stores), "days": words(span)}
    return [ShopTotal(*row) for row in hot(connection, statement, given)]
