"""People: the officials of the city that is looked at, what they may do, and changes that wait for a second administrator."""

from uuid import UUID

from flask import Response, request

from backend.kernel.errors import DomainError
from backend.kernel.ids import new_id
from backend.labels.regions import cities_within, counties_within
from backend.officials import passwords, queries
from backend.officials.changes import OfficialUnknown, Wanted
from backend.officials.model import OFFICES, PROVINCE_SUFFIX, ROLE_NAMES, Change, Role, needs_two
from backend.officials.queries import Listed
from backend.usecases.add_official import OfficialFieldsWrong
from backend.usecases.change_official import GIVES_PASSWORD, change_official, decide_change, disable_official, open_city
from backend.web.console import here
from backend.web.console.answers import done, render
from backend.web.console.connection import read, write
from backend.web.console.declare import Topic, page
from backend.web.context import backend, now
from backend.web.problems import PROBLEMS

MANAGES = frozenset({Role.CITY_ADMINISTRATOR, Role.PROVINCE})
SEES = MANAGES | {Role.AUDITOR}
PROVINCE = frozenset({Role.PROVINCE})
ROWS = 50
CHARS_MAX = 400
PEOPLE = "/console/officials"


@page("/officials", title=("人员", "Officials"), topic=Topic.PEOPLE, roles=SEES, menu=("人员名单", "Officials"))
def listed() -> Response:
    after = request.args.get("after", "")[:CHARS_MAX]
    with read(here.city()) as connection:
        rows = queries.listed(connection, here.city(), after, ROWS + 1)
        waiting = queries.waiting(connection, here.city())
        names = queries.names(connection, here.city(), [one.asked_by for one in waiting])
    further = rows[ROWS - 1].login if len(rows) > ROWS else None
    return render(
        "officials/list.html",
        rows=rows[:ROWS],
        after=after,
        further=further,
        waiting=waiting,
        names=names,
        manages=_manages(),
    )


@page("/officials/new", title=("登记人员", "Add an official"), topic=Topic.PEOPLE, roles=MANAGES, step_up=True)
def new() -> Response:
    return _new_form()


@page(
    "/officials/new",
    title=("登记人员", "Add an official"),
    topic=Topic.PEOPLE,
    roles=MANAGES,
    method="POST",
    step_up=True,
)
def add() -> Response:
    try:
        return _change(_wanted(Change.ADD, here.city(), new_id(), _typed("login").lower(), _typed("name")))
    except DomainError as refusal:
        return _new_form(refusal)


@page("/officials/<uuid:official>", title=("人员", "Official"), topic=Topic.PEOPLE, roles=SEES)
def one(official: UUID) -> Response:
    return _one(_found(official))


@page(
    "/officials/<uuid:official>/<any(roles, enable, reset):kind>",
    title=("变更人员", "Change an official"),
    topic=Topic.PEOPLE,
    roles=MANAGES,
    method="POST",
    step_up=True,
)
def change(official: UUID, kind: str) -> Response:
    found = _found(official)
    wanted = _wanted(Change(kind), here.city(), found.official, found.login, found.name)
    if wanted.kind is not Change.ROLES:
        wanted = wanted._replace(roles=found.roles, district=found.district)
    try:
        return _change(wanted)
    except DomainError as refusal:
        return _one(found, refusal)


@page(
    "/officials/<uuid:official>/disable",
    title=("停用人员", "Disable an official"),
    topic=Topic.PEOPLE,
    roles=MANAGES,
    method="POST",
    step_up=True,
)
def disable(official: UUID) -> Response:
    found, reason, by = _found(official), _typed("reason"), here.official().official
    try:
        write(here.city(), lambda c: disable_official(c, here.city(), found.official, reason, by, now()))
    except DomainError as refusal:
        return _one(found, refusal)
    return done(
        f"{PEOPLE}/{official}", f"{found.name}已停用，其登录已全部结束。", f"{found.name} is disabled and signed out."
    )


@page(
    "/officials/changes/<uuid:change>/<any(approve, refuse):verdict>",
    title=("复核人员变更", "Decide a change"),
    topic=Topic.PEOPLE,
    roles=MANAGES,
    method="POST",
    step_up=True,
)
def decide(change: UUID, verdict: str) -> Response:
    password, city, by, approved = passwords.one_time(), here.city(), here.official().official, verdict == "approve"
    hashed = passwords.hashed(password) if approved else None
    wanted = write(city, lambda c: decide_change(c, city, str(change), by, hashed, now(), approved=approved))
    if not approved:
        return done(PEOPLE, "已不同意该项变更。", "The change was refused.")
    return _told(wanted, password)


@page("/cities", title=("城市", "Cities"), topic=Topic.PEOPLE, roles=PROVINCE, menu=("城市", "Cities"), step_up=True)
def cities() -> Response:
    return _cities()


