"""The paper card of a resident without a smartphone: a number that stands still, with a check character.

It proves less than a member code does, since anybody may copy it: it only credits, a few times a day, and a till promises
nothing on it. Whose it is, and whether it was lost, the home city's server alone knows.
"""

import re
from typing import Final

from firmware_bridge.wire.errors import MemberCardMalformed

PREFIX: Final = "GPC1."
_TEXT: Final = re.compile(r"GPC1\.[0-9]{6}[0-9A-HJKMNP-TV-Z]{12}[0-9A-Z]")
_MODULUS: Final = 36


def is_member_card(text: str) -> bool:
    """Whether a scanned text means to be a card; says nothing of its truth."""
    return text.startswith(PREFIX)


def check_card(text: str) -> None:
    """Raises MemberCardMalformed for what was misread or mistyped."""
    if _TEXT.fullmatch(text) is None or _remainder(text.removeprefix(PREFIX)) != 1:
        raise MemberCardMalformed


def _remainder(number: str) -> int:
    """ISO 7064, MOD 37-36: 1 for a number whose check character is right."""
    total = _MODULUS
    for character in number[:-1]:
        total = (total + int(character, _MODULUS)) % _MODULUS or _MODULUS
        total = total * 2 % (_MODULUS + 1)
    return (total + int(number[-1], _MODULUS)) % _MODULUS
