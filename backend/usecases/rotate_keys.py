"""A till changes its keys: the present one vouches for the next, and stays good until the next was used."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.devices import queries, register
from backend.devices.enrolment import certificate, store
from backend.devices.enrolment.model import KEYS_MAX, Issued, TillKeys
from backend.kernel.errors import DomainError
from backend.storage.transaction import Database
from backend.usecases.enrol_device import DeviceRevoked, KeyTaken
from backend.usecases.provision_device import EnrolmentOff, Issuer


class RotationNotVouched(DomainError):
    code = "rotation-not-vouched"
    text_zh = "请求没有由该设备在用的密钥签名。"
    text_en = "The request is not signed by a key of this device that is in use."


class KeysTooMany(DomainError):
    code = "device-keys-too-many"
    text_zh = "设备 {device} 已有 {keys_max} 把密钥在用，请先用最新的一把。"
    text_en = "Device {device} has {keys_max} keys in use already: use the newest first."


class Rotation(NamedTuple):
    """`key_id` names the present key, whose `signature` is over device, request and next signing key."""

    device: str
    key_id: str
    csr: str
    signing: bytes
    signature: bytes


class RotateKeys:
    def __init__(self, database: Database, issuer: Issuer | None) -> None:
        self._database = database
        self._issuer = issuer

    def rotate(self, rotation: Rotation, now: datetime) -> Issued:
        """The same keys again get the same answer. From now on others of the device end within 30 days, or with the
        first message by the new one.

        Raises EnrolmentOff, RotationNotVouched, DeviceRevoked, CertificateRequestRefused, KeysTooMany, KeyTaken.
        """
        if self._issuer is None:
            raise EnrolmentOff
        issuer = self._issuer
        return self._database.write(lambda c: _rotate(c, issuer, rotation, now))


def _rotate(connection: Connection, issuer: Issuer, rotation: Rotation, now: datetime) -> Issued:
    device, keys = rotation.device, _vouched(connection, rotation, now)
    again = store.certificate_of(connection, device, certificate.keys_sha256(keys))
    if again is not None:
        return again
    if len(queries.directory(connection, [device], now)[device].keys) >= KEYS_MAX:
        raise KeysTooMany(device=device, keys_max=KEYS_MAX)
    key_id = certificate.key_id_of(keys.signing)
    stored, _ = register.insert_key(connection, device, key_id=key_id, public_key=keys.signing, now=now)
    if stored != keys.signing:
        raise KeyTaken(device=device, key_id=key_id)
    store.supersede_keys(connection, device, key_id, now)
    _alarm_when_early(connection, rotation, now)
    return issuer.issue(connection, device, keys, now)


def _alarm_when_early(connection: Connection, rotation: Rotation, now: datetime) -> None:
    """Whoever copied a till's card may take its keys further than the till: people have to look. It is not refused, for a
    till whose keys may be known to others is right to change them.
    """
    life = store.life_of(connection, rotation.device, rotation.key_id)
    if life is not None and certificate.is_early(*life, now):
        known = queries.directory(connection, [rotation.device], now)[rotation.device]
        store.raise_alarm(connection, known.city, rotation.device, store.Alarm.EARLY_ROTATION, rotation.key_id, now)


def _vouched(connection: Connection, rotation: Rotation, now: datetime) -> TillKeys:
    """An unknown device, an unknown key and a wrong signature look alike from outside."""
    locked = register.find_device(connection, rotation.device)
    known = queries.directory(connection, [rotation.device], now).get(rotation.device)
    present = None if known is None else known.keys.get(rotation.key_id)
    if locked is None or present is None:
        raise RotationNotVouched
    signed = certificate.rotation_bytes(rotation.device, rotation.csr, rotation.signing)
    try:
        certificate.check_possession(present, rotation.signature, signed)
    except certificate.PossessionNotProved:
        raise RotationNotVouched from None
    if locked.revoked_at is not None:
        raise DeviceRevoked(device=locked.device, at=locked.revoked_at.isoformat())
    return certificate.read_request(rotation.csr, rotation.signing)
