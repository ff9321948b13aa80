from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.settlements import words
from backend.settlements.clock import Clocks, Standing, standing
from backend.settlements.files import Payee, Receipt
from backend.settlements.model import PaymentState, Terms
from backend.settlements.store import USUAL
from backend.settlements.words import Facts, Words
from backend.storage.transaction import hot

PAGE_MAX = 200
MONTHS_MAX = 120
DISPUTES_COUNTED = 100
"""Of a statement; of more it is enough to know that there are many."""
FIRST = ""
"""Comes before every retailer."""

TERMS = "SELECT dispute_days, accept_days, review_days, pay_days FROM settlement_terms WHERE city = %(city)s"

MONTHS = """
SELECT month, closed_at, closed_by, dispute_until, accept_by, review_by, pay_by, statements, lines FROM settlement_months
WHERE city = %(city)s ORDER BY month DESC LIMIT %(limit)s"""

_UNPAID = """
(SELECT u.month, u.retailer FROM unpaid_statements u
 JOIN settlement_months d ON d.city = %(city)s AND d.month = u.month AND d.review_by <= %(now)s
 WHERE u.city = %(city)s ORDER BY u.month, u.retailer LIMIT %(limit)s) late
JOIN statements s ON s.city = %(city)s AND s.month = late.month AND s.retailer = late.retailer"""

# What of each statement is disputed, on its way and paid; the rest waits or may be paid.
_STATEMENTS = f"""
SELECT s.month, s.retailer, s.lines, s.fee_fen, s.subsidy_fen, c.confirmed_at, c.confirmed_by, m.dispute_until, m.accept_by,
       m.review_by, m.pay_by, m.closed_at,
       (SELECT count(*) FROM (
          SELECT FROM statement_disputes q WHERE q.city = %(city)s AND q.month = s.month AND q.retailer = s.retailer
            AND q.ruling IS DISTINCT FROM 'stands' AND q.approved_at IS NULL LIMIT {DISPUTES_COUNTED}) open),
       x.lines, x.paid_lines, x.paid_fen
FROM {{statements}}
JOIN settlement_months m ON m.city = %(city)s AND m.month = s.month
LEFT JOIN statement_confirmations c ON c.city = %(city)s AND c.month = s.month AND c.retailer = s.retailer
LEFT JOIN LATERAL (
  SELECT coalesce(sum(x.lines), 0)::bigint AS lines,
         coalesce(sum(x.lines) FILTER (WHERE p.state = 'paid'), 0)::bigint AS paid_lines,
         coalesce(sum(x.amount_fen) FILTER (WHERE p.state = 'paid'), 0)::bigint AS paid_fen
  FROM settlement_payment_statements x
  JOIN settlement_payments p ON p.city = %(city)s AND p.payment = x.payment AND p.state <> 'refused'
  WHERE x.city = %(city)s AND x.month = s.month AND x.retailer = s.retailer) x ON true
WHERE s.city = %(city)s"""
_ALL = _STATEMENTS.format(statements="statements s")
STATEMENTS_OF_MONTH = _ALL + " AND s.month = %(month)s AND s.retailer > %(after)s ORDER BY s.retailer LIMIT %(limit)s"
STATEMENTS_OF_RETAILER = (
    _ALL
    + """ AND s.retailer = %(retailer)s AND (%(after)s = '' OR s.month < %(after)s)
ORDER BY s.month DESC LIMIT %(limit)s"""
)
# The review is due before the payment: what is late for either is late for the first.
UNPAID_LATE = _STATEMENTS.format(statements=_UNPAID) + " ORDER BY s.month, s.retailer"
STATEMENT = _ALL + " AND s.month = %(month)s AND s.retailer = %(retailer)s"

LINES = """
SELECT l.line_no, l.unit, l.cause, l.store, l.amount, l.recorded_at, l.reference::text, l.basket::text, l.sale_line,
       b.sold_at, b.device, b.stream::text, b.seq, b.slip_no, d.label_key, d.quantity,
       q.reason, q.disputed_by, q.disputed_at, q.ruling, q.correction, q.explanation, q.ruled_by, q.approved_by,
       h.reason, h.held_at, p.payment::text, p.state, p.paid_on::text
FROM (SELECT * FROM statement_lines WHERE city = %(city)s AND month = %(month)s AND retailer = %(retailer)s
        AND line_no > %(after)s ORDER BY line_no LIMIT %(limit)s) l
LEFT JOIN baskets b ON b.city = %(city)s AND b.basket = l.basket
LEFT JOIN decisions d ON d.city = %(city)s AND d.basket = l.basket AND d.line_no = l.sale_line AND d.decision_no = 1
LEFT JOIN statement_disputes q ON q.city = %(city)s AND q.month = l.month AND q.retailer = l.retailer AND q.line_no = l.line_no
LEFT JOIN claim_holds h ON h.city = %(city)s AND h.basket = l.basket AND h.line_no = l.sale_line AND h.released_at IS NULL
LEFT JOIN settlement_payment_lines x ON x.city = %(city)s AND x.month = l.month AND x.retailer = l.retailer
  AND x.line_no = l.line_no AND NOT x.refused
LEFT JOIN settlement_payments p ON p.city = %(city)s AND p.payment = x.payment
ORDER BY l.line_no"""

