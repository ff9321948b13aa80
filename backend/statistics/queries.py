from collections.abc import Sequence
from datetime import date

from sqlalchemy import Connection

from backend.statistics.model import BudgetOutlook, DayTotal, Facet, Period, Total
from backend.storage.transaction import hot

KEYS_MAX = 40
DAYS_MAX = 400

OF_FACET = """
SELECT key, sum(scans)::bigint, sum(awarded)::bigint, sum(points)::bigint, sum(fen)::bigint, sum(persons)::bigint
FROM scan_totals
WHERE city = %(city)s AND period = %(period)s AND facet = %(facet)s AND begins >= %(first)s AND begins < %(end)s
GROUP BY key ORDER BY sum(scans) DESC, key LIMIT %(limit)s"""

BY_DAY = """
SELECT begins, scans, awarded, points, fen, persons FROM scan_totals
WHERE city = %(city)s AND period = %(period)s AND facet = %(facet)s AND key = %(key)s
  AND begins >= %(first)s AND begins < %(end)s
ORDER BY begins LIMIT %(limit)s"""

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


def by_time(
    connection: Connection, city: str, period: Period, span: tuple[date, date], district: str | None = None
) -> Sequence[DayTotal]:
    """The whole city, or one district of it, by day or month, in order; days without a scan are left out."""
    facet = Facet.CITY if district is None else Facet.DISTRICT
    of = {"period": period.value, "facet": facet.value, "key": district or ""}
    given = {"city": city, **of, "first": span[0], "end": span[1], "limit": DAYS_MAX}
    return [DayTotal(*row) for row in hot(connection, BY_DAY, given)]


def outlooks(connection: Connection, city: str) -> Sequence[BudgetOutlook]:
    """Of every budget in force, as last reckoned."""
    return [BudgetOutlook(*row) for row in hot(connection, OUTLOOKS, {"city": city})]
