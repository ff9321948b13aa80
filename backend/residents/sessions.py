"""Persons and their sessions: writes, inside a transaction that someone else opened."""

from datetime import datetime

from sqlalchemy import Connection

from backend.residents import people
from backend.residents.people import Home
from backend.residents.queries import Session
from backend.storage.transaction import hot

# Crosses cities by nature: only the directory knows a person's home city.
FIND_PERSON = "SELECT city, resident::text FROM person_directory WHERE identity_hash = %(identity)s"

ENTER_PERSON = """
INSERT INTO person_directory (identity_hash, city, resident) VALUES (%(identity)s, %(city)s, %(resident)s)
ON CONFLICT DO NOTHING"""

JOIN = """
INSERT INTO residents (city, resident, state, joined_at) VALUES (%(city)s, %(resident)s, 'active', %(now)s)"""

OPEN = """
INSERT INTO resident_sessions (token_hash, city, resident, session, way, device, issued_at, expires_at, ends_at)
VALUES (%(token_hash)s, %(city)s, %(resident)s, %(session)s, %(way)s, %(device)s, %(now)s, %(expires_at)s, %(ends_at)s)"""

RENEW = """
UPDATE resident_sessions SET expires_at = greatest(expires_at, %(expires_at)s)
WHERE token_hash = %(token_hash)s AND revoked_at IS NULL"""

REVOKE_NAMED = """
UPDATE resident_sessions SET revoked_at = %(now)s
WHERE city = %(city)s AND resident = %(resident)s AND session = %(session)s AND revoked_at IS NULL"""

REVOKE = """
UPDATE resident_sessions SET revoked_at = %(now)s WHERE token_hash = %(token_hash)s AND revoked_at IS NULL"""


def home_of(connection: Connection, identity: bytes) -> tuple[str, str] | None:
    """(home city, resident) under which a person is entered by a keyed hash; another account may have absorbed it since."""
    row = hot(connection, FIND_PERSON, {"identity": identity}).fetchone()
    return (row[0], row[1]) if row else None


def join(connection: Connection, identity: bytes, city: str, resident: str, now: datetime) -> bool:
    """Enters a new resident; False when another request has just entered the same person."""
    entered = hot(connection, ENTER_PERSON, {"identity": identity, "city": city, "resident": resident}).rowcount
    if entered:
        hot(connection, JOIN, {"city": city, "resident": resident, "now": now})
    return bool(entered)


def belongs_to(connection: Connection, identity: bytes, city: str, resident: str) -> bool:
    """Enters a further identity of a resident; False when it is another person's."""
    hot(connection, ENTER_PERSON, {"identity": identity, "city": city, "resident": resident})
    home = home_of(connection, identity)
    return home is not None and people.survivor_of(connection, Home(*home)) == (city, resident)


def open_session(
    connection: Connection, token_hash: bytes, session: Session, now: datetime, *, device: str | None = None
) -> None:
    hot(connection, OPEN, {**session._asdict(), "token_hash": token_hash, "device": device, "now": now})


def renew(connection: Connection, token_hash: bytes, expires_at: datetime) -> bool:
    """Moves the end of a session in use on; False when it was ended meanwhile."""
    return bool(hot(connection, RENEW, {"token_hash": token_hash, "expires_at": expires_at}).rowcount)


def revoke_named(connection: Connection, city: str, resident: str, session: str, now: datetime) -> bool:
    """Ends a session of the resident's own list; False when there is none of that name open."""
    asked = {"city": city, "resident": resident, "session": session, "now": now}
    return bool(hot(connection, REVOKE_NAMED, asked).rowcount)


def revoke(connection: Connection, token_hash: bytes, now: datetime) -> None:
    hot(connection, REVOKE, {"token_hash": token_hash, "now": now})
