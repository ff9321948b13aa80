from collections.abc import Iterable
from datetime import date, datetime, timedelta

from sqlalchemy import Connection

from backend.kernel.periods import day_start_ms, instant
from backend.statistics.model import KEYS_MAX, REFUSED_KEPT, SPANS, BudgetOutlook, Period, span_of
from backend.storage.transaction import hot

MOVE_ON = """
INSERT INTO counted_until (city, until) VALUES (%(city)s, %(until)s)
ON CONFLICT (city) DO UPDATE SET until = EXCLUDED.until WHERE counted_until.until < EXCLUDED.until"""

DAYS = """
SELECT DISTINCT (b.sold_at AT TIME ZONE INTERVAL '8 hours')::date
FROM decisions d JOIN baskets b ON b.city = %(city)s AND b.basket = d.basket
WHERE d.city = %(city)s AND d.decided_at >= %(since)s AND d.decided_at < %(until)s"""

EVERY_DAY = """
SELECT DISTINCT (sold_at AT TIME ZONE INTERVAL '8 hours')::date FROM baskets WHERE city = %(city)s"""

# Of an earlier release, which did not count all that this one counts.
COUNTED_IN_PART = """
SELECT DISTINCT begins FROM scan_totals
WHERE city = %(city)s AND period = 'day' AND facet = 'city' AND baskets IS NULL ORDER BY begins DESC LIMIT %(limit)s"""

FORGET = """
DELETE FROM scan_totals WHERE city = %(city)s AND period = %(period)s AND begins = %(begins)s"""

# The last decision of a line is the one in force. A basket that takes another back sells nothing, even where its till says
# again what was in it. Reasons that begin with "certificate_" say that the certificate found was not
# valid at the sale.
COUNT = """
INSERT INTO scan_totals (city, period, begins, facet, key, scans, awarded, points, fen, persons,
                         certified_units, certified_fen, baskets, certified)
SELECT %(city)s, %(period)s, %(begins)s,
       CASE WHEN GROUPING(hour) = 0 THEN 'hour' WHEN GROUPING(scheme) = 0 THEN 'scheme'
            WHEN GROUPING(district) = 0 THEN 'district' WHEN GROUPING(store) = 0 THEN 'store' ELSE 'city' END,
       COALESCE(hour, scheme, district, store, ''),
       count(*), count(*) FILTER (WHERE points + fen + other > 0), sum(points), sum(fen), count(DISTINCT resident),
       sum(units), sum(price), count(DISTINCT basket), count(*) FILTER (WHERE certified)
FROM (
  SELECT l.hour, l.scheme, l.district, l.store, l.resident, l.basket, l.certified,
         (CASE WHEN l.certified THEN l.quantity ELSE 0 END)::bigint AS units,
         (CASE WHEN l.certified THEN COALESCE(l.price_fen, 0) ELSE 0 END)::bigint AS price,
         (CASE WHEN l.unit = 'points' THEN l.award ELSE 0 END + COALESCE(f.points, 0))::bigint AS points,
         (CASE WHEN l.unit = 'fen' THEN l.award ELSE 0 END + COALESCE(f.fen, 0))::bigint AS fen,
         (CASE WHEN l.unit NOT IN ('points', 'fen') THEN l.award ELSE 0 END + COALESCE(f.other, 0))::bigint AS other
  FROM (
    SELECT DISTINCT ON (d.basket, d.line_no) d.basket, d.line_no, d.decision_no, d.unit, d.award, b.resident,
           d.quantity, d.price_fen,
           d.certificate_scheme IS NOT NULL AND d.reason NOT LIKE 'certificate\\_%%' AS certified,
           to_char(b.sold_at AT TIME ZONE INTERVAL '8 hours', 'HH24') AS hour,
           COALESCE(d.certificate_scheme, '') AS scheme,
           COALESCE(b.district, '') AS district, COALESCE(b.store, '') AS store
    FROM baskets b JOIN decisions d ON d.city = %(city)s AND d.basket = b.basket
    WHERE b.city = %(city)s AND b.sold_at >= %(since)s AND b.sold_at < %(until)s AND b.void_of IS NULL
    ORDER BY d.basket, d.line_no, d.decision_no DESC) l
  LEFT JOIN LATERAL (
    SELECT sum(a.award) FILTER (WHERE a.unit = 'points') AS points, sum(a.award) FILTER (WHERE a.unit = 'fen') AS fen,
           sum(a.award) FILTER (WHERE a.unit NOT IN ('points', 'fen', 'fee')) AS other
    FROM further_awards a WHERE a.city = %(city)s AND a.basket = l.basket AND a.line_no = l.line_no
      AND a.decision_no = l.decision_no) f ON true) scans
GROUP BY GROUPING SETS ((), (hour), (scheme), (district), (store))
HAVING count(*) > 0"""

