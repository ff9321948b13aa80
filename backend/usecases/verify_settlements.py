"""I11: what shops are owed stands on statements once, and what they were paid left their accounts once."""

from collections.abc import Iterator

from sqlalchemy import Connection

from backend.kernel.findings import Break, Finding, finding
from backend.settlements.clock import end_of
from backend.storage.stream import streamed
from backend.storage.transaction import hot
from backend.usecases import shop_claims
from backend.usecases.close_settlement import EVER, LATE
from backend.usecases.verify_owed import owed_unmatched

COUNT = "SELECT count(*) FROM statement_lines WHERE city = %(city)s"
CLOSED = "SELECT max(month) FROM settlement_months WHERE city = %(city)s"
CLOSED_AS_SAID = "SELECT closed_through FROM settlement_terms WHERE city = %(city)s"

# What was committed just after its month was closed stands on the next statement: of the last day it may still be missing.
OFF_CLAIMS = f"""
SELECT coalesce(c.reference, l.reference)::text, coalesce(c.step, l.step), c.amount::text, l.amount::text, l.month
FROM ({shop_claims.CLAIMS}) c
FULL JOIN (SELECT * FROM statement_lines WHERE city = %(city)s) l
  ON l.reference = c.reference AND l.step = c.step AND l.claim = c.claim
LEFT JOIN stores s ON s.city = %(city)s AND s.store = l.store
WHERE c.reference IS NULL OR l.reference IS NULL AND c.recorded_at < %(surely)s OR l.amount <> c.amount OR l.unit <> c.unit
   OR l.store <> c.store OR l.recorded_at <> c.recorded_at OR l.retailer <> coalesce(s.retailer, l.store)"""

# Its cause and the sale that it is of are the ledger's, and no line is of a month that its claim came after.
OFF_SALES = """
SELECT l.month, l.retailer, l.line_no, l.cause FROM statement_lines l
JOIN transfers t ON t.city = %(city)s AND t.reference = l.reference AND t.step = l.step
LEFT JOIN returns r ON r.city = %(city)s AND r.return_id = l.reference AND r.place = l.step - 1
LEFT JOIN settlement_months m ON m.city = %(city)s AND m.month = l.month
WHERE l.city = %(city)s
  AND (CASE t.reason WHEN 'award' THEN l.cause <> 'fee' OR l.basket IS DISTINCT FROM l.reference
                     WHEN 'return' THEN l.cause <> 'return' OR l.basket IS DISTINCT FROM r.basket
                                        OR l.sale_line IS DISTINCT FROM r.line_no
                     WHEN 'prepaid' THEN l.cause <> 'prepaid' WHEN 'reversal' THEN l.cause <> 'undone'
                     WHEN 'reimburse' THEN l.cause NOT IN ('voucher', 'service')
                     ELSE l.cause NOT IN ('adjustment', 'correction') END
       OR m.month IS NULL OR l.recorded_at >= m.ended_at)"""

OFF_SUMS = """
SELECT coalesce(s.month, l.month), coalesce(s.retailer, l.retailer), s.lines::text, l.lines::text, s.fee_fen::text, l.fee::text,
       s.subsidy_fen::text, l.subsidy::text
FROM (SELECT * FROM statements WHERE city = %(city)s) s
FULL JOIN (SELECT month, retailer, count(*) AS lines, max(line_no) AS last,
                  coalesce(sum(amount) FILTER (WHERE unit = 'fee'), 0) AS fee,
                  coalesce(sum(amount) FILTER (WHERE unit = 'fen'), 0) AS subsidy
           FROM statement_lines WHERE city = %(city)s GROUP BY month, retailer) l
  ON l.month = s.month AND l.retailer = s.retailer
WHERE s.lines IS DISTINCT FROM l.lines OR l.last <> l.lines OR s.fee_fen IS DISTINCT FROM l.fee
   OR s.subsidy_fen IS DISTINCT FROM l.subsidy"""

OFF_MONTHS = """
SELECT coalesce(m.month, s.month), m.statements::text, s.statements::text, m.lines::text, s.lines::text
FROM (SELECT * FROM settlement_months WHERE city = %(city)s) m
FULL JOIN (SELECT month, count(*) AS statements, sum(lines) AS lines FROM statements
           WHERE city = %(city)s GROUP BY month) s ON s.month = m.month
WHERE m.statements IS DISTINCT FROM coalesce(s.statements, 0) OR m.lines IS DISTINCT FROM coalesce(s.lines, 0)"""

