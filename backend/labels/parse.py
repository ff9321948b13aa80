from collections.abc import Callable, Iterable

from backend.labels.carriers import element_strings, gtin
from backend.labels.model import Confidence, Reading, Scheme, unsettled
from backend.labels.normalise import Code, decoded, normalised, respelled, too_long
from backend.labels.schemes import (
    addresses,
    certificates,
    citizens,
    efficiency,
    enterprises,
    foreign,
    green_food,
    organic,
    tokens,
)
from backend.labels.symbologies import PLAIN_AIMS, PLAIN_NAMES, RETAIL, Symbology, symbology_of
from backend.labels.trust import DEFAULT_TRUST, Trust

_PRINTED_LENGTHS = {Symbology.EAN13: 13, Symbology.EAN8: 8, Symbology.UPCA: 12, Symbology.UPCE: 13}
_ADD_ON_LENGTHS = (2, 5)
_UPC_E_LENGTH = 8
_ITF_LENGTH = 14


def parse(
    data: bytes | str,
    symbology: str | None = None,
    aim: str | None = None,
    *,
    trust: Trust = DEFAULT_TRUST,
    year: int | None = None,
) -> Reading:
    """The reading of one code; total: never raises, whatever the content.

    `symbology` as the reader names it, None for typed text; `aim` the AIM identifier ("]C1") where it does not stand
    in front of `data`. `year` is the civil year of the sale: an organic mark dated later needs review.
    """
    if len(data) in gtin.LENGTHS and symbology in PLAIN_NAMES and (aim is None or aim in PLAIN_AIMS):
        plain = gtin.read_plain(data)
        if plain is not None:
            return plain
    if too_long(data):
        return unsettled(Scheme.UNREADABLE, "too_long")
    text = data if isinstance(data, str) else decoded(data)
    if text is None:
        return unsettled(Scheme.UNREADABLE, "not_text")
    return _read(normalised(text, symbology_of(symbology), aim, trust, year))


def _read(code: Code) -> Reading:
    reading = _first(code, _BY_CARRIER)
    if reading is None:
        reading = _first(respelled(code, certificates.without_words(code.upper)), _BY_WORDING)
    if reading is None:
        return unsettled(Scheme.UNREADABLE, "unknown_format")
    return citizens.inside(reading) or reading


def _first(code: Code, readers: Iterable[Callable[[Code], Reading | None]]) -> Reading | None:
    return next((reading for reader in readers if (reading := reader(code)) is not None), None)


def _retail(code: Code) -> Reading | None:
    """EAN and UPC symbols hold a GTIN, perhaps with an add-on of 2 or 5 digits, and nothing else."""
    if code.symbology not in RETAIL:
        return None
    digits = code.compact.replace("-", "").replace("+", "")
    if not (digits.isascii() and digits.isdigit()):
        return unsettled(Scheme.UNREADABLE, "unknown_format")
    if code.symbology is Symbology.UPCE and len(digits) == _UPC_E_LENGTH:
        digits = gtin.expanded_upc_e(digits) or digits
    printed = _PRINTED_LENGTHS[code.symbology]
    if len(digits) not in gtin.LENGTHS and len(digits) - printed in _ADD_ON_LENGTHS:
        digits = digits[:printed]
    if len(digits) not in gtin.LENGTHS:
        return unsettled(Scheme.GTIN, "malformed")
    return gtin.read(digits, Confidence.CERTAIN)


def _number(code: Code) -> Reading | None:
    """Digits alone, typed or in a carrier that may hold anything."""
    digits = code.compact.replace("-", "")
    if len(digits) not in gtin.LENGTHS or not (digits.isascii() and digits.isdigit()):
        return None
    itf = code.symbology is Symbology.ITF and len(digits) == _ITF_LENGTH
    if itf or code.symbology is None or code.aim in PLAIN_AIMS:
        return gtin.read(digits, Confidence.CERTAIN)
    return gtin.read(digits, Confidence.LIKELY, "unusual_carrier")


_BY_CARRIER = (
    citizens.read,
    tokens.read,
    element_strings.read,
    _retail,
    organic.read_with_words,
    certificates.read_ecode,
    addresses.read,
)
_BY_WORDING = (
    green_food.read,
    organic.read_certificate,
    foreign.read,
    efficiency.read_filing,
    certificates.read_named,
    _number,
    enterprises.read,
    organic.read_bare,
    element_strings.read_unmarked,
    certificates.read_opaque,
)
"""Most specific first: a number that two grammars share belongs to the one with a check digit."""
