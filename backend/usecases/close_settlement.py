"""A month is closed: what shops were owed by its end is frozen as one statement for each retailer."""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection

from backend.audit.acts import What
from backend.audit.model import Act
from backend.audit.store import record
from backend.settlements import store
from backend.settlements.clock import checked_end, clocks, end_of, month_before
from backend.settlements.model import MonthPassed, Terms, TermsInvalid
from backend.storage.stream import allow_long_reads
from backend.storage.transaction import hot
from backend.usecases import shop_claims
from backend.usecases.races import Writes

BY_JOB = "任务 / job"
LATE = timedelta(days=1)
"""How long after its moment a transfer may still be committed: far more than any transaction takes."""
EVER = "-infinity"

LINES = f"""
INSERT INTO statement_lines (city, month, retailer, line_no, store, unit, cause, amount, reference, step, claim, recorded_at,
                             basket, sale_line)
SELECT %(city)s, %(month)s, f.retailer,
       row_number() OVER (PARTITION BY f.retailer ORDER BY f.recorded_at, f.reference, f.step, f.claim),
       f.store, f.unit, f.cause, f.amount, f.reference, f.step, f.claim, f.recorded_at, f.basket, f.sale_line
FROM ({shop_claims.FRESH}) f"""


class Closed(NamedTuple):
    """`new`: by this call; else it was closed before, and nothing changed."""

    month: str
    statements: int
    lines: int
    new: bool


def close_settlement(database: Writes, city: str, month: str, by: str, now: datetime) -> Closed:
    """Closes a month that is over (Asia/Shanghai), after COMMIT. Everything that was recorded before its end and stands on no
    statement yet goes into it; what is recorded later, returns too, goes to the next one.

    Raises MonthMalformed, MonthNotOver, MonthPassed.
    """
    ended_at = checked_end(month, now)

    def work(connection: Connection) -> Closed:
        calendar = store.lock(connection, city, now)
        before = store.month_counts(connection, city, month)
        if before is not None:
            return Closed(month, *before, new=False)
        if calendar.closed_through is not None and calendar.closed_through > month:
            raise MonthPassed(closed=calendar.closed_through, month=month)

        since = EVER if calendar.closed_through is None else end_of(calendar.closed_through) - LATE
        # A month of millions in one statement; the city's other work does not wait for it.
        allow_long_reads(connection)
        hot(connection, LINES, {**shop_claims.params(city, since, ended_at), "month": month})
        store.close(connection, city, month, ended_at, clocks(month, now, calendar.terms), by, now)
        counts = store.month_counts(connection, city, month)
        assert counts is not None
        told = {"statements": counts[0], "lines": counts[1]}
        record(connection, Act(What.SETTLEMENT_CLOSED, city, "settlement-month", month, now, after=told))
        return Closed(month, *counts, new=True)

    return database.write(work)


def close_last_month(database: Writes, city: str, now: datetime) -> Closed:
    """By the job: the last civil month that is over; the same again changes nothing."""
    return close_settlement(database, city, month_before(now), BY_JOB, now)


def set_terms(database: Writes, city: str, terms: Terms, by: str, now: datetime) -> None:
    """From the next close on; months that are closed keep theirs. Raises TermsInvalid."""
    if terms.fault:
        raise TermsInvalid

    def work(connection: Connection) -> None:
        before = store.lock(connection, city, now).terms
        store.set_terms(connection, city, terms, by, now)
        told = {**terms._asdict(), "by": by}
        act = Act(What.SETTLEMENT_TERMS_SET, city, "settlement-terms", city, now, before=before._asdict(), after=told)
        record(connection, act)

    database.write(work)
