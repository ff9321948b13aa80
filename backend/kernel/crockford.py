"""Codes that people type: Crockford's base 32, without letters that are taken for others."""

DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
TYPED_MAX = 40
_KNOWN = frozenset(DIGITS)
_TYPED = str.maketrans("OIL", "011", "- ")


def typed(text: str, length: int) -> str | None:
    """The code as drawn: any case, with or without hyphens, O read as 0, I and L as 1; None where it is none."""
    code = text.strip().upper().translate(_TYPED) if text.isascii() and len(text) <= TYPED_MAX else ""
    return code if len(code) == length and _KNOWN.issuperset(code) else None


def written(octets: bytes, length: int) -> str:
    """The first `length` characters for `octets`, five bits each."""
    bits = int.from_bytes(octets)
    width = 8 * len(octets)
    return "".join(DIGITS[bits >> (width - 5 * (place + 1)) & 31] for place in range(length))
