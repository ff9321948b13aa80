from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.devices.model import KnownDevice, Retired
from backend.storage.columns import words
from backend.storage.transaction import hot

# Crosses cities by nature: a message names its device, and only the directory knows the device's city.
DIRECTORY = """
SELECT d.device, d.city, d.store, d.district, d.state, k.key_id, k.public_key, k.retires_at
FROM device_directory d LEFT JOIN device_keys k ON k.device = d.device
WHERE d.device = ANY(%(devices)s::text[])"""

CITIES = "SELECT DISTINCT city FROM device_directory ORDER BY city"

ACTIVE = """
SELECT device FROM device_directory WHERE state = 'active' AND (%(after)s::text IS NULL OR device > %(after)s)
ORDER BY device LIMIT %(limit)s"""

SERVICE = """
SELECT service, name, of_city, retailer FROM service_tokens WHERE token_hash = %(token_hash)s AND revoked_at IS NULL"""


class Service(NamedTuple):
    """Whose bearer token it is: `service` bridge, pos or metrics; `name` the installation's own name for it. `retailer` of
    `of_city`: in whose name a shop's system acts; None of other services, and of a token that was not bound yet.
    """

    service: str
    name: str
    of_city: str | None = None
    retailer: str | None = None


def directory(connection: Connection, devices: Iterable[str], now: datetime) -> Mapping[str, KnownDevice]:
    """Those of `devices` that are enrolled, revoked ones too, with the keys that are good at `now`. One statement,
    whatever their number.
    """
    known: dict[str, KnownDevice] = {}
    rows = hot(connection, DIRECTORY, {"devices": words(sorted(set(devices)))}, prepared=True)
    for device, city, store, district, state, key_id, public_key, retires_at in rows:
        entry = known.get(device)
        if entry is None:
            entry = known[device] = KnownDevice(device, city, store, district, state == "active", {}, set(), {})
        if key_id is None:
            continue
        if retires_at is not None and retires_at <= now:
            entry.retired[key_id] = Retired(bytes(public_key), retires_at)
            continue
        entry.keys[key_id] = bytes(public_key)
        if retires_at is not None:
            entry.retiring.add(key_id)
    return known


def cities(connection: Connection) -> list[str]:
    """Cities that have devices."""
    return [city for (city,) in hot(connection, CITIES)]


def active(connection: Connection, *, after: str | None, limit: int) -> list[str]:
    """Devices of every city that may connect, in order of their ids, those above `after`."""
    return [device for (device,) in hot(connection, ACTIVE, {"after": after, "limit": limit})]


def service_of(connection: Connection, token_hash: bytes) -> Service | None:
    """The service behind a token that is not revoked."""
    row = hot(connection, SERVICE, {"token_hash": token_hash}, prepared=True).fetchone()
    return Service(*row) if row else None
