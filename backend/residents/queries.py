from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.residents.session_life import Way
from backend.storage.columns import octets
from backend.storage.transaction import hot

# A token names no city, so its row is found across cities. Behind a SELECT the number of tokens is no reason for the server
# to plan the statement anew each time, which cost twice what it does.
SESSIONS_BEHIND = """
SELECT token_hash, city, resident::text, session::text, way, expires_at, ends_at FROM resident_sessions
WHERE token_hash = ANY(ARRAY(SELECT unnest(%(token_hashes)s::bytea[]))) AND revoked_at IS NULL AND expires_at > %(now)s"""

HOME_OF_SESSION = "SELECT city, resident::text FROM resident_sessions WHERE token_hash = %(token_hash)s"

SESSIONS = """
SELECT session::text, way, device, issued_at, expires_at, ends_at FROM resident_sessions
WHERE city = %(city)s AND resident = %(resident)s AND revoked_at IS NULL AND expires_at > %(now)s
ORDER BY issued_at DESC LIMIT %(limit)s"""

SESSIONS_LISTED_MAX = 100


class Session(NamedTuple):
    """Who is signed in; `city` is the resident's home. It ends at `expires_at` when unused, at `ends_at` in any case."""

    city: str
    resident: str
    session: str
    way: Way
    expires_at: datetime
    ends_at: datetime


class OpenSession(NamedTuple):
    """One line of a resident's own list."""

    session: str
    way: str
    device: str | None
    issued_at: datetime
    expires_at: datetime
    ends_at: datetime


def session_of(connection: Connection, token_hash: bytes, now: datetime) -> Session | None:
    """The session behind a token that is neither revoked nor expired."""
    return sessions_of(connection, [token_hash], now).get(token_hash)


def sessions_of(connection: Connection, token_hashes: Sequence[bytes], now: datetime) -> dict[bytes, Session]:
    """By token hash, those of them that are neither revoked nor expired."""
    rows = hot(
        connection, SESSIONS_BEHIND, {"token_hashes": octets(token_hashes), "now": now}, prepared=True
    ).fetchall()
    return {
        token_hash: Session(city, resident, session, Way(way), expires_at, ends_at)
        for token_hash, city, resident, session, way, expires_at, ends_at in rows
    }


def home_of_session(connection: Connection, token_hash: bytes) -> tuple[str, str] | None:
    """(home city, resident) of a session, also of one that has ended."""
    row = hot(connection, HOME_OF_SESSION, {"token_hash": token_hash}).fetchone()
    return (row[0], row[1]) if row else None


def open_sessions(connection: Connection, city: str, resident: str, now: datetime) -> list[OpenSession]:
    """Of one resident, newest first, at most 100."""
    asked = {"city": city, "resident": resident, "now": now, "limit": SESSIONS_LISTED_MAX}
    return [OpenSession(*row) for row in hot(connection, SESSIONS, asked)]
