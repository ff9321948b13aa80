"""Payments in the database, inside the caller's transaction: prepared, released or refused, paid."""

from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.settlements.files import Payee
from backend.settlements.model import Booked, PaymentStanding, PaymentState, PaymentUnknown
from backend.storage.transaction import hot

STATES_ZH = {
    PaymentState.PREPARED: "待放行",
    PaymentState.RELEASED: "已放行",
    PaymentState.REFUSED: "已退回",
    PaymentState.PAID: "已拨付",
}

# A dispute is over once the line stands or a correction was approved. What is held is held for the sold line.
PAYABLE = """
SELECT l.month, l.retailer, l.line_no, l.unit, l.amount FROM unpaid_statements u
JOIN statement_lines l ON l.city = %(city)s AND l.month = u.month AND l.retailer = u.retailer
JOIN settlement_months m ON m.city = %(city)s AND m.month = l.month
LEFT JOIN statement_confirmations c ON c.city = %(city)s AND c.month = l.month AND c.retailer = l.retailer
LEFT JOIN statement_disputes q ON q.city = %(city)s AND q.month = l.month AND q.retailer = l.retailer AND q.line_no = l.line_no
LEFT JOIN claim_holds h ON h.city = %(city)s AND h.basket = l.basket AND h.line_no = l.sale_line AND h.released_at IS NULL
LEFT JOIN settlement_payment_lines x ON x.city = %(city)s AND x.month = l.month AND x.retailer = l.retailer
  AND x.line_no = l.line_no AND NOT x.refused
WHERE u.city = %(city)s AND x.payment IS NULL AND h.hold IS NULL
  AND (q.line_no IS NULL OR q.ruling = 'stands' OR q.approved_at IS NOT NULL)
  AND (c.confirmed_at IS NOT NULL OR m.dispute_until <= %(now)s)"""

# A retailer whose goods came back for more than is due is paid nothing: its lines wait for later ones.
TAKE = f"""
INSERT INTO settlement_payment_lines (city, payment, month, retailer, line_no, refused)
SELECT %(city)s, %(payment)s::uuid, p.month, p.retailer, p.line_no, false
FROM (SELECT a.*, sum(amount) OVER (PARTITION BY retailer, unit) AS due FROM ({PAYABLE}) a) p WHERE p.due > 0"""

_OF_PAYMENT = """
FROM settlement_payment_lines x
JOIN statement_lines l ON l.city = %(city)s AND l.month = x.month AND l.retailer = x.retailer AND l.line_no = x.line_no
WHERE x.city = %(city)s AND x.payment = %(payment)s"""

PAYEES = f"""
INSERT INTO settlement_payees (city, payment, retailer, unit, lines, amount_fen)
SELECT %(city)s, %(payment)s::uuid, l.retailer, l.unit, count(*), sum(l.amount) {_OF_PAYMENT} GROUP BY l.retailer, l.unit"""

STATEMENTS = f"""
INSERT INTO settlement_payment_statements (city, month, retailer, payment, lines, amount_fen)
SELECT %(city)s, l.month, l.retailer, %(payment)s::uuid, count(*), sum(l.amount) {_OF_PAYMENT} GROUP BY l.month, l.retailer"""

# What is paid to its last line by now.
SETTLED = """
DELETE FROM unpaid_statements u USING settlement_payment_statements t, statements s
WHERE u.city = %(city)s AND t.city = %(city)s AND t.payment = %(payment)s AND t.month = u.month AND t.retailer = u.retailer
  AND s.city = %(city)s AND s.month = u.month AND s.retailer = u.retailer AND s.lines = (
    SELECT sum(x.lines) FROM settlement_payment_statements x
    JOIN settlement_payments p ON p.city = %(city)s AND p.payment = x.payment AND p.state = 'paid'
    WHERE x.city = %(city)s AND x.month = u.month AND x.retailer = u.retailer)"""

PAYEES_OF = """
SELECT retailer, unit, lines, amount_fen FROM settlement_payees
WHERE city = %(city)s AND payment = %(payment)s ORDER BY retailer, unit"""

SHARES = f"""
SELECT l.store, l.retailer, l.unit, sum(l.amount)::bigint {_OF_PAYMENT}
GROUP BY l.store, l.retailer, l.unit HAVING sum(l.amount) <> 0 ORDER BY l.retailer, l.store, l.unit"""

HELD_SINCE = f"""
SELECT count(*) FROM claim_holds h
JOIN (SELECT l.basket, l.sale_line {_OF_PAYMENT} AND l.basket IS NOT NULL) p ON p.basket = h.basket AND p.sale_line = h.line_no
WHERE h.city = %(city)s AND h.released_at IS NULL"""

INSERT = """
INSERT INTO settlement_payments (city, payment, state, lines, amount_fen, sha256, prepared_by, prepared_at)
VALUES (%(city)s, %(payment)s, 'prepared', %(lines)s, %(amount_fen)s, %(sha256)s, %(by)s, %(now)s)"""

