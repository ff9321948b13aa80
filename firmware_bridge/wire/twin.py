"""Desired settings on their way to a till, and what the till made of them on its way back.

A header `{"v":1,"version":…,"sha256":…}`, a line feed, the document. The hash is over the exact bytes of the document.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from firmware_bridge.wire.errors import BadField, UnknownVersion
from firmware_bridge.wire.fields import integer, text
from firmware_bridge.wire.strict_json import dump_object, load_object

VERSION: Final = 1
TWIN_VERSION_MAX: Final = 2**31 - 1
DOCUMENT_BYTES_MAX: Final = 4_096
NUMBERS: Final[Mapping[str, tuple[int, int]]] = {
    "basket_timeout_s": (5, 3_600),
    "bridge_up_jitter_s": (0, 600),
    "camera_frames_per_s_max": (1, 60),
    "health_interval_s": (1, 3_600),
    "wedge_gap_ms": (10, 5_000),
}
CODE: Final = re.compile(r"GP[A-Z0-9]{2,30}")
"""No product's code and no member code looks like it, so no label is ever taken for a command."""
WINDOW: Final = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]")
"""When nobody trades, in the civil time of China; over midnight where the end is not later."""
TEXTS: Final = {"finish_code": CODE, "void_code": CODE, "update_window": WINDOW}
SHA256: Final = re.compile(r"[0-9a-f]{64}")

Document = Mapping[str, int | str]


class TwinStatus(StrEnum):
    """What became of the newest version that the till has judged."""

    NONE = "none"
    TRIAL = "trial"
    APPLIED = "applied"
    REJECTED = "rejected"
    REVERTED = "reverted"


@dataclass(frozen=True, slots=True)
class DesiredTwin:
    """`document`: the exact bytes, not looked into yet, so that a version is known whose document is no good."""

    version: int
    sha256: str
    document: bytes


@dataclass(frozen=True, slots=True)
class ReportedTwin:
    """`version`: the newest judged; `applied_version` and `sha256` what the till runs by. 0 and None for nothing."""

    version: int
    applied_version: int
    sha256: str | None
    status: TwinStatus
    error: str | None


def encode_desired(version: int, document: bytes) -> bytes:
    return dump_object({"v": VERSION, "version": version, "sha256": _hash(document)}) + b"\n" + document


def decode_desired(body: bytes) -> DesiredTwin:
    """Raises WireError."""
    head, _, document = body.partition(b"\n")
    header = load_object(head)
    if (form := integer(header, "v", 0, TWIN_VERSION_MAX)) != VERSION:
        raise UnknownVersion(version=form)
    version = integer(header, "version", 1, TWIN_VERSION_MAX)
    return DesiredTwin(version, text(header, "sha256", SHA256), document)


def decode_document(desired: DesiredTwin) -> Document:
    """The settings, when they are the bytes that were hashed, all known and within their bounds. Raises WireError."""
    if len(desired.document) > DOCUMENT_BYTES_MAX:
        raise BadField(field="document", rule=f"at most {DOCUMENT_BYTES_MAX} bytes")
    if _hash(desired.document) != desired.sha256:
        raise BadField(field="sha256", rule="the hash of the document")
    fields = load_object(desired.document)
    return {name: _setting(fields, name) for name in fields}


def encode_reported(reported: ReportedTwin) -> bytes:
    return dump_object(
        {
            "v": VERSION,
            "version": reported.version,
            "applied_version": reported.applied_version,
            "sha256": reported.sha256,
            "status": reported.status,
            "error": reported.error,
        }
    )


def _setting(fields: Mapping[str, object], name: str) -> int | str:
    if name in NUMBERS:
        return integer(fields, name, *NUMBERS[name])
    if name in TEXTS:
        return text(fields, name, TEXTS[name])
    raise BadField(field=name[:40], rule="a setting of a till")


def _hash(document: bytes) -> str:
    return hashlib.sha256(document).hexdigest()
