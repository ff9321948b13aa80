from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection

from backend.cases.model import Report, ReportOutcome, ReportState, Step, StepKind
from backend.storage.transaction import hot

PAGE_MAX = 100
COLUMNS = (
    "report::text, resident::text, store, basket::text, line_no, label, text, filed_at, due_on, state, outcome, reason,"
    " decided_at, decided_by"
)

ONE = f"SELECT {COLUMNS} FROM label_reports WHERE city = %(city)s AND report = %(report)s"

OF_RESIDENT = f"""
SELECT {COLUMNS} FROM label_reports
WHERE city = %(city)s AND resident = %(resident)s
  AND (%(filed_at)s::timestamptz IS NULL OR (filed_at, report) < (%(filed_at)s, %(report)s::uuid))
ORDER BY filed_at DESC, label_reports.report DESC LIMIT %(limit)s"""

OPEN = f"""
SELECT {COLUMNS} FROM label_reports
WHERE city = %(city)s AND due_on IS NOT NULL
  AND (%(due_on)s::date IS NULL OR (due_on, report) > (%(due_on)s, %(report)s::uuid))
ORDER BY due_on, label_reports.report LIMIT %(limit)s"""

DECIDED = f"""
SELECT {COLUMNS} FROM label_reports
WHERE city = %(city)s AND decided_at IS NOT NULL
  AND (%(decided_at)s::timestamptz IS NULL OR (decided_at, report) < (%(decided_at)s, %(report)s::uuid))
ORDER BY decided_at DESC, label_reports.report DESC LIMIT %(limit)s"""

STEPS = """
SELECT step_no, kind, text, taken_by, taken_at FROM report_steps
WHERE city = %(city)s AND report = %(report)s ORDER BY step_no"""

OPEN_OF_RESIDENT = """
SELECT count(*) FROM label_reports WHERE city = %(city)s AND resident = %(resident)s AND due_on IS NOT NULL"""


class FiledKey(NamedTuple):
    """The last report of a page; the next page begins below it."""

    filed_at: datetime
    report: str


class DueKey(NamedTuple):
    due_on: date
    report: str


class DecidedKey(NamedTuple):
    decided_at: datetime
    report: str


def find(connection: Connection, city: str, report: str) -> Report | None:
    row = hot(connection, ONE, {"city": city, "report": report}).fetchone()
    return None if row is None else report_of(row)


def history(connection: Connection, city: str, resident: str, *, after: FiledKey | None, limit: int) -> list[Report]:
    """A resident's reports in one city, newest first, below `after`; at most `limit`, at most 100."""
    filed_at, report = after or (None, None)
    given = {"city": city, "resident": resident, "filed_at": filed_at, "report": report, "limit": min(limit, PAGE_MAX)}
    return [report_of(row) for row in hot(connection, OF_RESIDENT, given)]


def open_of(connection: Connection, city: str, resident: str) -> int:
    """How many reports of a resident are open."""
    row = hot(connection, OPEN_OF_RESIDENT, {"city": city, "resident": resident}).fetchone()
    assert row is not None
    return int(row[0])


def waiting(connection: Connection, city: str, *, after: DueKey | None = None, limit: int) -> list[Report]:
    """Those that are open, the first due first; at most `limit`, at most 100."""
    due_on, report = after or (None, None)
    given = {"city": city, "due_on": due_on, "report": report, "limit": min(limit, PAGE_MAX)}
    return [report_of(row) for row in hot(connection, OPEN, given)]


def decided(connection: Connection, city: str, *, after: DecidedKey | None = None, limit: int) -> list[Report]:
    """Those that were decided, the latest first; at most `limit`, at most 100."""
    decided_at, report = after or (None, None)
    given = {"city": city, "decided_at": decided_at, "report": report, "limit": min(limit, PAGE_MAX)}
    return [report_of(row) for row in hot(connection, DECIDED, given)]


def steps(connection: Connection, city: str, report: str) -> list[Step]:
    """What was done, in order; at most two hundred."""
    rows = hot(connection, STEPS, {"city": city, "report": report})
    return [Step(number, StepKind(kind), text, by, at) for number, kind, text, by, at in rows]


def report_of(row: Sequence[Any]) -> Report:
    found = Report(*row)
    outcome = None if found.outcome is None else ReportOutcome(found.outcome)
    return found._replace(state=ReportState(found.state), outcome=outcome)
