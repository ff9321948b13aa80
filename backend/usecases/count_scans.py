"""Totals of scans and outlooks of budgets are brought up to date: days that changed are counted anew, whole."""

import zlib
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import Connection

from backend.kernel.periods import civil_date, milliseconds
from backend.statistics import queries, store
from backend.statistics.model import REFUSED_DAYS, BudgetOutlook, Period
from backend.storage.stream import allow_long_reads
from backend.storage.transaction import Database
from backend.usecases.forecast_budgets import forecast_budgets

OVERLAP = timedelta(minutes=5)
"""A decision is committed some time after its moment: what was counted up to is looked at again this far back."""

AGAIN_AT_ONCE = 31
"""Days of an earlier release that one run counts anew."""


def count_scans(database: Database, city: str, now: datetime, stopping: Callable[[], bool] = lambda: False) -> int:
    """How many days were counted. Each day is a transaction of its own; stopped or killed, the next run takes them again."""
    with database.read() as connection:
        counted = queries.counted_until(connection, city)
        if counted is None:
            days = store.all_days(connection, city)
        else:
            days = store.days_decided(connection, city, counted - OVERLAP, now)
            days = sorted({*days, *store.days_counted_in_part(connection, city, AGAIN_AT_ONCE)})
    months = sorted({store.month_of(day) for day in days})
    for period, begins in [(Period.DAY, day) for day in days] + [(Period.MONTH, month) for month in months]:
        if stopping():
            return 0
        database.write(lambda connection: _counted(connection, city, period, begins))  # noqa: B023 - called at once
    if not _count_refusals(database, city, days, now, stopping):
        return 0
    today = civil_date(milliseconds(now))
    database.write(lambda connection: store.keep_spans(connection, city, today))
    database.write(lambda connection: store.move_on(connection, city, now))
    return len(days)


def _counted(connection: Connection, city: str, period: Period, begins: date) -> None:
    allow_long_reads(connection)
    store.count(connection, city, period, begins)


def _count_refusals(
    database: Database, city: str, days: Sequence[date], now: datetime, stopping: Callable[[], bool]
) -> bool:
    """False when it was stopped. Where no refusal was ever counted, all days that are kept are."""
    first = civil_date(milliseconds(now)) - timedelta(days=REFUSED_DAYS - 1)
    with database.read() as connection:
        known = store.knows_refusals(connection, city)
    kept = [first + timedelta(days=later) for later in range(REFUSED_DAYS)]
    for day in kept if not known and days else [day for day in days if day >= first]:
        if stopping():
            return False
        database.write(lambda connection: store.count_refusals(connection, city, day))  # noqa: B023 - called at once
    database.write(lambda connection: store.forget_refusals(connection, city, first))
    return True


def keep_outlooks(database: Database, city: str, now: datetime) -> int:
    """How many budgets got an outlook for the present civil day; 0 where that was done before."""

    def work(connection: Connection) -> int:
        today = civil_date(milliseconds(now))
        if store.outlook_is_there(connection, city, today):
            return 0
        allow_long_reads(connection)
        found = [
            BudgetOutlook(
                one.policy,
                one.unit,
                today,
                one.title_zh,
                one.granted,
                one.left,
                one.forecast.daily,
                one.forecast.p50,
                one.forecast.p90,
                one.forecast.until,
                now,
            )
            for one in forecast_budgets(connection, city, now, seed=zlib.crc32(f"{city} {today}".encode()))
        ]
        store.keep_outlooks(connection, city, found)
        return len(found)

    return database.write(work)
