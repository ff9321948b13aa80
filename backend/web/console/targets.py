"""What the city or its province has set itself, and how that fares; targets are set, revised and withdrawn here."""

from collections.abc import Mapping
from uuid import UUID

from flask import Response, request
from sqlalchemy import Connection

from backend.certificates import queries as certificates
from backend.kernel.ids import new_id
from backend.officials.model import PROVINCE_SUFFIX, Role
from backend.targets import queries
from backend.targets.check import Faults, TargetRefused, faults_of, refuse
from backend.targets.model import CitySetsItself, Measure, Reading, Target, TargetChanged
from backend.targets.pace import pace_of
from backend.usecases.set_target import Said, enter_reading, revise_target, set_target, withdraw_target
from backend.web.console import here, words
from backend.web.console.answers import done, render
from backend.web.console.connection import read, write
from backend.web.console.declare import EVERYONE, Topic, page
from backend.web.console.money_words import by, names
from backend.web.console.target_form import Typed, goal_of, said_of, text_of, times_of, yardstick_of
from backend.web.console.target_words import Shown, counted, province_above, shown_of, today, unit_of
from backend.web.context import now
from backend.web.problems import PROBLEMS

SETS = frozenset({Role.POLICY_AUTHOR, Role.CITY_ADMINISTRATOR, Role.PROVINCE})
HOME = "/console/targets"


@page("/targets", title=("政策目标", "Targets"), topic=Topic.OVERVIEW, roles=EVERYONE, menu=("政策目标", "Targets"))
def targets_listed() -> Response:
    shown, upper = shown_of(here.city()), province_above(here.city())
    provinces = [one for one in shown_of(upper) if not one.one.withdrawn] if upper else []
    live = [one for one in shown if not one.one.withdrawn]
    return render(
        "targets/list.html",
        current=[one for one in live if not one.is_past],
        past=[one for one in live if one.is_past],
        withdrawn=[one for one in shown if one.one.withdrawn],
        provinces=provinces,
        upper=upper,
        counted=counted,
        may_set=_may_set(),
    )


@page("/targets/<uuid:target>", title=("政策目标", "Target"), topic=Topic.OVERVIEW, roles=EVERYONE)
def target_shown(target: UUID) -> Response:
    return _one(str(target))


@page("/targets/new", title=("登记目标", "Set a target"), topic=Topic.OVERVIEW, roles=SETS)
def target_form() -> Response:
    return _form({}, {"begins_on": words.day(today().replace(month=1, day=1)), "start": "0"})


@page("/targets", title=("登记目标", "Set a target"), topic=Topic.OVERVIEW, roles=SETS, method="POST")
def target_set() -> Response:
    _check_level()
    typed = Typed({})
    try:
        yardstick = yardstick_of(typed)
        goal = goal_of(typed, yardstick.measure)
        refuse(faults_of(yardstick, goal) | typed.faults)
        one = Target(new_id(), 1, yardstick, goal, withdrawn=False, reason=None, by=by(), at=now())
        write(here.city(), lambda connection: set_target(connection, here.city(), one))
    except TargetRefused as refusal:
        return _form(refusal.faults, request.form, PROBLEMS[refusal.code].status)
    return done(f"{HOME}/{one.target}", "目标已登记。", "The target is set.")


@page("/targets/<uuid:target>/change", title=("修订目标", "Revise a target"), topic=Topic.OVERVIEW, roles=SETS)
def target_change_form(target: UUID) -> Response:
    return _change(str(target), {})


@page(
    "/targets/<uuid:target>/change",
    title=("修订目标", "Revise a target"),
    topic=Topic.OVERVIEW,
    roles=SETS,
    method="POST",
)
def target_changed(target: UUID) -> Response:
    _check_level()
    city, one, typed = here.city(), str(target), Typed({})
    with read(city) as connection:
        before = queries.revisions(connection, city, one)[0]
    try:
        goal = goal_of(typed, before.yardstick.measure)
        said = Said(typed.text("reason", required=True), by(), now())
        refuse(faults_of(before.yardstick, goal) | typed.faults)
        write(city, lambda connection: revise_target(connection, city, (one, _seen()), goal, said))
    except TargetRefused as refusal:
        return _change(one, refusal.faults, PROBLEMS[refusal.code].status)
    return done(f"{HOME}/{one}", "已修订；原来的内容留在修订记录里。", "Revised; what it was stays on record.")


@page(
    "/targets/<uuid:target>/withdrawal",
    title=("撤下目标", "Withdraw a target"),
    topic=Topic.OVERVIEW,
    roles=SETS,
    method="POST",
)
def target_withdrawn(target: UUID) -> Response:
    _check_level()
    city, one, said = here.city(), str(target), Said(text_of("reason"), by(), now())
    try:
        write(city, lambda connection: withdraw_target(connection, city, (one, _seen()), said))
    except TargetRefused as refusal:
        return _one(one, refusal.faults, PROBLEMS[refusal.code].status)
    return done(HOME, "目标已撤下，记录保留。", "Withdrawn; it stays on record.")


