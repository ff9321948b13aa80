"""GS1 element strings, raw with group separators or printed with brackets, and what they identify."""

import re
from calendar import monthrange
from collections.abc import Iterable, Mapping

from backend.labels.carriers import gtin
from backend.labels.carriers.identifiers import IDENTIFIERS, fits, fixed_length, identifier_at
from backend.labels.model import Confidence, Reading, Scheme, Scope, refused, unsettled
from backend.labels.normalise import GS, Code
from backend.labels.symbologies import Symbology

_PRINTED = re.compile(r"\(([0-9]{2,4})\)")
_UNMARKED_CARRIERS = frozenset({Symbology.CODE128, Symbology.DATAMATRIX, Symbology.QRCODE})
_DATES = {"11": "produced", "13": "packed", "15": "best_before", "17": "expiry"}
_PARTS = {"10": "batch", "21": "serial", "22": "variant", "422": "origin", "37": "count"} | _DATES
_MAX_ELEMENTS = 40
"""More than any real label carries; keeps a hostile 2 KiB string cheap."""


class Elements(dict[str, str]):
    """Application identifier -> value, with what went wrong while reading them."""

    def __init__(self) -> None:
        super().__init__()
        self.flaws: list[str] = []

    def put(self, identifier: str, value: str) -> None:
        """Keeps the first value; a second, different one is a conflict."""
        if self.setdefault(identifier, value) != value:
            self.flaws.append("gs1_conflict")


def read(code: Code) -> Reading | None:
    """Element strings that the reader vouches for, that carry separators, or that are printed with brackets."""
    if code.marked_gs1 and not code.upper.startswith("HTTP"):  # a Digital Link may stand in a GS1 symbol
        printed = code.text.startswith("(")
        elements = _bracketed(code.text) if printed else _raw(code.text.strip(GS))
        return identified(elements, Confidence.CERTAIN)
    if GS in code.text:
        elements = _raw(code.text.strip(GS))
        return identified(elements, Confidence.LIKELY) if elements else None
    if _PRINTED.match(code.text):
        elements = _bracketed(code.text)
        return identified(elements, Confidence.LIKELY) if elements else None
    return None


def read_unmarked(code: Code) -> Reading | None:
    """A machine-read string that would be GS1 had the reader marked it: at most a product number, never a unit,
    as without separators a batch and a serial run together undetectably.
    """
    if code.symbology not in _UNMARKED_CARRIERS or not code.text.startswith("01"):
        return None
    elements = _raw(code.text)
    number = elements.get("01", "")
    if elements.flaws or not gtin.check_digit_right(number.encode("ascii")):
        return None
    return gtin.read(number, Confidence.REVIEW, "gs1_unmarked")


def _raw(payload: str) -> Elements:
    elements, at = Elements(), 0
    for _ in range(_MAX_ELEMENTS):
        identifier = identifier_at(payload, at)
        if identifier is None:
            break
        start = at + len(identifier)
        length = fixed_length(identifier)
        end = start + length if length else payload.find(GS, start)
        end = len(payload) if end < 0 else end
        if not fits(identifier, payload[start:end]):
            break
        elements.put(identifier, payload[start:end])
        at = end + 1 if payload[end : end + 1] == GS else end
    if at < len(payload):
        elements.flaws.append("gs1_malformed")
    return elements


def _bracketed(text: str) -> Elements:
    """'(01)…(21)…': an opening bracket inside a value is taken as text unless an identifier stands in it."""
    pieces = _PRINTED.split(text)
    pairs: list[tuple[str, str]] = []
    for identifier, value in zip(pieces[1::2], pieces[2::2], strict=True):
        if pairs and identifier not in IDENTIFIERS:
            identifier, value = pairs[-1][0], f"{pairs.pop()[1]}({identifier}){value}"  # noqa: PLW2901 - joined again
        pairs.append((identifier, value.strip(" " + GS)))
    return from_pairs(pairs)


