"""China organic product: the mark code, unique for each smallest pack, and the certificate number.

Coding rules of CNCA, 2012 (17 digits) and August 2022 (body widened to four digits; mandatory from 2024). The full
text of the newer rule was not to be had, so 18 digits stay `likely`. Neither has a check digit.
"""

import re

from backend.labels.carriers.element_strings import sscc_check_digit_right
from backend.labels.model import Confidence, Reading, Scheme, Scope, unsettled
from backend.labels.normalise import Code
from backend.labels.regions import REGIONS

_WORDS = re.compile(r"(?:中国)?(?:有机产品)?有[机機][码碼](?:号|编号)?[\s:;.#]*|ORGANIC (?:MARK )?CODE[\s:.#]*")
_DIGITS = re.compile(r"[0-9]{17,18}")
_CERTIFICATE = re.compile(r"([0-9]{3}|F[0-9]{2}|[0-9]{4})OP([0-9]{2})([0-9]{5})(?:-([0-9]{1,4}))?")
_OLD_YEARS = range(11, 24)
"""17 digits: from the first marks to the end of the transition on 2023-12-31."""
_NEW_YEARS = range(22, 50)
_ENTERPRISE_PREFIXES = frozenset({"11", "12", "13", "51", "52", "53", "91", "92", "93", "54", "N1", "N2"})
_FOREIGN = "9"
_OLD_LENGTH, _NEW_BODY_LENGTH = 17, 4


def read_with_words(code: Code) -> Reading | None:
    words = _WORDS.match(code.upper)
    if words is None:
        return None
    digits = re.sub(r"[\s\-]", "", code.upper[words.end() :])
    if _DIGITS.fullmatch(digits):
        return _mark(digits, code, with_words=True)
    return unsettled(Scheme.ORGANIC, "organic_length") if digits[:1].isdigit() else None


def read_bare(code: Code) -> Reading | None:
    """17 or 18 digits that proved to be nothing else; of 18 digits one in ten has the check digit of an SSCC."""
    digits = code.compact.replace("-", "")
    if not _DIGITS.fullmatch(digits):
        return None
    mark = _mark(digits, code, with_words=False)
    if mark.warnings[:3] == ("year_implausible", "organic_or_sscc", "body_unknown"):  # nothing speaks for organic
        return unsettled(Scheme.SSCC, "logistic_unit", key=f"sscc:(00){digits}")
    return mark


def read_certificate(code: Code) -> Reading | None:
    match = _CERTIFICATE.fullmatch(code.compact)
    if match is None:
        return None
    body, year, serial, sub = match.groups()
    number = f"{body}OP{year}{serial}"
    of_certificate = f"organic_certificate:{number}"
    key = f"{of_certificate}-{sub}" if sub else of_certificate
    known = _body(body) in code.trust.bodies
    return Reading(
        Scheme.ORGANIC_CERTIFICATE,
        key,
        Scope.LICENCE,
        usable=True,
        confidence=Confidence.CERTAIN if known else Confidence.REVIEW,
        warnings=() if known else ("body_unknown",),
        registry_keys=tuple(dict.fromkeys((key, of_certificate))),
        parts={"body": _body(body), "first_year": year},
    )


def _body(printed: str) -> str:
    """The approval serial in four digits: 3-digit forms are 0nnn, foreign 9nn and Fnn are 90nn."""
    if len(printed) == _NEW_BODY_LENGTH:
        return printed
    return f"90{printed[1:]}" if printed[0] in {"F", _FOREIGN} else f"0{printed}"


def _mark(digits: str, code: Code, *, with_words: bool) -> Reading:
    width = len(digits) - 14
    body, year = _body(digits[:width]), digits[width : width + 2]
    doubts = _doubts(digits, code, with_words=with_words)
    known = body in code.trust.bodies
    # The body in four digits: a 17-digit mark typed with a zero in front fits the newer rule and is no second unit.
    key = f"organic:{body}{digits[width:]}"
    return Reading(
        Scheme.ORGANIC,
        key,
        Scope.NONE if doubts else Scope.UNIT,
        usable=not doubts,
        confidence=_confidence(digits, clean=known and not doubts, with_words=with_words),
        warnings=(*doubts, *(() if known else ("body_unknown",)), *(() if with_words else ("typed_without_words",))),
        registry_keys=() if doubts else (key, f"organic_body:{body}"),
        parts={"body": body, "year": f"20{year}"},
    )


def _confidence(digits: str, *, clean: bool, with_words: bool) -> Confidence:
    if not clean:
        return Confidence.REVIEW
    return Confidence.CERTAIN if with_words and len(digits) == _OLD_LENGTH else Confidence.LIKELY


def _doubts(digits: str, code: Code, *, with_words: bool) -> tuple[str, ...]:
    """Why these digits may be no organic mark at all; any of them rules out paying for a unit."""
    old_rule = len(digits) == _OLD_LENGTH
    year = int(digits[3:5] if old_rule else digits[4:6])
    doubts = []
    if year not in (_OLD_YEARS if old_rule else _NEW_YEARS):
        doubts.append("year_implausible")
    elif code.year is not None and 2000 + year > code.year:
        doubts.append("year_after_sale")
    if not with_words and old_rule and _may_be_shortened_uscc(digits):
        doubts.append("maybe_shortened_uscc")
    if not with_words and not old_rule and sscc_check_digit_right(digits):
        doubts.append("organic_or_sscc")
    return tuple(doubts)


def _may_be_shortened_uscc(digits: str) -> bool:
    """A USCC that lost a character behind its region is 17 characters that begin like an enterprise of a county."""
    return digits[:2] in _ENTERPRISE_PREFIXES and digits[2:8] in REGIONS