OFF_PAYEES = """
SELECT coalesce(p.payment, l.payment)::text, coalesce(p.retailer, l.retailer), p.amount_fen::text, l.amount::text
FROM (SELECT * FROM settlement_payees WHERE city = %(city)s) p
FULL JOIN (SELECT x.payment, x.retailer, l.unit, count(*) AS lines, sum(l.amount) AS amount FROM settlement_payment_lines x
           LEFT JOIN statement_lines l ON l.city = %(city)s AND l.month = x.month AND l.retailer = x.retailer
             AND l.line_no = x.line_no
           WHERE x.city = %(city)s GROUP BY x.payment, x.retailer, l.unit) l
  ON l.payment = p.payment AND l.retailer = p.retailer AND l.unit = p.unit
WHERE p.amount_fen IS DISTINCT FROM l.amount OR p.lines IS DISTINCT FROM l.lines
UNION ALL
SELECT coalesce(p.payment, e.payment)::text, 'total', p.amount_fen::text, e.amount::text
FROM (SELECT * FROM settlement_payments WHERE city = %(city)s) p
FULL JOIN (SELECT payment, sum(amount_fen) AS amount, sum(lines) AS lines FROM settlement_payees
           WHERE city = %(city)s GROUP BY payment) e ON e.payment = p.payment
WHERE p.amount_fen IS DISTINCT FROM e.amount OR p.lines IS DISTINCT FROM e.lines"""

# What pages read in place of the lines.
OFF_SHARES = """
SELECT coalesce(t.payment, x.payment)::text, coalesce(t.month, x.month), coalesce(t.retailer, x.retailer), t.amount_fen::text,
       x.amount::text
FROM (SELECT * FROM settlement_payment_statements WHERE city = %(city)s) t
FULL JOIN (SELECT x.payment, x.month, x.retailer, count(*) AS lines, sum(l.amount) AS amount FROM settlement_payment_lines x
           LEFT JOIN statement_lines l ON l.city = %(city)s AND l.month = x.month AND l.retailer = x.retailer
             AND l.line_no = x.line_no
           WHERE x.city = %(city)s GROUP BY x.payment, x.month, x.retailer) x
  ON x.payment = t.payment AND x.month = t.month AND x.retailer = t.retailer
WHERE t.lines IS DISTINCT FROM x.lines OR t.amount_fen IS DISTINCT FROM x.amount"""

OFF_UNPAID = """
SELECT s.month, s.retailer, s.lines::text, paid.lines::text FROM statements s
CROSS JOIN LATERAL (
  SELECT coalesce(sum(t.lines), 0) AS lines FROM settlement_payment_statements t
  JOIN settlement_payments p ON p.city = %(city)s AND p.payment = t.payment AND p.state = 'paid'
  WHERE t.city = %(city)s AND t.month = s.month AND t.retailer = s.retailer) paid
LEFT JOIN unpaid_statements u ON u.city = %(city)s AND u.month = s.month AND u.retailer = s.retailer
WHERE s.city = %(city)s AND (paid.lines < s.lines) <> (u.month IS NOT NULL)"""

PAID_TWICE = """
SELECT x.month, x.retailer, x.line_no, count(*) FROM settlement_payment_lines x
JOIN settlement_payments p ON p.city = %(city)s AND p.payment = x.payment
WHERE x.city = %(city)s AND (p.state <> 'refused' OR NOT x.refused) GROUP BY 1, 2, 3 HAVING count(*) > 1
UNION ALL
SELECT x.month, x.retailer, x.line_no, 0 FROM settlement_payment_lines x
JOIN settlement_payments p ON p.city = %(city)s AND p.payment = x.payment
WHERE x.city = %(city)s AND x.refused <> (p.state = 'refused')"""

