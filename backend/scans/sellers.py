"""Which shops sold certified goods lately; no number, no day, and no shop that few bought at."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.storage.columns import words
from backend.storage.transaction import hot

FORGET = "DELETE FROM label_sellers WHERE city = %(city)s"

# Whoever shows no code counts as another buyer each time, one who does as one: a regular customer alone tells of no shop.
LEARN = """
INSERT INTO label_sellers (city, label_key, store)
SELECT %(city)s, d.label_key, b.store
FROM baskets b JOIN decisions d ON d.city = %(city)s AND d.basket = b.basket AND d.decision_no = 1
WHERE b.city = %(city)s AND b.sold_at >= %(since)s AND b.channel = 'till' AND b.void_of IS NULL AND b.store IS NOT NULL
  AND d.label_key IS NOT NULL AND d.certificate IS NOT NULL
GROUP BY d.label_key, b.store HAVING count(DISTINCT coalesce(b.resident, b.basket)) >= %(buyers_min)s"""

SELLERS = """
SELECT DISTINCT s.store, s.name_zh, s.district FROM label_sellers l
JOIN stores s ON s.city = %(city)s AND s.store = l.store
WHERE l.city = %(city)s AND l.label_key = ANY(%(keys)s::text[]) ORDER BY s.district, s.name_zh, s.store LIMIT %(limit)s"""


class Seller(NamedTuple):
    store: str
    name_zh: str
    district: str


def forget(connection: Connection, city: str) -> None:
    hot(connection, FORGET, {"city": city})


def learn(connection: Connection, city: str, since: datetime, buyers_min: int) -> int:
    """From the sales of a city since then, in one statement; how many pairs of goods and shop."""
    return hot(connection, LEARN, {"city": city, "since": since, "buyers_min": buyers_min}).rowcount


def sellers_of(connection: Connection, city: str, keys: Sequence[str], *, limit: int) -> list[Seller]:
    """Shops that sold any of these goods lately, by district and name."""
    return [Seller(*row) for row in hot(connection, SELLERS, {"city": city, "keys": words(keys), "limit": limit})]