def from_pairs(pairs: Iterable[tuple[str, str]]) -> Elements:
    elements = Elements()
    for identifier, value in pairs:
        if len(elements) < _MAX_ELEMENTS and fits(identifier, value):
            elements.put(identifier, value)
        else:
            elements.flaws.append("gs1_malformed")
    return elements


def identified(elements: Elements, confidence: Confidence) -> Reading:
    """The most specific thing that the elements identify."""
    warnings = (*dict.fromkeys(elements.flaws), *_date_warnings(elements))
    if warnings:
        confidence = Confidence.REVIEW
    if "gs1_conflict" in warnings:
        return unsettled(Scheme.GS1, *warnings)
    if "01" in elements:
        return _trade_item(elements, confidence, warnings)
    if "8003" in elements:
        return _asset(elements["8003"], confidence, warnings)
    if "00" in elements:
        return _logistic_unit(elements["00"], warnings)
    if elements:
        identifier, value = next(iter(elements.items()))
        kind = ("contained_items",) if identifier in {"02", "03"} else ()
        return refused(Scheme.GS1, *warnings, *kind, key=f"gs1:({identifier}){value}")
    return unsettled(Scheme.GS1, *(warnings or ("gs1_malformed",)))


def _trade_item(elements: Elements, confidence: Confidence, warnings: tuple[str, ...]) -> Reading:
    item = gtin.read(elements["01"], confidence, *warnings)
    parts = {_PARTS[ai]: value for ai, value in elements.items() if ai in _PARTS}
    parts |= {f"certification_{ai[3]}": value for ai, value in elements.items() if ai.startswith("723")}
    # One flaw anywhere, and the serial may be half of one: then the product alone is certain.
    unit = item.usable and "21" in elements and not elements.flaws
    if not unit:
        return Reading(
            item.scheme, item.key, item.scope, item.usable, item.confidence, item.warnings, item.registry_keys, parts
        )
    # The serial is folded to upper case: a copy of one unit in other letters must not be paid again, and two
    # units that differ in case alone are not to be expected.
    key = f"sgtin:(01){elements['01']}(21){elements['21'].upper()}"
    return Reading(
        Scheme.SGTIN, key, Scope.UNIT, item.usable, item.confidence, item.warnings, item.registry_keys, parts
    )


def _asset(value: str, confidence: Confidence, warnings: tuple[str, ...]) -> Reading:
    """GRAI, a reusable crate: asset type of 14 digits, then perhaps the serial of one crate."""
    asset, serial = value[:14], value[14:].upper()
    if not gtin.check_digit_right(asset.encode("ascii")):
        return unsettled(Scheme.GRAI, *warnings, "check_digit")
    of_type = f"grai:(8003){asset}"
    parts = {"serial": value[14:]} if serial else {}
    return Reading(
        Scheme.GRAI,
        of_type + serial,
        Scope.UNIT if serial else Scope.MODEL,
        usable=True,
        confidence=confidence,
        warnings=warnings,
        registry_keys=(of_type,),
        parts=parts,
    )


def _logistic_unit(value: str, warnings: tuple[str, ...]) -> Reading:
    if not sscc_check_digit_right(value):
        return unsettled(Scheme.SSCC, *warnings, "check_digit")
    return refused(Scheme.SSCC, *warnings, "logistic_unit", key=f"sscc:(00){value}")


def sscc_check_digit_right(digits: str) -> bool:
    """Weights 3,1,3,1 … over 18 digits (GS1 General Specifications, section 7.9)."""
    return (3 * sum(map(int, digits[::2])) + sum(map(int, digits[1::2]))) % 10 == 0


def _date_warnings(elements: Mapping[str, str]) -> tuple[str, ...]:
    return () if all(_is_date(elements[ai]) for ai in _DATES if ai in elements) else ("gs1_date",)


def _is_date(yymmdd: str) -> bool:
    """Day 00 means the end of the month. The century stays open; 2000 makes every fourth year a leap year."""
    year, month, day = int(yymmdd[:2]), int(yymmdd[2:4]), int(yymmdd[4:])
    return 1 <= month <= 12 and day <= monthrange(2000 + year, month)[1]  # noqa: PLR2004 - months
