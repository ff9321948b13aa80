"""GTIN-8, -12, -13, -14 (GS1 General Specifications, sections 1.4 and 3.3.2): one key, padded to 14 digits."""

from backend.labels.model import NO_PARTS, Confidence, Reading, Scheme, Scope, refused, supporting, unsettled

LENGTHS = frozenset({8, 12, 13, 14})
_CODE_ZEROES = 48 * 28 % 10
"""Ten residues of the character '0' under weights 3,1,3,1 … over 14 characters: 21 + 7 = 28 times 48."""


_UNASSIGNED = """
050-059 140-199 382 384 386 388 390-399 441-449 472-473 510-519 522-527 532-534 536-538 550-559 561-568
580-589 591-593 595-598 602 612 633-639 650-679 682-689 710-728 747-749 751-753 756-757 772 774 776 781-783
785 787-788 791-799 851-857 861-864 866 882 886 889 891-892 895 897-898 920-929 953-954 956-957 959 970-976
"""
"""GS1 prefixes that no member organisation holds (GS1 company prefix list, as biip 5.2 has it)."""


def _prefixes(spans: str) -> list[str]:
    """'382 390-399' -> every prefix of three digits in it."""
    ends = [span.split("-") for span in spans.split()]
    return [f"{prefix:03d}" for low, *high in ends for prefix in range(int(low), int((high or [low])[0]) + 1)]


_SPECIAL: dict[str, str] = {
    "000": "short",
    **dict.fromkeys(_prefixes(_UNASSIGNED), "unassigned"),
    **dict.fromkeys(_prefixes("020-029 040-049 200-299"), "restricted_circulation"),
    "980": "refund_receipt",
    **dict.fromkeys(_prefixes("981-999"), "coupon"),
}
"""Prefixes that are not simply a member organisation's."""


def check_digit_right(digits: bytes) -> bool:
    """Of 14 ASCII digits: weights 3,1,3,1 … from the left, the check digit included, sum to a multiple of ten."""
    return (3 * sum(digits[::2]) + sum(digits[1::2]) - _CODE_ZEROES) % 10 == 0


def read_plain(content: bytes | str) -> Reading | None:
    """The fast path: 8, 12, 13 or 14 ASCII digits of an ordinary prefix with the right check digit, else None."""
    if isinstance(content, str):
        if not (content.isascii() and content.isdigit()):
            return None
        digits = content.encode("ascii").rjust(14, b"0")
    elif content.isdigit():
        digits = bytes(content).rjust(14, b"0")
    else:
        return None
    if (3 * sum(digits[::2]) + sum(digits[1::2]) - _CODE_ZEROES) % 10:
        return None
    code = digits.decode("ascii")
    if code[1:4] in _SPECIAL:
        return None
    key = "gtin:" + code
    return Reading(Scheme.GTIN, key, Scope.MODEL, True, Confidence.CERTAIN, (), (key,), NO_PARTS)  # noqa: FBT003 - by position: this line is a third of the path


def read(digits: str, confidence: Confidence, *warnings: str) -> Reading:
    """Any string of 8, 12, 13 or 14 ASCII digits, told apart by check digit and prefix."""
    code = digits.zfill(14)
    if not check_digit_right(code.encode("ascii")):
        return unsettled(Scheme.GTIN, *warnings, "check_digit")
    kind = _kind(code)
    if kind == "restricted_circulation":
        return refused(Scheme.RCN, *warnings, kind, key=f"rcn:{code}")
    if kind in {"coupon", "refund_receipt"}:
        return refused(Scheme.COUPON, *warnings, kind, key=f"coupon:{code}")
    if kind == "unassigned":
        confidence = Confidence.REVIEW if confidence is Confidence.REVIEW else Confidence.LIKELY
        warnings = (*warnings, "prefix_unassigned")
    return supporting(Scheme.GTIN, code, Scope.MODEL, confidence, warnings)


def _kind(code: str) -> str:
    """Restricted numbers stay restricted in every length: the padded number alone decides."""
    if code[1:6] == "00000":  # a GTIN-8, perhaps several in a case; its own prefixes 0 and 2 are restricted
        return "restricted_circulation" if code[6] in "02" else "assigned"
    return _SPECIAL.get(code[1:4], "assigned")


def expanded_upc_e(digits: str) -> str | None:
    """The GTIN-12 of eight UPC-E digits (GS1 General Specifications, section 5.2.2.4); None unless it begins 0 or 1."""
    if digits[0] not in "01":
        return None
    body, last = digits[1:7], digits[6]
    if last in "012":
        middle = body[:2] + last + "0000" + body[2:5]
    elif last == "3":
        middle = body[:3] + "00000" + body[3:5]
    elif last == "4":
        middle = body[:4] + "00000" + body[4]
    else:
        middle = body[:5] + "0000" + last
    return digits[0] + middle + digits[7]
