from datetime import date, datetime

from sqlalchemy import Connection

from backend.cases.model import Report, ReportOutcome, ReportState, ReportUnknown, Step
from backend.cases.queries import COLUMNS, report_of
from backend.storage.transaction import hot

FILE = """
INSERT INTO label_reports (city, report, resident, store, basket, line_no, label, text, filed_at, due_on, state)
VALUES (%(city)s, %(report)s, %(resident)s, %(store)s, %(basket)s, %(line_no)s, %(label)s, %(text)s, %(filed_at)s,
        %(due_on)s, %(state)s)
ON CONFLICT DO NOTHING"""

LOCK = f"SELECT {COLUMNS} FROM label_reports WHERE city = %(city)s AND report = %(report)s FOR UPDATE"

MOVE = """
UPDATE label_reports SET state = %(state)s, due_on = %(due_on)s, outcome = %(outcome)s, reason = %(reason)s,
                         decided_at = %(decided_at)s, decided_by = %(decided_by)s
WHERE city = %(city)s AND report = %(report)s"""

STEP = """
INSERT INTO report_steps (city, report, step_no, kind, text, taken_by, taken_at)
VALUES (%(city)s, %(report)s, %(step_no)s, %(kind)s, %(text)s, %(by)s, %(at)s)"""

LAST_STEP = """
SELECT coalesce(max(step_no), 0) FROM report_steps WHERE city = %(city)s AND report = %(report)s"""

# What a person wrote may name them: nothing of it stays behind a closed account. The case itself goes on.
FORGET = """
UPDATE label_reports SET text = '—', label = NULL WHERE city = %(city)s AND resident = %(resident)s"""

GIVE = "UPDATE label_reports SET resident = %(to)s WHERE city = %(city)s AND resident = %(resident)s"


def file(connection: Connection, city: str, report: Report) -> bool:
    """False where a report of this number is there."""
    return hot(connection, FILE, {"city": city, **report._asdict(), "state": report.state.value}).rowcount == 1


def locked(connection: Connection, city: str, report: str) -> Report:
    """Nobody else moves it before COMMIT. Raises ReportUnknown."""
    row = hot(connection, LOCK, {"city": city, "report": report}).fetchone()
    if row is None:
        raise ReportUnknown
    return report_of(row)


def move(connection: Connection, city: str, report: Report, state: ReportState, due: date | None) -> None:
    given = {"city": city, "report": report.report, "state": state.value, "due_on": due}
    kept = {name: getattr(report, name) for name in ("outcome", "reason", "decided_at", "decided_by")}
    hot(connection, MOVE, {**given, **kept})


def decide(
    connection: Connection, city: str, report: Report, outcome: ReportOutcome, reason: str, by: str, now: datetime
) -> None:
    decided = report._replace(outcome=outcome, reason=reason, decided_at=now, decided_by=by)
    move(connection, city, decided, ReportState.DECIDED, None)


def next_step(connection: Connection, city: str, report: str) -> int:
    """The number of the next step of a report that the caller has locked."""
    row = hot(connection, LAST_STEP, {"city": city, "report": report}).fetchone()
    assert row is not None
    return int(row[0]) + 1


def add_step(connection: Connection, city: str, report: str, step: Step) -> None:
    hot(connection, STEP, {"city": city, "report": report, **step._asdict(), "kind": step.kind.value})


def forget_reports(connection: Connection, city: str, resident: str) -> None:
    """The account is closed: no word of the resident is kept."""
    hot(connection, FORGET, {"city": city, "resident": resident})


def give_reports(connection: Connection, city: str, resident: str, to: str) -> None:
    """Two accounts become one: reports of `resident` are those of `to`."""
    hot(connection, GIVE, {"city": city, "resident": resident, "to": to})
