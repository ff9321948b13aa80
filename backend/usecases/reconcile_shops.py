"""Each shop's account against its claims: what the ledger says is due is on unpaid lines, or waits for the next close."""

from datetime import datetime

from sqlalchemy import Connection

from backend.settlements.clock import end_of
from backend.storage.stream import allow_long_reads
from backend.storage.transaction import Database, hot
from backend.usecases import shop_claims
from backend.usecases.close_settlement import EVER, LATE
from backend.usecases.overdue_claims import CLOSED_THROUGH

ROWS_MAX = 200
FOREVER = "infinity"

FORGET = "DELETE FROM shop_reconciliations WHERE city = %(city)s"

KEEP = f"""
INSERT INTO shop_reconciliations (city, store, unit, name_zh, retailer, balance, unpaid, waiting, reckoned_at)
SELECT %(city)s, a.store, a.unit, s.name_zh, s.retailer, a.balance, coalesce(l.amount, 0)::bigint,
       coalesce(f.amount, 0)::bigint, %(now)s
FROM (SELECT substr(account, 6, length(account) - 6 - length(unit)) AS store, unit, balance FROM accounts
      WHERE city = %(city)s AND starts_with(account, 'shop:')) a
LEFT JOIN stores s ON s.city = %(city)s AND s.store = a.store
LEFT JOIN (SELECT l.store, l.unit, sum(l.amount) AS amount FROM statement_lines l
           LEFT JOIN settlement_payment_lines x ON x.city = %(city)s AND x.month = l.month AND x.retailer = l.retailer
             AND x.line_no = l.line_no AND NOT x.refused
           LEFT JOIN settlement_payments p ON p.city = %(city)s AND p.payment = x.payment
           WHERE l.city = %(city)s AND p.state IS DISTINCT FROM 'paid' GROUP BY l.store, l.unit) l
  ON l.store = a.store AND l.unit = a.unit
LEFT JOIN (SELECT store, unit, sum(amount) AS amount FROM ({shop_claims.FRESH}) c GROUP BY store, unit) f
  ON f.store = a.store AND f.unit = a.unit
ORDER BY abs(a.balance - coalesce(l.amount, 0) - coalesce(f.amount, 0)) DESC, abs(a.balance) DESC, a.store, a.unit
LIMIT %(limit)s"""


def keep_reconciliation(database: Database, city: str, now: datetime) -> int:
    """Finds the accounts anew, differences first, then the largest sums, at most 200; how many. It reads whatever is unpaid:
    pages show what it found.
    """

    def work(connection: Connection) -> int:
        allow_long_reads(connection)
        (closed,) = hot(connection, CLOSED_THROUGH, {"city": city}).fetchone() or (None,)
        since = EVER if closed is None else end_of(closed) - LATE
        hot(connection, FORGET, {"city": city})
        given = {**shop_claims.params(city, since, FOREVER), "limit": ROWS_MAX, "now": now}
        return hot(connection, KEEP, given).rowcount

    return database.write(work)
