"""Officials deal with a report of a false label, step by step; each is written down with who took it, when and why."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.audit.acts import What
from backend.audit.model import Act
from backend.audit.store import record
from backend.cases import lifecycle, store, terms
from backend.cases.model import STEPS_MAX, Report, ReportOutcome, ReportState, Step, StepKind, StepsFull
from backend.kernel.periods import civil_date, milliseconds

DECIDED = StepKind.DECIDE


class Taken(NamedTuple):
    """A step that an official takes. `text` (at most 500 characters) says why, or what was found; of a decision it is what
    the reporter reads, with its `outcome`.
    """

    kind: StepKind
    text: str
    by: str
    outcome: ReportOutcome | None = None


def take_step(connection: Connection, city: str, report: str, step: Taken, now: datetime) -> tuple[Report, ReportState]:
    """The report as it was, and its state from now on. Raises ReportUnknown, StepOutOfTurn, StepsFull."""
    found = store.locked(connection, city, report)
    state = lifecycle.after(found.state, step.kind, step.outcome)
    number = store.next_step(connection, city, report)
    if number > STEPS_MAX:
        raise StepsFull

    store.add_step(connection, city, report, Step(number, step.kind, step.text, step.by, now))
    if step.kind is DECIDED:
        assert step.outcome is not None
        store.decide(connection, city, found, step.outcome, step.text, step.by, now)
    elif state is not found.state:
        today = civil_date(milliseconds(now))
        due = lifecycle.due_on(state, found.due_on, today, terms.clocks(connection, city), found.state)
        store.move(connection, city, found, state, due)
    told = {"state": state.value, "step": step.kind.value, "number": number, "outcome": step.outcome, "by": step.by}
    before = {"state": found.state.value}
    record(connection, Act(What.REPORT_STEP_TAKEN, city, "report", report, now, step.text, before=before, after=told))
    return found, state
