"""The demonstration's tills take their slots as a shop's would: a one-time claim, keys of their own, a request over HTTPS.

A till that the database knows and that lost its identity, or was entered by its key by an earlier release, is entered by
a key of the keyring: claims are for new tills, and the demonstration's keep their ids.
"""

import secrets
import shutil
import sys
import time
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from backend.demo.city import CITY, Till
from backend.demo.keys import Keyring, ensure_keys
from backend.demo.launch import ROOT, Address, identity_of, identity_place, program_environment
from backend.demo.pictures import label_card, write_picture
from backend.demo.supervisor import Service, Supervisor
from backend.devices.enrolment.claim_code import RANDOM_BYTES, claim_hash, claim_of
from backend.devices.register import holds_key
from backend.storage.transaction import Database
from backend.usecases.claim_device import DeviceEnrolled, Slot, claim_device
from backend.usecases.enrol_device import Enrolment, enrol_device

POLL_S = 0.05
CLAIM_CARD = ("登记码 CLAIM", "新终端扫描一次")


def claim_slots(owner: Database, tills: tuple[Till, ...], now: datetime) -> dict[Till, str]:
    """A claim for each till that is new to the database."""
    claims: dict[Till, str] = {}
    for till in tills:
        claim = claim_of(secrets.token_bytes(RANDOM_BYTES))
        slot, hashed = Slot(till.device, CITY, till.store.store), claim_hash(claim)
        try:
            owner.write(lambda connection: claim_device(connection, slot, hashed, now))  # noqa: B023 - called at once
        except DeviceEnrolled:
            continue
        claims[till] = claim
    return claims


def take_slots(
    claims: dict[Till, str], supervisor: Supervisor, place: Path, address: Address, keyring: Keyring
) -> None:
    """Each till's own program, side by side, reads its claim from a picture. Raises ServiceFailed."""
    services = [_enrolment(till, claim, place, address, keyring) for till, claim in claims.items()]
    for service in services:
        supervisor.start(service)
    while not all(supervisor.finished(service.name) for service in services):
        supervisor.watch()  # what was cut short is tried again, with the same claim
        time.sleep(POLL_S)
    for till in claims:
        _picture(place, till).unlink()


def enter_by_key(owner: Database, till: Till, place: Path, keyring: Keyring, now: datetime) -> None:
    """Does nothing for a till whose identity the database knows."""
    identity = identity_of(place, till)
    if identity is not None:
        if owner.write(lambda connection: holds_key(connection, till.device, identity["GREENPOINTS_TILL_KEY_ID"])):
            return
        shutil.rmtree(identity_place(place, till))  # of another database
    ensure_keys(keyring.place, [till.device], now)

    def enter(connection: Connection) -> None:
        key_id, public = keyring.key_id(till.device), keyring.public_raw(till.device)
        enrol_device(connection, Enrolment(till.device, CITY, till.store.store, key_id, public), now)

    owner.write(enter)


def _enrolment(till: Till, claim: str, place: Path, address: Address, keyring: Keyring) -> Service:
    keys, picture = identity_place(place, till), _picture(place, till)
    shutil.rmtree(keys, ignore_errors=True)
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_picture(picture, label_card("QRCODE", f"{claim}@{address.tls_url}", *CLAIM_CARD))
    told = ("--picture", str(picture), "--ca", str(keyring.authority), "--place", str(keys))
    return Service(
        name=f"{till.device}-enrol",
        command=(sys.executable, "-m", "scanner", "enrol", *told),
        folder=ROOT,
        environment=program_environment({}),
        finite=True,
    )


def _picture(place: Path, till: Till) -> Path:
    return place / f"{till.device}.claim.jpg"
