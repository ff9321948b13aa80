from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.storage.transaction import hot

BATCH = 500

_COLUMNS = "export::text, resident::text, act, about::text, subject, at_least, ground, expires_at, attempts"

DUE = f"""
SELECT {_COLUMNS} FROM credit_exports
WHERE city = %(city)s AND due_at <= %(now)s AND sent_at IS NULL AND cancelled_at IS NULL
  AND (attempts < %(most)s OR act = 'erase')
ORDER BY due_at, credit_exports.export LIMIT %(limit)s"""

LOCK = f"""
SELECT {_COLUMNS} FROM credit_exports
WHERE city = %(city)s AND export = %(export)s AND sent_at IS NULL AND cancelled_at IS NULL FOR UPDATE"""

SENT = """
UPDATE credit_exports SET sent_at = %(now)s WHERE city = %(city)s AND export = %(export)s"""

LATER = """
UPDATE credit_exports SET due_at = %(due_at)s, attempts = attempts + 1 WHERE city = %(city)s AND export = %(export)s"""


class Due(NamedTuple):
    """`subject` is what the platform knows the person by; an erasure has none, and is `about` a former export.

    `attempts` were made; that one is about to be made is written before it is.
    """

    export: str
    resident: str
    act: str
    about: str | None
    subject: bytes | None
    at_least: int | None
    ground: int
    expires_at: datetime | None
    attempts: int


def due(connection: Connection, city: str, now: datetime, attempts_max: int) -> list[Due]:
    """What is to be sent now; an erasure is never given up, a statement after `attempts_max`."""
    asked = {"city": city, "now": now, "most": attempts_max, "limit": BATCH}
    return [Due(*row) for row in hot(connection, DUE, asked)]


def locked(connection: Connection, city: str, export: str) -> Due | None:
    """None when it was sent or cancelled meanwhile."""
    row = hot(connection, LOCK, {"city": city, "export": export}).fetchone()
    return None if row is None else Due(*row)


def later(connection: Connection, city: str, export: str, due_at: datetime) -> None:
    """One attempt more is about to be made, and the next is due at `due_at`."""
    hot(connection, LATER, {"city": city, "export": export, "due_at": due_at})


def sent(connection: Connection, city: str, export: str, now: datetime) -> None:
    hot(connection, SENT, {"city": city, "export": export, "now": now})
