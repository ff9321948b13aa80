"""Unified social credit codes (GB 32100-2015): they name an enterprise, as on geographical-indication marks."""

import re

from backend.labels.model import Confidence, Reading, Scheme, Scope, supporting, unsettled
from backend.labels.normalise import Code
from backend.labels.regions import PROVINCES, region_name
from backend.labels.trust import Trust

_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_VALUES = {character: value for value, character in enumerate(_ALPHABET)}
_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_SHAPE = re.compile(r"[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}")
_AUTHORITIES = frozenset("123456789ANY")
_NATIONAL = "10"
"""Region 100000: registered by the state's own authority."""
_INNER_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_ORGANIC_YEARS = range(22, 50)


def read(code: Code) -> Reading | None:
    number = code.compact.replace("-", "")
    if not _SHAPE.fullmatch(number):
        return None
    if number.isdigit():
        return _enterprise(number, code.trust) if is_all_digit_uscc(number) else None
    if check_character_right(number):
        return _enterprise(number, code.trust)
    # Other certificate numbers have 18 characters too; only what begins like an enterprise is called a wrong one.
    return unsettled(Scheme.USCC, "check_digit") if _begins_like_an_enterprise(number) else None


def check_character_right(number: str) -> bool:
    """GB 32100-2015, appendix A: weights are powers of 3 modulo 31."""
    total = sum(weight * _VALUES[character] for weight, character in zip(_WEIGHTS, number, strict=False))
    return _ALPHABET[-total % 31] == number[17]


def is_all_digit_uscc(number: str) -> bool:
    """For 18 digits, one in 31 of which has the right check: authority and province must be possible too."""
    return number.isdigit() and _begins_like_an_enterprise(number) and check_character_right(number)


def _begins_like_an_enterprise(number: str) -> bool:
    return number[0] in _AUTHORITIES and (number[2:4] in PROVINCES or number[2:4] == _NATIONAL)


def organisation_check_right(organisation: str) -> bool:
    """GB 11714: eight characters valued 0-9, A=10 … Z=35, and a check of modulo 11."""
    total = sum(w * int(c, 36) for w, c in zip(_INNER_WEIGHTS, organisation, strict=False))
    return "0X987654321"[total % 11] == organisation[8]


def _enterprise(number: str, trust: Trust) -> Reading:
    region, organisation = number[2:8], number[8:17]
    inner_right, place = organisation_check_right(organisation), region_name(region)
    warnings: tuple[str, ...] = () if inner_right else ("organisation_check",)
    plausible = _begins_like_an_enterprise(number)
    confidence = Confidence.CERTAIN if plausible else Confidence.LIKELY
    if not plausible:
        warnings += ("region_unknown",)
    if number.isdigit():
        confidence = Confidence.CERTAIN if inner_right and place else Confidence.LIKELY
        if number[:4] in trust.bodies and int(number[4:6]) in _ORGANIC_YEARS:
            confidence, warnings = Confidence.REVIEW, (*warnings, "also_fits_organic")
    parts = {"region": region, "organisation": organisation} | ({"place": place} if place else {})
    return supporting(Scheme.USCC, number, Scope.ENTERPRISE, confidence, warnings, parts)
