"""Suzhou as it was before the first sale: registry, policies, shops, tills and what points are good for."""

import hashlib
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import Connection

from backend.audit.acting import acting
from backend.audit.model import COMMAND, Actor
from backend.certificates.imports import Source, import_rows
from backend.demo.once import open_once, publish_once
from backend.demo.year.goods import registry_rows
from backend.demo.year.shops import DISTRICT_PLACES, PARTNERS, SHOPS, SUZHOU
from backend.redemptions.document import load_catalogue
from backend.retailers.store import StorePlace
from backend.storage.transaction import Database
from backend.usecases.enrol_device import Enrolment, enrol_device
from backend.usecases.place_store import place_store
from backend.usecases.publish_catalogue import Said, publish_catalogue

DATA = Path(__file__).resolve().parents[1] / "suzhou"
POLICIES = (DATA / "points.json", DATA / "appliances.json")
CATALOGUE = DATA / "catalogue.json"
FOUNDER = Actor(f"{COMMAND}:demonstration", COMMAND)
AUTHOR, APPROVER = "沈书瑶", "方正清"


@acting(FOUNDER)
def found(url: str, owner: Database, now: datetime) -> None:
    """`url` names the same database, where the previews are read. Done twice it changes nothing."""
    import_rows(owner, registry_rows(), Source("苏州演示名录（虚构）", "suzhou.csv", "沈书瑶", now))
    for path in POLICIES:
        text = path.read_text(encoding="utf-8")
        publish_once(url, owner, SUZHOU, text, by=(AUTHOR, APPROVER), reason="内容和预演已核对", now=now)
    owner.write(lambda connection: _open_shops(connection, now))
    publish_catalogue(owner, SUZHOU, load_catalogue(CATALOGUE.read_bytes()), Said(AUTHOR, "演示城市的兑换目录"), now)


def _open_shops(connection: Connection, now: datetime) -> None:
    for partner in PARTNERS:
        open_once(connection, partner, now)
    for shop in SHOPS:
        open_once(connection, shop.store, now)
        latitude, longitude = DISTRICT_PLACES[shop.store.district]
        place_store(connection, SUZHOU, shop.store.store, StorePlace(now, latitude, longitude, AUTHOR))
        for number in range(1, shop.tills + 1):
            device = shop.device(number)
            enrol_device(connection, Enrolment(device, SUZHOU, shop.store.store, "k1", _public_key(device)), now)


def _public_key(device: str) -> bytes:
    """Of a till that exists in the demonstration's books only: nobody keeps its private half."""
    seed = hashlib.sha256(f"suzhou {device}".encode()).digest()
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
