"""Changes to officials: writes, inside a transaction that someone else opened."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.kernel.errors import DomainError
from backend.officials.model import Change, Role
from backend.storage.columns import words
from backend.storage.transaction import hot

ASK = """
INSERT INTO official_changes (city, change, kind, official, login, name, district, roles, reason, asked_by, asked_at)
VALUES (%(city)s, %(change)s, %(kind)s, %(official)s, %(login)s, %(name)s, %(district)s, %(roles)s::text[], %(reason)s,
  %(by)s, %(now)s)"""

ASKED = """
SELECT kind, official::text, login, name, district, roles, reason, asked_by, decided_at FROM official_changes
WHERE city = %(city)s AND change = %(change)s FOR UPDATE"""

DECIDE = """
UPDATE official_changes SET decided_by = %(by)s, decided_at = %(now)s, approved = %(approved)s
WHERE city = %(city)s AND change = %(change)s AND decided_at IS NULL"""

HELD = """
SELECT login, name, district, roles, disabled_at FROM officials
WHERE city = %(city)s AND official = %(official)s AND retailer IS NOT DISTINCT FROM %(retailer)s::text FOR UPDATE"""

SET_ROLES = """
UPDATE officials SET roles = %(roles)s::text[], district = %(district)s, name = %(name)s
WHERE city = %(city)s AND official = %(official)s"""

SET_DISABLED = """
UPDATE officials SET disabled_at = %(disabled_at)s WHERE city = %(city)s AND official = %(official)s"""

RESET = """
UPDATE officials SET password_hash = %(password_hash)s, password_change = true, factor_sealed = NULL, factor_step = NULL,
  sign_on_subject = NULL
WHERE city = %(city)s AND official = %(official)s"""


class OfficialUnknown(DomainError):
    code = "official-unknown"
    text_zh = "本市没有这位人员。"
    text_en = "There is no such official in this city."


class ChangeUnknown(DomainError):
    code = "official-change-unknown"
    text_zh = "没有这项待复核的变更，或已有人处理。"
    text_en = "There is no such change waiting, or someone has dealt with it."


class Wanted(NamedTuple):
    """A change as it is asked for. `roles`, `district`, `name` are those that the official is to have."""

    change: str
    kind: Change
    city: str
    official: str
    login: str
    name: str
    district: str | None
    roles: frozenset[Role]
    reason: str


class Held(NamedTuple):
    login: str
    name: str
    district: str | None
    roles: frozenset[Role]
    disabled_at: datetime | None


def ask(connection: Connection, wanted: Wanted, by: str, now: datetime) -> None:
    hot(connection, ASK, {**wanted._asdict(), "roles": words(sorted(wanted.roles)), "by": by, "now": now})


def asked(connection: Connection, city: str, change: str) -> tuple[Wanted, str]:
    """A change that waits, locked, and who asked for it. Raises ChangeUnknown."""
    row = hot(connection, ASKED, {"city": city, "change": change}).fetchone()
    if row is None or row[8] is not None:
        raise ChangeUnknown
    kind, official, login, name, district, roles, reason, by, _ = row
    held = frozenset(map(Role, roles))
    return Wanted(change, Change(kind), city, official, login, name, district, held, reason), by


def decide(connection: Connection, city: str, change: str, by: str, now: datetime, *, approved: bool) -> None:
    hot(connection, DECIDE, {"city": city, "change": change, "by": by, "now": now, "approved": approved})


def held(connection: Connection, city: str, official: str, retailer: str | None = None) -> Held:
    """The row of an official, or of one of a retailer's staff, locked. Raises OfficialUnknown."""
    row = hot(connection, HELD, {"city": city, "official": official, "retailer": retailer}).fetchone()
    if row is None:
        raise OfficialUnknown
    return Held(*row)._replace(roles=frozenset(map(Role, row[3])))


def set_roles(connection: Connection, wanted: Wanted) -> None:
    given = {"city": wanted.city, "official": wanted.official, "name": wanted.name, "district": wanted.district}
    hot(connection, SET_ROLES, given | {"roles": words(sorted(wanted.roles))})


def set_disabled(connection: Connection, city: str, official: str, disabled_at: datetime | None) -> None:
    hot(connection, SET_DISABLED, {"city": city, "official": official, "disabled_at": disabled_at})


def reset(connection: Connection, city: str, official: str, password_hash: str) -> None:
    """The second factor is set up anew at the next sign-in, which takes the one-time password."""
    hot(connection, RESET, {"city": city, "official": official, "password_hash": password_hash})
