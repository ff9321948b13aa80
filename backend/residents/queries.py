from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.storage.transaction import hot

# A token names no city, so its row is found across cities.
SESSION = """
SELECT city, resident::text, expires_at FROM resident_sessions
WHERE token_hash = %(token_hash)s AND revoked_at IS NULL AND expires_at > %(now)s"""


class Session(NamedTuple):
    """Who is signed in; `city` is the resident's home."""

    city: str
    resident: str
    expires_at: datetime


def session_of(connection: Connection, token_hash: bytes, now: datetime) -> Session | None:
    """The session behind a token that is neither revoked nor expired."""
    row = hot(connection, SESSION, {"token_hash": token_hash, "now": now}, prepared=True).fetchone()
    return Session(*row) if row else None
