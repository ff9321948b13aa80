from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from firmware_bridge.wire.errors import (
    LineBroken,
    PayloadTooLarge,
    PayloadTooShort,
    UnknownFormat,
    WrongBasketCount,
)

FORMAT: Final = 1
SIGNATURE_BYTES: Final = 64
BASKETS_MAX: Final = 20
PAYLOAD_BYTES_MAX: Final = 65_536
SIGNED_DOMAIN: Final = b"pos-baskets-v1\0"

Sign = Callable[[bytes], bytes]
Verify = Callable[[bytes, bytes], bool]
"""(signature, signed bytes) -> whether the key made it. Never raises for a wrong signature."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """A till's message, split and not yet believed: nothing here was verified.

    `lines` are the exact bytes of the outbox rows, without their newline.
    """

    version: int
    signature: bytes
    body: bytes
    header: bytes
    lines: tuple[bytes, ...]


def signed_bytes(topic: str, body: bytes) -> bytes:
    """Topic and domain are signed with the body: no replay to another topic, device or purpose."""
    return SIGNED_DOMAIN + topic.encode() + b"\0" + body


def seal(topic: str, header: bytes, lines: Sequence[bytes], sign: Sign) -> bytes:
    """Raises WrongBasketCount, LineBroken, PayloadTooLarge."""
    _check_lines(header, lines)
    body = b"".join(line + b"\n" for line in (header, *lines))
    _check_size(1 + SIGNATURE_BYTES + len(body))
    signature = sign(signed_bytes(topic, body))
    assert len(signature) == SIGNATURE_BYTES
    return bytes([FORMAT]) + signature + body


def open_envelope(payload: bytes) -> Envelope:
    """Raises PayloadTooLarge, PayloadTooShort, UnknownFormat, WrongBasketCount, LineBroken."""
    _check_size(len(payload))
    if len(payload) < 1 + SIGNATURE_BYTES + 1:
        raise PayloadTooShort(size_bytes=len(payload))
    if payload[0] != FORMAT:
        raise UnknownFormat(format_byte=payload[0])
    body = payload[1 + SIGNATURE_BYTES :]
    header, *lines = body.removesuffix(b"\n").split(b"\n")
    _check_lines(header, lines)
    return Envelope(payload[0], payload[1 : 1 + SIGNATURE_BYTES], body, header, tuple(lines))


def sealed_size_bytes(header: bytes, lines: Sequence[bytes]) -> int:
    """How large `seal` would make it; a till groups its baskets by this."""
    return 1 + SIGNATURE_BYTES + len(header) + 1 + sum(len(line) + 1 for line in lines)


def _check_lines(header: bytes, lines: Sequence[bytes]) -> None:
    if not 1 <= len(lines) <= BASKETS_MAX:
        raise WrongBasketCount(count=len(lines), count_max=BASKETS_MAX)
    if any(not line or b"\n" in line for line in (header, *lines)):
        raise LineBroken


def _check_size(size_bytes: int) -> None:
    if size_bytes > PAYLOAD_BYTES_MAX:
        raise PayloadTooLarge(size_bytes=size_bytes, size_bytes_max=PAYLOAD_BYTES_MAX)
