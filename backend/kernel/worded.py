"""Codes that carry their own words: a closed list, each said in Chinese and in English. Pure."""

from enum import StrEnum
from typing import Self


class Worded(StrEnum):
    """The base of such a list; a member is its code, `zh` and `en`."""

    zh: str
    en: str

    def __new__(cls, code: str, zh: str, en: str) -> Self:
        member = str.__new__(cls, code)
        member._value_ = code
        member.zh, member.en = zh, en
        return member
