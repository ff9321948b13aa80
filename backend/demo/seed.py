"""Fills the demonstration city: registry, policy, shops, the bridge's token. Repeating it is harmless."""

import secrets
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from backend.certificates.imports import Report, Source, import_file
from backend.demo.city import CATALOGUE, CERTIFICATES, CITY, PARTNERS, POLICY, TILLS
from backend.demo.once import open_once, publish_once
from backend.devices.queries import service_of
from backend.kernel.tokens import token_hash
from backend.ledger import chart
from backend.policies.store import PolicyCache
from backend.redemptions.document import load_catalogue
from backend.retailers.store import Store
from backend.storage.children import write_private
from backend.storage.transaction import Database
from backend.usecases.issue_token import issue_token
from backend.usecases.make_snapshot import MakeSnapshot
from backend.usecases.publish_catalogue import PublishedEntry, Said, publish_catalogue

BY, APPROVER = "陈静", "孙立"


def import_certificates(database: Database, now: datetime) -> Report:
    source = Source("南京演示名录（虚构）", CERTIFICATES.name, BY, now)
    return import_file(database, CERTIFICATES.read_bytes(), source)


def publish(url: str, owner: Database, now: datetime) -> None:
    """`url` names the same database."""
    text = POLICY.read_text(encoding="utf-8")
    publish_once(url, owner, CITY, text, by=(BY, APPROVER), reason="演示城市的政策，内容和预演已核对", now=now)


def open_shops(owner: Database, token: Path, now: datetime) -> None:
    """Shops, and the bridge's bearer token, of which the database has the hash."""
    if not token.exists():
        write_private(token, secrets.token_urlsafe(32))
    owner.write(lambda connection: _open_shops(connection, token.read_text().strip(), now))


def publish_goods(owner: Database, now: datetime) -> list[PublishedEntry]:
    """What points are good for; its partner shops are opened before."""
    for shop in PARTNERS:
        partner = Store(CITY, shop.store, shop.retailer, shop.name_zh, shop.district)
        owner.write(lambda connection: open_once(connection, partner, now))  # noqa: B023 - called at once
    return publish_catalogue(owner, CITY, load_catalogue(CATALOGUE.read_bytes()), Said(BY, "演示城市的兑换目录"), now)


def make_snapshot(database: Database, now: datetime) -> None:
    """At once, so that the tills have something to say at their first reads."""
    MakeSnapshot(database, PolicyCache(chart.budget)).make(CITY, now)


def _open_shops(connection: Connection, token: str, now: datetime) -> None:
    for till in TILLS:
        shop = till.store
        open_once(connection, Store(CITY, shop.store, shop.retailer, shop.name_zh, shop.district), now)
    if service_of(connection, token_hash(token)) is None:
        issue_token(connection, token, service="bridge", name="demo", now=now)
