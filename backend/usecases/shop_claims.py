"""What shops are owed, as the ledger says: each cause of value at a shop's account is one claim."""

from datetime import datetime

from backend.scans.model import READS_MAX
from backend.usecases.award_postings import PART_STEP
from backend.usecases.return_postings import TRANSFERS_MAX

CLAIMS = """
  SELECT reference, step, CASE reason WHEN 'award' THEN line %% %(part_step)s WHEN 'return' THEN line / %(transfers_max)s
                                      ELSE line END AS claim,
         reason, unit, substr(account, 6, length(account) - 6 - length(unit)) AS store, sum(amount)::bigint AS amount,
         min(recorded_at) AS recorded_at
  FROM (SELECT reference, step, line, reason, unit, destination AS account, amount, recorded_at FROM transfers
        WHERE city = %(city)s AND starts_with(destination, 'shop:') AND reason <> 'payment'
          AND recorded_at >= %(since)s AND recorded_at < %(until)s
        UNION ALL
        SELECT reference, step, line, reason, unit, source, -amount, recorded_at FROM transfers
        WHERE city = %(city)s AND starts_with(source, 'shop:') AND reason <> 'payment'
          AND recorded_at >= %(since)s AND recorded_at < %(until)s) moved
  GROUP BY 1, 2, 3, 4, 5, 6"""
"""Claims of [since, until). What several budgets paid together for one award is one claim, as is what one return takes back of
one award; payments aside."""

# What was sold: of an award its own line, of a return the line that came back, of a prepayment the line it was for, of a
# correction what the disputed line was of: who holds a sale holds what a ruling adds to it or takes off.
_SALE_JOINS = """
LEFT JOIN returns r ON r.city = %(city)s AND c.reason = 'return' AND r.return_id = c.reference AND r.place = c.step - 1
LEFT JOIN prepaid_awards p ON p.city = %(city)s AND c.reason = 'prepaid' AND p.prepayment = c.reference AND p.place = c.claim
LEFT JOIN vouchers v ON v.city = %(city)s AND c.reason = 'reimburse' AND v.redemption = c.reference
LEFT JOIN statement_disputes q ON q.city = %(city)s AND c.reason = 'adjust' AND q.correction_reference = c.reference
LEFT JOIN statement_lines o ON o.city = %(city)s AND o.month = q.month AND o.retailer = q.retailer AND o.line_no = q.line_no"""

FRESH = f"""
SELECT c.reference, c.step, c.claim, c.unit, c.store, c.amount, c.recorded_at, coalesce(s.retailer, c.store) AS retailer,
       CASE c.reason WHEN 'award' THEN 'fee' WHEN 'reversal' THEN 'undone'
                     WHEN 'reimburse' THEN CASE WHEN v.redemption IS NULL THEN 'service' ELSE 'voucher' END
                     WHEN 'adjust' THEN CASE WHEN q.line_no IS NULL THEN 'adjustment' ELSE 'correction' END
                     ELSE c.reason END AS cause,
       CASE c.reason WHEN 'award' THEN c.reference ELSE coalesce(r.basket, p.basket, o.basket) END AS basket,
       CASE c.reason WHEN 'award' THEN c.claim %% %(reads_max)s ELSE coalesce(r.line_no, p.line_no, o.sale_line) END::smallint
         AS sale_line
FROM ({CLAIMS}) c
LEFT JOIN stores s ON s.city = %(city)s AND s.store = c.store
{_SALE_JOINS}
LEFT JOIN statement_lines l ON l.city = %(city)s AND l.reference = c.reference AND l.step = c.step AND l.claim = c.claim
WHERE l.reference IS NULL"""
"""Claims that stand on no statement yet, with whose they are, why, and what was sold."""


def params(city: str, since: datetime | str, until: datetime | str) -> dict[str, object]:
    """What both bind. `since` may be -infinity, `until` infinity."""
    numbers = {"part_step": PART_STEP, "transfers_max": TRANSFERS_MAX, "reads_max": READS_MAX}
    return {"city": city, "since": since, "until": until, **numbers}
