"""Targets of a city or province are set, revised and withdrawn; progress that the system cannot measure is entered."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.audit.acts import What
from backend.audit.model import Act
from backend.audit.store import record
from backend.certificates import queries as certificates
from backend.kernel.periods import civil_date, milliseconds
from backend.targets import queries, store
from backend.targets.check import Fault, Faults, faults_of, faults_of_reading, faults_of_reason, refuse
from backend.targets.model import (
    READINGS_MAX,
    REVISIONS_MAX,
    TARGETS_MAX,
    Goal,
    Measure,
    MeasuredBySystem,
    Reading,
    Target,
    TargetChanged,
    TooManyTargets,
)

KIND = "target"


class Said(NamedTuple):
    reason: str
    by: str
    at: datetime


def set_target(connection: Connection, city: str, one: Target) -> None:
    """Repeating it changes nothing. Raises TargetRefused, TooManyTargets."""
    refuse(faults_of(one.yardstick, one.goal) | _unknown(connection, city, one))
    if queries.how_many(connection, city) >= TARGETS_MAX:
        raise TooManyTargets
    if store.add(connection, city, one):
        record(connection, Act(What.TARGET_SET, city, KIND, one.target, one.at, after=_facts(one)))


def revise_target(connection: Connection, city: str, seen: tuple[str, int], goal: Goal, said: Said) -> None:
    """`seen`: the target, and the revision that its author saw. Raises TargetUnknown, TargetChanged, TargetRefused,
    TooManyTargets.
    """
    before = _in_force(connection, city, seen)
    refuse(faults_of(before.yardstick, goal) | faults_of_reason(said.reason))
    after = before._replace(revision=before.revision + 1, goal=goal, reason=said.reason, by=said.by, at=said.at)
    _follow(connection, city, What.TARGET_SET, before, after)


def withdraw_target(connection: Connection, city: str, seen: tuple[str, int], said: Said) -> None:
    """It is shown among those that are past. Raises as `revise_target` does."""
    before = _in_force(connection, city, seen)
    refuse(faults_of_reason(said.reason))
    after = before._replace(revision=before.revision + 1, withdrawn=True, reason=said.reason, by=said.by, at=said.at)
    _follow(connection, city, What.TARGET_WITHDRAWN, before, after)


def enter_reading(connection: Connection, city: str, target: str, reading: Reading) -> None:
    """A later reading of the same day counts in place of the first. Raises TargetUnknown, TargetChanged, MeasuredBySystem,
    TargetRefused, TooManyTargets.
    """
    one = queries.revisions(connection, city, target)[0]
    if one.withdrawn:
        raise TargetChanged
    if one.yardstick.measure is not Measure.BY_HAND:
        raise MeasuredBySystem
    within = one.yardstick.begins_on, civil_date(milliseconds(reading.at))
    refuse(faults_of_reading(reading.on, reading.value, reading.source or "", reading.link, within))
    number = queries.last_number(connection, city, target) + 1
    if number > READINGS_MAX:
        raise TooManyTargets
    if not store.enter(connection, city, target, number, reading):
        raise TargetChanged
    told = {"on": reading.on.isoformat(), "value": reading.value, "source": reading.source}
    record(connection, Act(What.TARGET_MEASURED, city, KIND, target, reading.at, after=told))


def _in_force(connection: Connection, city: str, seen: tuple[str, int]) -> Target:
    target, revision = seen
    found = queries.revisions(connection, city, target)[0]
    if found.revision != revision or found.withdrawn:
        raise TargetChanged
    if revision >= REVISIONS_MAX:
        raise TooManyTargets
    return found


def _follow(connection: Connection, city: str, what: What, before: Target, after: Target) -> None:
    if not store.add(connection, city, after):
        raise TargetChanged
    facts = _facts(before), _facts(after)
    record(connection, Act(what, city, KIND, after.target, after.at, after.reason, before=facts[0], after=facts[1]))


def _unknown(connection: Connection, city: str, one: Target) -> Faults:
    """What the target names and the database does not know."""
    found: Faults = {}
    schemes = {code for code, _, _ in certificates.scheme_names(connection)}
    if one.yardstick.scheme is not None and one.yardstick.scheme not in schemes:
        found["scheme"] = Fault.UNKNOWN
    others = {each.target for each in queries.targets(connection, city)} - {one.target}
    if one.yardstick.follows is not None and one.yardstick.follows not in others:
        found["follows"] = Fault.UNKNOWN
    return found


def _facts(one: Target) -> dict[str, object]:
    yardstick, goal = one.yardstick, one.goal
    return {
        "title": goal.title_zh,
        "measure": yardstick.measure.value,
        "scheme": yardstick.scheme,
        "begins_on": yardstick.begins_on.isoformat(),
        "value": goal.value,
        "due_on": goal.due_on.isoformat(),
        "document": goal.document,
        "withdrawn": one.withdrawn,
    }
