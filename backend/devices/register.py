"""Writes of the device directory, its keys and the tokens of services. All cross cities by nature: ids name no city."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.storage.transaction import hot

ENROL = """
INSERT INTO device_directory (device, city, store, district, state, enrolled_at)
VALUES (%(device)s, %(city)s, %(store)s, %(district)s, 'active', %(now)s)
ON CONFLICT (device) DO NOTHING"""

LOCKED = """
SELECT device, city, store, district, state, enrolled_at, revoked_at FROM device_directory
WHERE device = %(device)s FOR UPDATE"""

ADD_KEY = """
INSERT INTO device_keys (device, key_id, public_key, added_at)
VALUES (%(device)s, %(key_id)s, %(public_key)s, %(now)s)
ON CONFLICT (device, key_id) DO NOTHING"""

KEY = "SELECT public_key FROM device_keys WHERE device = %(device)s AND key_id = %(key_id)s"

REVOKE = """
UPDATE device_directory SET state = 'revoked', revoked_at = %(now)s WHERE device = %(device)s AND state = 'active'"""

ADD_TOKEN = """
INSERT INTO service_tokens (token_hash, service, name, issued_at, of_city, retailer)
VALUES (%(token_hash)s, %(service)s, %(name)s, %(now)s, %(of_city)s, %(retailer)s)"""  # noqa: S105 - SQL that names a token, no secret

REVOKE_TOKENS = """
UPDATE service_tokens SET revoked_at = %(now)s
WHERE service = %(service)s AND name = %(name)s AND revoked_at IS NULL"""

BIND_TOKENS = """
UPDATE service_tokens SET of_city = %(of_city)s, retailer = %(retailer)s
WHERE service = 'pos' AND name = %(name)s AND revoked_at IS NULL AND retailer IS NULL"""

BOUND_TO = """
SELECT DISTINCT of_city, retailer FROM service_tokens
WHERE service = 'pos' AND name = %(name)s AND retailer IS NOT NULL"""

TOKENS_SHOWN = 100
"""Of one retailer."""

TOKENS_OF = """
SELECT service, name, issued_at, revoked_at, of_city, retailer FROM service_tokens
WHERE of_city = %(of_city)s AND retailer = %(retailer)s
ORDER BY service_tokens.revoked_at DESC NULLS FIRST, service_tokens.issued_at DESC LIMIT %(limit)s"""

REVOKE_ONE = """
UPDATE service_tokens SET revoked_at = %(now)s
WHERE of_city = %(of_city)s AND retailer = %(retailer)s AND name = %(name)s AND issued_at = %(issued_at)s
  AND revoked_at IS NULL"""

TOKENS = """
SELECT service, name, issued_at, revoked_at, of_city, retailer FROM service_tokens ORDER BY issued_at, service, name"""


class Device(NamedTuple):
    device: str
    city: str
    store: str
    district: str
    state: str
    enrolled_at: datetime
    revoked_at: datetime | None


class Token(NamedTuple):
    """A service's token as it can be shown: never the token, of which only the hash is kept."""

    service: str
    name: str
    issued_at: datetime
    revoked_at: datetime | None
    of_city: str | None
    retailer: str | None


def insert_device(
    connection: Connection, device: str, *, city: str, store: str, district: str, now: datetime
) -> tuple[Device, bool]:
    """The device as it stands, locked until COMMIT, and whether this call entered it."""
    row = {"device": device, "city": city, "store": store, "district": district, "now": now}
    entered = hot(connection, ENROL, row).rowcount == 1
    found = find_device(connection, device)
    assert found is not None
    return found, entered


def find_device(connection: Connection, device: str) -> Device | None:
    """The device, locked until COMMIT."""
    row = hot(connection, LOCKED, {"device": device}).fetchone()
    return Device(*row) if row else None


def insert_key(
    connection: Connection, device: str, *, key_id: str, public_key: bytes, now: datetime
) -> tuple[bytes, bool]:
    """The public key that stands under `key_id`, and whether this call entered it."""
    row = {"device": device, "key_id": key_id, "public_key": public_key, "now": now}
    entered = hot(connection, ADD_KEY, row).rowcount == 1
    stored = hot(connection, KEY, row).fetchone()
    assert stored is not None
    return bytes(stored[0]), entered


def holds_key(connection: Connection, device: str, key_id: str) -> bool:
    return hot(connection, KEY, {"device": device, "key_id": key_id}).fetchone() is not None


def mark_revoked(connection: Connection, device: str, now: datetime) -> bool:
    """False when it was revoked before."""
    return hot(connection, REVOKE, {"device": device, "now": now}).rowcount == 1


def insert_token(
    connection: Connection,
    token_hash: bytes,
    *,
    service: str,
    name: str,
    now: datetime,
    retailer: tuple[str, str] | None = None,
) -> None:
    """`retailer`: (city, name) of those in whose name a shop's system acts."""
    of_city, whose = retailer or (None, None)
    given = {"token_hash": token_hash, "service": service, "name": name, "now": now}
    hot(connection, ADD_TOKEN, {**given, "of_city": of_city, "retailer": whose})


def bind_tokens(connection: Connection, *, name: str, retailer: tuple[str, str]) -> int:
    """How many valid tokens of shop systems of that name were bound to nobody, and now are to (city, retailer)."""
    of_city, whose = retailer
    return hot(connection, BIND_TOKENS, {"name": name, "of_city": of_city, "retailer": whose}).rowcount


def bound_to(connection: Connection, name: str) -> set[tuple[str, str]]:
    """City and retailer that tokens of shop systems of that name are bound to, revoked ones too."""
    return {(of_city, whose) for of_city, whose in hot(connection, BOUND_TO, {"name": name})}


def revoke_tokens(connection: Connection, *, service: str, name: str, now: datetime) -> int:
    """How many tokens of that name stopped to be good."""
    return hot(connection, REVOKE_TOKENS, {"service": service, "name": name, "now": now}).rowcount


def tokens(connection: Connection) -> list[Token]:
    return [Token(*row) for row in hot(connection, TOKENS)]


def tokens_of(connection: Connection, whose: tuple[str, str]) -> list[Token]:
    """Those that act for a retailer (city, name): the valid ones, then those that were revoked last; at most 100."""
    given = {"of_city": whose[0], "retailer": whose[1], "limit": TOKENS_SHOWN}
    return [Token(*row) for row in hot(connection, TOKENS_OF, given)]


def revoke_token_of(
    connection: Connection, whose: tuple[str, str], name: str, issued_at: datetime, now: datetime
) -> bool:
    """False where a retailer (city, name) has no valid token of that name and moment."""
    given = {"of_city": whose[0], "retailer": whose[1], "name": name, "issued_at": issued_at, "now": now}
    return hot(connection, REVOKE_ONE, given).rowcount > 0
