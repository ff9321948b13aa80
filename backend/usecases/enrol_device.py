"""A till is entered with the key it signs by. It belongs to one city and store for ever; keys are added, never changed."""

import re
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.audit.acts import What
from backend.audit.model import Act
from backend.audit.store import record
from backend.devices import register
from backend.devices.model import DEVICE
from backend.kernel.errors import DomainError
from backend.retailers.store import find_store
from backend.usecases.tell_bridges import tell_bridges

_KEY_ID = re.compile(r"[a-z0-9]{1,8}")


class NotADeviceId(DomainError):
    code = "device-id-malformed"
    text_zh = "设备编号须为 8-40 个小写字母、数字或连字符且不以 bridge 开头，密钥编号须为 1-8 个小写字母或数字。"
    text_en = (
        "A device id has 8-40 lower-case letters, digits or hyphens and does not begin with bridge; a key id has 1-8"
        " lower-case letters or digits."
    )


class DeviceElsewhere(DomainError):
    code = "device-elsewhere"
    text_zh = "设备 {device} 已登记在 {city} 的门店 {store}；设备不能换城市或门店，请用新编号登记替换设备。"
    text_en = "Device {device} belongs to store {store} of city {city}; it never moves: enrol its replacement anew."


class DeviceRevoked(DomainError):
    code = "device-revoked"
    text_zh = "设备 {device} 已于 {at} 停用；停用后不能恢复，请用新编号登记。"
    text_en = "Device {device} was revoked at {at} and cannot come back; enrol it under a new id."


class KeyTaken(DomainError):
    code = "device-key-taken"
    text_zh = "设备 {device} 的密钥编号 {key_id} 已对应另一公钥；请核实后用新的密钥编号。"
    text_en = "Key id {key_id} of device {device} stands for another key; check, then use a new key id."


class Enrolment(NamedTuple):
    device: str
    city: str
    store: str
    key_id: str
    public_key: bytes


class Enrolled(NamedTuple):
    """`district` is the store's. Both flags are False when everything was there before."""

    district: str
    new_device: bool
    new_key: bool


def check_device_id(device: str) -> None:
    """Raises NotADeviceId, also for names that tills' topics keep for bridges."""
    if not DEVICE.fullmatch(device):
        raise NotADeviceId


def enrol_device(connection: Connection, enrolment: Enrolment, now: datetime) -> Enrolled:
    """Enters the device and its key; the same again changes nothing, another key id is added (rotation).

    Raises NotADeviceId, StoreUnknown, DeviceElsewhere, DeviceRevoked, KeyTaken.
    """
    device = enrolment.device
    check_device_id(device)
    if not _KEY_ID.fullmatch(enrolment.key_id):
        raise NotADeviceId
    shop = find_store(connection, enrolment.city, enrolment.store)

    known, new_device = register.insert_device(
        connection, device, city=shop.city, store=shop.store, district=shop.district, now=now
    )
    if (known.city, known.store) != (shop.city, shop.store):
        raise DeviceElsewhere(device=device, city=known.city, store=known.store)
    if known.revoked_at is not None:
        raise DeviceRevoked(device=device, at=known.revoked_at.isoformat())
    stored, new_key = register.insert_key(
        connection, device, key_id=enrolment.key_id, public_key=enrolment.public_key, now=now
    )
    if stored != enrolment.public_key:
        raise KeyTaken(device=device, key_id=enrolment.key_id)
    if new_device:
        tell_bridges(connection, shop.city, device, admitted=True, now=now)
    if new_device or new_key:
        told = {"store": shop.store, "key_id": enrolment.key_id, "public_key": enrolment.public_key.hex()}
        record(connection, Act(What.DEVICE_ENROLLED, shop.city, "device", device, now, after=told))
    return Enrolled(known.district, new_device, new_key)
