"""How a target fares against a straight line from its first day to its last. Pure, integers only.

Days are whole: the line stands at the starting value before the first day, and at the target at the end of the last.
"""

from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

from backend.targets.model import Reading, Target

FAR_DAYS = 36_500
"""What would take a century more is not foretold."""


class Verdict(StrEnum):
    MET = "met"
    OVERDUE = "overdue"
    ON_PACE = "on_pace"
    BEHIND = "behind"
    NOT_BEGUN = "not_begun"
    UNMEASURED = "unmeasured"


class Pace(NamedTuple):
    """`expected`: what the line asks for on the day of the reading, `at_due`: what the pace so far gives by the last day,
    both rounded down; `reached_on`: the day on which it gives the target, None where it does not within a century or has.
    `done_bp`: how much of the way is made, in basis points, rounded down, 0 to 10,000. `days_left` is negative past the end.
    """

    verdict: Verdict
    days_left: int
    done_bp: int = 0
    expected: int | None = None
    at_due: int | None = None
    reached_on: date | None = None


def pace_of(target: Target, reading: Reading | None, today: date) -> Pace:
    first, start = target.yardstick.begins_on, target.yardstick.start
    last, value = target.goal.due_on, target.goal.value
    days_left = (last - today).days
    if today < first:
        return Pace(Verdict.NOT_BEGUN, days_left)
    if reading is None or reading.on < first:
        return Pace(Verdict.UNMEASURED, days_left)
    total = (last - first).days + 1
    elapsed = min((reading.on - first).days + 1, total)
    made, way = reading.value - start, value - start
    done_bp = min(max(made * 10_000 // way, 0), 10_000)
    expected = start + way * elapsed // total
    if made >= way:
        return Pace(Verdict.MET, days_left, done_bp, expected)
    if today > last:
        return Pace(Verdict.OVERDUE, days_left, done_bp, expected)
    verdict = Verdict.ON_PACE if made * total >= way * elapsed else Verdict.BEHIND
    return Pace(
        verdict, days_left, done_bp, expected, start + made * total // elapsed, _reached_on(first, made, way, elapsed)
    )


def _reached_on(first: date, made: int, way: int, elapsed: int) -> date | None:
    if made <= 0:
        return None
    days = -(-way * elapsed // made)
    return None if days > FAR_DAYS else first + timedelta(days=days - 1)
