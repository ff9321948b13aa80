"""Months, statements, disputes and holds in the database, inside the caller's transaction."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.settlements.clock import Clocks
from backend.settlements.model import (
    Claim,
    DisputeRepeated,
    DisputeUnknown,
    LineKey,
    LineUnknown,
    Ruled,
    Said,
    StatementUnknown,
    Terms,
)
from backend.storage.columns import ids, numbers
from backend.storage.transaction import hot

USUAL = Terms()
"""Until a city sets others: what the practice of 2026 asks of reimbursements, 3, 15 and 30 days."""

# Whatever changes a city's settlements takes this row first, so that each sees what the others did.
LOCK = """
INSERT INTO settlement_terms (city, dispute_days, accept_days, review_days, pay_days, set_by, set_at)
VALUES (%(city)s, %(dispute_days)s, %(accept_days)s, %(review_days)s, %(pay_days)s, '-', %(now)s)
ON CONFLICT (city) DO UPDATE SET set_at = settlement_terms.set_at
RETURNING dispute_days, accept_days, review_days, pay_days, closed_through"""

SET_TERMS = """
UPDATE settlement_terms SET dispute_days = %(dispute_days)s, accept_days = %(accept_days)s, review_days = %(review_days)s,
       pay_days = %(pay_days)s, set_by = %(by)s, set_at = %(now)s
WHERE city = %(city)s"""

CLOSED_THROUGH = "UPDATE settlement_terms SET closed_through = %(month)s WHERE city = %(city)s"

INSERT_STATEMENTS = """
INSERT INTO statements (city, month, retailer, lines, fee_fen, subsidy_fen)
SELECT %(city)s, %(month)s, retailer, count(*), coalesce(sum(amount) FILTER (WHERE unit = 'fee'), 0),
       coalesce(sum(amount) FILTER (WHERE unit = 'fen'), 0)
FROM statement_lines WHERE city = %(city)s AND month = %(month)s GROUP BY retailer"""

AWAIT_PAYMENT = """
INSERT INTO unpaid_statements (city, month, retailer)
SELECT %(city)s, %(month)s, retailer FROM statements WHERE city = %(city)s AND month = %(month)s"""

INSERT_MONTH = """
INSERT INTO settlement_months (city, month, ended_at, closed_at, closed_by, dispute_until, accept_by, review_by, pay_by,
                               statements, lines)
VALUES (%(city)s, %(month)s, %(ended_at)s, %(closed_at)s, %(by)s, %(dispute_until)s, %(accept_by)s, %(review_by)s,
        %(pay_by)s, %(statements)s, %(lines)s)"""

MONTH_COUNTS = "SELECT statements, lines FROM settlement_months WHERE city = %(city)s AND month = %(month)s"

STATEMENT = """
SELECT m.dispute_until, c.confirmed_at FROM statements s
JOIN settlement_months m ON m.city = %(city)s AND m.month = s.month
LEFT JOIN statement_confirmations c ON c.city = %(city)s AND c.month = s.month AND c.retailer = s.retailer
WHERE s.city = %(city)s AND s.month = %(month)s AND s.retailer = %(retailer)s"""

LINE = """
SELECT l.store, l.unit, l.amount, x.payment IS NOT NULL FROM statement_lines l
LEFT JOIN settlement_payment_lines x ON x.city = %(city)s AND x.month = l.month AND x.retailer = l.retailer
  AND x.line_no = l.line_no AND NOT x.refused
WHERE l.city = %(city)s AND l.month = %(month)s AND l.retailer = %(retailer)s AND l.line_no = %(line_no)s"""

CONFIRM = """
INSERT INTO statement_confirmations (city, month, retailer, confirmed_by, confirmed_at)
VALUES (%(city)s, %(month)s, %(retailer)s, %(by)s, %(now)s) ON CONFLICT DO NOTHING"""

DISPUTE = """
INSERT INTO statement_disputes (city, month, retailer, line_no, reason, disputed_by, disputed_at)
VALUES (%(city)s, %(month)s, %(retailer)s, %(line_no)s, %(reason)s, %(by)s, %(now)s) ON CONFLICT DO NOTHING"""

LOCK_DISPUTE = """
SELECT ruling, correction, explanation, ruled_by, approved_by FROM statement_disputes
WHERE city = %(city)s AND month = %(month)s AND retailer = %(retailer)s AND line_no = %(line_no)s FOR UPDATE"""

RULE = """
UPDATE statement_disputes SET ruling = %(ruling)s, correction = %(correction)s, explanation = %(explanation)s,
       ruled_by = %(by)s, ruled_at = %(now)s