@page("/cities", title=("开通城市", "Open a city"), topic=Topic.PEOPLE, roles=PROVINCE, method="POST", step_up=True)
def open_() -> Response:
    city, by, password = _typed("city"), here.official().official, passwords.one_time()
    wanted = _wanted(Change.ADD, city, new_id(), _typed("login").lower(), _typed("name"))._replace(
        roles=frozenset({Role.CITY_ADMINISTRATOR}), district=None, reason="开通城市"
    )
    if city not in _openable():
        wrong = {"reason_zh": "不是本省的城市", "reason_en": "it is no city of this province"}
        return _cities(OfficialFieldsWrong(field="city", **wrong))
    try:
        hashed = passwords.hashed(password)
        write(city, lambda c: open_city(c, wanted, by, hashed, now()))
    except DomainError as refusal:
        return _cities(refusal)
    return _told(wanted, password)


def _change(wanted: Wanted) -> Response:
    """Raises what the use case raises."""
    password, by = passwords.one_time(), here.official().official
    at_once = wanted.kind in GIVES_PASSWORD and not needs_two(frozenset(), wanted.roles)
    hashed = passwords.hashed(password) if at_once else None
    if not write(wanted.city, lambda c: change_official(c, wanted, by, hashed, now())):
        return done(PEOPLE, "已提请变更，须由另一位管理员复核。", "Asked for; another administrator has to approve.")
    return _told(wanted, password)


def _told(wanted: Wanted, password: str) -> Response:
    """A one-time password is shown once, in this very answer."""
    if wanted.kind in GIVES_PASSWORD:
        return render("officials/password.html", wanted=wanted, password=password)
    return done(f"{PEOPLE}/{wanted.official}", "已变更；该人员须重新登录。", "Changed; they have to sign in again.")


def _new_form(refusal: DomainError | None = None) -> Response:
    return render("officials/new.html", _status(refusal), **_choices(), form=request.form, **_wrong(refusal))


def _one(found: Listed, refusal: DomainError | None = None) -> Response:
    with read(here.city()) as connection:
        waiting = [each for each in queries.waiting(connection, here.city()) if each.official == found.official]
    manages = _manages() and found.official != here.official().official
    return render(
        "officials/one.html",
        _status(refusal),
        one=found,
        waiting=waiting,
        manages=manages,
        form=request.form,
        **_choices(),
        **_wrong(refusal),
    )


def _cities(refusal: DomainError | None = None) -> Response:
    with backend().database.read() as connection:
        found = queries.cities(connection, here.official().city)
    openable = [(code, here.city_name(code)) for code in _openable() if code not in found]
    return render(
        "officials/cities.html", _status(refusal), found=found, openable=openable, form=request.form, **_wrong(refusal)
    )


def _openable() -> list[str]:
    """Prefecture-level cities of the official's province; GB/T 2260 has 90 for counties that a province runs itself."""
    codes = cities_within(here.official().city[:2])
    return [code for code in codes if not code.endswith(PROVINCE_SUFFIX) and code[2:4] != "90"]


def _found(official: UUID) -> Listed:
    """Raises OfficialUnknown."""
    with read(here.city()) as connection:
        found = queries.one(connection, here.city(), str(official))
    if found is None:
        raise OfficialUnknown
    return found


def _wanted(kind: Change, city: str, official: str, login: str, name: str) -> Wanted:
    roles = frozenset(Role(value) for value in request.form.getlist("roles") if value in OFFICES)
    district, reason = _typed("district") or None, _typed("reason")
    return Wanted(new_id(), kind, city, official, login, name, district, roles, reason)


def _typed(name: str) -> str:
    return request.form.get(name, "").strip()[:CHARS_MAX]


def _manages() -> bool:
    return bool(here.official().roles & MANAGES)


def _choices() -> dict[str, object]:
    """Roles and districts that the city has."""
    city = here.city()
    at_province = city.endswith(PROVINCE_SUFFIX)
    roles = [Role.PROVINCE] * at_province + [role for role in Role if role in OFFICES - {Role.PROVINCE}]
    offered = [(role.value, here.say(*ROLE_NAMES[role])) for role in roles]
    districts = [(code, here.city_name(code)) for code in counties_within(city)]
    return {"roles": offered, "districts": [("", here.say("全市", "Whole city")), *districts]}


def _status(refusal: DomainError | None) -> int:
    return 200 if refusal is None else PROBLEMS[refusal.code].status


def _wrong(refusal: DomainError | None) -> dict[str, object]:
    """The refusal's sentence, and the field that it belongs to."""
    if refusal is None:
        return {"refused": None, "field": None}
    fields = {"official-login-taken": "login", "official-roles-do-not-go-together": "roles"}
    field = refusal.facts.get("field") or fields.get(refusal.code)
    return {"refused": (refusal.sentence_zh, refusal.sentence_en), "field": field}
