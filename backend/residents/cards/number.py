"""A card's number: `GPC1.`, the home city, 60 random bits in Crockford's base 32, a check character (ISO 7064, MOD 37-36)."""

import hashlib
import re
from typing import NamedTuple

from backend.kernel.crockford import written
from backend.kernel.errors import DomainError

PREFIX = "GPC1."
RANDOM_BYTES = 8
BODY_CHARS = 12
SECRET_CHARS = 12
ENDING_CHARS = 4
TYPED_MAX = 40
_NUMBER = re.compile(r"(?P<city>[0-9]{6})[0-9A-HJKMNP-TV-Z]{12}[0-9A-Z]")
_TYPED = str.maketrans("", "", " -.")
_ALIKE = str.maketrans("OIL", "011")
_MODULUS = 36


class CardMalformed(DomainError):
    code = "card-malformed"
    text_zh = "卡号应为 19 位数字和字母，请对照卡片重新输入。"
    text_en = "A card's number has 19 digits and letters; check it against the card."


class CardNumber(NamedTuple):
    """`number` without the prefix."""

    number: str
    city: str

    @property
    def text(self) -> str:
        """What is printed as a symbol."""
        return PREFIX + self.number

    @property
    def shown(self) -> str:
        """What people read: in fours."""
        return " ".join(self.number[start : start + 4] for start in range(0, len(self.number), 4))

    @property
    def ending(self) -> str:
        return self.number[-ENDING_CHARS:]

    @property
    def hashed(self) -> bytes:
        return hashlib.sha256(self.text.encode("ascii")).digest()


def drawn(city: str, octets: bytes) -> CardNumber:
    """The number of 8 random `octets`, of which 60 bits stand in it."""
    body = city + written(octets, BODY_CHARS)
    digit = (_MODULUS + 1 - _remainder(body + "0")) % _MODULUS
    check = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[digit]
    return CardNumber(body + check, city)


def card_of(text: str) -> CardNumber | None:
    """Of what a till read; None where it is no card."""
    return _parsed(text.removeprefix(PREFIX)) if text.startswith(PREFIX) else None


def typed_card(text: str) -> CardNumber:
    """Of what a person typed, with or without prefix and spaces. Raises CardMalformed."""
    plain = text.upper().translate(_TYPED).removeprefix(PREFIX[:-1]) if len(text) <= TYPED_MAX else ""
    # Only the check character may be one of the letters that are taken for digits.
    found = _parsed(plain[:-1].translate(_ALIKE) + plain[-1:])
    if found is None:
        raise CardMalformed
    return found


def secret_of(octets: bytes) -> str:
    """What proves to hold the sheet, not just a look at the card: 60 bits."""
    return written(octets, SECRET_CHARS)


def _parsed(number: str) -> CardNumber | None:
    found = _NUMBER.fullmatch(number) if number.isascii() else None
    return CardNumber(number, found["city"]) if found is not None and _remainder(number) == 1 else None


def _remainder(number: str) -> int:
    total = _MODULUS
    for character in number[:-1]:
        total = (total + int(character, _MODULUS)) % _MODULUS or _MODULUS
        total = total * 2 % (_MODULUS + 1)
    return (total + int(number[-1], _MODULUS)) % _MODULUS
