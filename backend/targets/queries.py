from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from backend.storage.transaction import hot
from backend.targets.model import (
    READINGS_MAX,
    REVISIONS_MAX,
    TARGETS_MAX,
    Goal,
    Measure,
    Reading,
    Target,
    TargetUnknown,
    Yardstick,
)

COLUMNS = (
    "target::text, revision, measure, scheme, unit, begins_on, start, follows::text, title_zh, value, due_on, document,"
    " clause, link, withdrawn, reason, entered_by, entered_at"
)

IN_FORCE = f"""
SELECT * FROM (
  SELECT DISTINCT ON (target) {COLUMNS} FROM policy_targets WHERE city = %(city)s ORDER BY target, revision DESC) t
ORDER BY due_on, title_zh, target LIMIT %(limit)s"""

REVISIONS = f"""
SELECT {COLUMNS} FROM policy_targets WHERE city = %(city)s AND target = %(target)s
ORDER BY revision DESC LIMIT %(limit)s"""

# Of one day the reading that was entered last.
BY_HAND = """
SELECT DISTINCT ON (on_day) on_day, value, entered_at, source, link, entered_by FROM target_readings
WHERE city = %(city)s AND target = %(target)s ORDER BY on_day, number DESC LIMIT %(limit)s"""

# The last measurement of each month.
MEASURED = """
SELECT DISTINCT ON (date_trunc('month', on_day)) on_day, value, reckoned_at FROM target_progress
WHERE city = %(city)s AND target = %(target)s ORDER BY date_trunc('month', on_day), on_day DESC LIMIT %(limit)s"""

LAST_BY_HAND = """
SELECT DISTINCT ON (target) target::text, on_day, value, entered_at, source, link, entered_by FROM target_readings
WHERE city = %(city)s ORDER BY target, on_day DESC, number DESC"""

LAST_MEASURED = """
SELECT t.target::text, p.on_day, p.value, p.reckoned_at
FROM (SELECT DISTINCT target FROM policy_targets WHERE city = %(city)s) t
CROSS JOIN LATERAL (
  SELECT p.on_day, p.value, p.reckoned_at FROM target_progress p
  WHERE p.city = %(city)s AND p.target = t.target ORDER BY p.on_day DESC LIMIT 1) p"""

COUNT = "SELECT count(DISTINCT target) FROM policy_targets WHERE city = %(city)s"

LAST_NUMBER = """
SELECT coalesce(max(number), 0) FROM target_readings WHERE city = %(city)s AND target = %(target)s"""


def targets(connection: Connection, city: str) -> list[Target]:
    """As last revised, by due date; withdrawn ones too."""
    return [_target(row) for row in hot(connection, IN_FORCE, {"city": city, "limit": TARGETS_MAX})]


def revisions(connection: Connection, city: str, target: str) -> list[Target]:
    """The one in force first. Raises TargetUnknown."""
    given = {"city": city, "target": target, "limit": REVISIONS_MAX}
    found = [_target(row) for row in hot(connection, REVISIONS, given)]
    if not found:
        raise TargetUnknown
    return found


def last_readings(connection: Connection, city: str) -> dict[str, Reading]:
    """What is known last of each target."""
    found = {row[0]: Reading(*row[1:]) for row in hot(connection, LAST_MEASURED, {"city": city})}
    return found | {row[0]: Reading(*row[1:]) for row in hot(connection, LAST_BY_HAND, {"city": city})}


def readings(connection: Connection, city: str, target: str, measure: Measure) -> Sequence[Reading]:
    """In order: each day that was entered by hand, or the last of each month that was measured."""
    statement = BY_HAND if measure is Measure.BY_HAND else MEASURED
    given = {"city": city, "target": target, "limit": READINGS_MAX}
    return [Reading(*row) for row in hot(connection, statement, given)]


def how_many(connection: Connection, city: str) -> int:
    return int(hot(connection, COUNT, {"city": city}).fetchone()[0])  # type: ignore[index]  # an aggregate has its row


def last_number(connection: Connection, city: str, target: str) -> int:
    """Of the readings entered by hand; 0 before the first."""
    row = hot(connection, LAST_NUMBER, {"city": city, "target": target}).fetchone()
    assert row is not None
    return int(row[0])


def _target(row: Sequence[Any]) -> Target:
    target, revision, measure, scheme, unit, begins_on, start, follows, *goal, withdrawn, reason, by, at = row
    yardstick = Yardstick(Measure(measure), scheme, unit, begins_on, start, follows)
    return Target(target, revision, yardstick, Goal(*goal), withdrawn, reason, by, at)
