import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from firmware_bridge.wire.envelope import SIGNATURE_BYTES, Sign, Verify
from firmware_bridge.wire.errors import (
    BadField,
    MemberCodeExpired,
    MemberCodeForged,
    MemberCodeMalformed,
    MemberCodeOfAnotherCity,
    MemberCodeTooFarAhead,
    MemberKeyUnknown,
)

PREFIX: Final = "GPM1."
SIGNED_DOMAIN: Final = b"gp-member-v1\0"
HANDLE_BYTES: Final = 16
PAYLOAD_BYTES: Final = 28
VALIDITY_S_MAX: Final = 120

_KEY_ID: Final = re.compile(r"[A-Za-z0-9]{2}")
_CITY: Final = re.compile(r"[0-9]{6}")
_TEXT: Final = re.compile(r"GPM1\.[A-Za-z0-9_-]{123}")

KeyLookup = Mapping[str, Verify]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberCode:
    """`city`: home city, GB/T 2260; `handle`: random, names no resident; `expires_s`: Unix seconds."""

    key_id: str
    city: str
    handle: bytes
    expires_s: int


@dataclass(frozen=True, slots=True)
class SignedMemberCode:
    """Decoded, not yet believed."""

    code: MemberCode
    payload: bytes
    signature: bytes


def is_member_code(text: str) -> bool:
    """Whether a scanned text means to be a member code; says nothing of its truth."""
    return text.startswith(PREFIX)


def member_code_signed_bytes(payload: bytes) -> bytes:
    return SIGNED_DOMAIN + payload


def encode_member_code(code: MemberCode, sign: Sign) -> str:
    """128 characters. Raises BadField."""
    payload = _pack(code)
    signature = sign(member_code_signed_bytes(payload))
    assert len(signature) == SIGNATURE_BYTES
    return PREFIX + base64.urlsafe_b64encode(payload + signature).rstrip(b"=").decode()


def decode_member_code(text: str) -> SignedMemberCode:
    """Raises MemberCodeMalformed, also for a second spelling of the same bytes."""
    if _TEXT.fullmatch(text) is None:
        raise MemberCodeMalformed
    raw = _unpadded(text.removeprefix(PREFIX))
    payload, signature = raw[:PAYLOAD_BYTES], raw[PAYLOAD_BYTES:]
    key_id, city = payload[:2].decode("latin-1"), payload[2:8].decode("latin-1")
    if _KEY_ID.fullmatch(key_id) is None or _CITY.fullmatch(city) is None:
        raise MemberCodeMalformed
    code = MemberCode(key_id=key_id, city=city, handle=payload[8:24], expires_s=int.from_bytes(payload[24:], "big"))
    return SignedMemberCode(code, payload, signature)


def verify_member_code(
    text: str, *, now_s: int, keys: KeyLookup, city: str | None = None, clock_slack_s: int = 0
) -> MemberCode:
    """The code, if a known city key signed it and it is valid now; `clock_slack_s` widens both ends.

    Raises MemberCodeMalformed, MemberKeyUnknown, MemberCodeForged, MemberCodeOfAnotherCity (only where
    `city` is given), MemberCodeExpired, MemberCodeTooFarAhead.
    """
    signed = decode_member_code(text)
    verify = keys.get(signed.code.key_id)
    if verify is None:
        raise MemberKeyUnknown(key_id=signed.code.key_id)
    if not verify(signed.signature, member_code_signed_bytes(signed.payload)):
        raise MemberCodeForged
    if city is not None and signed.code.city != city:
        raise MemberCodeOfAnotherCity(city=signed.code.city)
    if now_s - clock_slack_s >= signed.code.expires_s:
        raise MemberCodeExpired
    if signed.code.expires_s > now_s + VALIDITY_S_MAX + clock_slack_s:
        raise MemberCodeTooFarAhead(validity_s_max=VALIDITY_S_MAX)
    return signed.code


def _pack(code: MemberCode) -> bytes:
    rules: tuple[tuple[str, Callable[[], object]], ...] = (
        ("key_id", lambda: _KEY_ID.fullmatch(code.key_id)),
        ("city", lambda: _CITY.fullmatch(code.city)),
        ("handle", lambda: len(code.handle) == HANDLE_BYTES),
        ("expires_s", lambda: 0 <= code.expires_s < 2**32),
    )
    for field, holds in rules:
        if not holds():
            raise BadField(field=field, rule="fits the 28 bytes of a member code")
    return code.key_id.encode() + code.city.encode() + code.handle + code.expires_s.to_bytes(4, "big")


def _unpadded(text: str) -> bytes:
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as error:
        raise MemberCodeMalformed from error
    # The last character carries two unused bits: without this, four texts would be one code.
    if base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != text:
        raise MemberCodeMalformed
    return raw
