from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import Connection

from backend.storage.columns import words
from backend.storage.transaction import hot

NAMES = "SELECT store, name_zh FROM stores WHERE city = %(city)s AND store = ANY(%(stores)s::text[])"

# From each district to the next by the index, however many shops it has.
DISTRICTS = """
WITH RECURSIVE found AS (
  SELECT min(s.district) AS district FROM stores s WHERE s.city = %(city)s
  UNION ALL
  SELECT (SELECT min(n.district) FROM stores n WHERE n.city = %(city)s AND n.district > found.district) FROM found
  WHERE found.district IS NOT NULL)
SELECT district FROM found WHERE district IS NOT NULL"""

DISTRICTS_MAX = 100

RETAILERS = """
SELECT DISTINCT retailer FROM stores WHERE city = %(city)s ORDER BY retailer LIMIT %(limit)s"""

OF_RETAILER = """
SELECT store, name_zh, district FROM stores
WHERE city = %(city)s AND retailer = %(retailer)s AND store > %(after)s ORDER BY store LIMIT %(limit)s"""

OWNED = """
SELECT store FROM stores WHERE city = %(city)s AND store = ANY(%(stores)s::text[]) AND retailer = %(retailer)s"""

OWN_DISTRICTS = """
SELECT store, district FROM stores WHERE city = %(city)s AND store = ANY(%(stores)s::text[]) AND retailer = %(retailer)s"""

SIBLINGS = """
SELECT s.store FROM stores s JOIN stores o ON o.city = %(city)s AND o.store = %(store)s AND o.retailer = s.retailer
WHERE s.city = %(city)s AND s.store = ANY(%(stores)s::text[])"""

SEARCH = """
SELECT store, name_zh, district FROM stores
WHERE city = %(city)s AND (store = %(text)s OR position(lower(%(text)s) IN lower(name_zh)) > 0)
ORDER BY store <> %(text)s, name_zh, store LIMIT %(limit)s"""


class FoundStore(NamedTuple):
    store: str
    name_zh: str
    district: str


DISTRICT_PLACES = """
SELECT district, avg(latitude_e6)::integer, avg(longitude_e6)::integer FROM stores
WHERE city = %(city)s AND latitude_e6 IS NOT NULL GROUP BY district ORDER BY district LIMIT %(limit)s"""


class DistrictPlace(NamedTuple):
    """WGS 84, millionths of a degree."""

    district: str
    latitude_e6: int
    longitude_e6: int


def search(connection: Connection, city: str, text: str, *, limit: int) -> list[FoundStore]:
    """Shops of a city whose name holds `text`, or whose number it is."""
    given = {"city": city, "text": text, "limit": limit}
    return [FoundStore(*row) for row in hot(connection, SEARCH, given)]


def retailers(connection: Connection, city: str, *, limit: int) -> list[str]:
    """Those who have a shop in the city, by name."""
    return [name for (name,) in hot(connection, RETAILERS, {"city": city, "limit": limit})]


def stores_of(connection: Connection, city: str, retailer: str, after: str, *, limit: int) -> list[FoundStore]:
    """A retailer's shops behind the number `after`."""
    given = {"city": city, "retailer": retailer, "after": after, "limit": limit}
    return [FoundStore(*row) for row in hot(connection, OF_RETAILER, given)]


def owned(connection: Connection, city: str, retailer: str, stores: Collection[str]) -> set[str]:
    """Those of `stores` that are shops of this retailer."""
    given = {"city": city, "retailer": retailer, "stores": words(sorted(stores))}
    return {store for (store,) in hot(connection, OWNED, given, prepared=True)}


def districts_of_shops(connection: Connection, city: str, retailer: str, stores: Collection[str]) -> dict[str, str]:
    """The district of each of `stores` that is a shop of this retailer."""
    given = {"city": city, "retailer": retailer, "stores": words(sorted(stores))}
    return dict(hot(connection, OWN_DISTRICTS, given).fetchall())


def siblings(connection: Connection, city: str, store: str, stores: Collection[str]) -> set[str]:
    """Those of `stores` that belong to the retailer of `store`."""
    given = {"city": city, "store": store, "stores": words(sorted(stores))}
    return {found for (found,) in hot(connection, SIBLINGS, given)}


def district_places(connection: Connection, city: str) -> list[DistrictPlace]:
    """Of each district that has a shop whose place is known, the middle of those shops."""
    return [DistrictPlace(*row) for row in hot(connection, DISTRICT_PLACES, {"city": city, "limit": DISTRICTS_MAX})]


def names_of(connection: Connection, city: str, stores: Collection[str]) -> dict[str, str]:
    """What residents call each of these shops."""
    return dict(hot(connection, NAMES, {"city": city, "stores": words(sorted(stores))}).fetchall())


def districts_of(connection: Connection, city: str) -> list[str]:
    """Codes of the districts in which the city has shops."""
    return [row[0] for row in hot(connection, DISTRICTS, {"city": city})]
