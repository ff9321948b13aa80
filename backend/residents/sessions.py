"""Persons and their sessions: writes, inside a transaction that someone else opened."""

from datetime import datetime

from sqlalchemy import Connection

from backend.residents.queries import Session
from backend.storage.transaction import hot

# Crosses cities by nature: only the directory knows a person's home city.
FIND_PERSON = "SELECT city, resident::text FROM person_directory WHERE identity_hash = %(identity)s"

ENTER_PERSON = """
INSERT INTO person_directory (identity_hash, city, resident) VALUES (%(identity)s, %(city)s, %(resident)s)
ON CONFLICT DO NOTHING"""

JOIN = """
INSERT INTO residents (city, resident, state, joined_at) VALUES (%(city)s, %(resident)s, 'active', %(now)s)"""

STATE = "SELECT state FROM residents WHERE city = %(city)s AND resident = %(resident)s"

OPEN = """
INSERT INTO resident_sessions (token_hash, city, resident, issued_at, expires_at)
VALUES (%(token_hash)s, %(city)s, %(resident)s, %(now)s, %(expires_at)s)"""

REVOKE = """
UPDATE resident_sessions SET revoked_at = %(now)s WHERE token_hash = %(token_hash)s AND revoked_at IS NULL"""


def home_of(connection: Connection, identity: bytes) -> tuple[str, str] | None:
    """(home city, resident) of a person known by a keyed hash."""
    row = hot(connection, FIND_PERSON, {"identity": identity}).fetchone()
    return (row[0], row[1]) if row else None


def join(connection: Connection, identity: bytes, city: str, resident: str, now: datetime) -> bool:
    """Enters a new resident; False when another request has just entered the same person."""
    entered = hot(connection, ENTER_PERSON, {"identity": identity, "city": city, "resident": resident}).rowcount
    if entered:
        hot(connection, JOIN, {"city": city, "resident": resident, "now": now})
    return bool(entered)


def is_active(connection: Connection, city: str, resident: str) -> bool:
    row = hot(connection, STATE, {"city": city, "resident": resident}).fetchone()
    return row is not None and row[0] == "active"


def open_session(connection: Connection, token_hash: bytes, session: Session, now: datetime) -> None:
    hot(
        connection,
        OPEN,
        {
            "token_hash": token_hash,
            "city": session.city,
            "resident": session.resident,
            "now": now,
            "expires_at": session.expires_at,
        },
    )


def revoke(connection: Connection, token_hash: bytes, now: datetime) -> None:
    hot(connection, REVOKE, {"token_hash": token_hash, "now": now})