LOCK = """
SELECT state, sha256, prepared_by, lines, amount_fen, released_at, paid_on::text, bank_reference FROM settlement_payments
WHERE city = %(city)s AND payment = %(payment)s FOR UPDATE"""

RELEASE = """
UPDATE settlement_payments SET state = 'released', released_by = %(by)s, released_at = %(now)s
WHERE city = %(city)s AND payment = %(payment)s AND state = 'prepared'"""

REFUSE = """
UPDATE settlement_payments SET state = 'refused', refused_by = %(by)s, refused_at = %(now)s, refusal = %(reason)s
WHERE city = %(city)s AND payment = %(payment)s AND state IN ('prepared', 'released')"""

FREE_LINES = "UPDATE settlement_payment_lines SET refused = true WHERE city = %(city)s AND payment = %(payment)s"

BOOK = """
UPDATE settlement_payments SET state = 'paid', paid_by = %(by)s, paid_at = %(now)s, paid_on = %(paid_on)s,
       bank_reference = %(bank_reference)s
WHERE city = %(city)s AND payment = %(payment)s AND state = 'released'"""


class Payment(NamedTuple):
    """One payment file, locked until COMMIT."""

    state: PaymentState
    sha256: bytes
    prepared_by: str
    lines: int
    amount_fen: int
    released_at: datetime | None
    paid_on: str | None
    bank_reference: str | None

    def check(self, *wanted: PaymentState) -> None:
        """Raises PaymentStanding."""
        if self.state not in wanted:
            raise PaymentStanding(state=self.state.value, state_zh=STATES_ZH[self.state])

    def is_repeat(self, booked: Booked) -> bool:
        """Whether it is booked as the bank says already."""
        return (self.state, self.paid_on, self.bank_reference) == (
            PaymentState.PAID,
            booked.paid_on,
            booked.bank_reference,
        )


class Share(NamedTuple):
    """What a payment moves at one shop's account, in fen; below zero where other shops of the retailer bear it."""

    store: str
    retailer: str
    unit: str
    amount: int


def take(connection: Connection, city: str, payment: str, now: datetime) -> list[Payee]:
    """Takes all lines that may be paid; whom they pay, by name."""
    hot(connection, TAKE, {"city": city, "payment": payment, "now": now})
    hot(connection, PAYEES, {"city": city, "payment": payment})
    hot(connection, STATEMENTS, {"city": city, "payment": payment})
    return payees(connection, city, payment)


def payees(connection: Connection, city: str, payment: str) -> list[Payee]:
    return [Payee(*row) for row in hot(connection, PAYEES_OF, {"city": city, "payment": payment})]


def insert(
    connection: Connection, city: str, payment: str, paid: list[Payee], sha256: bytes, by: str, now: datetime
) -> None:
    sums = {"lines": sum(one.lines for one in paid), "amount_fen": sum(one.amount_fen for one in paid)}
    hot(connection, INSERT, {"city": city, "payment": payment, **sums, "sha256": sha256, "by": by, "now": now})


def locked(connection: Connection, city: str, payment: str) -> Payment:
    """Raises PaymentUnknown."""
    row = hot(connection, LOCK, {"city": city, "payment": payment}).fetchone()
    if row is None:
        raise PaymentUnknown
    return Payment(PaymentState(row[0]), bytes(row[1]), *row[2:])


def held_since(connection: Connection, city: str, payment: str) -> int:
    """Of its lines, how many are held by now."""
    row = hot(connection, HELD_SINCE, {"city": city, "payment": payment}).fetchone()
    assert row is not None
    return int(row[0])


def release(connection: Connection, city: str, payment: str, by: str, now: datetime) -> None:
    _changed(connection, RELEASE, {"city": city, "payment": payment, "by": by, "now": now})


def refuse(connection: Connection, city: str, payment: str, by: str, reason: str, now: datetime) -> None:
    """Its lines may be paid by another."""
    _changed(connection, REFUSE, {"city": city, "payment": payment, "by": by, "reason": reason, "now": now})
    hot(connection, FREE_LINES, {"city": city, "payment": payment})


def shares(connection: Connection, city: str, payment: str) -> list[Share]:
    return [Share(*row) for row in hot(connection, SHARES, {"city": city, "payment": payment})]


def book(connection: Connection, city: str, payment: str, booked: Booked, now: datetime) -> None:
    given = {**booked._asdict(), "paid_on": date.fromisoformat(booked.paid_on)}
    _changed(connection, BOOK, {"city": city, "payment": payment, **given, "now": now})
    hot(connection, SETTLED, {"city": city, "payment": payment})


def _changed(connection: Connection, statement: str, given: dict[str, object]) -> None:
    """The caller has locked the row and seen its state."""
    if hot(connection, statement, given).rowcount != 1:
        raise ValueError("a payment changes from one state to the next")
