"""One line for each look at a person's data, in the transaction of the look."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import Connection

from backend.kernel.ids import new_id
from backend.storage.transaction import hot

PAGE_MAX = 100

WRITE = """
INSERT INTO access_log (city, resident, entry, at, role, who, purpose, what, ticket)
VALUES (%(city)s, %(resident)s, %(entry)s, %(now)s, %(role)s, %(who)s, %(purpose)s, %(what)s, %(ticket)s)"""

READ = """
SELECT entry::text, at, role, who, purpose, what, ticket FROM access_log
WHERE city = %(city)s AND resident = %(resident)s AND (%(before)s::uuid IS NULL OR entry < %(before)s::uuid)
ORDER BY access_log.entry DESC LIMIT %(limit)s"""

COUNT_SINCE = """
SELECT count(*) FROM access_log
WHERE city = %(city)s AND resident = %(resident)s AND what = %(what)s AND at > %(since)s"""


class Role(StrEnum):
    """In what capacity somebody looked."""

    SELF = "self"
    OFFICIAL = "official"
    SUPPORT = "support"
    SHOP = "shop"
    VERIFIER = "verifier"
    PLATFORM = "platform"


class Purpose(StrEnum):
    """What somebody looked for."""

    OWN_COPY = "own_copy"
    ENQUIRY = "enquiry"
    APPEAL = "appeal"
    AUDIT = "audit"
    INVESTIGATION = "investigation"
    BENEFIT = "benefit"
    CREDIT_EXPORT = "credit_export"


class What(StrEnum):
    """What was looked at."""

    EXPORT = "export"
    ACCOUNT = "account"
    SCANS = "scans"
    STATEMENT = "statement"


class Look(NamedTuple):
    role: Role
    who: str
    purpose: str
    what: What
    ticket: str | None = None


class Entry(NamedTuple):
    entry: str
    at: datetime
    role: str
    who: str
    purpose: str
    what: str
    ticket: str | None


def write(connection: Connection, city: str, resident: str, look: Look, now: datetime) -> str:
    """In the transaction that looks; the line's id."""
    entry = new_id()
    hot(connection, WRITE, {"city": city, "resident": resident, "entry": entry, "now": now, **look._asdict()})
    return entry


def read(connection: Connection, city: str, resident: str, *, before: str | None, limit: int) -> list[Entry]:
    """Newest first, below `before`; at most `limit`, at most 100."""
    asked = {"city": city, "resident": resident, "before": before, "limit": min(limit, PAGE_MAX)}
    return [Entry(*row) for row in hot(connection, READ, asked)]


def count_since(connection: Connection, city: str, resident: str, what: What, since: datetime) -> int:
    row = hot(
        connection, COUNT_SINCE, {"city": city, "resident": resident, "what": what.value, "since": since}
    ).fetchone()
    assert row is not None
    return int(row[0])
