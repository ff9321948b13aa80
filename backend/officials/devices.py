"""Browsers in which an official has signed in, by the hash of a cookie."""

from datetime import datetime

from sqlalchemy import Connection

from backend.storage.transaction import hot

KNOWN_MAX = 10

# A cookie names no city, so its row is found across cities, and held against the city and the official that it must be of.
KNOWN = """
SELECT FROM official_devices WHERE device_hash = %(device_hash)s AND city = %(city)s AND official = %(official)s"""

ADD = """
INSERT INTO official_devices (device_hash, city, official, known_at)
VALUES (%(device_hash)s, %(city)s, %(official)s, %(now)s) ON CONFLICT DO NOTHING"""

KEEP_NEWEST = """
DELETE FROM official_devices WHERE city = %(city)s AND official = %(official)s AND device_hash NOT IN (
  SELECT device_hash FROM official_devices WHERE city = %(city)s AND official = %(official)s
  ORDER BY known_at DESC, device_hash LIMIT %(limit)s)"""


def is_known(connection: Connection, home: tuple[str, str], device_hash: bytes) -> bool:
    """Whether the cookie is one of this very official's."""
    asked = {"city": home[0], "official": home[1], "device_hash": device_hash}
    return hot(connection, KNOWN, asked).fetchone() is not None


def remember(connection: Connection, home: tuple[str, str], device_hash: bytes, now: datetime) -> None:
    """The newest ten are kept."""
    hot(connection, ADD, {"city": home[0], "official": home[1], "device_hash": device_hash, "now": now})
    hot(connection, KEEP_NEWEST, {"city": home[0], "official": home[1], "limit": KNOWN_MAX})


def forget(connection: Connection, home: tuple[str, str]) -> None:
    hot(connection, KEEP_NEWEST, {"city": home[0], "official": home[1], "limit": 0})
