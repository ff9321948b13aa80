"""The claim code on a sales slip, for shoppers who showed no member code: 80 random bits in Crockford's base 32.

Only its hash is known here; who types the code proves to hold the slip.
"""

import hashlib

from backend.kernel.crockford import typed as as_drawn
from backend.kernel.errors import DomainError

LENGTH = 16


class ClaimCodeMalformed(DomainError):
    code = "claim-code-malformed"
    text_zh = "领取码应为 16 位字母和数字，请对照购物小票重新输入。"
    text_en = "A claim code has 16 letters and digits; check it against the sales slip."


def claim_hash(typed: str) -> bytes:
    """SHA-256 over the code as drawn: any case, with or without hyphens, O read as 0, I and L as 1.

    Raises ClaimCodeMalformed.
    """
    code = as_drawn(typed, LENGTH)
    if code is None:
        raise ClaimCodeMalformed
    return hashlib.sha256(code.encode("ascii")).digest()
