"""Made-up numbers with right check digits, by arithmetic written apart from the code under test."""

from datetime import date

from hypothesis import strategies as st

USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
REGIONS = ("320583", "320100", "110000", "371323", "510107")
_ORDINARY_PREFIXES = ("690", "693", "695", "699", "489", "471", "400", "500", "880", "952")


def mod_ten(payload: str) -> str:
    """The GS1 check digit of a payload of any length."""
    weighted = [int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(payload))]
    return str(-sum(weighted) % 10)


def uscc_check(payload: str) -> str:
    total = sum(USCC_ALPHABET.index(character) * pow(3, place, 31) for place, character in enumerate(payload))
    return USCC_ALPHABET[(31 - total % 31) % 31]


def citizen_check(payload: str) -> str:
    total = sum(int(digit) * pow(2, 17 - place, 11) for place, digit in enumerate(payload))
    return "10X98765432"[total % 11]


def digits(length: int) -> st.SearchStrategy[str]:
    return st.text("0123456789", min_size=length, max_size=length)


def gtin13() -> st.SearchStrategy[str]:
    payloads = st.tuples(st.sampled_from(_ORDINARY_PREFIXES), digits(9)).map("".join)
    return payloads.map(lambda payload: payload + mod_ten(payload))


def serials() -> st.SearchStrategy[str]:
    """The GS1 characters that need no escape and no bracket, case included."""
    return st.text("ABCXYZabcxyz0123456789-._", min_size=1, max_size=17)


def organic_marks() -> st.SearchStrategy[str]:
    """Known body, plausible year, random rest: 17 digits."""
    return st.tuples(st.sampled_from(("001", "002", "100", "134")), st.integers(11, 23).map(str), digits(12)).map(
        "".join
    )


def usccs() -> st.SearchStrategy[str]:
    payloads = st.tuples(
        st.sampled_from(("91", "92", "51", "12", "N2", "A1")),
        st.sampled_from(REGIONS),
        st.text(USCC_ALPHABET, min_size=9, max_size=9),
    ).map("".join)
    return payloads.filter(lambda payload: not payload.isdigit()).map(lambda payload: payload + uscc_check(payload))


def citizen_ids() -> st.SearchStrategy[str]:
    days = st.dates(date(1900, 1, 1), date(2020, 12, 31)).map(lambda day: day.strftime("%Y%m%d"))
    payloads = st.tuples(st.sampled_from(("320583", "110105", "360426", "320283")), days, digits(3)).map("".join)
    return payloads.map(lambda payload: payload + citizen_check(payload))
