"""Under which key a snapshot may know what was read. Pure. The server's parser knows more forms: what is not known here is
said to be checked later, which it is.
"""

import re
from typing import NamedTuple

from scanner.sources.model import CodeSeen

GTIN_LENGTHS = frozenset({8, 12, 13, 14})
_GS1_AIMS = frozenset({"]C1", "]d2", "]Q3", "]e0"})
"""These promise GS1 element strings (ISO/IEC 15424)."""
_BRACKETED = re.compile(r"\(01\)(?P<gtin>[0-9]{14})(?P<rest>(?:\([0-9]{2,4}\)[^()]+)*)")
_ELEMENTS = re.compile(
    r"\x1d?01(?P<gtin>[0-9]{14})(?P<rest>(?:1[1-7][0-9]{6}|(?:10|21)[!-z]{1,20}(?:\x1d|\Z))*)\x1d?\Z"
)
"""GTIN, then dates of six digits, batch (10) and serial (21), as GS1 General Specifications 3 lays them out."""
_SERIAL = re.compile(r"(?:1[1-7][0-9]{6}|10[!-z]{1,20}\x1d)*21")
_ADDRESS = re.compile(
    r"(?:https?://)?(?:www\.)?(?:"
    r"(?P<official>energylabel\.com\.cn|waterlabel\.org\.cn)/signdetails/?\?(?P<query>[^#\s]*)"
    r"|(?P<short>[ew]l)\.bbqk\.com/(?P<id>[0-9a-z]{4,16})(?:/0\.html)?/?)(?:#\S*)?",
    re.IGNORECASE,
)
"""China energy and water labels: the address of one product (productId), or the short one before it."""
_LINK = re.compile(
    r"https?://(?:id\.gs1\.org|id\.gs1cn\.org)/01/(?P<gtin>[0-9]{8}|[0-9]{12,14})"
    r"(?:/10/[A-Za-z0-9.-]{1,20})?(?:/21/(?P<serial>[A-Za-z0-9.-]{1,20}))?",
    re.IGNORECASE,
)
"""GS1 Digital Link of GS1's own resolvers, with batch and serial; others are the server's to judge."""
_ORGANIC = re.compile(r"(?:中国)?(?:有机产品)?有[机機][码碼](?:号|编号)?[:：;.#]*(?P<digits>[0-9]{17,18})")
"""The mark of an organic product with its words: 17 digits by the rules of 2012, 18 by those of 2022."""
_PRODUCT_ID = re.compile(r"[0-9]{1,20}")
_OLD_YEARS, _NEW_YEARS = range(11, 24), range(22, 50)
_TEXT = re.compile(r"[!-~]{4,100}")


class Label(NamedTuple):
    """`unit`: it names a single piece, which other rules may hold for."""

    key: str
    unit: bool


def label_of(seen: CodeSeen) -> Label | None:
    """None for what is certainly in no snapshot: not text, or a number whose check digit is wrong."""
    if seen.raw is not None:
        return None
    address = _ADDRESS.fullmatch(seen.code.strip())
    if address is not None:
        return _of_address(address)
    text = "".join(seen.code.split(" ")).upper()
    if text.isascii() and text.isdigit() and len(text) in GTIN_LENGTHS:
        # Eight digits of a UPC-E are another number, squeezed.
        return None if seen.symbology == "UPCE" and len(text) == 8 else _gtin(text, unit=False)  # noqa: PLR2004
    if (organic := _ORGANIC.fullmatch(text.replace("-", ""))) is not None:
        return _of_organic(organic["digits"])
    linked = _LINK.fullmatch(seen.code.strip())
    if linked is not None:
        return _gtin(linked["gtin"], unit=linked["serial"] is not None)
    elements = _ELEMENTS.fullmatch(seen.code) if seen.aim in _GS1_AIMS else None
    if elements is not None:
        return _gtin(elements["gtin"], unit=_SERIAL.match(elements["rest"]) is not None)
    bracketed = _BRACKETED.fullmatch(text)
    if bracketed is not None:
        return _gtin(bracketed["gtin"], unit="(21)" in bracketed["rest"])
    return Label(f"t:{text}", unit=False) if _TEXT.fullmatch(text) else None


def _gtin(digits: str, *, unit: bool) -> Label | None:
    """The check digit as GS1 General Specifications 7.9 has it."""
    padded = digits.zfill(14)
    weighted = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(padded[:-1]))
    return Label(f"g:{padded}", unit) if int(padded[-1]) == -weighted % 10 else None


def _of_organic(digits: str) -> Label | None:
    """The body in four digits, and a year that its rules allow, as the server has them."""
    is_old = len(digits) == 17  # noqa: PLR2004 - body of three digits, year, serial
    body, year = (f"0{digits[:3]}", digits[3:5]) if is_old else (digits[:4], digits[4:6])
    if is_old and digits[0] == "9":
        body = f"90{digits[1:3]}"
    return Label(f"o:{body}", unit=False) if int(year) in (_OLD_YEARS if is_old else _NEW_YEARS) else None


def _of_address(address: re.Match[str]) -> Label | None:
    """As the server reads it: a product that is named twice, differently, is none; capitals alone have lost the case."""
    if address["short"]:
        scheme = "energy_label" if address["short"].lower() == "el" else "water_label"
        text = address[0]
        return Label(f"w:{scheme}:bbqk/{address['id'] if text != text.upper() else address['id'].lower()}", unit=False)
    pairs = (pair.partition("=") for pair in address["query"].split("&"))
    (product, *others) = {value for name, _, value in pairs if name.lower() == "productid"} or {""}
    scheme = "energy_label" if address["official"].lower().startswith("energy") else "water_label"
    is_one = not others and _PRODUCT_ID.fullmatch(product) is not None
    return Label(f"w:{scheme}:{product}", unit=False) if is_one else None
