"""The number that a shop prints on its sales slips, as residents may type it. Pure."""

import re

SLIP_NO = re.compile(r"[0-9A-Za-z][0-9A-Za-z./_-]{0,39}")
"""As a till sends it; `firmware_bridge.wire.messages.SLIP_NO` is the same."""
TYPED_MAX = 60
_MARKS = re.compile(r"[^0-9A-Z]")
_MOBILE = re.compile(r"(?:86)?1[3-9][0-9]{9}")


def canonical(text: str) -> str:
    """Capital letters and digits alone: marks and spaces are typed as people like. Empty where there is neither."""
    return _MARKS.sub("", text.upper())


def names_a_phone(slip_no: str) -> bool:
    """Whether a canonical number may be that of a phone, by which some shops know their customers."""
    return _MOBILE.fullmatch(slip_no) is not None