WHERE city = %(city)s AND month = %(month)s AND retailer = %(retailer)s AND line_no = %(line_no)s AND approved_at IS NULL"""

APPROVE = """
UPDATE statement_disputes SET approved_by = %(approved_by)s, approved_at = %(now)s, correction_reference = %(reference)s
WHERE city = %(city)s AND month = %(month)s AND retailer = %(retailer)s AND line_no = %(line_no)s
  AND ruling = 'correct' AND approved_at IS NULL"""

HOLD = """
INSERT INTO claim_holds (city, hold, basket, line_no, reason, held_by, held_at)
SELECT %(city)s, t.hold, t.basket, t.line_no, %(reason)s, %(by)s, %(now)s
FROM unnest(%(holds)s::uuid[], %(baskets)s::uuid[], %(lines)s::smallint[]) t(hold, basket, line_no)
ON CONFLICT (city, basket, line_no) WHERE released_at IS NULL DO NOTHING"""

# How many of the lines that claim for these sales are still unpaid, on their way in a payment file, and paid.
OF_CLAIMS = """
SELECT count(*) FILTER (WHERE p.state IS NULL), count(*) FILTER (WHERE p.state IN ('prepared', 'released')),
       count(*) FILTER (WHERE p.state = 'paid'), coalesce(sum(l.amount) FILTER (WHERE p.state IS NULL), 0)::bigint
FROM unnest(%(baskets)s::uuid[], %(lines)s::smallint[]) t(basket, line_no)
JOIN statement_lines l ON l.city = %(city)s AND l.basket = t.basket AND l.sale_line = t.line_no
LEFT JOIN settlement_payment_lines x ON x.city = %(city)s AND x.month = l.month AND x.retailer = l.retailer
  AND x.line_no = l.line_no AND NOT x.refused
LEFT JOIN settlement_payments p ON p.city = %(city)s AND p.payment = x.payment"""

RELEASE = """
UPDATE claim_holds h SET released_at = %(now)s, released_by = %(by)s, release_reason = %(reason)s
FROM unnest(%(baskets)s::uuid[], %(lines)s::smallint[]) t(basket, line_no)
WHERE h.city = %(city)s AND h.basket = t.basket AND h.line_no = t.line_no AND h.released_at IS NULL"""


class Calendar(NamedTuple):
    """A city's terms, locked until COMMIT, and the last month that it closed."""

    terms: Terms
    closed_through: str | None


class Line(NamedTuple):
    """What a statement's line says, in fen, and whether a payment file has it."""

    store: str
    unit: str
    amount: int
    taken: bool


class Proposed(NamedTuple):
    """How far a dispute has come."""

    ruling: str | None
    correction: int | None
    explanation: str | None
    ruled_by: str | None
    approved_by: str | None

    @property
    def over(self) -> bool:
        return self.ruling == "stands" or self.approved_by is not None


class Held(NamedTuple):
    """What became of claims that were to be held: sales held anew; lines of closed statements by where their payment
    stands, and how much of them is not on its way, in fen.
    """

    held: int
    unpaid_lines: int
    underway_lines: int
    paid_lines: int
    unpaid_fen: int


def lock(connection: Connection, city: str, now: datetime) -> Calendar:
    row = hot(connection, LOCK, {"city": city, "now": now, **USUAL._asdict()}).fetchone()
    assert row is not None
    return Calendar(Terms(*row[:4]), row[4])


def set_terms(connection: Connection, city: str, terms: Terms, by: str, now: datetime) -> None:
    hot(connection, SET_TERMS, {"city": city, "by": by, "now": now, **terms._asdict()})


