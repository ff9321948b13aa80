"""The progress of targets, measured by what the statistics say: once a day of each, at the end of the day before."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import Connection

from backend.certificates import count_pages
from backend.kernel.periods import civil_date, milliseconds
from backend.officials.model import PROVINCE_SUFFIX
from backend.statistics import queries as statistics
from backend.statistics.model import Facet
from backend.storage.transaction import Database
from backend.targets import queries, store
from backend.targets.model import Measure, Reading, Target, Yardstick

ACTIVE = timedelta(days=30)
LATE = timedelta(days=60)
"""So long after its last day a target is measured again: offline tills deliver late."""
_DAY = timedelta(days=1)


def measure_targets(
    database: Database,
    city: str,
    now: datetime,
    cities: Sequence[str] = (),
    stopping: Callable[[], bool] = lambda: False,
) -> int:
    """How many were measured; each once a civil day, and in a transaction of its own. `cities`: all that have scans, which a
    province's targets add up.
    """
    within = _within(city, cities)
    with database.read() as connection:
        wanted = _due(connection, city, now)
    for target in wanted:
        if stopping():
            return 0
        on = min(civil_date(milliseconds(now)) - _DAY, target.goal.due_on)
        database.write(lambda connection: _measure(connection, city, target, within, (on, now)))  # noqa: B023 - called at once
    return len(wanted)


def _within(city: str, cities: Sequence[str]) -> Sequence[str]:
    if not city.endswith(PROVINCE_SUFFIX):
        return (city,)
    return [one for one in cities if one[:2] == city[:2] and not one.endswith(PROVINCE_SUFFIX)]


def _due(connection: Connection, city: str, now: datetime) -> list[Target]:
    today, known = civil_date(milliseconds(now)), queries.last_readings(connection, city)
    return [
        one
        for one in queries.targets(connection, city)
        if one.yardstick.measure is not Measure.BY_HAND
        and not one.withdrawn
        and one.yardstick.begins_on < today <= one.goal.due_on + LATE
        and not _is_known(known.get(one.target), today)
    ]


def _is_known(reading: Reading | None, today: date) -> bool:
    return reading is not None and civil_date(milliseconds(reading.at)) >= today


def _measure(
    connection: Connection, city: str, target: Target, within: Sequence[str], at: tuple[date, datetime]
) -> None:
    on, now = at
    if target.yardstick.measure is Measure.VALID_CERTIFICATES:
        on = _month_end(on)
        value = count_pages.valid_at_end_of(connection, city, target.yardstick.scheme, on.replace(day=1))
    else:
        value = sum(_sold(connection, one, target.yardstick, on) for one in within)
    store.keep(connection, city, target.target, (on, value), now)


def _month_end(on: date) -> date:
    """The last day of a month at or before `on`."""
    return (on + _DAY).replace(day=1) - _DAY


def _sold(connection: Connection, city: str, yardstick: Yardstick, on: date) -> int:
    """What the sales of one city say at the end of the civil day `on`."""
    span, measure = (yardstick.begins_on, on + _DAY), yardstick.measure
    if measure is Measure.PARTICIPANTS:
        return statistics.persons(connection, city, span)
    if measure is Measure.ACTIVE_STORES:
        return statistics.keys(connection, city, Facet.STORE, (on + _DAY - ACTIVE, on + _DAY))
    if measure is Measure.DISTRICTS_REACHED:
        return statistics.keys(connection, city, Facet.DISTRICT, span)
    sums = statistics.sums(connection, city, span, yardstick.scheme)
    return {
        Measure.CERTIFIED_UNITS: sums.certified_units,
        Measure.CERTIFIED_FEN: sums.certified_fen,
        Measure.POINTS_GRANTED: sums.points,
        Measure.SUBSIDY_GRANTED: sums.fen,
    }[measure]
