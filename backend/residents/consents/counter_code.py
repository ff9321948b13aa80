"""What a resident reads out once to a guardian or an official: 50 random bits, ten letters and digits, good for minutes."""

import hashlib

from backend.kernel.errors import DomainError

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 10
RANDOM_BYTES = 10
_TYPED = str.maketrans("OIL", "011", "- ")


class CounterCodeMalformed(DomainError):
    code = "counter-code-malformed"
    text_zh = "该码应为 10 位字母和数字，请核对。"
    text_en = "Such a code has 10 letters and digits; please check it."


def code_of(random: bytes) -> str:
    """Ten letters and digits in two groups, one of each random byte."""
    letters = "".join(ALPHABET[byte % len(ALPHABET)] for byte in random)
    return f"{letters[:5]}-{letters[5:]}"


def code_hash(typed: str) -> bytes:
    """SHA-256 over the code as drawn, whatever its case and groups. Raises CounterCodeMalformed."""
    code = typed.strip().upper().translate(_TYPED) if typed.isascii() else ""
    if len(code) != LENGTH or not set(ALPHABET).issuperset(code):
        raise CounterCodeMalformed
    return hashlib.sha256(code.encode("ascii")).digest()
