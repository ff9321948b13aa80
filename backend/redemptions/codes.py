"""Codes of redemptions and vouchers: made from a key, so that their owner sees them again and the database holds hashes alone.

A redemption's is short, since a cashier types it within minutes; a voucher's is 80 bits, since it is good for months. Pure.
"""

import hashlib
import hmac
from enum import StrEnum

from backend.kernel.crockford import typed, written
from backend.redemptions.model import CodeMalformed


class Purpose(StrEnum):
    """What a code is for; the name is part of what it is made from."""

    REDEMPTION = "redemption"
    VOUCHER = "voucher"


LENGTHS = {Purpose.REDEMPTION: 8, Purpose.VOUCHER: 16}


class CodeBook:
    """Makes codes from a key; whoever has not the key cannot tell them from random ones."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def code(self, purpose: Purpose, city: str, redemption: str) -> str:
        """Always the same for one redemption, in fours, as people read it out."""
        message = f"{purpose.value}\0{city}\0{redemption}".encode()
        code = written(hmac.digest(self._key, message, hashlib.sha256), LENGTHS[purpose])
        return "-".join(code[place : place + 4] for place in range(0, len(code), 4))

    def hash(self, purpose: Purpose, city: str, redemption: str) -> bytes:
        """What is stored of it."""
        return hash_of(purpose, self.code(purpose, city, redemption))


def hash_of(purpose: Purpose, code: str) -> bytes:
    """What is stored of a code as people type it. Raises CodeMalformed."""
    drawn = typed(code, LENGTHS[purpose])
    if drawn is None:
        raise CodeMalformed(length=LENGTHS[purpose])
    return hashlib.sha256(f"{purpose.value}\0{drawn}".encode()).digest()
