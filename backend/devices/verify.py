"""Whether a till's message is what it says: topic, header and key of one device, signature over the exact bytes."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from backend.devices.envelope import Envelope, signed_bytes
from backend.devices.model import KnownDevice

KEYS_MAX = 20_000
UNDER_WAY = timedelta(minutes=10)


class Refusal(StrEnum):
    """Why a message counts for nothing; what the bridge and the quarantine call it."""

    UNKNOWN_TOPIC = "unknown_topic"
    UNKNOWN_DEVICE = "unknown_device"
    REVOKED_DEVICE = "revoked_device"
    WRONG_TOPIC = "wrong_topic"
    UNKNOWN_KEY = "unknown_key"
    BAD_SIGNATURE = "bad_signature"
    TOO_LARGE = "too_large"
    MALFORMED = "malformed"


SENTENCES: Mapping[Refusal, tuple[str, str]] = {
    Refusal.UNKNOWN_TOPIC: ("主题不属于任何终端。", "The topic is none of a till's."),
    Refusal.UNKNOWN_DEVICE: ("终端未登记。", "The device is not enrolled."),
    Refusal.REVOKED_DEVICE: (
        "终端已停用，消息只留存，不计分。",
        "The device is revoked: kept, and counted for nothing.",
    ),
    Refusal.WRONG_TOPIC: ("消息声称来自另一台终端。", "The message claims to come from another device."),
    Refusal.UNKNOWN_KEY: ("签名密钥未登记。", "The key that signs is not enrolled for this device."),
    Refusal.BAD_SIGNATURE: ("签名不符。", "The signature does not fit the bytes."),
    Refusal.TOO_LARGE: ("消息过大。", "The message is too large."),
    Refusal.MALFORMED: ("消息格式有误。", "The message is malformed."),
}


class Verifier:
    """Checks signatures; keeps the parsed public keys, which cost as much to load as a tenth of a verification."""

    def __init__(self) -> None:
        self._keys: dict[bytes, Ed25519PublicKey] = {}

    def refusal_of(self, topic: str, envelope: Envelope, device: KnownDevice) -> Refusal | None:
        """Why the message is refused, None when it is `device`'s own word. `topic` is the device's by its form."""
        header = envelope.header
        if header.device != device.device:
            return Refusal.WRONG_TOPIC
        raw = device.keys.get(header.key_id)
        if raw is None:
            return Refusal.UNKNOWN_KEY
        return None if self._is_signed(topic, envelope, raw) else Refusal.BAD_SIGNATURE

    def shows_retired_key(self, topic: str, envelope: Envelope, device: KnownDevice, received_at: datetime) -> bool:
        """Whether someone still signs by a key of `device` that has ended: whoever has new keys never does again, so two
        hold the till's secrets. What was under way when the key ended says nothing.
        """
        retired = device.retired.get(envelope.header.key_id)
        late = retired is not None and received_at > retired.at + UNDER_WAY
        return late and retired is not None and self._is_signed(topic, envelope, retired.public_key)

    def _is_signed(self, topic: str, envelope: Envelope, raw: bytes) -> bool:
        try:
            self._key(raw).verify(envelope.signature, signed_bytes(topic, envelope.body))
        except InvalidSignature:
            return False
        return True

    def _key(self, raw: bytes) -> Ed25519PublicKey:
        key = self._keys.get(raw)
        if key is None:
            if len(self._keys) >= KEYS_MAX:
                self._keys.clear()
            key = self._keys[raw] = Ed25519PublicKey.from_public_bytes(raw)
        return key
