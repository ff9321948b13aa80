"""Stock, limits and vouchers against the redemptions that they are of. One city, read only; every break is streamed."""

from collections.abc import Iterator

from sqlalchemy import Connection

from backend.kernel.findings import Break
from backend.storage.stream import streamed
from backend.storage.transaction import hot

COUNT = "SELECT count(*) FROM redemptions WHERE city = %(city)s"

OFF_STOCK = """
SELECT coalesce(e.entry, r.entry), e.taken::text, e.stock::text, r.pieces::text
FROM (SELECT entry, taken, stock FROM catalogue_entries WHERE city = %(city)s) e
FULL JOIN (SELECT entry, sum(pieces) AS pieces FROM redemptions
           WHERE city = %(city)s AND state IN ('held', 'confirmed') GROUP BY entry) r ON r.entry = e.entry
WHERE e.taken IS DISTINCT FROM coalesce(r.pieces, 0) OR e.taken < 0 OR e.taken > e.stock"""

# What somebody who came back had redeemed before counts, too: of each departure once, the largest of what the person's
# accounts carried.
OFF_LIMITS = """
SELECT coalesce(c.person, r.resident)::text, coalesce(c.entry, r.entry), coalesce(c.period, r.period), c.used::text,
       c.allowed::text, r.pieces::text
FROM (SELECT person, entry, period, used, allowed FROM redemption_counters WHERE city = %(city)s) c
FULL JOIN (SELECT resident, entry, period, sum(pieces) AS pieces
           FROM (SELECT resident, entry, period, pieces FROM redemptions
                 WHERE city = %(city)s AND state IN ('held', 'confirmed') AND period IS NOT NULL
                 UNION ALL
                 SELECT coalesce(m.survivor, k.person), substr(k.cap, length('redeemed:') + 1), k.period, max(k.used)
                 FROM carried_caps k LEFT JOIN merged_residents m ON m.absorbed = k.person
                 WHERE k.city = %(city)s AND starts_with(k.cap, 'redeemed:') GROUP BY 1, 2, 3, k.departure) counted
           GROUP BY resident, entry, period) r
  ON r.resident = c.person AND r.entry = c.entry AND r.period = c.period
WHERE c.used IS DISTINCT FROM coalesce(r.pieces, 0) OR c.used > c.allowed"""

# A voucher stands beside each confirmed redemption of its kind; what was voided has none that can be used.
OFF_VOUCHERS = """
SELECT coalesce(r.redemption, c.redemption)::text, r.state, c.state
FROM (SELECT r.redemption, r.state, v.points_back FROM redemptions r
      JOIN catalogue_versions v ON v.city = %(city)s AND v.entry = r.entry AND v.version = r.version
      WHERE r.city = %(city)s AND v.kind = 'voucher' AND r.state IN ('confirmed', 'voided')) r
FULL JOIN (SELECT redemption, state FROM vouchers WHERE city = %(city)s) c ON c.redemption = r.redemption
WHERE r.redemption IS NULL OR c.redemption IS NULL
   OR CASE r.state WHEN 'confirmed' THEN c.state = 'void' OR (c.state = 'expired' AND r.points_back)
                   ELSE c.state IN ('issued', 'used') END"""

# The price is the version's that was promised.
OFF_PRICES = """
SELECT r.redemption::text, r.points::text, (v.points * r.pieces)::text FROM redemptions r
LEFT JOIN catalogue_versions v ON v.city = %(city)s AND v.entry = r.entry AND v.version = r.version
WHERE r.city = %(city)s AND r.points IS DISTINCT FROM v.points * r.pieces"""


def count(connection: Connection, city: str) -> int:
    row = hot(connection, COUNT, {"city": city}).fetchone()
    assert row is not None
    return int(row[0])


def off_count(connection: Connection, city: str) -> Iterator[Break]:
    """Pieces of stocks and limits that are not those of redemptions, vouchers without theirs, prices nobody published."""
    for entry, taken, stock, pieces in streamed(connection, OFF_STOCK, {"city": city}):
        found = f"taken {taken or 'no entry'} of {stock or 'no end'}, redemptions hold or have {pieces or '0'}"
        yield Break(f"stock of {entry}", found)
    for person, entry, period, used, allowed, pieces in streamed(connection, OFF_LIMITS, {"city": city}):
        found = f"counted {used or 'nothing'} of {allowed or 'nothing'}, redemptions hold or have {pieces or '0'}"
        yield Break(f"limit of {entry} for {person} in {period}", found)
    for redemption, state, voucher in streamed(connection, OFF_VOUCHERS, {"city": city}):
        yield Break(f"redemption {redemption}", f"{state or 'not confirmed'}, its voucher {voucher or 'missing'}")
    for redemption, points, price in streamed(connection, OFF_PRICES, {"city": city}):
        yield Break(f"redemption {redemption}", f"{points} points, its version asks {price or 'nothing'}")
