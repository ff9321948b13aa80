"""What the backend signs for one topic: `0x01 | 64-byte Ed25519 signature | body`."""

from firmware_bridge.wire.envelope import FORMAT, PAYLOAD_BYTES_MAX, SIGNATURE_BYTES, Sign, Verify
from firmware_bridge.wire.errors import BadSignature, PayloadTooLarge, PayloadTooShort, UnknownFormat


def seal_signed(domain: bytes, topic: str, body: bytes, sign: Sign) -> bytes:
    """Raises PayloadTooLarge."""
    signature = sign(_signed_bytes(domain, topic, body))
    assert len(signature) == SIGNATURE_BYTES
    payload = bytes([FORMAT]) + signature + body
    _check_size(payload)
    return payload


def open_signed(domain: bytes, topic: str, payload: bytes, verify: Verify) -> bytes:
    """The body. Raises PayloadTooLarge, PayloadTooShort, UnknownFormat, BadSignature."""
    _check_size(payload)
    if len(payload) < 1 + SIGNATURE_BYTES + 1:
        raise PayloadTooShort(size_bytes=len(payload))
    if payload[0] != FORMAT:
        raise UnknownFormat(format_byte=payload[0])
    body = payload[1 + SIGNATURE_BYTES :]
    if not verify(payload[1 : 1 + SIGNATURE_BYTES], _signed_bytes(domain, topic, body)):
        raise BadSignature
    return body


def _signed_bytes(domain: bytes, topic: str, body: bytes) -> bytes:
    """Purpose and topic are signed with the body: no replay to another topic, device or purpose."""
    return domain + topic.encode() + b"\0" + body


def _check_size(payload: bytes) -> None:
    if len(payload) > PAYLOAD_BYTES_MAX:
        raise PayloadTooLarge(size_bytes=len(payload), size_bytes_max=PAYLOAD_BYTES_MAX)
