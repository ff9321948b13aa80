"""What a till may say of labels while it is offline: `0x01 | 64-byte Ed25519 signature | head JSON, NEWLINE, zlib(lines)`.

A line is `key TAB json NEWLINE`; in a difference a key alone says that its line is gone. Signed with the till's id, so
that nobody gives one till what was made for another. The head's hash is of all lines in the order of their keys (by
bytes): what a difference is applied to must come out as exactly the whole snapshot.
"""

import hashlib
import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from firmware_bridge.wire.envelope import FORMAT, SIGNATURE_BYTES, Verify
from firmware_bridge.wire.errors import (
    BadField,
    BadSignature,
    PayloadTooLarge,
    PayloadTooShort,
    UnknownFormat,
    UnknownVersion,
)
from firmware_bridge.wire.fields import integer, optional_integer, text
from firmware_bridge.wire.messages import SHA256, UNIX_MS_MAX, VERSION
from firmware_bridge.wire.strict_json import load_object
from firmware_bridge.wire.topics import check_device_id

SIGNED_DOMAIN: Final = b"pos-snapshots-v1\0"
MESSAGE_BYTES_MAX: Final = 32 * 2**20
CONTENT_BYTES_MAX: Final = 128 * 2**20
LINES_MAX: Final = 1_000_000
VERSION_MAX: Final = 2**53
PLACE: Final = re.compile(r"[0-9]{6}")
STORE: Final = re.compile(r"[^\x00-\x1f]{1,64}")

Line = tuple[str, str | None]
"""(key, JSON text); None: the line is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotHead:
    """`after` None: the message holds the whole snapshot, else what differs from that version. Times in Unix ms.

    `made_at` is of the version, `checked_at` of when it was last seen to be true; until `expires_at` it may be believed.
    """

    dev: str
    city: str
    district: str
    store: str
    version: int
    after: int | None
    made_at: int
    checked_at: int
    expires_at: int
    lines: int
    sha256: str
    v: int = VERSION


@dataclass(frozen=True, slots=True)
class SnapshotMessage:
    head: SnapshotHead
    lines: tuple[Line, ...]


def open_snapshot(device: str, payload: bytes, verify: Verify) -> SnapshotMessage:
    """Only what the backend's key signed for this very till. Raises WireError."""
    if len(payload) > MESSAGE_BYTES_MAX:
        raise PayloadTooLarge(size_bytes=len(payload), size_bytes_max=MESSAGE_BYTES_MAX)
    if len(payload) < 1 + SIGNATURE_BYTES + 1:
        raise PayloadTooShort(size_bytes=len(payload))
    if payload[0] != FORMAT:
        raise UnknownFormat(format_byte=payload[0])
    body = payload[1 + SIGNATURE_BYTES :]
    if not verify(payload[1 : 1 + SIGNATURE_BYTES], _signed_bytes(device, body)):
        raise BadSignature
    head, _, packed = body.partition(b"\n")
    return SnapshotMessage(_head(head), tuple(_lines(_unpacked(packed))))


def content_hash(lines: Iterable[tuple[str, str]]) -> str:
    """Of all lines of a snapshot, handed in in the order of their keys' bytes."""
    digest = hashlib.sha256()
    for key, line in lines:
        digest.update(f"{key}\t{line}\n".encode())
    return digest.hexdigest()


def _head(head: bytes) -> SnapshotHead:
    fields = load_object(head)
    version = integer(fields, "v", 0, 2**31)
    if version != VERSION:
        raise UnknownVersion(version=version)
    dev = fields.get("dev")
    return SnapshotHead(
        v=version,
        dev=check_device_id(dev if isinstance(dev, str) else ""),
        city=text(fields, "city", PLACE),
        district=text(fields, "district", PLACE),
        store=text(fields, "store", STORE),
        version=integer(fields, "version", 1, VERSION_MAX),
        after=optional_integer(fields, "after", 0, VERSION_MAX),
        made_at=integer(fields, "made_at", 0, UNIX_MS_MAX),
        checked_at=integer(fields, "checked_at", 0, UNIX_MS_MAX),
        expires_at=integer(fields, "expires_at", 0, UNIX_MS_MAX),
        lines=integer(fields, "lines", 0, LINES_MAX),
        sha256=text(fields, "sha256", SHA256),
    )


def _unpacked(packed: bytes) -> bytes:
    """Never more than the limit, whatever it would unpack to."""
    unpacking = zlib.decompressobj()
    try:
        content = unpacking.decompress(packed, CONTENT_BYTES_MAX)
    except zlib.error:
        raise BadField(field="lines", rule="zlib") from None
    if not unpacking.eof or unpacking.unused_data:
        raise BadField(field="lines", rule=f"zlib of at most {CONTENT_BYTES_MAX} bytes, whole")
    return content


def _lines(content: bytes) -> Iterable[Line]:
    try:
        lines = content.decode().split("\n")
    except UnicodeDecodeError:
        raise BadField(field="lines", rule="UTF-8") from None
    if lines.pop() or len(lines) > LINES_MAX:
        raise BadField(field="lines", rule=f"at most {LINES_MAX} whole lines")
    for line in lines:
        key, tab, value = line.partition("\t")
        yield key, value if tab else None


def _signed_bytes(device: str, body: bytes) -> bytes:
    return SIGNED_DOMAIN + device.encode() + b"\0" + body
