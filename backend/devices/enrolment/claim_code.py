"""The one-time claim by which a new till is let in: 128 random bits, shown once, stored as a hash."""

import hashlib

from backend.kernel.errors import DomainError

RANDOM_BYTES = 16
PREFIX = "GPE1."
"""Tells a scanned claim from goods and member codes."""
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH = 26
_TYPED = str.maketrans("OIL", "011", "- ")


class EnrolmentClaimMalformed(DomainError):
    code = "enrolment-claim-malformed"
    text_zh = "登记码有误：应为 GPE1. 加 26 位字母或数字，请核对。"
    text_en = "Not an enrolment claim: GPE1. and 26 letters or digits."


def claim_of(random_bytes: bytes) -> str:
    """The claim of 128 random bits, which the caller drew."""
    assert len(random_bytes) == RANDOM_BYTES
    number = int.from_bytes(random_bytes, "big") << 2
    return PREFIX + "".join(_ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))


def claim_hash(typed: str) -> bytes:
    """SHA-256 of the claim as drawn, however it was typed: any case, O for 0, I and L for 1, hyphens.

    Raises EnrolmentClaimMalformed.
    """
    upper = typed.strip().upper()
    code = upper.removeprefix(PREFIX).translate(_TYPED)
    if not typed.isascii() or len(code) != _LENGTH or not set(code) <= set(_ALPHABET):
        raise EnrolmentClaimMalformed
    return hashlib.sha256((PREFIX + code).encode()).digest()
