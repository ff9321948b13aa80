"""The till's message as the backend reads it: its own implementation of the wire contract, pinned by golden files."""

import re
from typing import NamedTuple

from backend.kernel.errors import DomainError
from backend.kernel.strict_json import NotStrictJson, load_object

MESSAGE_BYTES_MAX = 65_536
BASKETS_MAX = 20
VERSIONS = (0, 1)
BODY_AT = 65
"""One byte of format, then 64 of Ed25519 signature."""
MONO_MS_MAX = 2**53
CLOCK_MS_MAX = 10**13

TOPIC = re.compile(r"pos/v1/([a-z0-9-]{8,40})/up/(baskets|health|state|twin|job|res)")
STREAM = re.compile(r"[0-9a-f]{32}")
KEY_ID = re.compile(r"[a-z0-9]{1,8}")
BOOT = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SOURCES = ("ntp", "rtc", "srv", "none")


class Malformed(DomainError):
    code = "malformed"
    text_zh = "消息格式有误（{what}），已原样隔离。"
    text_en = "The message is malformed ({what}); its bytes are in quarantine."

    def __init__(self, what: str) -> None:
        super().__init__(what=what)


class Header(NamedTuple):
    """Who sends, from which outbox file, signed by which key, and what the till's clock is worth. Times in ms."""

    device: str
    stream: str
    key_id: str
    boot: str
    sent_mono_ms: int
    low: int
    clock_source: str
    clock_offset_ms: int


class Envelope(NamedTuple):
    signature: bytes
    body: bytes
    header: Header
    lines: tuple[bytes, ...]


def kind_of(topic: str) -> tuple[str, str] | None:
    """(device, kind) of a till's own topic; None for any other."""
    match = TOPIC.fullmatch(topic)
    return (match[1], match[2]) if match else None


def signed_bytes(topic: str, body: bytes) -> bytes:
    return b"pos-baskets-v1\0" + topic.encode() + b"\0" + body


def open_envelope(payload: bytes) -> Envelope:
    """The parts of a message; the signature is not checked here. Raises Malformed."""
    if not BODY_AT < len(payload) <= MESSAGE_BYTES_MAX or payload[0] != 1:
        raise Malformed("envelope")
    body = payload[BODY_AT:]
    head, _, rest = body.partition(b"\n")
    lines = tuple(rest.removesuffix(b"\n").split(b"\n")) if rest else ()
    if not 1 <= len(lines) <= BASKETS_MAX:
        raise Malformed("basket count")
    return Envelope(payload[1:BODY_AT], body, _header(head), lines)


def _header(raw: bytes) -> Header:
    try:
        doc = load_object(raw)
        clock = doc["clk"]
        header = Header(
            doc["dev"],
            doc["stream"],
            doc["key"],
            doc["boot"],
            doc["sent_mono"],
            doc["low"],
            clock["src"],
            clock.get("off_ms", 0),
        )
        sound = (
            doc["v"] in VERSIONS
            and KEY_ID.fullmatch(header.key_id)
            and STREAM.fullmatch(header.stream)
            and BOOT.fullmatch(header.boot)
            and _within(header.sent_mono_ms, 0, MONO_MS_MAX)
            and _within(header.low, 0, 2**63 - 1)
            and header.clock_source in _SOURCES
            and _within(header.clock_offset_ms, -CLOCK_MS_MAX, CLOCK_MS_MAX)
        )
    except (NotStrictJson, KeyError, TypeError, AttributeError):
        raise Malformed("header") from None
    if not sound or type(header.device) is not str:
        raise Malformed("header")
    return header


def _within(value: object, low: int, high: int) -> bool:
    return type(value) is int and low <= value <= high
