import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from firmware_bridge.wire.envelope import Sign, Verify
from firmware_bridge.wire.errors import BadField, UnknownVersion
from firmware_bridge.wire.fields import Fields, choice, integer, objects, optional_text, text
from firmware_bridge.wire.messages import (
    MONO_MS_MAX,
    SEQ_MAX,
    SHA256,
    STREAM,
    UNIX_MS_MAX,
    VERSION,
    VERSIONS_ACCEPTED,
)
from firmware_bridge.wire.signed import open_signed, seal_signed
from firmware_bridge.wire.strict_json import dump_object, load_object

SIGNED_DOMAIN: Final = b"pos-receipts-v1\0"
RECEIPTS_MAX: Final = 100
CODE: Final = re.compile(r"[a-z0-9_.-]{1,64}")


class ReceiptState(StrEnum):
    RECORDED = "recorded"
    DUPLICATE = "duplicate"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """`sha256` is the basket line's; a till closes a row only if seq and sha256 both match its own."""

    seq: int
    sha256: str
    state: ReceiptState
    code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptMessage:
    """`srv_ts`: Unix ms at the server; `echo_mono`: the answered header's `sent_mono`."""

    stream: str
    srv_ts: int
    echo_mono: int
    receipts: tuple[Receipt, ...]
    v: int = VERSION


def seal_receipts(topic: str, message: ReceiptMessage, sign: Sign) -> bytes:
    """Raises BadField, PayloadTooLarge."""
    return seal_signed(SIGNED_DOMAIN, topic, encode_receipts(message), sign)


def open_receipts(topic: str, payload: bytes, verify: Verify) -> ReceiptMessage:
    """Only what the backend's key signed for this very topic comes back. Raises WireError."""
    return decode_receipts(open_signed(SIGNED_DOMAIN, topic, payload, verify))


def encode_receipts(message: ReceiptMessage) -> bytes:
    receipts = [
        {"seq": receipt.seq, "sha256": receipt.sha256, "state": receipt.state, "code": receipt.code}
        for receipt in message.receipts
    ]
    body = dump_object(
        {
            "v": message.v,
            "stream": message.stream,
            "srv_ts": message.srv_ts,
            "echo_mono": message.echo_mono,
            "receipts": receipts,
        }
    )
    decode_receipts(body)
    return body


def decode_receipts(body: bytes) -> ReceiptMessage:
    """Raises NotJson, DuplicateKey, UnknownVersion, BadField. Signatures are `open_receipts`' business."""
    fields = load_object(body)
    version = integer(fields, "v", 0, 2**31)
    if version not in VERSIONS_ACCEPTED:
        raise UnknownVersion(version=version)
    receipts = objects(fields, "receipts")
    if not 1 <= len(receipts) <= RECEIPTS_MAX:
        raise BadField(field="receipts", rule=f"1..{RECEIPTS_MAX} receipts")
    return ReceiptMessage(
        v=version,
        stream=text(fields, "stream", STREAM),
        srv_ts=integer(fields, "srv_ts", 0, UNIX_MS_MAX),
        echo_mono=integer(fields, "echo_mono", 0, MONO_MS_MAX),
        receipts=tuple(_receipt(receipt) for receipt in receipts),
    )


def _receipt(fields: Fields) -> Receipt:
    return Receipt(
        seq=integer(fields, "seq", 1, SEQ_MAX),
        sha256=text(fields, "sha256", SHA256),
        state=choice(fields, "state", ReceiptState),
        code=optional_text(fields, "code", CODE),
    )
