from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.officials.model import Change, Official, Role, Stage
from backend.storage.columns import ids
from backend.storage.transaction import hot

LISTED_MAX = 100

# A token names no city, so its row is found across cities; the official's own row then by that city.
SESSION = """
SELECT city, official::text, session::text, stage, at, proved_at, expires_at, ends_at FROM official_sessions
WHERE token_hash = %(token_hash)s AND revoked_at IS NULL AND expires_at > %(now)s"""

OFFICIAL = """
SELECT login, name, roles, district, retailer FROM officials
WHERE city = %(city)s AND official = %(official)s AND disabled_at IS NULL"""

SESSIONS = """
SELECT session::text, device, address, issued_at, expires_at FROM official_sessions
WHERE city = %(city)s AND official = %(official)s AND stage = 'full' AND revoked_at IS NULL AND expires_at > %(now)s
ORDER BY issued_at DESC LIMIT %(limit)s"""

LISTED = """
SELECT official::text, login, name, roles, district, added_at, added_by, disabled_at FROM officials
WHERE city = %(city)s AND retailer IS NULL AND login > %(after)s ORDER BY login LIMIT %(limit)s"""

ONE = """
SELECT official::text, login, name, roles, district, added_at, added_by, disabled_at FROM officials
WHERE city = %(city)s AND official = %(official)s AND retailer IS NULL"""

# NULL: of every retailer of the city.
STAFF = """
SELECT official::text, login, name, roles, retailer, added_at, disabled_at FROM officials
WHERE city = %(city)s AND retailer IS NOT NULL AND (%(retailer)s::text IS NULL OR retailer = %(retailer)s)
  AND (retailer, login) > (%(after_retailer)s, %(after_login)s)
ORDER BY retailer, login LIMIT %(limit)s"""

ONE_OF_STAFF = """
SELECT official::text, login, name, roles, retailer, added_at, disabled_at FROM officials
WHERE city = %(city)s AND official = %(official)s AND retailer IS NOT NULL"""

NAMES_BY_LOGIN = "SELECT login, name FROM officials WHERE city = %(city)s AND login = ANY(%(logins)s::text[])"

# Crosses cities by nature: the province looks at each of its cities.
CITIES = "SELECT DISTINCT city FROM official_directory WHERE city LIKE %(province)s ORDER BY city LIMIT %(limit)s"


WAITING = """
SELECT change::text, kind, official::text, login, name, district, roles, reason, asked_by, asked_at FROM official_changes
WHERE city = %(city)s AND decided_at IS NULL ORDER BY asked_at, official_changes.change LIMIT %(limit)s"""

NAMES = "SELECT official::text, name FROM officials WHERE city = %(city)s AND official = ANY (%(officials)s::uuid[])"


class Waiting(NamedTuple):
    """A change that waits for a second person."""

    change: str
    kind: Change
    official: str
    login: str
    name: str
    district: str | None
    roles: frozenset[Role]
    reason: str
    asked_by: str
    asked_at: datetime


class OpenSession(NamedTuple):
    """One line of an official's own list."""

    session: str
    device: str | None
    address: str | None
    issued_at: datetime
    expires_at: datetime


class Listed(NamedTuple):
    official: str
    login: str
    name: str
    roles: frozenset[Role]
    district: str | None
    added_at: datetime
    added_by: str
    disabled_at: datetime | None


class Staff(NamedTuple):
    """One of a retailer's people."""

    official: str
    login: str
    name: str
    role: Role
    retailer: str
    added_at: datetime
    disabled_at: datetime | None


def session_of(connection: Connection, token_hash: bytes, now: datetime) -> Official | None:
    """Who holds the token of a session that is neither revoked nor over; None for a disabled official."""
    row = hot(connection, SESSION, {"token_hash": token_hash, "now": now}).fetchone()
    if row is None:
        return None
    city, official, session, stage, at, proved_at, expires_at, ends_at = row
    person = hot(connection, OFFICIAL, {"city": city, "official": official}).fetchone()
    if person is None:
        return None
    login, name, roles, district, retailer = person
    held = frozenset(map(Role, roles))
    return Official(
        city,
        official,
        login,
        name,
        held,
        district,
        session,
        Stage(stage),
        at,
        proved_at,
        expires_at,
        ends_at,
        retailer,
    )


def open_sessions(connection: Connection, city: str, official: str, now: datetime) -> list[OpenSession]:
    """Newest first, at most 100."""
    asked = {"city": city, "official": official, "now": now, "limit": LISTED_MAX}
    return [OpenSession(*row) for row in hot(connection, SESSIONS, asked)]


def cities(connection: Connection, province: str) -> list[str]:
    """Every city of a province that has officials, itself among them, by code; at most 100."""
    asked = {"province": f"{province[:2]}%", "limit": LISTED_MAX}
    return [city for (city,) in hot(connection, CITIES, asked)]


def listed(connection: Connection, city: str, after: str, limit: int) -> list[Listed]:
    """By sign-in name, those behind `after`."""
    return [_listed(row) for row in hot(connection, LISTED, {"city": city, "after": after, "limit": limit})]


def one(connection: Connection, city: str, official: str) -> Listed | None:
    row = hot(connection, ONE, {"city": city, "official": official}).fetchone()
    return None if row is None else _listed(row)


def staff(connection: Connection, city: str, retailer: str | None, after: tuple[str, str], limit: int) -> list[Staff]:
    """Of one retailer, or of all of the city where it is None, behind the pair (retailer, sign-in name)."""
    given = {"city": city, "retailer": retailer, "after_retailer": after[0], "after_login": after[1], "limit": limit}
    return [_staff(row) for row in hot(connection, STAFF, given)]


def one_of_staff(connection: Connection, city: str, official: str) -> Staff | None:
    row = hot(connection, ONE_OF_STAFF, {"city": city, "official": official}).fetchone()
    return None if row is None else _staff(row)


def waiting(connection: Connection, city: str) -> list[Waiting]:
    """Changes that wait for a second person, oldest first, at most 100."""
    rows = hot(connection, WAITING, {"city": city, "limit": LISTED_MAX})
    found = [Waiting(*row) for row in rows]
    return [one._replace(kind=Change(one.kind), roles=frozenset(map(Role, one.roles))) for one in found]


def names(connection: Connection, city: str, officials: Iterable[str]) -> dict[str, str]:
    """Names of officials of the city by their ids; whoever is another city's is not there."""
    asked = sorted(set(officials))
    return dict(hot(connection, NAMES, {"city": city, "officials": ids(asked)}).fetchall())


def _listed(row: tuple[object, ...]) -> Listed:
    found = Listed(*row)  # type: ignore[arg-type]  # the statement's columns, in order
    return found._replace(roles=frozenset(map(Role, found.roles)))


def _staff(row: tuple[object, ...]) -> Staff:
    found = Staff(*row)  # type: ignore[arg-type]  # the statement's columns, in order
    return found._replace(role=Role(row[3][0]))  # type: ignore[index]  # one role: the table's constraint


def names_by_login(connection: Connection, city: str, logins: Sequence[str]) -> dict[str, str]:
    """Login -> name, of those whom `city` knows."""
    rows = hot(connection, NAMES_BY_LOGIN, {"city": city, "logins": list(logins)}).fetchall()
    return dict(rows)