# Of each paid file, shop and unit, what its lines sum to and what the ledger moved.
OFF_POSTINGS = """
SELECT coalesce(p.payment, t.reference)::text, coalesce(p.store, t.store), p.amount::text, t.amount::text
FROM (SELECT x.payment, l.store, l.retailer, l.unit, sum(l.amount) AS amount FROM settlement_payment_lines x
      JOIN settlement_payments s ON s.city = %(city)s AND s.payment = x.payment AND s.state = 'paid'
      JOIN statement_lines l ON l.city = %(city)s AND l.month = x.month AND l.retailer = x.retailer AND l.line_no = x.line_no
      WHERE x.city = %(city)s GROUP BY 1, 2, 3, 4 HAVING sum(l.amount) <> 0) p
FULL JOIN (
  SELECT reference, unit, sum(amount) AS amount, substr(shop, 6, length(shop) - 6 - length(unit)) AS store,
         substr(paid, 6, length(paid) - 6 - length(unit)) AS retailer
  FROM (SELECT reference, unit, amount, source AS shop, destination AS paid FROM transfers
        WHERE city = %(city)s AND reason = 'payment' AND starts_with(source, 'shop:')
        UNION ALL
        SELECT reference, unit, -amount, destination, source FROM transfers
        WHERE city = %(city)s AND reason = 'payment' AND NOT starts_with(source, 'shop:')) moved
  GROUP BY reference, unit, shop, paid) t
  ON t.reference = p.payment AND t.store = p.store AND t.retailer = p.retailer AND t.unit = p.unit
WHERE p.amount IS DISTINCT FROM t.amount"""

# Nothing was put into a file while it was held, under dispute, or still open to dispute.
UNRIPE = """
SELECT x.payment::text, x.month, x.retailer, x.line_no FROM settlement_payment_lines x
JOIN settlement_payments p ON p.city = %(city)s AND p.payment = x.payment AND p.state <> 'refused'
JOIN statement_lines l ON l.city = %(city)s AND l.month = x.month AND l.retailer = x.retailer AND l.line_no = x.line_no
JOIN settlement_months m ON m.city = %(city)s AND m.month = x.month
LEFT JOIN statement_confirmations c ON c.city = %(city)s AND c.month = x.month AND c.retailer = x.retailer
LEFT JOIN statement_disputes q ON q.city = %(city)s AND q.month = x.month AND q.retailer = x.retailer AND q.line_no = x.line_no
LEFT JOIN claim_holds h ON h.city = %(city)s AND h.basket = l.basket AND h.line_no = l.sale_line
  AND h.held_at < p.prepared_at AND coalesce(h.released_at > p.prepared_at, true)
WHERE x.city = %(city)s
  AND (h.hold IS NOT NULL OR least(c.confirmed_at, m.dispute_until) > p.prepared_at
       OR q.line_no IS NOT NULL AND coalesce(CASE q.ruling WHEN 'correct' THEN q.approved_at ELSE q.ruled_at END
                                             > p.prepared_at, true))"""

OFF_CORRECTIONS = """
SELECT coalesce(q.correction_reference, t.reference)::text, q.correction::text, t.amount::text
FROM (SELECT q.*, l.store, l.unit FROM statement_disputes q
      LEFT JOIN statement_lines l ON l.city = %(city)s AND l.month = q.month AND l.retailer = q.retailer
        AND l.line_no = q.line_no
      WHERE q.city = %(city)s AND q.approved_at IS NOT NULL) q
FULL JOIN (SELECT reference, unit, CASE WHEN starts_with(source, 'shop:') THEN -amount ELSE amount END AS amount,
                  CASE WHEN starts_with(source, 'shop:') THEN source ELSE destination END AS shop
           FROM transfers WHERE city = %(city)s AND reason = 'adjust'
             AND (starts_with(source, 'adjust:dispute:') OR starts_with(destination, 'adjust:dispute:'))) t
  ON t.reference = q.correction_reference
WHERE q.correction IS DISTINCT FROM t.amount OR t.shop <> concat_ws(':', 'shop', q.store, q.unit)"""

BY_ONE = """
SELECT 'payment ' || payment::text, prepared_by FROM settlement_payments
WHERE city = %(city)s AND (released_by = prepared_by OR state IN ('released', 'paid') AND released_by IS NULL)
UNION ALL
SELECT 'adjustment ' || adjustment::text, proposed_by FROM adjustments
WHERE city = %(city)s AND state = 'posted' AND (judged_by = proposed_by OR judged_by IS NULL AND abs(amount) > alone_max)
UNION ALL
SELECT concat_ws(' ', 'dispute', month, retailer, line_no), ruled_by FROM statement_disputes
WHERE city = %(city)s AND approved_by = ruled_by"""

