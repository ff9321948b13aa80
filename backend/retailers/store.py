from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.kernel.errors import DomainError
from backend.storage.transaction import hot

INSERT = """
INSERT INTO stores (city, store, retailer, name_zh, district, opened_at)
VALUES (%(city)s, %(store)s, %(retailer)s, %(name_zh)s, %(district)s, %(now)s)
ON CONFLICT (city, store) DO NOTHING"""

FIND = """
SELECT city, store, retailer, name_zh, district FROM stores WHERE city = %(city)s AND store = %(store)s"""

LISTED = """
SELECT city, store, retailer, name_zh, district, latitude_e6, longitude_e6 FROM stores
WHERE city = %(city)s ORDER BY store"""

HAS_RETAILER = "SELECT 1 FROM stores WHERE city = %(city)s AND retailer = %(retailer)s LIMIT 1"

PLACE = """
UPDATE stores SET latitude_e6 = %(latitude_e6)s, longitude_e6 = %(longitude_e6)s
WHERE city = %(city)s AND store = %(store)s"""

KEEP_PLACE = """
INSERT INTO store_places (city, store, placed_at, latitude_e6, longitude_e6, placed_by)
VALUES (%(city)s, %(store)s, %(placed_at)s, %(latitude_e6)s, %(longitude_e6)s, %(placed_by)s)"""

PLACES = """
SELECT placed_at, latitude_e6, longitude_e6, placed_by FROM store_places
WHERE city = %(city)s AND store = %(store)s ORDER BY placed_at DESC LIMIT %(limit)s"""


class Store(NamedTuple):
    """A shop in one district (GB/T 2260 county code) of one city."""

    city: str
    store: str
    retailer: str
    name_zh: str
    district: str


class ListedStore(NamedTuple):
    """A shop with its position (WGS 84) in millionths of a degree, where it is known."""

    city: str
    store: str
    retailer: str
    name_zh: str
    district: str
    latitude_e6: int | None
    longitude_e6: int | None


class StorePlace(NamedTuple):
    """Where a shop stands (WGS 84, millionths of a degree), and who said so when."""

    placed_at: datetime
    latitude_e6: int
    longitude_e6: int
    placed_by: str


class StoreUnknown(DomainError):
    code = "store-unknown"
    text_zh = "{city} 没有编号为 {store} 的门店，请先登记门店。"
    text_en = "City {city} has no store {store}; add the store first."


class RetailerUnknown(DomainError):
    code = "retailer-unknown"
    text_zh = "{city} 没有商户“{retailer}”的门店，请先登记门店（greenpoints stores add）。"
    text_en = "City {city} has no store of the retailer {retailer}: add it first (greenpoints stores add)."


def insert_store(connection: Connection, store: Store, now: datetime) -> bool:
    """False when a store of that number was there already."""
    return hot(connection, INSERT, {**store._asdict(), "now": now}).rowcount == 1


def find_store(connection: Connection, city: str, store: str) -> Store:
    """Raises StoreUnknown."""
    row = hot(connection, FIND, {"city": city, "store": store}).fetchone()
    if row is None:
        raise StoreUnknown(city=city, store=store)
    return Store(*row)


def has_retailer(connection: Connection, city: str, retailer: str) -> bool:
    """Whether a shop of that retailer was entered in the city."""
    return hot(connection, HAS_RETAILER, {"city": city, "retailer": retailer}).fetchone() is not None


def place_store(connection: Connection, city: str, store: str, place: StorePlace) -> None:
    """From now on it stands there; the places before are kept. Raises StoreUnknown."""
    given = {"city": city, "store": store, **place._asdict()}
    if hot(connection, PLACE, given).rowcount == 0:
        raise StoreUnknown(city=city, store=store)
    hot(connection, KEEP_PLACE, given)


def places(connection: Connection, city: str, store: str, *, limit: int) -> list[StorePlace]:
    """The latest first."""
    rows = hot(connection, PLACES, {"city": city, "store": store, "limit": limit})
    return [StorePlace(*row) for row in rows]


def listed(connection: Connection, city: str) -> list[ListedStore]:
    return [ListedStore(*row) for row in hot(connection, LISTED, {"city": city})]
