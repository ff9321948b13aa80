"""By what a person is known outside. None of it is stored: only its keyed hash is."""

import hmac
import re

from backend.kernel.errors import DomainError

CHINA = "+86"
_MOBILE = re.compile(r"1[3-9]\d{9}", re.ASCII)
_TYPED = str.maketrans("", "", " -()")


class PhoneMalformed(DomainError):
    code = "phone-malformed"
    text_zh = "请填写 11 位中国大陆手机号。"
    text_en = "Please give a mobile number of mainland China, 11 digits."


def mobile_number(typed: str) -> str:
    """As +86 and 11 digits, from any usual way of typing it. Raises PhoneMalformed."""
    digits = typed.translate(_TYPED).removeprefix(CHINA).removeprefix("0086")
    if _MOBILE.fullmatch(digits) is None:
        raise PhoneMalformed
    return CHINA + digits


def of_phone(number: str) -> str:
    return f"phone:{number}"


def of_wechat(appid: str, open_id: str) -> str:
    return f"wechat:{appid}:{open_id}"


def identity_hash(key: bytes, identity: str) -> bytes:
    """HMAC-SHA-256: whoever holds the tables alone cannot try out all phone numbers."""
    return hmac.digest(key, identity.encode(), "sha256")