@page(
    "/targets/<uuid:target>/readings",
    title=("登记进展", "Enter progress"),
    topic=Topic.OVERVIEW,
    roles=SETS,
    method="POST",
)
def target_reading_entered(target: UUID) -> Response:
    _check_level()
    city, one, typed = here.city(), str(target), Typed({})
    on, value, source = typed.day("on"), typed.number("value"), typed.text("source", required=True)
    try:
        refuse(typed.faults)
        reading = Reading(on, value, now(), source, typed.text("link") or None, by())
        write(city, lambda connection: enter_reading(connection, city, one, reading))
    except TargetRefused as refusal:
        return _one(one, refusal.faults, PROBLEMS[refusal.code].status)
    return done(f"{HOME}/{one}", "进展已登记。", "The progress is entered.")


def _one(target: str, faults: Faults | None = None, status: int = 200) -> Response:
    city = here.city()
    with read(city) as connection:
        revisions = queries.revisions(connection, city, target)
        one = revisions[0]
        readings = queries.readings(connection, city, target, one.yardstick.measure)
        people = names(connection, [*(each.by for each in revisions), *(each.by for each in readings)])
        followed = _followed(connection, city, one)
    last = readings[-1] if readings else None
    return render(
        "targets/one.html",
        status,
        shown=Shown(one, last, pace_of(one, last, today())),
        readings=[(each, pace_of(one, each, today()).expected) for each in readings],
        revisions=revisions,
        names=people,
        followed=followed,
        measure=one.yardstick.measure,
        scheme=_scheme_name(one.yardstick.scheme),
        by_hand=one.yardstick.measure is Measure.BY_HAND,
        counted=counted,
        unit=unit_of(one.yardstick),
        wrong=said_of(faults or {}),
        given=request.form,
        today=today(),
        may_set=_may_set() and not one.withdrawn,
    )


def _followed(connection: Connection, city: str, one: Target) -> Target | None:
    if one.yardstick.follows is None:
        return None
    return queries.revisions(connection, city, one.yardstick.follows)[0]


def _form(faults: Faults, given: Mapping[str, str], status: int = 200) -> Response:
    city = here.city()
    with read(city) as connection:
        schemes = certificates.scheme_names(connection)
        others = queries.targets(connection, city)
    return render(
        "targets/form.html",
        status,
        given=given,
        wrong=said_of(faults),
        measures=[(one.value, _counted_in(one)) for one in Measure],
        explained=[one for one in Measure if one is not Measure.BY_HAND],
        schemes=[("", here.say("全部", "All")), *((code, here.say(zh, en)) for code, zh, en in schemes)],
        others=[("", here.say("无", "None")), *((one.target, one.goal.title_zh) for one in others)],
    )


def _change(target: str, faults: Faults, status: int = 200) -> Response:
    city = here.city()
    with read(city) as connection:
        one = queries.revisions(connection, city, target)[0]
    if one.withdrawn:
        raise TargetChanged
    goal, times = one.goal, times_of(one.yardstick.measure)
    stands = {
        "title": goal.title_zh,
        "value": str(goal.value // times),
        "due_on": words.day(goal.due_on),
        "document": goal.document,
        "clause": goal.clause or "",
        "link": goal.link or "",
    }
    return render(
        "targets/change.html",
        status,
        one=one,
        counted=counted,
        unit=unit_of(one.yardstick),
        given=request.form if request.method == "POST" else stands,
        wrong=said_of(faults),
    )


def _seen() -> int:
    """The revision that the page showed."""
    found = text_of("revision")
    return int(found) if found.isascii() and found.isdigit() and len(found) <= 3 else 0  # noqa: PLR2004


def _counted_in(measure: Measure) -> str:
    unit = here.say(measure.unit_zh, measure.unit_en)
    name = here.say(measure.zh, measure.en)
    return here.say(f"{name}（{unit}）", f"{name} ({unit})") if unit else name


def _scheme_name(code: str | None) -> str | None:
    if code is None:
        return None
    with read(here.city()) as connection:
        known = {each: here.say(zh, en) for each, zh, en in certificates.scheme_names(connection)}
    return known.get(code, code)


def _may_set() -> bool:
    official = here.official()
    own = official.roles & {Role.POLICY_AUTHOR, Role.CITY_ADMINISTRATOR}
    return bool(own) or (Role.PROVINCE in official.roles and here.city().endswith(PROVINCE_SUFFIX))


def _check_level() -> None:
    """Raises CitySetsItself."""
    if not _may_set():
        raise CitySetsItself
