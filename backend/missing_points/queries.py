from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection

from backend.missing_points.model import MissingClaim, MissingProposed, MissingState
from backend.storage.columns import unquoted
from backend.storage.transaction import hot

PAGE_MAX = 100
COLUMNS = (
    "claim::text, resident::text, home, store, bought_on, slip_no, amount_fen, filed_at, due_on, state, round_no, text,"
    " first_by, basket::text, decided_at, decided_by, approved_by, explanation"
)

ONE = f"SELECT {COLUMNS} FROM missing_points WHERE city = %(city)s AND claim = %(claim)s"

OF_RESIDENT = f"""
SELECT {COLUMNS} FROM missing_points
WHERE city = %(city)s AND resident = %(resident)s
  AND (%(filed_at)s::timestamptz IS NULL OR (filed_at, claim) < (%(filed_at)s, %(claim)s::uuid))
ORDER BY filed_at DESC, missing_points.claim DESC LIMIT %(limit)s"""

OPEN = f"""
SELECT {COLUMNS} FROM missing_points WHERE city = %(city)s AND state = 'open'
  AND (%(due_on)s::date IS NULL OR (due_on, claim) > (%(due_on)s, %(claim)s::uuid))
ORDER BY due_on, missing_points.claim LIMIT %(limit)s"""

PROPOSALS = """
SELECT p.claim::text, p.basket::text, p.explanation, p.proposed_by, p.proposed_name, p.proposed_at
FROM missing_proposals p
JOIN missing_points m ON m.city = %(city)s AND m.claim = p.claim AND m.round_no = p.round_no AND m.state = 'open'
WHERE p.city = %(city)s AND p.claim = ANY(%(claims)s::uuid[])"""

SAME_SLIP = """
SELECT EXISTS (SELECT FROM missing_points WHERE city = %(city)s AND resident = %(resident)s AND store = %(store)s
               AND bought_on = %(bought_on)s AND slip_no = %(slip_no)s AND state IN ('found', 'granted'))"""

FILED = """
SELECT count(*) FROM missing_points
WHERE city = %(city)s AND filer = %(resident)s AND filed_on = %(day)s"""


class HistoryKey(NamedTuple):
    """The last claim of a page; the next page begins below it."""

    filed_at: datetime
    claim: str


class DueKey(NamedTuple):
    """The last open claim of a page; the next page begins after it."""

    due_on: date
    claim: str


def find(connection: Connection, city: str, claim: str) -> MissingClaim | None:
    row = hot(connection, ONE, {"city": city, "claim": claim}).fetchone()
    return None if row is None else claim_of(row)


def history(
    connection: Connection, city: str, resident: str, *, after: HistoryKey | None, limit: int
) -> list[MissingClaim]:
    """A resident's claims in one city, newest first, below `after`; at most `limit`, at most 100."""
    filed_at, claim = after or (None, None)
    given = {"city": city, "resident": resident, "filed_at": filed_at, "claim": claim, "limit": min(limit, PAGE_MAX)}
    return [claim_of(row) for row in hot(connection, OF_RESIDENT, given)]


def waiting(connection: Connection, city: str, *, limit: int, after: DueKey | None = None) -> list[MissingClaim]:
    """Those that an official is to decide, the first due first, from behind `after`."""
    due_on, claim = after or (None, None)
    given = {"city": city, "limit": limit, "due_on": due_on, "claim": claim}
    return [claim_of(row) for row in hot(connection, OPEN, given)]


def proposals(connection: Connection, city: str, claims: Sequence[str]) -> dict[str, MissingProposed]:
    """By open claim, what one official would give and a second has not approved; at most one each."""
    rows = hot(connection, PROPOSALS, {"city": city, "claims": unquoted(claims)})
    return {claim: MissingProposed(*rest) for claim, *rest in rows}


def was_given(connection: Connection, city: str, asked: MissingClaim) -> bool:
    """Whether the same resident was given the sale of the same slip before."""
    given = {"city": city, **asked._asdict()}
    row = hot(connection, SAME_SLIP, given).fetchone()
    return row is not None and bool(row[0])


def filed_on(connection: Connection, city: str, resident: str, day: date) -> int:
    """How many claims this account filed on a civil day."""
    row = hot(connection, FILED, {"city": city, "resident": resident, "day": day}).fetchone()
    return 0 if row is None else int(row[0])


def claim_of(row: Sequence[Any]) -> MissingClaim:
    found = MissingClaim(*row)
    return found._replace(state=MissingState(found.state))
