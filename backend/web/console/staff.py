"""Staff of retailers, on both sides: a shop's manager sees and changes their own; administrators of the city invite the first
manager of a retailer, and help where a retailer cannot help itself.
"""

from typing import Any
from uuid import UUID

from flask import Response, request

from backend.kernel.errors import DomainError
from backend.kernel.ids import new_id
from backend.officials import passwords, queries
from backend.officials.changes import OfficialUnknown
from backend.officials.model import ROLE_NAMES, STAFF, Role
from backend.officials.queries import Staff
from backend.retailers import queries as retailers
from backend.usecases.change_staff import NewStaff, StaffChange, WantedOfStaff, change_staff, invite_staff
from backend.web.console import here
from backend.web.console.answers import done, render
from backend.web.console.connection import read, write
from backend.web.console.declare import Topic, page
from backend.web.context import now
from backend.web.problems import PROBLEMS, NotFound

MANAGES = frozenset({Role.CITY_ADMINISTRATOR, Role.PROVINCE, Role.SHOPKEEPER})
SEES = MANAGES | {Role.AUDITOR}
ROWS = 50
CHARS_MAX = 400
RETAILERS_SUGGESTED = 200
FIELD_OF = {
    "official-login-taken": "login",
    "official-roles-do-not-go-together": "role",
    "retailer-unknown": "retailer",
}


@page("/staff", title=("商户人员", "Staff"), topic=Topic.PEOPLE, roles=SEES, menu=("商户人员", "Staff of shops"))
def listed() -> Response:
    after = (_asked("retailer"), _asked("after"))
    with read(here.city()) as connection:
        rows = queries.staff(connection, here.city(), _retailer(), after, ROWS + 1)
    further = rows[ROWS - 1] if len(rows) > ROWS else None
    manages = bool(here.official().roles & MANAGES)
    return render("staff/list.html", rows=rows[:ROWS], after=after, further=further, manages=manages, **_common(None))


@page("/staff/new", title=("登记商户人员", "Invite one of the staff"), topic=Topic.PEOPLE, roles=MANAGES, step_up=True)
def new() -> Response:
    return _new_form()


@page(
    "/staff/new",
    title=("登记商户人员", "Invite one of the staff"),
    topic=Topic.PEOPLE,
    roles=MANAGES,
    method="POST",
    step_up=True,
)
def add() -> Response:
    password, by = passwords.one_time(), here.official().official
    retailer, login, name = _retailer() or _typed("retailer"), _typed("login").lower(), _typed("name")
    role = _role() if _retailer() else Role.SHOPKEEPER
    new = NewStaff(here.city(), retailer, new_id(), login, name, role, passwords.hashed(password), by)
    try:
        write(here.city(), lambda c: invite_staff(c, new, now()))
    except DomainError as refusal:
        return _new_form(refusal)
    return _handed(retailer, login, name, password)


@page("/staff/<uuid:staff>", title=("商户人员", "One of the staff"), topic=Topic.PEOPLE, roles=SEES)
def one(staff: UUID) -> Response:
    return _one(_found(staff))


@page(
    "/staff/<uuid:staff>/<any(role, end, restore, reset):kind>",
    title=("变更商户人员", "Change one of the staff"),
    topic=Topic.PEOPLE,
    roles=MANAGES,
    method="POST",
    step_up=True,
)
def change(staff: UUID, kind: str) -> Response:
    found, wanted, password = _found(staff), StaffChange(kind), passwords.one_time()
    role = _role() if wanted is StaffChange.ROLE else None
    hashed = passwords.hashed(password) if wanted is StaffChange.RESET else None
    asked = WantedOfStaff(wanted, here.city(), found.retailer, found.official, _typed("reason"), role, hashed)
    try:
        write(here.city(), lambda c: change_staff(c, asked, here.official().official, now()))
    except DomainError as refusal:
        return _one(found, refusal)
    if wanted is StaffChange.RESET:
        return _handed(found.retailer, found.login, found.name, password)
    return done(f"{_base()}/{staff}", "已变更，其登录已全部结束。", "Changed; they are signed out everywhere.")


def _base() -> str:
    return f"{here.home()}staff"


def _retailer() -> str | None:
    """The one whose staff is seen, or None: the city sees those of all."""
    return here.official().retailer


def _found(staff: UUID) -> Staff:
    """Of the staff that are seen from here. Raises OfficialUnknown."""
    with read(here.city()) as connection:
        found = queries.one_of_staff(connection, here.city(), str(staff))
    if found is None or _retailer() not in (None, found.retailer):
        raise OfficialUnknown
    return found


def _role() -> Role:
    """As chosen; raises NotFound for what no form offers."""
    if _typed("role") not in STAFF:
        raise NotFound
    return Role(_typed("role"))


def _new_form(refusal: DomainError | None = None) -> Response:
    suggested: list[str] = []
    if _retailer() is None:
        with read(here.city()) as connection:
            suggested = retailers.retailers(connection, here.city(), limit=RETAILERS_SUGGESTED)
    return render("staff/new.html", _status(refusal), suggested=suggested, form=request.form, **_common(refusal))


def _one(found: Staff, refusal: DomainError | None = None) -> Response:
    manages = bool(here.official().roles & MANAGES) and found.official != here.official().official
    return render("staff/one.html", _status(refusal), one=found, manages=manages, form=request.form, **_common(refusal))


def _handed(retailer: str, login: str, name: str, password: str) -> Response:
    """A one-time password is shown once, in this very answer."""
    return render("staff/password.html", retailer=retailer, login=login, name=name, password=password, base=_base())


def _common(refusal: DomainError | None) -> dict[str, Any]:
    """What every template here is told; the refusal's sentence and the field that it belongs to among it."""
    said = None if refusal is None else (refusal.sentence_zh, refusal.sentence_en)
    field = None if refusal is None else refusal.facts.get("field") or FIELD_OF.get(refusal.code)
    roles = [(role.value, here.say(*ROLE_NAMES[role])) for role in Role if role in STAFF]
    return {"base": _base(), "of_city": _retailer() is None, "roles": roles, "refused": said, "field": field}


def _status(refusal: DomainError | None) -> int:
    return 200 if refusal is None else PROBLEMS[refusal.code].status


def _typed(name: str) -> str:
    return request.form.get(name, "").strip()[:CHARS_MAX]


def _asked(name: str) -> str:
    return request.args.get(name, "")[:CHARS_MAX]