_LINES = (
    (OFF_SALES, "its cause, sale or month is not the ledger's"),
    (PAID_TWICE, "stands in payments that are not refused:"),
)


def settlements_hold(connection: Connection, city: str) -> Finding:
    """I11: what moved at shops' accounts before the last close stands on one statement line each, to the fen; statements and
    months sum their lines; payments pay lines once that nobody held or disputed, and moved just that in the ledger; what
    takes two people was done by two.
    """
    (count,) = hot(connection, COUNT, {"city": city}).fetchone() or (0,)
    return finding("I11", city, count, _breaks(connection, city))


def _breaks(connection: Connection, city: str) -> Iterator[Break]:
    given = {"city": city}
    (closed,) = hot(connection, CLOSED, given).fetchone() or (None,)
    (said,) = hot(connection, CLOSED_AS_SAID, given).fetchone() or (None,)
    if closed != said:
        yield Break("months", f"closed through {closed or 'none'}, said {said or 'none'}")
    if closed is not None:
        yield from _off_claims(connection, city, closed)
    for month, retailer, lines, found_lines, fee, found_fee, subsidy, found_subsidy in streamed(
        connection, OFF_SUMS, given
    ):
        found = f"{lines} lines of {found_lines}, fees {fee} of {found_fee}, subsidies {subsidy} of {found_subsidy}"
        yield Break(f"statement {month} {retailer}", found)
    for month, statements, found_statements, lines, found_lines in streamed(connection, OFF_MONTHS, given):
        yield Break(f"month {month}", f"{statements} statements of {found_statements}, {lines} lines of {found_lines}")
    yield from _off_payments(connection, city)


def _off_claims(connection: Connection, city: str, closed: str) -> Iterator[Break]:
    ended_at = end_of(closed)
    params = {**shop_claims.params(city, EVER, ended_at), "surely": ended_at - LATE}
    for reference, step, owed, stated, month in streamed(connection, OFF_CLAIMS, params):
        found = f"the ledger moved {owed or 'nothing'}, {month or 'no'} statement says {stated or 'nothing'}"
        yield Break(f"claim {reference} step {step}", found)
    for statement, fault in _LINES:
        for month, retailer, line_no, found in streamed(connection, statement, {"city": city}):
            yield Break(f"line {month} {retailer} {line_no}", f"{fault} {found}")


def _off_payments(connection: Connection, city: str) -> Iterator[Break]:
    given = {"city": city}
    for payment, payee, amount, summed in streamed(connection, OFF_PAYEES, given):
        yield Break(f"payment {payment} {payee}", f"says {amount or 'nothing'}, its lines sum to {summed or 'nothing'}")
    for payment, month, retailer, said, summed in streamed(connection, OFF_SHARES, given):
        found = f"says {said or 'nothing'}, its lines sum to {summed or 'nothing'}"
        yield Break(f"payment {payment} of {month} {retailer}", found)
    for month, retailer, lines, paid in streamed(connection, OFF_UNPAID, given):
        yield Break(
            f"statement {month} {retailer}", f"{paid} of {lines} lines paid, and the queue of unpaid says otherwise"
        )
    for payment, store, summed, moved in streamed(connection, OFF_POSTINGS, given):
        yield Break(f"payment {payment} shop {store}", f"lines {summed or 'nothing'}, ledger {moved or 'nothing'}")
    for payment, month, retailer, line_no in streamed(connection, UNRIPE, given):
        yield Break(
            f"payment {payment}", f"pays {month} {retailer} {line_no}, which was held, disputed or not confirmed"
        )
    for reference, correction, moved in streamed(connection, OFF_CORRECTIONS, given):
        yield Break(f"correction {reference}", f"ruled {correction or 'nothing'}, ledger {moved or 'nothing'}")
    yield from owed_unmatched(connection, city)
    for place, by in streamed(connection, BY_ONE, given):
        yield Break(place, f"both done by {by}, or by nobody")
