"""Part of invariant I9: what returned pieces take back came from their resident or shop, into the accounts that had paid."""

from collections.abc import Iterator

from sqlalchemy import Connection

from backend.kernel.findings import Break
from backend.ledger import chart
from backend.policies.compiled import PolicySet
from backend.scans.model import READS_MAX
from backend.storage.columns import numbers, unquoted
from backend.storage.stream import streamed
from backend.usecases.award_postings import PART_STEP
from backend.usecases.return_postings import TRANSFERS_MAX

# By award: what the returned pieces take back, and what was; then by account, whether it got back more than it had paid.
OFF_RETURNS = """
WITH windows AS (SELECT * FROM unnest(%(versions)s::uuid[], %(days)s::int[]) w(version, days)),
back AS (
  SELECT r.basket, r.line_no, r.decision_no, r.quantity, r.return_id, r.place,
         (r.returned_at AT TIME ZONE INTERVAL '8 hours')::date - (b.sold_at AT TIME ZONE INTERVAL '8 hours')::date AS after_days
  FROM returns r JOIN baskets b ON b.city = %(city)s AND b.basket = r.basket WHERE r.city = %(city)s),
due AS (
  SELECT a.basket, a.line_no, a.decision_no, a.award_no, a.unit, a.owner, a.shops,
         CASE WHEN sum(k.quantity) = a.quantity THEN a.award WHEN strpos(a.rule, '#') > 0 THEN 0
              ELSE div(a.award::numeric * sum(k.quantity), a.quantity) END AS amount
  FROM (SELECT d.basket, d.line_no, d.decision_no, x.award_no, x.unit, x.award, x.rule, x.policy_version, d.quantity,
               CASE WHEN x.unit = 'fee' THEN (SELECT b.store FROM baskets b WHERE b.city = %(city)s AND b.basket = d.basket)
                    ELSE coalesce(p.store, d.resident::text) END AS owner, p.store IS NOT NULL OR x.unit = 'fee' AS shops
        FROM (SELECT DISTINCT k.basket, k.line_no, k.decision_no FROM back k) k
        JOIN decisions d ON d.city = %(city)s AND d.basket = k.basket AND d.line_no = k.line_no
          AND d.decision_no = k.decision_no
        JOIN LATERAL (
          SELECT 1 AS award_no, d.unit, d.award, d.rule, d.policy_version
          UNION ALL
          SELECT f.award_no, f.unit, f.award, f.rule, f.policy_version FROM further_awards f
          WHERE f.city = %(city)s AND f.basket = d.basket AND f.line_no = d.line_no AND f.decision_no = d.decision_no) x
          ON x.award > 0
        LEFT JOIN prepaid_awards p ON p.city = %(city)s AND p.basket = d.basket AND p.line_no = d.line_no
          AND p.decision_no = d.decision_no AND p.award_no = x.award_no) a
  JOIN windows w ON w.version = a.policy_version
  JOIN back k ON k.basket = a.basket AND k.line_no = a.line_no AND k.decision_no = a.decision_no
    AND (w.days IS NULL OR k.after_days <= w.days)
  GROUP BY a.basket, a.line_no, a.decision_no, a.award_no, a.unit, a.owner, a.shops, a.award, a.rule, a.quantity),
moved AS (
  SELECT coalesce(k.basket, t.reference) AS basket, k.line_no, k.decision_no, t.line / %(transfers_max)s + 1 AS award_no,
         t.unit, t.source, t.destination, t.amount
  FROM transfers t LEFT JOIN back k ON k.return_id = t.reference AND k.place + 1 = t.step
  WHERE t.city = %(city)s AND t.reason = 'return'),
sums AS (
  SELECT basket, line_no, decision_no, award_no, unit, sum(amount) AS amount,
         CASE WHEN min(owner) = max(owner) THEN min(owner) END AS owner,
         bool_and(kind = 'shop') AS shops, bool_and(kind = 'shop' OR kind = ANY(%(kinds)s::text[])) AS from_owner
  FROM (SELECT *, split_part(source, ':', 1) AS kind,
               CASE WHEN starts_with(source, 'shop:') THEN substr(source, 6, length(source) - 6 - length(unit))
                    ELSE coalesce(p.survivor::text, split_part(source, ':', 2)) END AS owner
        FROM moved LEFT JOIN merged_residents p ON p.absorbed::text = split_part(source, ':', 2)) m
  GROUP BY 1, 2, 3, 4, 5)
SELECT coalesce(d.basket, s.basket)::text, coalesce(d.line_no, s.line_no), d.amount::text, s.amount::text
FROM (SELECT * FROM due WHERE amount > 0) d
FULL JOIN sums s USING (basket, line_no, decision_no, award_no)
WHERE d.amount IS DISTINCT FROM s.amount OR d.unit IS DISTINCT FROM s.unit
   OR coalesce((SELECT p.survivor::text FROM merged_residents p WHERE p.absorbed::text = d.owner), d.owner)
        IS DISTINCT FROM s.owner OR s.from_owner IS NOT TRUE OR s.shops IS DISTINCT FROM d.shops
UNION ALL
SELECT m.basket::text, m.line_no, p.amount::text, m.amount::text
FROM (SELECT basket, line_no, decision_no, award_no, destination, sum(amount) AS amount FROM moved GROUP BY 1, 2, 3, 4, 5) m
LEFT JOIN (SELECT reference, step, line %% %(part_step)s AS line, source, sum(amount) AS amount FROM transfers
           WHERE city = %(city)s AND reason = 'award' GROUP BY 1, 2, 3, 4) p
  ON p.reference = m.basket AND p.step = m.decision_no AND p.line = m.line_no + (m.award_no - 1) * %(reads_max)s
  AND p.source = m.destination
WHERE p.amount IS NULL OR p.amount < m.amount"""


def returns_unmatched(connection: Connection, city: str, policies: PolicySet) -> Iterator[Break]:
    """Awards of which returns took back more or less than the share of the pieces, or elsewhere."""
    params = {
        "city": city,
        "reads_max": READS_MAX,
        "part_step": PART_STEP,
        "transfers_max": TRANSFERS_MAX,
        "versions": unquoted([policy.version for policy in policies]),
        "days": numbers([policy.policy.returns.days for policy in policies]),
        "kinds": unquoted(chart.OF_RESIDENTS),
    }
    for basket, line_no, due, taken in streamed(connection, OFF_RETURNS, params):
        found = f"to be taken back, or paid: {due or 'nothing'}, taken back {taken or 'nothing'}"
        yield Break(f"return of {basket} line {line_no}", found)
