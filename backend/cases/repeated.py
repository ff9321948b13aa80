"""Labels of single pieces that were read again after their first sale (G1, G2): signs on a label, never on a resident."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.storage.transaction import hot

PAGE_MAX = 100
READS_MAX = 20_000
"""Repeated reads of a period that are looked at, the latest first."""

REPEATED = """
WITH again AS MATERIALIZED (
  SELECT d.label_key, d.basket FROM decisions d
  WHERE d.city = %(city)s AND d.reason = 'unit_already_awarded' AND d.decided_at >= %(since)s AND d.label_key IS NOT NULL
  ORDER BY d.decided_at DESC LIMIT %(reads)s),
reads AS (
  SELECT a.label_key, b.store, b.sold_at, false AS is_first FROM again a
  JOIN baskets b ON b.city = %(city)s AND b.basket = a.basket
  UNION ALL
  SELECT u.key, b.store, b.sold_at, true FROM (SELECT DISTINCT label_key FROM again) a
  JOIN unit_claims u ON u.key = a.label_key AND u.city = %(city)s
  JOIN baskets b ON b.city = %(city)s AND b.basket = u.basket),
between AS (
  SELECT r.label_key, r.store, r.sold_at, r.is_first,
         lag(r.store) OVER w AS store_before, lag(r.sold_at) OVER w AS sold_before
  FROM reads r WINDOW w AS (PARTITION BY r.label_key ORDER BY r.sold_at))
SELECT label_key, count(*) FILTER (WHERE NOT is_first), count(DISTINCT store),
       min(store) FILTER (WHERE is_first), min(sold_at), max(sold_at),
       min(extract(epoch FROM sold_at - sold_before)) FILTER (WHERE store <> store_before)::bigint
FROM between GROUP BY label_key ORDER BY count(DISTINCT store) DESC, count(*) DESC, label_key LIMIT %(limit)s"""


class Repeated(NamedTuple):
    """A label that names one piece, read `again` times after its first sale, in `stores` shops in all. `apart_s`: the least
    time between two reads in different shops; None where all were in one.
    """

    key: str
    again: int
    stores: int
    first_store: str | None
    first_sold_at: datetime
    last_sold_at: datetime
    apart_s: int | None


def repeated(connection: Connection, city: str, since: datetime, limit: int = PAGE_MAX) -> Sequence[Repeated]:
    """Those read in the most shops first; at most `limit`, at most 100. The first award stands, whatever comes of it."""
    given = {"city": city, "since": since, "reads": READS_MAX, "limit": min(limit, PAGE_MAX)}
    return [Repeated(*row) for row in hot(connection, REPEATED, given)]
