from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection

from backend.appeals.model import Appeal, AppealState, Proposed
from backend.storage.columns import unquoted
from backend.storage.transaction import hot

PAGE_MAX = 100
COLUMNS = (
    "appeal::text, resident::text, basket::text, line_no, decision_no, text, filed_at, due_on, state, decided_at,"
    " decided_by, approved_by, explanation, new_decision_no"
)

ONE = f"SELECT {COLUMNS} FROM appeals WHERE city = %(city)s AND appeal = %(appeal)s"

OF_RESIDENT = f"""
SELECT {COLUMNS} FROM appeals
WHERE city = %(city)s AND resident = %(resident)s
  AND (%(filed_at)s::timestamptz IS NULL OR (filed_at, appeal) < (%(filed_at)s, %(appeal)s::uuid))
ORDER BY filed_at DESC, appeals.appeal DESC LIMIT %(limit)s"""

OPEN = f"""
SELECT {COLUMNS} FROM appeals WHERE city = %(city)s AND state = 'open' ORDER BY due_on, appeals.appeal LIMIT %(limit)s"""


PROPOSALS = """
SELECT appeal::text, explanation, proposed_by, proposed_name, proposed_at FROM appeal_proposals
WHERE city = %(city)s AND appeal = ANY(%(appeals)s::uuid[])"""


class HistoryKey(NamedTuple):
    """The last appeal of a page; the next page begins below it."""

    filed_at: datetime
    appeal: str


def find(connection: Connection, city: str, appeal: str) -> Appeal | None:
    row = hot(connection, ONE, {"city": city, "appeal": appeal}).fetchone()
    return None if row is None else appeal_of(row)


def history(connection: Connection, city: str, resident: str, *, after: HistoryKey | None, limit: int) -> list[Appeal]:
    """A resident's appeals in one city, newest first, below `after`; at most `limit`, at most 100."""
    filed_at, appeal = after or (None, None)
    given = {"city": city, "resident": resident, "filed_at": filed_at, "appeal": appeal}
    return [appeal_of(row) for row in hot(connection, OF_RESIDENT, {**given, "limit": min(limit, PAGE_MAX)})]


def waiting(connection: Connection, city: str, *, limit: int) -> list[Appeal]:
    """Those that are to be decided, the first due first."""
    return [appeal_of(row) for row in hot(connection, OPEN, {"city": city, "limit": limit})]


def proposals(connection: Connection, city: str, appeals: Sequence[str]) -> dict[str, Proposed]:
    """By appeal, what one official would uphold and a second has not approved; at most one each."""
    rows = hot(connection, PROPOSALS, {"city": city, "appeals": unquoted(appeals)})
    return {appeal: Proposed(*rest) for appeal, *rest in rows}


def appeal_of(row: Sequence[Any]) -> Appeal:
    found = Appeal(*row)
    return found._replace(state=AppealState(found.state))
