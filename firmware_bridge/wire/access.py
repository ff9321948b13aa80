"""Which device the broker lets in, as the backend's list for bridges says it under `topics.ACCESS`."""

from dataclasses import dataclass

from firmware_bridge.wire import topics
from firmware_bridge.wire.errors import BadField
from firmware_bridge.wire.messages import VERSION
from firmware_bridge.wire.strict_json import dump_object, load_object


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessChange:
    """`admitted`: enrolled and active; otherwise revoked, for ever, for a device id never comes back."""

    device: str
    admitted: bool


def encode_access(change: AccessChange) -> bytes:
    return dump_object({"v": VERSION, "dev": change.device, "admitted": change.admitted})


def decode_access(payload: bytes) -> AccessChange:
    """Raises NotJson, DuplicateKey, BadField, BadDeviceId."""
    fields = load_object(payload)
    device, admitted = fields.get("dev"), fields.get("admitted")
    if not isinstance(device, str):
        raise BadField(field="dev", rule="text")
    if not isinstance(admitted, bool):
        raise BadField(field="admitted", rule="true or false")
    return AccessChange(device=topics.check_device_id(device), admitted=admitted)
