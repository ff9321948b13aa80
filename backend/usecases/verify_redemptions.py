"""I10: redemptions and the ledger say the same: what is held is held once, what is spent was spent once, all went back."""

from collections.abc import Iterator

from sqlalchemy import Connection

from backend.kernel.findings import Break, Finding, finding
from backend.redemptions import verify
from backend.redemptions.model import UNIT
from backend.storage.stream import streamed

# Of each redemption, what its state says and what was posted under its id.
OFF_POSTINGS = """
SELECT coalesce(r.redemption, t.reference)::text, r.state, r.points::text, t.held::text, t.spent::text, t.back::text,
       r.lapsed::text, r.repaid::text, t.lapsed::text, t.repaid::text
FROM (SELECT r.*, v.recipient FROM redemptions r
      LEFT JOIN catalogue_versions v ON v.city = %(city)s AND v.entry = r.entry AND v.version = r.version
      WHERE r.city = %(city)s) r
FULL JOIN (
  SELECT reference, coalesce(sum(amount) FILTER (WHERE reason = 'hold'), 0) AS held,
         coalesce(sum(amount) FILTER (WHERE step = 3), 0) AS spent,
         coalesce(sum(amount) FILTER (WHERE step = -1), 0) AS back,
         coalesce(sum(amount) FILTER (WHERE step = -3), 0) AS unspent,
         coalesce(sum(amount) FILTER (WHERE step = 2 AND reason = 'expiry'), 0) AS lapsed,
         coalesce(sum(amount) FILTER (WHERE step = 2 AND reason = 'repay'), 0) AS repaid,
         bool_and(reason <> 'hold' OR destination = concat_ws(':', 'held', split_part(source, ':', 2), reference, unit)) AS own,
         min(split_part(source, ':', 2)) FILTER (WHERE reason = 'hold') AS resident, min(unit) AS unit,
         min(destination) FILTER (WHERE step = 3) AS destination
  FROM transfers
  WHERE city = %(city)s AND step NOT IN (4, -4) AND reference IN (
    SELECT reference FROM transfers WHERE city = %(city)s AND reason IN ('hold', 'redemption', 'donation'))
  GROUP BY reference) t ON t.reference = r.redemption
WHERE r.redemption IS NULL OR t.reference IS NULL OR t.held <> r.points OR t.own IS NOT TRUE
   OR coalesce((SELECT m.survivor::text FROM merged_residents m WHERE m.absorbed::text = t.resident), t.resident)
        IS DISTINCT FROM r.resident::text OR t.unit <> %(unit)s
   OR t.spent <> CASE WHEN r.state IN ('confirmed', 'voided') THEN r.points ELSE 0 END
   OR t.unspent <> CASE r.state WHEN 'voided' THEN r.points ELSE 0 END
   OR t.back <> CASE WHEN r.state IN ('held', 'confirmed') THEN 0 ELSE r.points END
   OR t.lapsed <> coalesce(r.lapsed, 0) OR t.repaid <> coalesce(r.repaid, 0)
   OR t.destination <> CASE WHEN r.recipient IS NULL THEN 'redeemed:' || t.unit
                            ELSE concat_ws(':', 'recipient', r.recipient, t.unit) END"""

OFF_HELD = """
SELECT coalesce(a.account, r.account), a.balance::text, r.points::text
FROM (SELECT account, balance FROM accounts WHERE city = %(city)s AND account LIKE 'held:%%' AND balance <> 0) a
FULL JOIN (SELECT concat_ws(':', 'held', resident, redemption, %(unit)s::text) AS account, points FROM redemptions
           WHERE city = %(city)s AND state = 'held') r ON r.account = a.account
WHERE a.balance IS DISTINCT FROM r.points"""


def redemptions_hold(connection: Connection, city: str) -> Finding:
    """I10: what accounts hold for redemptions is what open ones ask, account by account; points were spent once for each that
    was confirmed, and came back whole for each that was not; stocks, limits and vouchers count the same redemptions.
    """
    return finding("I10", city, verify.count(connection, city), _breaks(connection, city))


def _breaks(connection: Connection, city: str) -> Iterator[Break]:
    params = {"city": city, "unit": UNIT.value}
    for account, balance, points in streamed(connection, OFF_HELD, params):
        yield Break(f"account {account}", f"holds {balance or 'nothing'}, open redemptions ask {points or 'nothing'}")
    for redemption, state, points, held, spent, back, *ended in streamed(connection, OFF_POSTINGS, params):
        found = f"{state or 'no redemption'} of {points or '0'}: held {held or '0'}, spent {spent or '0'}, back {back or '0'}"
        yield Break(f"redemption {redemption}", f"{found}; lapsed, repaid {ended}")
    yield from verify.off_count(connection, city)
