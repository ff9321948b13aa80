"""What is kept of an act names nobody: numbers of people are masked wherever they stand. Pure."""

import re
from collections.abc import Mapping

HIDDEN = "***"
PERSONAL = frozenset({"phone", "openid", "id_number", "name", "contact", "address", "email"})
"""Members that hold what a person is called or reached by."""

# Eleven digits of a mobile number; an identity number of GB 11643 (region, date of birth, order, check), or of the first
# generation. Longer numbers, such as GTINs and certificates, do not match.
_PHONE = re.compile(r"(?<![0-9A-Za-z-])(1[3-9]\d)\d{4}(\d{4})(?![0-9A-Za-z])")
_IDENTITY = re.compile(
    r"(?<![0-9A-Za-z])([1-8]\d{5})(?:(?:19|20)\d{2}(?:0[1-9]|1[0-2])\d{5}[0-9Xx]|\d{2}(?:0[1-9]|1[0-2])\d{5})(?![0-9A-Za-z])"
)


def masked(text: str) -> str:
    """`text` with the numbers of people shortened: 138****5678, 320102************."""
    return _IDENTITY.sub(r"\1************", _PHONE.sub(r"\1****\2", text))


def masked_members(given: Mapping[str, object]) -> dict[str, object]:
    return {name: _masked(name, value) for name, value in given.items()}


def _masked(name: str, value: object) -> object:
    match value:
        case None | bool() | int():
            return value
        case _ if name in PERSONAL:
            return HIDDEN
        case str():
            return masked(value)
        case Mapping():
            return masked_members(value)
        case list() | tuple():
            return [_masked(name, one) for one in value]
        case _:
            return masked(str(value))
