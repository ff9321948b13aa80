"""In which order a report is dealt with, and by when. Pure."""

from datetime import date
from typing import NamedTuple

from backend.cases.model import ReportOutcome, ReportState, StepKind, StepOutOfTurn
from backend.kernel.periods import working_days_after

OPEN = frozenset({ReportState.FILED, ReportState.ACCEPTED, ReportState.SAMPLING})
_NEXT = {
    (ReportState.FILED, StepKind.ACCEPT): ReportState.ACCEPTED,
    (ReportState.ACCEPTED, StepKind.SAMPLE): ReportState.SAMPLING,
    (ReportState.ACCEPTED, StepKind.DECIDE): ReportState.DECIDED,
    (ReportState.SAMPLING, StepKind.DECIDE): ReportState.DECIDED,
    (ReportState.DECIDED, StepKind.CLOSE): ReportState.CLOSED,
}


class Clocks(NamedTuple):
    """Working days from filing to acceptance, and from acceptance to the decision."""

    accept_days: int
    decide_days: int


def after(state: ReportState, kind: StepKind, outcome: ReportOutcome | None = None) -> ReportState:
    """The state that a step leads to. What was only filed can be declined, and not decided otherwise.

    Raises StepOutOfTurn.
    """
    if kind is StepKind.EVIDENCE and state is not ReportState.CLOSED:
        return state
    if kind is StepKind.DECIDE and (state is ReportState.FILED) != (outcome is ReportOutcome.DECLINED):
        raise StepOutOfTurn(state=state.value)
    if kind is StepKind.DECIDE and state is ReportState.FILED:
        return ReportState.DECIDED
    following = _NEXT.get((state, kind))
    if following is None:
        raise StepOutOfTurn(state=state.value)
    return following


def due_on(state: ReportState, due: date | None, today: date, clocks: Clocks, was: ReportState) -> date | None:
    """By when the next act is due, after a step that led from `was` to `state`; None once it is decided."""
    if state not in OPEN:
        return None
    if was is ReportState.FILED and state is ReportState.ACCEPTED:
        return working_days_after(today, clocks.decide_days)
    return due
