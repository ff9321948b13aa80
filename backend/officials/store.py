"""Officials, staff of retailers and their sessions: writes, inside a transaction that someone else opened."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.kernel.errors import DomainError
from backend.officials.model import Role, Stage
from backend.storage.columns import words
from backend.storage.transaction import hot

# Crosses cities by nature: only the directory knows whose city a sign-in name belongs to.
FIND = "SELECT city, official::text FROM official_directory WHERE login = %(login)s"

ANYONE = "SELECT FROM official_directory WHERE city = %(city)s LIMIT 1"

ENTER = """
INSERT INTO official_directory (login, city, official) VALUES (%(login)s, %(city)s, %(official)s) ON CONFLICT DO NOTHING"""

ADD = """
INSERT INTO officials (city, official, login, name, district, roles, password_hash, password_change, retailer, added_at,
  added_by)
VALUES (%(city)s, %(official)s, %(login)s, %(name)s, %(district)s, %(roles)s::text[], %(password_hash)s, true,
  %(retailer)s, %(now)s, %(by)s)"""

CREDENTIALS = """
SELECT password_hash, password_change, factor_sealed, factor_step, disabled_at, retailer FROM officials
WHERE city = %(city)s AND official = %(official)s"""

SET_HASH = """
UPDATE officials SET password_hash = %(password_hash)s, password_change = %(change)s
WHERE city = %(city)s AND official = %(official)s"""

SET_FACTOR = """
UPDATE officials SET factor_sealed = %(sealed)s, factor_step = %(step)s
WHERE city = %(city)s AND official = %(official)s AND factor_sealed IS NULL"""

USE_STEP = """
UPDATE officials SET factor_step = %(step)s
WHERE city = %(city)s AND official = %(official)s AND (factor_step IS NULL OR factor_step < %(step)s)"""

BIND = """
UPDATE officials SET sign_on_subject = %(subject)s, password_hash = NULL, password_change = false
WHERE city = %(city)s AND official = %(official)s AND disabled_at IS NULL AND retailer IS NULL
  AND (sign_on_subject IS NULL OR sign_on_subject = %(subject)s)"""

OPEN = """
INSERT INTO official_sessions (token_hash, city, official, session, stage, at, device, address, offered_sealed, issued_at,
  proved_at, expires_at, ends_at)
