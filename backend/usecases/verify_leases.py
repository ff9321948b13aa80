"""Leases in the books: what each account holds, what was drawn for whom, and that no promise was paid twice or beyond."""

from collections.abc import Iterator

from sqlalchemy import Connection

from backend.kernel.findings import Break
from backend.storage.stream import streamed

# Of each lease: the postings of its grant, of what baskets drew, of what went back.
OFF_LEASES = """
WITH moved AS (
  SELECT t.reference AS lease, coalesce(sum(t.amount) FILTER (WHERE t.reason = 'reserve'), 0) AS reserved,
         coalesce(sum(t.amount) FILTER (WHERE t.reason = 'unreserve'), 0) AS unreserved, count(DISTINCT t.step) AS postings
  FROM transfers t
  WHERE t.city = %(city)s AND t.reason IN ('reserve', 'unreserve') AND EXISTS (
    SELECT FROM leases l WHERE l.city = %(city)s AND l.lease = t.reference)
  GROUP BY t.reference),
promised AS (
  SELECT lease, sum(drawn) AS drawn, count(*) FILTER (WHERE fault IS NULL) AS accepted
  FROM lease_promises WHERE city = %(city)s GROUP BY lease)
SELECT l.lease::text, l.amount::text, l.drawn::text, l.returned::text, m.reserved::text, m.unreserved::text, p.drawn::text
FROM leases l LEFT JOIN moved m USING (lease) LEFT JOIN promised p USING (lease)
WHERE l.city = %(city)s AND (
  m.reserved IS DISTINCT FROM l.amount OR m.unreserved IS DISTINCT FROM l.drawn + l.returned OR m.postings <> l.postings
  OR coalesce(p.drawn, 0) <> l.drawn OR coalesce(p.accepted, 0) <> l.promises)"""

# What leases paid for a line is no more than what that very decision awarded out of their budgets.
OFF_DRAWS = """
WITH drawn AS (
  SELECT p.basket, p.line_no, p.decision_no, l.policy, l.unit, sum(p.drawn) AS amount
  FROM lease_promises p JOIN leases l ON l.city = %(city)s AND l.lease = p.lease
  WHERE p.city = %(city)s AND p.drawn > 0 GROUP BY 1, 2, 3, 4, 5),
awards AS (
  SELECT d.basket, d.line_no, d.decision_no, d.policy_version, d.unit, d.award FROM decisions d
  WHERE d.city = %(city)s AND d.award > 0
  UNION ALL
  SELECT f.basket, f.line_no, f.decision_no, f.policy_version, f.unit, f.award FROM further_awards f
  WHERE f.city = %(city)s AND f.award > 0)
SELECT w.basket::text, w.line_no, w.decision_no, w.amount::text, sum(a.award)::text
FROM drawn w
LEFT JOIN (SELECT a.*, v.policy FROM awards a
           JOIN policy_versions v ON v.city = %(city)s AND v.version = a.policy_version) a
  ON a.basket = w.basket AND a.line_no = w.line_no AND a.decision_no = w.decision_no AND a.policy = w.policy
 AND a.unit = w.unit
GROUP BY w.basket, w.line_no, w.decision_no, w.policy, w.unit, w.amount
HAVING coalesce(sum(a.award), 0) < w.amount"""


def leases_unmatched(connection: Connection, city: str) -> Iterator[Break]:
    for lease, amount, drawn, returned, reserved, unreserved, promised in streamed(
        connection, OFF_LEASES, {"city": city}
    ):
        found = (
            f"of {amount} drawn {drawn}, returned {returned}; posted {reserved or '0'} in and {unreserved or '0'} out,"
            f" promises say {promised or '0'}"
        )
        yield Break(f"lease {lease}", found)
    for basket, line_no, number, drawn, award in streamed(connection, OFF_DRAWS, {"city": city}):
        found = f"leases paid {drawn}, their budgets awarded {award or 'nothing'}"
        yield Break(f"award {basket} line {line_no} no {number}", found)