DISPUTES = """
SELECT month, retailer, line_no, reason, disputed_by, disputed_at, ruling, correction, explanation, ruled_by
FROM statement_disputes WHERE city = %(city)s AND ruling IS DISTINCT FROM 'stands' AND approved_at IS NULL
ORDER BY disputed_at, month, retailer, line_no LIMIT %(limit)s"""

_PAYMENTS = """
SELECT payment::text, state, lines, amount_fen, encode(sha256, 'hex'), prepared_by, prepared_at, released_by, released_at,
       refused_by, refused_at, refusal, paid_by, paid_at, paid_on::text, bank_reference
FROM settlement_payments WHERE city = %(city)s"""
PAYMENT = _PAYMENTS + " AND payment = %(payment)s"
PAYMENTS = (
    _PAYMENTS
    + """ AND (%(at)s::timestamptz IS NULL OR (prepared_at, payment) < (%(at)s, %(payment)s::uuid))
ORDER BY prepared_at DESC, settlement_payments.payment DESC LIMIT %(limit)s"""
)

PAYEES = """
SELECT retailer, unit, lines, amount_fen FROM settlement_payees
WHERE city = %(city)s AND payment = %(payment)s ORDER BY retailer, unit"""

RETAILER_OF = "SELECT retailer FROM stores WHERE city = %(city)s AND store = %(store)s"


class Month(NamedTuple):
    month: str
    closed_at: datetime
    closed_by: str
    dispute_until: datetime
    accept_by: datetime
    review_by: datetime
    pay_by: datetime
    statements: int
    lines: int


class Statement(NamedTuple):
    """`disputes`: those that wait for a ruling, counted up to a hundred; `taken_lines` are in a payment file, of which
    `paid_lines` are paid.
    """

    month: str
    retailer: str
    lines: int
    fee_fen: int
    subsidy_fen: int
    confirmed_at: datetime | None
    confirmed_by: str | None
    dispute_until: datetime
    accept_by: datetime
    review_by: datetime
    pay_by: datetime
    closed_at: datetime
    disputes: int
    taken_lines: int
    paid_lines: int
    paid_fen: int

    @property
    def amount_fen(self) -> int:
        return self.fee_fen + self.subsidy_fen

    def confirmed(self, now: datetime) -> bool:
        """By the retailer, or because the time to dispute is over."""
        return self.confirmed_at is not None or self.dispute_until <= now

    def clock(self, now: datetime) -> Standing | None:
        """What it waits for; None once every line is paid."""
        due = Clocks(self.dispute_until, self.accept_by, self.review_by, self.pay_by)
        return standing(
            due, now, reviewed=self.confirmed(now) and not self.disputes, paid=self.paid_lines == self.lines
        )


class Line(NamedTuple):
    """A line, what was said against it, and how far its payment is."""

    receipt: Receipt
    dispute: str | None
    disputed_by: str | None
    disputed_at: datetime | None
    ruling: str | None
    correction: int | None
    explanation: str | None
    ruled_by: str | None
    approved_by: str | None
    held_for: str | None
    held_at: datetime | None
    payment: str | None
    payment_state: str | None
    paid_on: str | None

    @property
    def disputed(self) -> bool:
        """Whether it waits for a ruling."""
        return self.disputed_at is not None and self.ruling != "stands" and self.approved_by is None

    def standing(self, of: Statement, now: datetime) -> Words:
        proposed = self.ruling == "correct"
        return words.standing(
            Facts(self.payment_state, self.held_for is not None, self.disputed, proposed, of.confirmed(now))
        )

    def clock(self, of: Statement, now: datetime) -> Standing | None:
        due = Clocks(of.dispute_until, of.accept_by, of.review_by, of.pay_by)
        reviewed = of.confirmed(now) and not self.disputed
        return standing(due, now, reviewed=reviewed, paid=self.payment_state == PaymentState.PAID)