VALUES (%(token_hash)s, %(city)s, %(official)s, %(session)s, %(stage)s, %(city)s, %(device)s, %(address)s, %(offered)s,
  %(now)s, %(now)s, %(expires_at)s, %(ends_at)s)"""

OFFERED = "SELECT offered_sealed FROM official_sessions WHERE token_hash = %(token_hash)s"

RENEW = """
UPDATE official_sessions SET expires_at = greatest(expires_at, %(expires_at)s)
WHERE token_hash = %(token_hash)s AND revoked_at IS NULL"""

PROVE = "UPDATE official_sessions SET proved_at = %(now)s WHERE token_hash = %(token_hash)s AND revoked_at IS NULL"

LOOK_AT = "UPDATE official_sessions SET at = %(at)s WHERE token_hash = %(token_hash)s AND revoked_at IS NULL"

REVOKE = """
UPDATE official_sessions SET revoked_at = %(now)s WHERE token_hash = %(token_hash)s AND revoked_at IS NULL"""

REVOKE_NAMED = """
UPDATE official_sessions SET revoked_at = %(now)s
WHERE city = %(city)s AND official = %(official)s AND session = %(session)s AND revoked_at IS NULL"""

REVOKE_ALL = """
UPDATE official_sessions SET revoked_at = %(now)s
WHERE city = %(city)s AND official = %(official)s AND revoked_at IS NULL"""

REVOKE_OTHERS = """
UPDATE official_sessions SET revoked_at = %(now)s
WHERE city = %(city)s AND official = %(official)s AND session <> %(session)s AND revoked_at IS NULL"""


class LoginTaken(DomainError):
    code = "official-login-taken"
    text_zh = "登录名 {login} 已有人使用。"
    text_en = "The sign-in name {login} is taken."


class Credentials(NamedTuple):
    password_hash: str | None
    password_change: bool
    factor_sealed: bytes | None
    factor_step: int | None
    disabled_at: datetime | None
    retailer: str | None


class NewOfficial(NamedTuple):
    city: str
    official: str
    login: str
    name: str
    district: str | None
    roles: frozenset[Role]
    password_hash: str | None
    by: str
    retailer: str | None = None


class NewSession(NamedTuple):
    token_hash: bytes
    city: str
    official: str
    session: str
    stage: Stage
    device: str | None
    address: str | None
    offered: bytes | None
    expires_at: datetime
    ends_at: datetime


def home_of(connection: Connection, login: str) -> tuple[str, str] | None:
    """(city, official) of a sign-in name."""
    row = hot(connection, FIND, {"login": login}).fetchone()
    return (row[0], row[1]) if row else None


def has_officials(connection: Connection, city: str) -> bool:
    return hot(connection, ANYONE, {"city": city}).fetchone() is not None


def add(connection: Connection, new: NewOfficial, now: datetime) -> None:
    """Raises LoginTaken."""
    entered = hot(connection, ENTER, {"login": new.login, "city": new.city, "official": new.official}).rowcount
    if not entered:
        raise LoginTaken(login=new.login)
    hot(connection, ADD, {**new._asdict(), "roles": words(_sorted(new.roles)), "now": now})


def credentials(connection: Connection, city: str, official: str) -> Credentials:
    row = hot(connection, CREDENTIALS, {"city": city, "official": official}).fetchone()
    assert row is not None, "the directory names those who are there"
    found = Credentials(*row)
    return found._replace(factor_sealed=None if found.factor_sealed is None else bytes(found.factor_sealed))


def set_password(connection: Connection, city: str, official: str, password_hash: str, *, change: bool = False) -> None:
    """`change`: it must be changed at the next sign-in."""
    given = {"city": city, "official": official, "password_hash": password_hash, "change": change}
    hot(connection, SET_HASH, given)


def set_factor(connection: Connection, city: str, official: str, sealed: bytes, step: int) -> bool:
    """False where a second factor is set up already."""
    given = {"city": city, "official": official, "sealed": sealed, "step": step}
    return bool(hot(connection, SET_FACTOR, given).rowcount)


def use_step(connection: Connection, city: str, official: str, step: int) -> bool:
    """False where this code, or a later one, was used before."""
    return bool(hot(connection, USE_STEP, {"city": city, "official": official, "step": step}).rowcount)


def bind_subject(connection: Connection, city: str, official: str, subject: str) -> bool:
    """To whom the city's sign-on vouches for; a password then opens nothing. False for another's, a disabled account, staff."""
    return bool(hot(connection, BIND, {"city": city, "official": official, "subject": subject}).rowcount)


def open_session(connection: Connection, session: NewSession, now: datetime) -> None:
    hot(connection, OPEN, {**session._asdict(), "now": now})


def offered(connection: Connection, token_hash: bytes) -> bytes | None:
    """The sealed second factor that a sign-in is setting up."""
    row = hot(connection, OFFERED, {"token_hash": token_hash}).fetchone()
    return None if row is None or row[0] is None else bytes(row[0])


def renew(connection: Connection, token_hash: bytes, expires_at: datetime) -> None:
    hot(connection, RENEW, {"token_hash": token_hash, "expires_at": expires_at})


def prove(connection: Connection, token_hash: bytes, now: datetime) -> None:
    hot(connection, PROVE, {"token_hash": token_hash, "now": now})


def look_at(connection: Connection, token_hash: bytes, at: str) -> None:
    hot(connection, LOOK_AT, {"token_hash": token_hash, "at": at})


def revoke(connection: Connection, token_hash: bytes, now: datetime) -> None:
    hot(connection, REVOKE, {"token_hash": token_hash, "now": now})


def revoke_named(connection: Connection, city: str, official: str, session: str, now: datetime) -> bool:
    """False when there is none of that name open."""
    asked = {"city": city, "official": official, "session": session, "now": now}
    return bool(hot(connection, REVOKE_NAMED, asked).rowcount)


def revoke_all(connection: Connection, city: str, official: str, now: datetime) -> int:
    return hot(connection, REVOKE_ALL, {"city": city, "official": official, "now": now}).rowcount


def revoke_others(connection: Connection, city: str, official: str, session: str, now: datetime) -> int:
    asked = {"city": city, "official": official, "session": session, "now": now}
    return hot(connection, REVOKE_OTHERS, asked).rowcount


def _sorted(roles: Iterable[Role]) -> list[str]:
    return sorted(role.value for role in roles)
