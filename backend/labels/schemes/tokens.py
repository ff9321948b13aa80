"""Our own bearer codes, met where a label was expected. They are recognised so that no copy of them is kept."""

import re

from backend.labels.model import Reading, Scheme, refused
from backend.labels.normalise import Code

_MEMBER = re.compile(r"GPM1\.")
_CLAIM = re.compile(r"[0-9A-HJKMNP-TV-ZILO]{4}(?:-[0-9A-HJKMNP-TV-ZILO]{4}){3}")


def read(code: Code) -> Reading | None:
    if _MEMBER.match(code.upper):
        return refused(Scheme.MEMBER_CODE, "member_code")
    if _CLAIM.fullmatch(code.compact) and not code.compact.replace("-", "").isdigit():
        return refused(Scheme.CLAIM_CODE, "claim_code")
    return None
