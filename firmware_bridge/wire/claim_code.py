import hashlib
from typing import Final

from firmware_bridge.wire.errors import ClaimCodeMalformed

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH: Final = 16
RANDOM_BYTES: Final = 10
_TYPED: Final = str.maketrans("OIL", "011", "- ")


def draw_claim_code(random_bytes: bytes) -> str:
    """16 Crockford characters of exactly 80 random bits; the caller owns the generator."""
    assert len(random_bytes) == RANDOM_BYTES
    number = int.from_bytes(random_bytes, "big")
    return "".join(ALPHABET[number >> shift & 31] for shift in range(75, -1, -5))


def show_claim_code(code: str) -> str:
    """XXXX-XXXX-XXXX-XXXX, as printed on the sales slip."""
    return "-".join(code[start : start + 4] for start in range(0, LENGTH, 4))


def normalise_claim_code(typed: str) -> str:
    """What a resident typed, as drawn: O is 0, I and L are 1, any case. Raises ClaimCodeMalformed."""
    code = typed.strip().upper().translate(_TYPED) if typed.isascii() else ""
    if len(code) != LENGTH or any(character not in ALPHABET for character in code):
        raise ClaimCodeMalformed
    return code


def claim_sha256(code: str) -> str:
    """Lower-case hex over the 16 upper-case ASCII characters, without hyphens."""
    assert len(code) == LENGTH
    return hashlib.sha256(code.encode("ascii")).hexdigest()
