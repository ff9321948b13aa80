from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection

from backend.adjustments.model import (
    ALONE_FOR,
    Adjustment,
    AdjustmentState,
    AdjustmentUnknown,
    Cause,
    DoneAlone,
    Proposed,
    Wanted,
)
from backend.kernel.periods import civil_date, day_start_ms, instant, milliseconds
from backend.storage.columns import unquoted
from backend.storage.transaction import hot

COLUMNS = """
adjustment::text, resident::text, store, unit, amount, cause, ticket, explanation, state, alone_max, proposed_by, proposed_at,
judged_by, judged_at, posted_at"""

INSERT = """
INSERT INTO adjustments (city, adjustment, resident, store, unit, amount, cause, ticket, explanation, state, alone_max,
                         proposed_by, proposed_at, posted_at)
VALUES (%(city)s, %(adjustment)s, %(resident)s, %(store)s, %(unit)s, %(amount)s, %(cause)s, %(ticket)s, %(explanation)s,
        %(state)s, %(alone_max)s, %(by)s, %(now)s, %(posted_at)s)"""

FORGET = """
UPDATE adjustments SET explanation = '账户已注销 / account closed'
WHERE city = %(city)s AND resident = ANY(%(residents)s::uuid[])"""

LOCK = f"SELECT {COLUMNS} FROM adjustments WHERE city = %(city)s AND adjustment = %(adjustment)s FOR UPDATE"

JUDGE = """
UPDATE adjustments SET state = %(state)s, judged_by = %(by)s, judged_at = %(now)s, posted_at = %(posted_at)s
WHERE city = %(city)s AND adjustment = %(adjustment)s AND state = 'proposed'"""

KNOWN = """
SELECT EXISTS (SELECT FROM stores WHERE city = %(city)s AND store = %(store)s)
    OR EXISTS (SELECT FROM accounts WHERE city = %(city)s AND account = ANY(%(accounts)s::text[]))
    OR EXISTS (SELECT FROM residents WHERE city = %(city)s AND resident = %(resident)s::uuid)"""


# Of whoever proposed it that nobody else judged.
DONE_ALONE = """
SELECT coalesce(sum(abs(amount)) FILTER (WHERE store = %(store)s OR resident = %(resident)s::uuid), 0)::bigint,
       coalesce(sum(abs(amount)) FILTER (WHERE proposed_by = %(by)s AND proposed_at >= %(today)s), 0)::bigint
FROM adjustments
WHERE city = %(city)s AND proposed_at >= %(since)s AND unit = %(unit)s AND state = 'posted' AND judged_by IS NULL"""


def done_alone(connection: Connection, city: str, wanted: Wanted, by: str, now: datetime) -> DoneAlone:
    today = instant(day_start_ms(civil_date(milliseconds(now))))
    given = {"store": wanted.store, "resident": wanted.resident, "unit": wanted.unit, "by": by}
    row = hot(connection, DONE_ALONE, {"city": city, **given, "today": today, "since": now - ALONE_FOR}).fetchone()
    assert row is not None, "sums answer with a row"
    return DoneAlone(*row)


def insert(
    connection: Connection, city: str, adjustment: str, wanted: Wanted, proposed: Proposed, now: datetime, *, post: bool
) -> None:
    state = AdjustmentState.POSTED if post else AdjustmentState.PROPOSED
    given = {**wanted._asdict(), "cause": wanted.cause.value, **proposed._asdict(), "posted_at": now if post else None}
    hot(connection, INSERT, {"city": city, "adjustment": adjustment, "now": now, "state": state.value, **given})


def forget_words(connection: Connection, city: str, residents: Collection[str]) -> None:
    """Accounts of one person are closed: what was given or taken stands in the books, no word of why beyond its cause."""
    hot(connection, FORGET, {"city": city, "residents": unquoted(residents)})


def locked(connection: Connection, city: str, adjustment: str) -> Adjustment:
    """Raises AdjustmentUnknown."""
    found = locked_or_none(connection, city, adjustment)
    if found is None:
        raise AdjustmentUnknown
    return found


def locked_or_none(connection: Connection, city: str, adjustment: str) -> Adjustment | None:
    row = hot(connection, LOCK, {"city": city, "adjustment": adjustment}).fetchone()
    return None if row is None else adjustment_of(row)


def judge(connection: Connection, city: str, adjustment: str, state: AdjustmentState, by: str, now: datetime) -> None:
    posted_at = now if state is AdjustmentState.POSTED else None
    given = {"city": city, "adjustment": adjustment, "state": state.value, "by": by, "now": now, "posted_at": posted_at}
    if hot(connection, JUDGE, given).rowcount != 1:
        raise ValueError("only what is proposed is judged")


def known(connection: Connection, city: str, wanted: Wanted, accounts: str) -> bool:
    """Whether the city has the shop, or an account of the resident; `accounts` are those to look for, as an array."""
    given = {"city": city, "store": wanted.store, "resident": wanted.resident, "accounts": accounts}
    row = hot(connection, KNOWN, given).fetchone()
    return row is not None and bool(row[0])


def adjustment_of(row: tuple[object, ...]) -> Adjustment:
    wanted = Wanted(*row[1:8])  # type: ignore[arg-type]  # as the statement's columns are
    found = Adjustment(row[0], wanted, *row[8:])  # type: ignore[arg-type]  # as above
    return found._replace(wanted=wanted._replace(cause=Cause(wanted.cause)), state=AdjustmentState(found.state))
