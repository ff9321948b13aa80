"""One cell of an import file: from what people type to one spelling. Raises CellRefused with a code of `reasons`."""

import re
import unicodedata
from datetime import date
from functools import lru_cache

from backend.certificates.model import CertificateState
from backend.certificates.timeline import FOREVER_DAY, day_number

CELL_CHARS_MAX = 1_000
FIRST_DAY, LAST_DAY = date(1990, 1, 1), date(2100, 12, 31)

_BLANKS = re.compile(r"\s+")
_INVISIBLE = dict.fromkeys([0xAD, *range(0x200B, 0x200E), 0x2060, 0xFEFF])
_UNFIT = frozenset({"Cc", "Cf", "Cs"})
_DATE = re.compile(
    r"([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?(?: 00:00(?::00)?)?|([0-9]{4})([0-9]{2})([0-9]{2})"
)
_ENDLESS = frozenset({"长期", "长期有效", "永久", "永久有效", "无固定期限", "无", "-", "—", "none", "unlimited"})
_STATES = {
    CertificateState.VALID: ("valid", "有效", "01", "正常"),
    CertificateState.SUSPENDED: ("suspended", "暂停", "暂停使用"),
    CertificateState.WITHDRAWN: ("withdrawn", "撤销", "已撤销", "revoked", "备案已撤销"),
    CertificateState.CANCELLED: ("cancelled", "canceled", "注销", "已注销"),
    CertificateState.EXPIRED: ("expired", "过期", "过期失效", "失效", "已过期"),
}
_STATE_OF = {spelling: state for state, spellings in _STATES.items() for spelling in spellings}
_NUMERALS = {"1": 1, "2": 2, "3": 3, "4": 4, "5": 5, "一": 1, "二": 2, "三": 3, "四": 4, "五": 5}
_NUMERALS |= {"i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5, "★": 1, "★★": 2, "★★★": 3}
_SCIENTIFIC = re.compile(r"[0-9](?:\.[0-9]+)?[eE]\+?[0-9]{1,3}")


class CellRefused(Exception):
    """Internal to the import: becomes one line of the errors file. Carries no text of the cell, which may be personal."""

    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts


def cleaned(text: str) -> str:
    """Blanks folded, invisible characters gone; control and direction characters refused: they forge what people see."""
    if len(text) > CELL_CHARS_MAX:
        raise CellRefused("cell_too_long", limit=CELL_CHARS_MAX)
    if text.isprintable():
        return text.strip()
    text = _BLANKS.sub(" ", text).translate(_INVISIBLE)
    if any(unicodedata.category(character) in _UNFIT for character in text):
        raise CellRefused("control_characters")
    return text.strip()


@lru_cache(maxsize=4096)
def day(text: str) -> int:
    """Day number of 2026-01-31, 2026/1/31, 2026.1.31, 2026年1月31日 or 20260131, from 1990 to 2100."""
    match = _DATE.fullmatch(unicodedata.normalize("NFKC", text))
    if match is None:
        raise CellRefused("date_format")
    year, month, on = (int(part) for part in match.groups() if part is not None)
    try:
        parsed = date(year, month, on)
    except ValueError:
        raise CellRefused("date_impossible") from None
    if not FIRST_DAY <= parsed <= LAST_DAY:
        raise CellRefused("date_range")
    return day_number(parsed)


def last_day(text: str) -> int:
    """The day after the last day, which a document names as included; FOREVER_DAY for 长期."""
    return FOREVER_DAY if text.lower() in _ENDLESS else day(text) + 1


def state(text: str) -> CertificateState:
    try:
        return _STATE_OF[text.lower()]
    except KeyError:
        raise CellRefused("state_unknown") from None


def grade(text: str) -> int:
    """1 to 5, 1 is best: 1, 1级, 一级, Ⅰ级."""
    return _rank(text, "级", 5, "grade_unknown")


def tier(text: str) -> int:
    """1 to 3, 3 is best: 2, 2星, 二星级, ★★."""
    return _rank(text, "星", 3, "tier_unknown")


def not_scientific(text: str) -> str:
    """Spreadsheets show a long number as 6.94E+12 and forget its last digits."""
    if _SCIENTIFIC.fullmatch(text):
        raise CellRefused("scientific_notation")
    return text


def _rank(text: str, unit: str, best: int, code: str) -> int:
    plain = unicodedata.normalize("NFKC", text).lower().removesuffix("级").removesuffix(unit).strip()
    rank = _NUMERALS.get(plain, 0)
    if not 1 <= rank <= best:
        raise CellRefused(code)
    return rank
