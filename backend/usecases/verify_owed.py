"""Part of invariant I11: what shops gave in the city's place and what was adjusted by hand is what the ledger moved; the
liability of each day that was frozen is what its transfers say.
"""

from collections.abc import Iterator

from sqlalchemy import Connection

from backend.kernel.findings import Break
from backend.storage.stream import streamed
from backend.usecases.report_liability import FLOWS

# What a shop gave in the city's place is what was awarded, and left the resident for the shop.
OFF_PREPAID = """
SELECT coalesce(p.prepayment, t.reference)::text, p.amount::text, t.amount::text, p.award::text
FROM (SELECT p.*, CASE p.award_no WHEN 1 THEN d.award ELSE f.award END AS award, coalesce(m.survivor, d.resident) AS owner
      FROM prepaid_awards p
      JOIN decisions d ON d.city = %(city)s AND d.basket = p.basket AND d.line_no = p.line_no AND d.decision_no = p.decision_no
      LEFT JOIN further_awards f ON f.city = %(city)s AND f.basket = p.basket AND f.line_no = p.line_no
        AND f.decision_no = p.decision_no AND f.award_no = p.award_no
      LEFT JOIN merged_residents m ON m.absorbed = d.resident
      WHERE p.city = %(city)s) p
FULL JOIN (SELECT t.reference, t.line, t.amount, t.destination, coalesce(m.survivor::text, split_part(t.source, ':', 2)) AS owner
           FROM transfers t LEFT JOIN merged_residents m ON m.absorbed::text = split_part(t.source, ':', 2)
           WHERE t.city = %(city)s AND t.reason = 'prepaid') t ON t.reference = p.prepayment AND t.line = p.place
WHERE p.amount IS DISTINCT FROM t.amount OR p.amount IS DISTINCT FROM p.award OR p.owner::text IS DISTINCT FROM t.owner
   OR t.destination IS DISTINCT FROM 'shop:' || p.store || ':fen'"""

# Of each redemption at a till and each voucher that was used, what its version promises the shop.
OFF_REIMBURSED = """
SELECT coalesce(r.redemption, t.reference)::text, r.owed::text, t.owed::text
FROM (SELECT r.redemption, coalesce(c.store, r.store) AS store, v.shop_fen * r.pieces AS owed FROM redemptions r
      JOIN catalogue_versions v ON v.city = %(city)s AND v.entry = r.entry AND v.version = r.version AND v.shop_fen IS NOT NULL
      LEFT JOIN vouchers c ON c.city = %(city)s AND c.redemption = r.redemption
      WHERE r.city = %(city)s AND r.state = 'confirmed' AND (c.state = 'used' OR c.state IS NULL AND r.store IS NOT NULL)) r
FULL JOIN (SELECT reference, shop, sum(owed) AS owed FROM (
             SELECT reference, destination AS shop, amount AS owed FROM transfers WHERE city = %(city)s AND reason = 'reimburse'
             UNION ALL
             SELECT reference, source, -amount FROM transfers
             WHERE city = %(city)s AND reason = 'reversal' AND starts_with(source, 'shop:')) moved
           GROUP BY reference, shop HAVING sum(owed) <> 0) t ON t.reference = r.redemption
WHERE r.owed IS DISTINCT FROM t.owed OR t.shop <> concat_ws(':', 'shop', r.store, 'fen')"""

# What was adjusted by hand is one posting of what was decided, from or to the account of its cause.
OFF_ADJUSTMENTS = """
SELECT coalesce(a.adjustment, t.reference)::text, a.amount::text, t.amount::text
FROM (SELECT a.*, coalesce(m.survivor, a.resident) AS owner FROM adjustments a
      LEFT JOIN merged_residents m ON m.absorbed = a.resident
      WHERE a.city = %(city)s AND a.state = 'posted') a
FULL JOIN (SELECT t.reference, t.unit, sum(CASE WHEN starts_with(t.source, 'adjust:') THEN t.amount ELSE -t.amount END) AS amount,
                  min(CASE WHEN starts_with(t.source, 'adjust:') THEN split_part(t.source, ':', 2)
                           ELSE split_part(t.destination, ':', 2) END) AS cause,
                  min(CASE WHEN starts_with(t.source, 'adjust:') THEN t.destination ELSE t.source END) AS own
           FROM transfers t WHERE t.city = %(city)s AND t.reason = 'adjust'
             AND NOT starts_with(t.source, 'adjust:dispute:') AND NOT starts_with(t.destination, 'adjust:dispute:')
           GROUP BY t.reference, t.unit) t ON t.reference = a.adjustment AND t.unit = a.unit
WHERE a.amount IS DISTINCT FROM t.amount OR a.cause <> t.cause
   OR CASE WHEN a.store IS NULL
           THEN split_part(t.own, ':', 2) NOT IN (a.resident::text, a.owner::text)
                AND NOT EXISTS (SELECT FROM merged_residents m WHERE m.survivor = a.owner
                                AND m.absorbed::text = split_part(t.own, ':', 2))
           ELSE t.own <> concat_ws(':', 'shop', a.store, a.unit) END"""

OFF_LIABILITY = f"""
SELECT coalesce(l.day, f.day)::text, coalesce(l.unit, f.unit), l.outstanding::text, f.outstanding::text
FROM (SELECT * FROM liability_days WHERE city = %(city)s) l
FULL JOIN (SELECT w.*, sum(w.issued + w.adjusted - w.used - w.expired - w.returned) OVER (PARTITION BY w.unit ORDER BY w.day)
                  AS outstanding
           FROM ({FLOWS}) w) f ON f.day = l.day AND f.unit = l.unit
WHERE (l.day IS NOT NULL AND f.day IS NOT NULL AND (l.issued, l.adjusted, l.used, l.expired, l.returned, l.outstanding)
         IS DISTINCT FROM (f.issued, f.adjusted, f.used, f.expired, f.returned, f.outstanding))
   OR (l.day IS NULL AND f.day <= (SELECT max(day) FROM liability_days WHERE city = %(city)s))
   OR (f.day IS NULL AND (l.issued, l.adjusted, l.used, l.expired, l.returned) <> (0, 0, 0, 0, 0))"""


def owed_unmatched(connection: Connection, city: str) -> Iterator[Break]:
    given = {"city": city, "since": "-infinity", "until": "infinity"}
    for prepayment, given_fen, moved, awarded in streamed(connection, OFF_PREPAID, given):
        found = f"given {given_fen or 'nothing'} of {awarded or 'nothing'}, ledger {moved or 'nothing'}"
        yield Break(f"prepayment {prepayment}", found)
    for redemption, owed, moved in streamed(connection, OFF_REIMBURSED, given):
        yield Break(f"redemption {redemption}", f"the shop is owed {owed or 'nothing'}, ledger {moved or 'nothing'}")
    for adjustment, decided, moved in streamed(connection, OFF_ADJUSTMENTS, given):
        yield Break(f"adjustment {adjustment}", f"decided {decided or 'nothing'}, ledger {moved or 'nothing'}")
    for day, unit, frozen, folded in streamed(connection, OFF_LIABILITY, given):
        found = f"frozen as {frozen or 'nothing'} outstanding, transfers say {folded or 'nothing'}"
        yield Break(f"liability of {unit} on {day}", found)
