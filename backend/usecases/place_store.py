"""Where a shop stands, as an official says: two shops too far apart for one journey are watched."""

from sqlalchemy import Connection

from backend.audit.acts import What
from backend.audit.model import Act
from backend.audit.store import record
from backend.retailers import store as shops
from backend.retailers.store import StorePlace


def place_store(connection: Connection, city: str, store: str, place: StorePlace) -> None:
    """Raises StoreUnknown."""
    shops.place_store(connection, city, store, place)
    told = {"latitude_e6": place.latitude_e6, "longitude_e6": place.longitude_e6, "by": place.placed_by}
    record(connection, Act(What.STORE_PLACED, city, "store", store, place.placed_at, after=told))
