"""What a city owes, day by day and unit by unit: issued, adjusted, used, expired, returned, outstanding; equal to the ledger."""

from collections import defaultdict
from datetime import date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection

from backend.kernel.periods import civil_date, day_start_ms, instant, milliseconds
from backend.storage.stream import allow_long_reads
from backend.storage.transaction import Database, hot

DAYS_MAX = 1_100
"""Three years in one report."""
SETTLED = timedelta(hours=1)
"""How long after midnight a day is frozen: nothing of it is on its way to COMMIT any more."""

# Whoever the city owes: residents, less what they owe themselves, and shops. What passes between them leaves the sum as it is.
FLOWS = """
  SELECT day, unit,
         coalesce(sum(moved) FILTER (WHERE other IN ('budget', 'reserved', 'treasury') AND NOT back), 0)::bigint AS issued,
         coalesce(sum(moved) FILTER (WHERE other = 'adjust'), 0)::bigint AS adjusted,
         coalesce(-sum(moved) FILTER (WHERE other IN ('redeemed', 'recipient', 'paid')), 0)::bigint AS used,
         coalesce(-sum(moved) FILTER (WHERE other = 'expired'), 0)::bigint AS expired,
         coalesce(-sum(moved) FILTER (WHERE back), 0)::bigint AS returned
  FROM (SELECT (recorded_at AT TIME ZONE INTERVAL '8 hours')::date AS day, unit,
               reason IN ('return', 'lapse', 'reinstate') AS back,
               CASE WHEN into_held THEN split_part(source, ':', 1) ELSE split_part(destination, ':', 1) END AS other,
               CASE WHEN into_held THEN amount ELSE -amount END AS moved
        FROM (SELECT *, destination ~ '^(resident|pending|collect|held|debt|shop):' AS into_held,
                     source ~ '^(resident|pending|collect|held|debt|shop):' AS out_of_held
              FROM transfers WHERE city = %(city)s AND recorded_at >= %(since)s AND recorded_at < %(until)s) t
        WHERE into_held <> out_of_held) sides
  GROUP BY day, unit"""

LAST = "SELECT max(day) FROM liability_days WHERE city = %(city)s"
FIRST_MOVED = "SELECT min(recorded_at) FROM transfers WHERE city = %(city)s"
STANDING = """
SELECT unit, outstanding FROM liability_days WHERE city = %(city)s AND day = %(day)s"""

# Every unit that moved by then has a row every day, so that nobody asks whether one is missing.
FREEZE = f"""
INSERT INTO liability_days (city, day, unit, issued, adjusted, used, expired, returned, outstanding)
SELECT %(city)s, d.day, d.unit, coalesce(f.issued, 0), coalesce(f.adjusted, 0), coalesce(f.used, 0), coalesce(f.expired, 0),
       coalesce(f.returned, 0),
       coalesce(b.outstanding, 0) + sum(coalesce(f.issued + f.adjusted - f.used - f.expired - f.returned, 0))
                                    OVER (PARTITION BY d.unit ORDER BY d.day)
FROM (SELECT g.at::date AS day, u.unit FROM generate_series(%(first)s::timestamp, %(last)s::timestamp, INTERVAL '1 day') g(at)
      CROSS JOIN unnest('{{points,fen,fee,gco2e,evidence}}'::text[]) u(unit)) d
LEFT JOIN ({FLOWS}) f ON f.day = d.day AND f.unit = d.unit
LEFT JOIN liability_days b ON b.city = %(city)s AND b.day = %(before)s AND b.unit = d.unit
ON CONFLICT DO NOTHING"""

FROZEN = """
SELECT day, unit, issued, adjusted, used, expired, returned, outstanding FROM liability_days
WHERE city = %(city)s AND day >= %(first)s AND day <= %(last)s ORDER BY day, unit"""

MOVED = f"SELECT day, unit, issued, adjusted, used, expired, returned FROM ({FLOWS}) f ORDER BY day, unit"


class LiabilityDay(NamedTuple):
    """One civil day of one unit. `outstanding`: what the city owed at its end; `used` holds what shops were paid."""

    day: date
    unit: str
    issued: int
    adjusted: int
    used: int
    expired: int
    returned: int
    outstanding: int


def freeze_liability(database: Database, city: str, now: datetime) -> int:
    """Freezes every civil day that is over and not frozen yet; how many rows. The same again changes nothing."""
    last = civil_date(milliseconds(now - SETTLED)) - timedelta(days=1)

    def work(connection: Connection) -> int:
        first = _first_open(connection, city)
        if first is None or first > last:
            return 0
        allow_long_reads(connection)
        span = {"first": first, "last": last, "before": first - timedelta(days=1)}
        return hot(connection, FREEZE, {"city": city, **span, **_moments(first, last)}).rowcount

    return database.write(work)


def liability_report(connection: Connection, city: str, first: date, last: date, now: datetime) -> list[LiabilityDay]:
    """The days from `first` through `last`, by day and unit, at most three years: as they were frozen, and what moved since
    then as it is now. Days on which nothing of a unit moved and nothing was owed are left out.
    """
    first = max(first, last - timedelta(days=DAYS_MAX))
    frozen = frozen_days(connection, city, first, last)
    live = _live(connection, city, min(last, civil_date(milliseconds(now))))
    return [one for one in [*frozen, *live] if one.day >= first and any(one[2:])]


def frozen_days(connection: Connection, city: str, first: date, last: date) -> list[LiabilityDay]:
    """The days from `first` through `last` that were frozen, by day and unit, at most three years; those on which nothing of
    a unit moved and nothing was owed are left out. However much moves, it reads five rows a day.
    """
    first = max(first, last - timedelta(days=DAYS_MAX))
    found = [LiabilityDay(*row) for row in hot(connection, FROZEN, {"city": city, "first": first, "last": last})]
    return [one for one in found if any(one[2:])]


def _live(connection: Connection, city: str, last: date) -> list[LiabilityDay]:
    first = _first_open(connection, city)
    if first is None or first > last:
        return []
    before = hot(connection, STANDING, {"city": city, "day": first - timedelta(days=1)})
    owed: defaultdict[str, int] = defaultdict(int, dict(before.fetchall()))
    days = defaultdict[date, dict[str, tuple[int, ...]]](dict)
    for day, unit, *flows in hot(connection, MOVED, {"city": city, **_moments(first, last)}):
        days[day][unit] = tuple(flows)
    found = []
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        for unit in sorted({*owed, *days[day]}):
            issued, adjusted, used, expired, returned = days[day].get(unit, (0, 0, 0, 0, 0))
            owed[unit] += issued + adjusted - used - expired - returned
            found.append(LiabilityDay(day, unit, issued, adjusted, used, expired, returned, owed[unit]))
    return found


def _first_open(connection: Connection, city: str) -> date | None:
    """The first civil day that is not frozen; None where nothing ever moved."""
    (last,) = hot(connection, LAST, {"city": city}).fetchone() or (None,)
    if last is not None:
        day: date = last + timedelta(days=1)
        return day
    (moved,) = hot(connection, FIRST_MOVED, {"city": city}).fetchone() or (None,)
    return None if moved is None else civil_date(milliseconds(moved))


def _moments(first: date, last: date) -> dict[str, datetime]:
    return {
        "since": instant(day_start_ms(first)),
        "until": instant(day_start_ms(last + timedelta(days=1))),
    }
