"""Fills the demonstration city: registry, policy, shops, tills, the bridge's token, residents. Repeating it is harmless."""

import hashlib
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, Table
from sqlalchemy.dialects.postgresql import insert

from backend.certificates.imports import Report, Source, import_file
from backend.demo.city import CERTIFICATES, CITY, POLICY, RESIDENTS, TILLS
from backend.demo.keys import CITY_KEY_ID, Keyring
from backend.devices.tables import device_directory, device_keys, service_tokens
from backend.kernel.ids import new_id
from backend.residents import store as resident_store
from backend.residents.member_code import VALID_S_MAX, MemberCode, encode
from backend.residents.tables import residents
from backend.retailers.tables import stores
from backend.storage.children import write_private
from backend.storage.transaction import Database
from backend.usecases.publish_policy import PublishedVersion, publish_policy

BY = "demo"


def import_certificates(database: Database, now: datetime) -> Report:
    source = Source("南京演示名录 (虚构)", CERTIFICATES.name, BY, now)
    return import_file(database, CERTIFICATES.read_bytes(), source)


def publish(database: Database, now: datetime) -> PublishedVersion:
    text = POLICY.read_text(encoding="utf-8")
    return database.write(lambda connection: publish_policy(connection, CITY, text, by=BY, now=now))


def open_shops(owner: Database, keyring: Keyring, token: Path, now: datetime) -> None:
    """Shops, tills with their signing keys, and the bridge's bearer token, of which the database has the hash."""
    if not token.exists():
        write_private(token, secrets.token_urlsafe(32))
    digest = hashlib.sha256(token.read_text().strip().encode()).digest()
    owner.write(lambda connection: _open_shops(connection, keyring, digest, now))


def join(owner: Database, now: datetime) -> dict[str, str]:
    """New residents for this run, by name: their caps are unused, so each run shows the same awards."""
    joined = {name: new_id() for name in RESIDENTS}
    rows = [{"city": CITY, "resident": resident, "state": "active", "joined_at": now} for resident in joined.values()]
    owner.write(lambda connection: connection.execute(insert(residents), rows))
    return joined


def member_code(owner: Database, keyring: Keyring, resident: str, now: datetime) -> str:
    """What the resident's phone shows: good for one basket within two minutes."""
    handle, expires_at = secrets.token_bytes(16), now + timedelta(seconds=VALID_S_MAX - 1)
    code = MemberCode(CITY_KEY_ID, CITY, handle, int(expires_at.timestamp()))
    owner.write(lambda connection: resident_store.issue_code(connection, CITY, handle, resident, expires_at))
    return encode(code, keyring.load_signing("city").sign)


def _open_shops(connection: Connection, keyring: Keyring, token_hash: bytes, now: datetime) -> None:
    for till in TILLS:
        shop = till.store
        _once(
            connection,
            stores,
            {
                "city": CITY,
                "store": shop.store,
                "retailer": shop.retailer,
                "name_zh": shop.name_zh,
                "district": shop.district,
                "opened_at": now,
            },
        )
        enrolled = {"device": till.device, "city": CITY, "store": shop.store, "district": shop.district}
        _once(connection, device_directory, {**enrolled, "state": "active", "enrolled_at": now})
        public = keyring.public_raw(till.device)
        key = {"device": till.device, "key_id": keyring.key_id(till.device), "public_key": public, "added_at": now}
        _once(connection, device_keys, key)
    token = {"token_hash": token_hash, "service": "bridge", "name": BY, "issued_at": now}
    _once(connection, service_tokens, token)


def _once(connection: Connection, table: Table, row: Mapping[str, object]) -> None:
    connection.execute(insert(table).values(**row).on_conflict_do_nothing())