class OpenDispute(NamedTuple):
    """One that waits for a ruling, or for the second person of what was proposed."""

    month: str
    retailer: str
    line_no: int
    reason: str
    disputed_by: str
    disputed_at: datetime
    ruling: str | None
    correction: int | None
    explanation: str | None
    ruled_by: str | None


class Paid(NamedTuple):
    """A payment file; `sha256` in hex."""

    payment: str
    state: str
    lines: int
    amount_fen: int
    sha256: str
    prepared_by: str
    prepared_at: datetime
    released_by: str | None
    released_at: datetime | None
    refused_by: str | None
    refused_at: datetime | None
    refusal: str | None
    paid_by: str | None
    paid_at: datetime | None
    paid_on: str | None
    bank_reference: str | None


class PaymentKey(NamedTuple):
    """The last payment of a page; the next page begins below it."""

    prepared_at: datetime
    payment: str


def terms(connection: Connection, city: str) -> Terms:
    row = hot(connection, TERMS, {"city": city}).fetchone()
    return USUAL if row is None else Terms(*row)


def months(connection: Connection, city: str) -> list[Month]:
    """The last to be closed first; at most ten years."""
    return [Month(*row) for row in hot(connection, MONTHS, {"city": city, "limit": MONTHS_MAX})]


def statements_of_month(
    connection: Connection, city: str, month: str, *, after: str = FIRST, limit: int = PAGE_MAX
) -> list[Statement]:
    """By retailer, below `after`; at most 200."""
    given = {"city": city, "month": month, "after": after, "limit": min(limit, PAGE_MAX)}
    return [Statement(*row) for row in hot(connection, STATEMENTS_OF_MONTH, given)]


def statements_of_retailer(
    connection: Connection, city: str, retailer: str, *, after: str = FIRST, limit: int = PAGE_MAX
) -> list[Statement]:
    """The newest first, before the month `after`; at most 200."""
    given = {"city": city, "retailer": retailer, "after": after, "limit": min(limit, PAGE_MAX)}
    return [Statement(*row) for row in hot(connection, STATEMENTS_OF_RETAILER, given)]


def statement(connection: Connection, city: str, month: str, retailer: str) -> Statement | None:
    row = hot(connection, STATEMENT, {"city": city, "month": month, "retailer": retailer}).fetchone()
    return None if row is None else Statement(*row)


def unpaid_late(connection: Connection, city: str, now: datetime) -> list[Statement]:
    """Statements that are not paid although their review was due; the oldest first, at most 200."""
    return [Statement(*row) for row in hot(connection, UNPAID_LATE, {"city": city, "now": now, "limit": PAGE_MAX})]


def lines(
    connection: Connection, city: str, month: str, retailer: str, *, after: int = 0, limit: int = PAGE_MAX
) -> list[Line]:
    """Above the number `after`; at most 200."""
    given = {"city": city, "month": month, "retailer": retailer, "after": after, "limit": min(limit, PAGE_MAX)}
    rows = hot(connection, LINES, given)
    width = len(Receipt._fields)
    return [Line(Receipt(*row[:width]), *row[width:]) for row in rows]


def all_lines(connection: Connection, city: str, month: str, retailer: str) -> Iterator[Line]:
    """Every line of a statement, page by page."""
    page = lines(connection, city, month, retailer)
    while page:
        yield from page
        page = lines(connection, city, month, retailer, after=page[-1].receipt.line_no)


def open_disputes(connection: Connection, city: str, *, limit: int = PAGE_MAX) -> list[OpenDispute]:
    """The oldest first; at most 200."""
    rows = hot(connection, DISPUTES, {"city": city, "limit": min(limit, PAGE_MAX)})
    return [OpenDispute(*row) for row in rows]


def payments(
    connection: Connection, city: str, *, after: PaymentKey | None = None, limit: int = PAGE_MAX
) -> list[Paid]:
    """The newest first, below `after`; at most 200."""
    at, payment = after or (None, None)
    given = {"city": city, "at": at, "payment": payment, "limit": min(limit, PAGE_MAX)}
    return [Paid(*row) for row in hot(connection, PAYMENTS, given)]


def payment(connection: Connection, city: str, payment: str) -> Paid | None:
    row = hot(connection, PAYMENT, {"city": city, "payment": payment}).fetchone()
    return None if row is None else Paid(*row)


def payees(connection: Connection, city: str, payment: str) -> list[Payee]:
    return [Payee(*row) for row in hot(connection, PAYEES, {"city": city, "payment": payment})]


def retailer_of(connection: Connection, city: str, store: str) -> str | None:
    """Whose shop it is; None where it was never entered."""
    row = hot(connection, RETAILER_OF, {"city": city, "store": store}).fetchone()
    return None if row is None else str(row[0])
