"""GS1 application identifiers (GS1 General Specifications, section 3.2) and the formats of their values.

Own table, as general parsers cost more than a scan's whole budget; a test holds it against biip's.
"""

import re

_FORMATS = """
n18 : 00 8017-8018
n14 : 01-03 8001
x1..20 : 10 21-22 243 254 420 710-717 4318 7020-7022 7240 8002 8012
date : 11-13 15-17
n2 : 20 7241
x1..28 : 235
x1..30 : 90 240-241 250-251 400-401 403 4308 4319 7002 7023 8004
n1..6 : 242
n13 x0..17 : 253
n13 n0..12 : 255
n0..8 : 30
n6 : 3950-3955 4326 7006 8005
n1..8 : 37
n1..15 : 3900-3909 3920-3929
n3 n1..15 : 3910-3919 3930-3939
n4 : 3940-3943 8111
n17 : 402
n13 : 410-417 7001
n3 x1..9 : 421
n3 : 422 424 426
n3 triplets : 423 425
x1..3 : 427 7008
x1..35 : 4300-4301 4310-4311 4320
x1..70 : 4302-4306 4312-4316 7257 8110 8112 8200
alnum2 : 4307 4317
n20 : 4309
bit : 4321-4323
n10 : 4324-4325 7003
n6 minus : 4330-4333
n0..4 : 7004
x1..12 : 7005
n6 more6 : 7007
x1..10 : 7009 7255
x1..2 : 7010
n6 more4 : 7011
n3 x1..27 : 7030-7039
n1 x3..3 : 7040
x1..4 : 7041
x3..30 : 7230-7239
x1..25 : 7242 8013-8014 8020
n2 date : 7250
n2 date hour minute : 7251
n1 : 7252
x1..40 : 7253-7254 7259
x1..90 : 7256 91-99
order : 7258
zero n13 x0..16 : 8003
n18 : 8006 8026
x1..34 : 8007
date hour clock : 8008
x1..50 : 8009
part : 8010
n1..12 : 8011
n1..10 : 8019
token : 8030
n15 : 8040-8041
n32 : 8042
n18..20 : 8043
"""
_MEASURES = (*range(310, 317), *range(320, 338), *range(340, 358), *range(360, 370))
"""31nn-36nn: trade measures, the fourth digit counts decimals (0-5), always six digits."""

_WORDS = {
    "date": r"[0-9]{2}(?:0[0-9]|1[0-2])(?:[0-2][0-9]|3[01])",
    "hour": r"(?:[01][0-9]|2[0-3])",
    "minute": r"[0-5][0-9]",
    "clock": r"(?:[0-5][0-9](?:[0-5][0-9])?)?",
    "triplets": r"(?:[0-9]{3}){0,4}",
    "alnum2": r"[A-Z0-9]{2}",
    "bit": r"[01]",
    "minus": r"-?",
    "more4": r"(?:[0-9]{4})?",
    "more6": r"(?:[0-9]{6})?",
    "order": r"[0-9]/[0-9]",
    "zero": r"0",
    "part": r"[A-Z0-9/#-]{5,30}",
    "token": r"[0-9A-Za-z_-]{1,90}",
}
_CLASSES = {"n": "[0-9]", "x": '[!%-?A-Z_a-z"]'}
"""`x` is the GS1 invariant subset of ISO/IEC 646, 82 characters (section 7.11)."""

_FIXED_LENGTHS = {
    **dict.fromkeys(("11", "12", "13", "14", "15", "16", "17", "18", "19"), 6),
    **dict.fromkeys(("01", "02", "03"), 14),
    **dict.fromkeys(("31", "32", "33", "34", "35", "36"), 6),
    "00": 18,
    "04": 16,
    "20": 2,
    "41": 13,
}
"""Value lengths after identifiers that begin so; these alone need no separator (section 7.8.5)."""


def _pattern(tokens: str) -> re.Pattern[str]:
    """'n13 x0..17' -> thirteen digits, then up to seventeen characters."""
    return re.compile("".join(_WORDS.get(token) or _repeat(token) for token in tokens.split()))


def _repeat(token: str) -> str:
    low, _, high = token[1:].partition("..")
    return f"{_CLASSES[token[0]]}{{{low},{high or low}}}"


def _identifiers(spans: str) -> list[str]:
    ends = [span.split("-") for span in spans.split()]
    return [
        str(number).zfill(len(low)) for low, *high in ends for number in range(int(low), int((high or [low])[0]) + 1)
    ]


def _load() -> dict[str, re.Pattern[str]]:
    patterns: dict[str, re.Pattern[str]] = {}
    for line in _FORMATS.strip().splitlines():
        tokens, _, spans = line.partition(" : ")
        patterns |= dict.fromkeys(_identifiers(spans), _pattern(tokens))
    measures = [f"{kind}{decimals}" for kind in _MEASURES for decimals in range(6)]
    return patterns | dict.fromkeys(measures, _pattern("n6"))


IDENTIFIERS = _load()


def identifier_at(payload: str, start: int) -> str | None:
    """The application identifier that begins at `start`; no identifier is the beginning of another."""
    for length in (2, 3, 4):
        candidate = payload[start : start + length]
        if candidate in IDENTIFIERS:
            return candidate
    return None


def fixed_length(identifier: str) -> int | None:
    """Length of the value where no separator is needed, else None."""
    return _FIXED_LENGTHS.get(identifier[:2])


def fits(identifier: str, value: str) -> bool:
    pattern = IDENTIFIERS.get(identifier)
    return pattern is not None and pattern.fullmatch(value) is not None