def close(
    connection: Connection, city: str, month: str, ended_at: datetime, due: Clocks, by: str, now: datetime
) -> None:
    """After its lines were written: their sums, and the month itself."""
    given = {"city": city, "month": month}
    written = hot(connection, INSERT_STATEMENTS, given).rowcount
    hot(connection, AWAIT_PAYMENT, given)
    rows = hot(
        connection, "SELECT coalesce(sum(lines), 0) FROM statements WHERE city = %(city)s AND month = %(month)s", given
    )
    (lines,) = rows.fetchone() or (0,)
    times = {"ended_at": ended_at, "closed_at": now, **due._asdict()}
    hot(connection, INSERT_MONTH, {**given, **times, "by": by, "statements": written, "lines": lines})
    hot(connection, CLOSED_THROUGH, given)


def month_counts(connection: Connection, city: str, month: str) -> tuple[int, int] | None:
    """Statements and lines of a month that is closed."""
    row = hot(connection, MONTH_COUNTS, {"city": city, "month": month}).fetchone()
    return None if row is None else (row[0], row[1])


def disputable_until(connection: Connection, city: str, month: str, retailer: str) -> tuple[datetime, bool]:
    """Until when a statement may be disputed, and whether it is confirmed. Raises StatementUnknown."""
    row = hot(connection, STATEMENT, {"city": city, "month": month, "retailer": retailer}).fetchone()
    if row is None:
        raise StatementUnknown(month=month, retailer=retailer)
    return row[0], row[1] is not None


def line(connection: Connection, city: str, key: LineKey) -> Line:
    """Raises LineUnknown."""
    row = hot(connection, LINE, {"city": city, **key._asdict()}).fetchone()
    if row is None:
        raise LineUnknown(line_no=key.line_no)
    return Line(*row)


def confirm(connection: Connection, city: str, month: str, retailer: str, by: str, now: datetime) -> bool:
    """False when it was confirmed before."""
    given = {"city": city, "month": month, "retailer": retailer, "by": by, "now": now}
    return hot(connection, CONFIRM, given).rowcount == 1


def dispute(connection: Connection, city: str, key: LineKey, said: Said, now: datetime) -> None:
    """Raises DisputeRepeated."""
    given = {"city": city, **key._asdict(), **said._asdict(), "now": now}
    if hot(connection, DISPUTE, given).rowcount != 1:
        raise DisputeRepeated(line_no=key.line_no)


def locked_dispute(connection: Connection, city: str, key: LineKey) -> Proposed:
    """Raises DisputeUnknown."""
    row = hot(connection, LOCK_DISPUTE, {"city": city, **key._asdict()}).fetchone()
    if row is None:
        raise DisputeUnknown(line_no=key.line_no)
    return Proposed(*row)


def rule(connection: Connection, city: str, key: LineKey, ruled: Ruled, now: datetime) -> None:
    """What is ruled, or proposed; a proposal may be replaced until it is approved."""
    given = {"city": city, **key._asdict(), "now": now, "ruling": ruled.ruling.value, "by": ruled.by}
    given |= {"correction": ruled.correction or None, "explanation": ruled.explanation}
    if hot(connection, RULE, given).rowcount != 1:
        raise ValueError("only what is open is ruled on")


def approve(connection: Connection, city: str, key: LineKey, by: str, reference: str, now: datetime) -> None:
    given = {"city": city, **key._asdict(), "now": now, "approved_by": by, "reference": reference}
    if hot(connection, APPROVE, given).rowcount != 1:
        raise ValueError("only a correction that waits is approved")


def hold(
    connection: Connection, city: str, claims: Collection[Claim], holds: Collection[str], said: Said, now: datetime
) -> Held:
    """Holds what is not held yet; `holds` are new ids, one a claim."""
    sales = _sales(claims)
    written = hot(connection, HOLD, {"city": city, **sales, "holds": ids(list(holds)), **said._asdict(), "now": now})
    row = hot(connection, OF_CLAIMS, {"city": city, **sales}).fetchone()
    assert row is not None
    return Held(written.rowcount, *row)


def release(connection: Connection, city: str, claims: Collection[Claim], said: Said, now: datetime) -> int:
    """How many sales are held no more."""
    return hot(connection, RELEASE, {"city": city, **_sales(claims), **said._asdict(), "now": now}).rowcount


def _sales(claims: Collection[Claim]) -> dict[str, object]:
    baskets, lines = zip(*sorted(set(claims)), strict=True)
    return {"baskets": ids(baskets), "lines": numbers(lines)}