# What earned nothing by the decision in force. Taken back is not refused.
_REFUSED = """
  SELECT s.retailer, b.store, b.sold_at, l.basket, l.line_no, l.reason
  FROM (SELECT DISTINCT ON (d.basket, d.line_no) d.basket, d.line_no, d.outcome, d.reason
        FROM baskets x JOIN decisions d ON d.city = %(city)s AND d.basket = x.basket
        WHERE x.city = %(city)s AND x.sold_at >= %(since)s AND x.sold_at < %(until)s AND x.channel = 'till'
          AND x.void_of IS NULL
        ORDER BY d.basket, d.line_no, d.decision_no DESC) l
  JOIN baskets b ON b.city = %(city)s AND b.basket = l.basket
  JOIN stores s ON s.city = %(city)s AND s.store = b.store
  WHERE l.outcome <> 'awarded' AND l.reason <> 'returned'"""

FORGET_REFUSALS = "DELETE FROM refusal_totals WHERE city = %(city)s AND day = %(day)s"
FORGET_REFUSED = """
DELETE FROM refused_lines WHERE city = %(city)s AND sold_at >= %(since)s AND sold_at < %(until)s"""

COUNT_REFUSALS = f"""
INSERT INTO refusal_totals (city, day, retailer, store, reason, lines)
SELECT %(city)s, %(day)s, retailer, coalesce(store, ''), reason, count(*) FROM ({_REFUSED}) refused
GROUP BY GROUPING SETS ((retailer, reason), (retailer, store, reason))"""

KEEP_REFUSED = f"""
INSERT INTO refused_lines (city, sold_at, basket, line_no, retailer, store, reason)
SELECT %(city)s, sold_at, basket, line_no, retailer, store, reason
FROM (SELECT refused.*, row_number() OVER (PARTITION BY store, reason ORDER BY sold_at DESC, basket DESC, line_no DESC) AS place
      FROM ({_REFUSED}) refused) latest
WHERE place <= %(kept)s"""

REFUSALS_THERE = "SELECT 1 FROM refusal_totals WHERE city = %(city)s LIMIT 1"
FORGET_OLD_REFUSALS = "DELETE FROM refusal_totals WHERE city = %(city)s AND day < %(day)s"
FORGET_OLD_REFUSED = "DELETE FROM refused_lines WHERE city = %(city)s AND sold_at < %(since)s"

FORGET_USES = "DELETE FROM budget_uses WHERE city = %(city)s AND month = %(begins)s"

COUNT_USES = """
INSERT INTO budget_uses (city, policy, unit, month, facet, key, awards, amount)
SELECT %(city)s, policy, unit, %(begins)s,
       CASE WHEN GROUPING(scheme) = 0 THEN 'scheme' WHEN GROUPING(district) = 0 THEN 'district' ELSE 'retailer' END,
       COALESCE(scheme, district, retailer), count(*), sum(award)::bigint
FROM (
  SELECT v.policy, a.unit, a.award, l.scheme, l.district, COALESCE(s.retailer, '') AS retailer
  FROM (
    SELECT DISTINCT ON (d.basket, d.line_no) d.basket, d.line_no, d.decision_no, d.policy_version, d.unit, d.award,
           COALESCE(d.certificate_scheme, '') AS scheme, COALESCE(b.district, '') AS district, b.store
    FROM baskets b JOIN decisions d ON d.city = %(city)s AND d.basket = b.basket
    WHERE b.city = %(city)s AND b.sold_at >= %(since)s AND b.sold_at < %(until)s
    ORDER BY d.basket, d.line_no, d.decision_no DESC) l
  CROSS JOIN LATERAL (
    SELECT l.policy_version, l.unit, l.award WHERE l.award > 0
    UNION ALL
    SELECT f.policy_version, f.unit, f.award FROM further_awards f
    WHERE f.city = %(city)s AND f.basket = l.basket AND f.line_no = l.line_no AND f.decision_no = l.decision_no
      AND f.award > 0) a
  JOIN policy_versions v ON v.city = %(city)s AND v.version = a.policy_version
  LEFT JOIN stores s ON s.city = %(city)s AND s.store = l.store) uses
GROUP BY GROUPING SETS ((policy, unit, scheme), (policy, unit, district), (policy, unit, retailer))"""

FORGET_SPAN = "DELETE FROM span_totals WHERE city = %(city)s AND days = %(days)s"

