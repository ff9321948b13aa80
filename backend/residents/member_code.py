"""The code that a resident shows at a till: `GPM1.` and 92 bytes in base64url, signed by the home city."""

import base64
import binascii
import struct
from collections.abc import Callable

import msgspec

PREFIX = "GPM1."
PAYLOAD_BYTES = 28
CODE_BYTES = PAYLOAD_BYTES + 64
VALID_S_MAX = 120
SHOWN_TOLERANCE_MS = 30_000
"""How far a synchronised till's clock may be off when a code is shown."""

_STANDARD = bytes.maketrans(b"-_", b"+/")
"""From the letters of base64url to those of base64."""
_parts_of = struct.Struct(f">8s16sI{CODE_BYTES - PAYLOAD_BYTES}x").unpack
"""Key id and city, handle, expiry; what follows is the signature."""


class MemberCode(msgspec.Struct, frozen=True, gc=False):
    """`expires_s` in Unix seconds; `handle` is random and means a resident only to the home city's database."""

    key_id: str
    city: str
    handle: bytes
    expires_s: int


def encode(code: MemberCode, sign: Callable[[bytes], bytes]) -> str:
    payload = payload_of(code)
    signature = sign(signed_bytes(payload))
    return PREFIX + base64.urlsafe_b64encode(payload + signature).rstrip(b"=").decode()


def payload_of(code: MemberCode) -> bytes:
    payload = code.key_id.encode() + code.city.encode() + code.handle + code.expires_s.to_bytes(4, "big")
    if len(payload) != PAYLOAD_BYTES:
        raise ValueError("key id has 2 bytes, city 6, handle 16")
    return payload


def signed_bytes(payload: bytes) -> bytes:
    return b"gp-member-v1\0" + payload


def decode(text: str) -> MemberCode | None:
    """The parts of a code, or None when it is not one. The signature is the till's to check: here the handle decides,
    128 random bits that only a code of ours can hold.
    """
    if not text.startswith(PREFIX):
        return None
    try:
        raw = binascii.a2b_base64(text[len(PREFIX) :].encode("ascii").translate(_STANDARD) + b"=", strict_mode=True)
        if len(raw) != CODE_BYTES:
            return None
        words, handle, expires_s = _parts_of(raw)
        named = words.decode("ascii")
        return MemberCode(named[:2], named[2:], handle, expires_s)
    except ValueError:
        return None
