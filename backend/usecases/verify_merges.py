"""Part of invariant I9: where two accounts of a person became one, all of the one is the other's, and nothing is left behind."""

from collections.abc import Iterator

from sqlalchemy import Connection

from backend.kernel.findings import Break
from backend.storage.stream import streamed

# Both owners are the same person by now.
STRANGERS = """
SELECT t.reference::text, t.source, t.destination
FROM (SELECT reference, source, destination, split_part(source, ':', 2) AS giver, split_part(destination, ':', 2) AS taker
      FROM transfers WHERE city = %(city)s AND reason = 'merge') t
LEFT JOIN merged_residents g ON g.absorbed::text = t.giver
LEFT JOIN merged_residents r ON r.absorbed::text = t.taker
WHERE coalesce(g.survivor::text, t.giver) <> coalesce(r.survivor::text, t.taker)"""

LEFT_BEHIND = """
SELECT 'account ' || a.account, 'holds ' || a.balance
FROM (SELECT account, balance FROM accounts WHERE city = %(city)s AND balance <> 0
        AND account ~ '^(resident|pending|collect|debt|held):') a
JOIN merged_residents m ON m.absorbed::text = split_part(a.account, ':', 2)
UNION ALL
SELECT 'basket ' || b.basket, 'is ' || b.resident FROM baskets b
JOIN merged_residents m ON m.absorbed = b.resident WHERE b.city = %(city)s
UNION ALL
SELECT 'redemption ' || r.redemption, 'is ' || r.resident FROM redemptions r
JOIN merged_residents m ON m.absorbed = r.resident WHERE r.city = %(city)s
UNION ALL
SELECT 'appeal ' || a.appeal, 'is ' || a.resident FROM appeals a
JOIN merged_residents m ON m.absorbed = a.resident WHERE a.city = %(city)s
UNION ALL
SELECT 'claim of missing points ' || p.claim, 'is ' || p.resident FROM missing_points p
JOIN merged_residents m ON m.absorbed = p.resident WHERE p.city = %(city)s
UNION ALL
SELECT 'card ' || k.card, 'credits ' || k.resident FROM member_cards k
JOIN merged_residents m ON m.absorbed = k.resident WHERE k.city = %(city)s
UNION ALL
SELECT 'cap ' || k.cap || ' ' || k.period, 'counts ' || k.used FROM cap_counters k
JOIN merged_residents m ON m.absorbed = k.person WHERE k.city = %(city)s AND k.used > 0"""

HALF = """
SELECT m.absorbed::text, m.survivor::text FROM merged_residents m
LEFT JOIN merged_residents again ON again.absorbed = m.survivor
LEFT JOIN residents r ON r.city = %(city)s AND r.resident = m.survivor
WHERE m.home = %(city)s AND (again.absorbed IS NOT NULL OR r.resident IS NULL OR NOT r.absorbed @> ARRAY[m.absorbed])"""


def merges_unmatched(connection: Connection, city: str) -> Iterator[Break]:
    for reference, source, destination in streamed(connection, STRANGERS, {"city": city}):
        yield Break(f"merge {reference}", f"from {source} to {destination}, who are two persons")
    for place, found in streamed(connection, LEFT_BEHIND, {"city": city}):
        yield Break(place, f"{found}, whom another account has absorbed")
    for absorbed, survivor in streamed(connection, HALF, {"city": city}):
        yield Break(f"resident {absorbed}", f"absorbed by {survivor}, who does not say so, or was absorbed too")