# Of each facet the largest keys: nobody reads a list of every shop here.
KEEP_SPAN = """
INSERT INTO span_totals (city, days, facet, key, scans, awarded, points, fen, persons)
SELECT %(city)s, %(days)s, facet, key, scans, awarded, points, fen, persons
FROM (SELECT facet, key, sum(scans) AS scans, sum(awarded) AS awarded, sum(points) AS points, sum(fen) AS fen,
             sum(persons) AS persons, row_number() OVER (PARTITION BY facet ORDER BY sum(scans) DESC, key) AS place
      FROM scan_totals
      WHERE city = %(city)s AND period = %(period)s AND facet <> 'city' AND begins >= %(first)s AND begins < %(end)s
      GROUP BY facet, key) t
WHERE place <= %(most)s"""

KEEP_OUTLOOK = """
INSERT INTO budget_outlooks (city, policy, unit, day, title_zh, granted, "left", daily, p50, p90, until, reckoned_at)
VALUES (%(city)s, %(policy)s, %(unit)s, %(day)s, %(title_zh)s, %(granted)s, %(left)s, %(daily)s, %(p50)s, %(p90)s,
        %(until)s, %(reckoned_at)s)
ON CONFLICT (city, policy, unit, day) DO NOTHING"""

OUTLOOK_THERE = "SELECT 1 FROM budget_outlooks WHERE city = %(city)s AND day = %(day)s LIMIT 1"


def move_on(connection: Connection, city: str, until: datetime) -> None:
    hot(connection, MOVE_ON, {"city": city, "until": until})


def days_decided(connection: Connection, city: str, since: datetime, until: datetime) -> list[date]:
    """Civil days of sale of what was decided in [since, until)."""
    found = hot(connection, DAYS, {"city": city, "since": since, "until": until})
    return sorted(day for (day,) in found)


def days_counted_in_part(connection: Connection, city: str, limit: int) -> list[date]:
    """The latest first."""
    return [day for (day,) in hot(connection, COUNTED_IN_PART, {"city": city, "limit": limit})]


def all_days(connection: Connection, city: str) -> list[date]:
    """On which anything was sold."""
    return sorted(day for (day,) in hot(connection, EVERY_DAY, {"city": city}))


def count(connection: Connection, city: str, period: Period, begins: date) -> None:
    """Makes the totals of a day or month anew, and of a month what each budget was used for. `begins`: its first civil day."""
    key = {"city": city, "period": period.value, "begins": begins}
    since = instant(day_start_ms(begins))
    until = instant(day_start_ms(_end(period, begins)))
    hot(connection, FORGET, key)
    hot(connection, COUNT, {**key, "since": since, "until": until})
    if period is Period.MONTH:
        hot(connection, FORGET_USES, {"city": city, "begins": begins})
        hot(connection, COUNT_USES, {"city": city, "begins": begins, "since": since, "until": until})


def count_refusals(connection: Connection, city: str, day: date) -> None:
    """Makes what shops' customers were refused on a civil day anew."""
    since, until = (instant(day_start_ms(on)) for on in (day, day + timedelta(days=1)))
    given = {"city": city, "day": day, "since": since, "until": until, "kept": REFUSED_KEPT}
    for statement in (FORGET_REFUSALS, FORGET_REFUSED, COUNT_REFUSALS, KEEP_REFUSED):
        hot(connection, statement, given)


def knows_refusals(connection: Connection, city: str) -> bool:
    return hot(connection, REFUSALS_THERE, {"city": city}).fetchone() is not None


def forget_refusals(connection: Connection, city: str, before: date) -> None:
    """Those of the days before a civil day."""
    given = {"city": city, "day": before, "since": instant(day_start_ms(before))}
    hot(connection, FORGET_OLD_REFUSALS, given)
    hot(connection, FORGET_OLD_REFUSED, given)


def keep_spans(connection: Connection, city: str, today: date) -> None:
    """Adds up the last days anew, for each length that pages show."""
    for days in SPANS:
        period, first, end = span_of(days, today)
        hot(connection, FORGET_SPAN, {"city": city, "days": days})
        span = {"days": days, "period": period.value, "first": first, "end": end}
        hot(connection, KEEP_SPAN, {"city": city, **span, "most": KEYS_MAX})


def outlook_is_there(connection: Connection, city: str, day: date) -> bool:
    return hot(connection, OUTLOOK_THERE, {"city": city, "day": day}).fetchone() is not None


def keep_outlooks(connection: Connection, city: str, outlooks: Iterable[BudgetOutlook]) -> None:
    for one in outlooks:
        hot(connection, KEEP_OUTLOOK, {"city": city, **one._asdict()})


def month_of(day: date) -> date:
    return day.replace(day=1)


def _end(period: Period, begins: date) -> date:
    if period is Period.DAY:
        return begins + timedelta(days=1)
    return month_of(begins + timedelta(days=32))
