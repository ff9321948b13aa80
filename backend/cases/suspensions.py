"""Loads and writes suspensions of shops, inside a transaction that someone else opened."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection

from backend.cases.suspension_model import Proposal, Suspension, SuspensionUnknown
from backend.storage.transaction import hot

PAGE_MAX = 100
_IDS = frozenset({"suspension"})
COLUMNS = ", ".join(f"{name}::text" if name in _IDS else name for name in Suspension._fields)

# Most cities suspend nobody: one look at an empty index.
ONE = f"SELECT {COLUMNS} FROM store_suspensions WHERE city = %(city)s AND suspension = %(suspension)s"

LISTED = f"""
SELECT {COLUMNS} FROM store_suspensions
WHERE city = %(city)s AND (%(noticed_at)s::timestamptz IS NULL
      OR (noticed_at, suspension) < (%(noticed_at)s, %(suspension)s::uuid))
ORDER BY noticed_at DESC, store_suspensions.suspension DESC LIMIT %(limit)s"""

NOTICE = """
INSERT INTO store_suspensions (city, suspension, store, basis, reason, noticed_by, noticed_at, reply_by_on)
VALUES (%(city)s, %(suspension)s, %(store)s, %(basis)s, %(reason)s, %(noticed_by)s, %(noticed_at)s, %(reply_by_on)s)"""

WRITE = """
UPDATE store_suspensions SET reply = %(reply)s, replied_at = %(replied_at)s, proposal = %(proposal)s,
  proposed_reason = %(proposed_reason)s, proposed_by = %(proposed_by)s, proposed_at = %(proposed_at)s,
  until_at = %(until_at)s, approved_by = %(approved_by)s, approved_at = %(approved_at)s, from_at = %(from_at)s,
  appeal = %(appeal)s, appealed_at = %(appealed_at)s, appeal_due_on = %(appeal_due_on)s,
  appeal_outcome = %(appeal_outcome)s, appeal_reason = %(appeal_reason)s, appeal_by = %(appeal_by)s,
  appeal_decided_at = %(appeal_decided_at)s, lifted_at = %(lifted_at)s, lifted_by = %(lifted_by)s,
  lifted_reason = %(lifted_reason)s
WHERE city = %(city)s AND suspension = %(suspension)s"""


class NoticedKey(NamedTuple):
    """The last suspension of a page; the next begins below it."""

    noticed_at: datetime
    suspension: str


def notice(connection: Connection, city: str, one: Suspension) -> None:
    hot(connection, NOTICE, {"city": city, **one._asdict()})


def locked(connection: Connection, city: str, suspension: str) -> Suspension:
    """Nobody else writes it before COMMIT. Raises SuspensionUnknown."""
    return _one(connection, city, suspension, ONE + " FOR UPDATE")


def find(connection: Connection, city: str, suspension: str) -> Suspension:
    """Raises SuspensionUnknown."""
    return _one(connection, city, suspension, ONE)


def listed(connection: Connection, city: str, *, after: NoticedKey | None = None, limit: int) -> list[Suspension]:
    """The latest notice first; at most `limit`, at most 100."""
    noticed_at, suspension = after or (None, None)
    given = {"city": city, "noticed_at": noticed_at, "suspension": suspension, "limit": min(limit, PAGE_MAX)}
    return [_of(row) for row in hot(connection, LISTED, given)]


def write(connection: Connection, city: str, one: Suspension) -> None:
    """As it stands from now on; the caller has locked it."""
    hot(connection, WRITE, {"city": city, **one._asdict()})


def _one(connection: Connection, city: str, suspension: str, statement: str) -> Suspension:
    row = hot(connection, statement, {"city": city, "suspension": suspension}).fetchone()
    if row is None:
        raise SuspensionUnknown
    return _of(row)


def _of(row: Sequence[Any]) -> Suspension:
    found = Suspension(*row)
    return found if found.proposal is None else found._replace(proposal=Proposal(found.proposal))
