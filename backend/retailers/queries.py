from collections.abc import Collection

from sqlalchemy import Connection

from backend.storage.columns import words
from backend.storage.transaction import hot

NAMES = "SELECT store, name_zh FROM stores WHERE city = %(city)s AND store = ANY(%(stores)s::text[])"


def names_of(connection: Connection, city: str, stores: Collection[str]) -> dict[str, str]:
    """What residents call each of these shops."""
    return dict(hot(connection, NAMES, {"city": city, "stores": words(sorted(stores))}).fetchall())
