"""Citizen identity numbers (GB 11643-1999) and mobile phone numbers: named, refused, and nothing of them kept."""

import re
from calendar import monthrange
from urllib.parse import unquote

from backend.labels.model import Reading, Scheme, refused, unsettled
from backend.labels.normalise import Code
from backend.labels.regions import PROVINCES, REGIONS
from backend.labels.schemes import enterprises

_RUN = re.compile(r"(?<![0-9])[1-8][0-9]{16}[0-9X](?![0-9])")
_OLD = re.compile(r"[1-8][0-9]{14}")
_PHONE = re.compile(r"(?:\+?86)?1[3-9][0-9]{9}")
_SEPARATORS = str.maketrans("", "", " -.·\t")
_LONGEST_SPELLING = 40
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_YEARS = range(1850, 2100)


def read(code: Code) -> Reading | None:
    """Looks for a number alone, with separators, and anywhere inside longer text such as an address."""
    joined = code.upper.translate(_SEPARATORS) if len(code.upper) <= _LONGEST_SPELLING else ""
    runs = _RUN.findall(unquote(code.upper) if "%" in code.upper else code.upper)
    if len(joined) == 18:  # noqa: PLR2004 - digits of an identity number
        runs += _RUN.findall(joined)
    for number in runs:
        reading = _identity(number)
        if reading is not None:
            return reading
    if _OLD.fullmatch(joined) and joined[:6] in REGIONS and _is_day(f"19{joined[6:12]}"):
        return refused(Scheme.CITIZEN_ID, "citizen_id")
    if code.symbology is None and _PHONE.fullmatch(joined):
        return refused(Scheme.PHONE_NUMBER, "phone_number")
    return None


def inside(reading: Reading) -> Reading | None:
    """The refusal of a reading that kept an identity number, as the serial of a GS1 string could."""
    runs = _RUN.findall(" ".join((reading.key or "", *reading.parts.values())).upper())
    return next((person for number in runs if (person := _identity(number)) is not None), None)


def _identity(number: str) -> Reading | None:
    """A possible day and a region, or the check character where the table does not know the region, make a person.

    With a known region the check character need not be right: a number that was misread or mistyped in one place still
    tells who it is of. Historic region codes count. A number that proves to be a firm's is none.
    """
    if number[:2] not in PROVINCES or not _is_day(number[6:14]):
        return None
    known_region, right = number[:6] in REGIONS, _check_character_right(number)
    if not known_region and not right:
        return None
    if not enterprises.is_all_digit_uscc(number):
        return refused(Scheme.CITIZEN_ID, "citizen_id")
    return unsettled(Scheme.CITIZEN_ID, "may_be_enterprise") if known_region and right else None


def _check_character_right(number: str) -> bool:
    return _CHECKS[sum(w * int(d) for w, d in zip(_WEIGHTS, number, strict=False)) % 11] == number[17]


def _is_day(yyyymmdd: str) -> bool:
    year, month, day = int(yyyymmdd[:4]), int(yyyymmdd[4:6]), int(yyyymmdd[6:])
    return year in _YEARS and 1 <= month <= 12 and 1 <= day <= monthrange(year, month)[1]  # noqa: PLR2004 - months
