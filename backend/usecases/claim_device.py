"""A slot for a till that is still to come, and the one-time claim by which it may take it; replacement of another."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.audit.acts import What
from backend.audit.model import Act
from backend.audit.store import record
from backend.devices import register
from backend.devices.enrolment.model import CLAIM_VALIDITY, Claim
from backend.devices.enrolment.store import insert_claim
from backend.kernel.errors import DomainError
from backend.retailers.store import find_store
from backend.usecases.enrol_device import check_device_id
from backend.usecases.revoke_device import DeviceUnknown, revoke_device


class DeviceEnrolled(DomainError):
    code = "device-enrolled"
    text_zh = "设备 {device} 已经登记过；编号不重复使用，换机请用 greenpoints devices replace 并给新编号。"
    text_en = "Device {device} was enrolled before, and ids are used once: replace it, under a new id."


class Slot(NamedTuple):
    device: str
    city: str
    store: str


def claim_device(
    connection: Connection, slot: Slot, claim_hash: bytes, now: datetime, *, replaces: str | None = None
) -> Claim:
    """The claim whose hash is given, the only one of its device that is good from now on, for 24 hours.

    Raises NotADeviceId, StoreUnknown, DeviceEnrolled.
    """
    check_device_id(slot.device)
    shop = find_store(connection, slot.city, slot.store)
    if register.find_device(connection, slot.device) is not None:
        raise DeviceEnrolled(device=slot.device)
    claim = Claim(shop.city, shop.store, slot.device, now, now + CLAIM_VALIDITY, superseded=False, keys_sha256=None)
    insert_claim(connection, claim_hash, claim, replaces=replaces)
    told = {"store": shop.store, "replaces": replaces, "expires_at": claim.expires_at.isoformat()}
    record(connection, Act(What.DEVICE_CLAIM_ISSUED, shop.city, "device", slot.device, now, after=told))
    return claim


def replace_device(connection: Connection, old: str, new: str, claim_hash: bytes, now: datetime) -> Claim:
    """Revokes `old` with its keys and certificates, and makes a slot for `new` in its shop.

    Raises DeviceUnknown, NotADeviceId, DeviceEnrolled.
    """
    known = register.find_device(connection, old)
    if known is None:
        raise DeviceUnknown(device=old)
    claim = claim_device(connection, Slot(new, known.city, known.store), claim_hash, now, replaces=old)
    revoke_device(connection, old, now)
    return claim
