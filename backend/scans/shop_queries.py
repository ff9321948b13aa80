"""What a retailer's people read of their own shops: pieces that came back, and messages of tills that could not be counted."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.storage.columns import words
from backend.storage.transaction import hot

LAST_OF_ALL = "ffffffff-ffff-ffff-ffff-ffffffffffff"
PLACE_MAX = 32_767
"""Of a smallint: behind every line of a return."""

# Shop by shop along the index: however many returns a city has, a page reads at most `limit` of each of these shops.
RETURNS = """
WITH newest AS MATERIALIZED (
  SELECT r.* FROM unnest(%(stores)s::text[]) s(store)
  CROSS JOIN LATERAL (
    SELECT x.return_id, x.place, x.basket, x.line_no, x.decision_no, x.quantity, x.returned_before, x.bought, x.store,
           x.cashier, x.reason, x.returned_at, x.recorded_at
    FROM returns x WHERE x.city = %(city)s AND x.store = s.store AND (x.recorded_at, x.return_id, x.place) < (
      coalesce((SELECT f.recorded_at FROM returns f WHERE f.city = %(city)s AND f.return_id = %(after)s::uuid
                  AND f.place = %(place)s), 'infinity'), %(after)s::uuid, %(place)s)
    ORDER BY x.recorded_at DESC, x.return_id DESC, x.place DESC LIMIT %(limit)s) r
  ORDER BY r.recorded_at DESC, r.return_id DESC, r.place DESC LIMIT %(limit)s)
SELECT n.return_id::text, n.place, n.basket::text, n.line_no, n.quantity, n.returned_before, n.bought, n.store, n.cashier,
       n.reason, n.returned_at, b.sold_at, b.slip_no, b.device, b.seq, d.code_text, d.category
FROM newest n
JOIN baskets b ON b.city = %(city)s AND b.basket = n.basket
JOIN decisions d ON d.city = %(city)s AND d.basket = n.basket AND d.line_no = n.line_no AND d.decision_no = n.decision_no
ORDER BY n.recorded_at DESC, n.return_id DESC, n.place DESC"""

# The order of entries is that in which they came.
REFUSED = """
SELECT q.entry::text, q.device, d.store, q.reason, q.received_at, q.payload
FROM device_directory d
CROSS JOIN LATERAL (
  SELECT x.entry, x.device, x.reason, x.received_at, substr(x.payload, 1, %(bytes)s) AS payload FROM quarantine x
  WHERE x.city = %(city)s AND x.device = d.device AND x.entry < %(after)s::uuid
  ORDER BY x.entry DESC LIMIT %(limit)s) q
WHERE d.city = %(city)s AND d.store = ANY(%(stores)s::text[]) AND (%(device)s::text IS NULL OR d.device = %(device)s)
ORDER BY q.entry DESC LIMIT %(limit)s"""

PAYLOAD_BYTES = 16_384
"""Enough to find a basket's number in it."""


class ReturnedRow(NamedTuple):
    """A line of a return and the sold line that it is of; `seq`: the sale's number on its `device`. `left`: pieces that the
    customer still has after it.
    """

    return_id: str
    place: int
    basket: str
    line_no: int
    quantity: int
    returned_before: int
    bought: int
    store: str
    cashier: str | None
    reason: str
    returned_at: datetime
    sold_at: datetime
    slip_no: str | None
    device: str
    seq: int
    code_text: str | None
    category: str | None

    @property
    def left(self) -> int:
        return self.bought - self.returned_before - self.quantity


class RefusedMessage(NamedTuple):
    """What a till sent and the city kept without counting it. `payload`: its first bytes."""

    entry: str
    device: str
    store: str
    reason: str
    received_at: datetime
    payload: bytes


def returns_of(
    connection: Connection,
    city: str,
    stores: Collection[str],
    *,
    after: tuple[str, int] = (LAST_OF_ALL, PLACE_MAX),
    limit: int,
) -> list[ReturnedRow]:
    """Of these shops, the latest recorded first, behind the pair (return, place)."""
    given = {"city": city, "stores": words(sorted(stores)), "after": after[0], "place": after[1], "limit": limit}
    return [ReturnedRow(*row) for row in hot(connection, RETURNS, given)]


def refused_messages(
    connection: Connection,
    city: str,
    stores: Collection[str],
    *,
    device: str | None = None,
    after: str = LAST_OF_ALL,
    limit: int,
) -> list[RefusedMessage]:
    """Of tills of these shops, or of one of them, the latest first, behind the entry `after`."""
    given = {"city": city, "stores": words(sorted(stores)), "device": device, "after": after, "limit": limit}
    found = hot(connection, REFUSED, {**given, "bytes": PAYLOAD_BYTES})
    return [RefusedMessage(*row)._replace(payload=bytes(row[5])) for row in found]
