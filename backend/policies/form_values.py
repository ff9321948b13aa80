"""How one value of a policy document is written in a field of the form, and read back: yuan, per cent, dates, lists. Pure.

A value that a field cannot show to the last sign is not shown in one: `show` gives None, and it is kept as JSON.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any, NamedTuple

Json = Any
"""What a JSON text holds: objects, lists, text, whole numbers, true, false, null."""

_MONEY = re.compile(r"[0-9]{1,14}(?:\.[0-9]{1,2})?")
_WHOLE = re.compile(r"-?[0-9]{1,16}")
_PERCENT = re.compile(r"[0-9]{1,7}(?:\.[0-9]{1,2})?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MIDNIGHT = "T00:00:00+08:00"
_MOMENT = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2})(:[0-9]{2})?")
_APART = re.compile(r"[、，,;；\n]")
_FLAGS = {"true": True, "false": False}


class Unfit(ValueError):
    """Text that is no value of its kind; says so in both languages."""


class Kind(NamedTuple):
    show: Callable[[Json], str | None]
    read: Callable[[str], Json]


def exactly(kind: Kind, value: Json) -> str | None:
    """The text of `value`, where reading it again gives the same to the last sign."""
    text = kind.show(value)
    if text is None:
        return None
    try:
        found = kind.read(text.strip())
    except Unfit:
        return None
    return text if text.strip() and same(found, value) else None


def same(one: Json, other: Json) -> bool:
    """Equal as JSON: true is not 1."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(held, other[key]) for key, held in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and bool(one == other)


def plain_list(text: str) -> list[str]:
    """The members of a list as people part them: 、 or a comma or a line each."""
    return [part for part in (piece.strip() for piece in _APART.split(text)) if part]


def _scaled(pattern: re.Pattern[str], reason: str) -> Callable[[str], Json]:
    def read(text: str) -> Json:
        plain = re.sub(r"[,，\s]", "", text).removesuffix("元").removesuffix("%")
        if not pattern.fullmatch(plain):
            raise Unfit(reason)
        whole, _, rest = plain.partition(".")
        return int(whole) * 100 + int(rest.ljust(2, "0") or 0)

    return read


def _hundredths(value: Json) -> str | None:
    return f"{value // 100}.{value % 100:02d}" if _is_whole(value) and value >= 0 else None


def _short_hundredths(value: Json) -> str | None:
    text = _hundredths(value)
    return text.rstrip("0").rstrip(".") if text else None


def _is_whole(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _whole(text: str) -> Json:
    plain = re.sub(r"[,，\s]", "", text)
    if not _WHOLE.fullmatch(plain):
        raise Unfit("须为整数，如 3 / a whole number, such as 3")
    return int(plain)


def _flag(text: str) -> Json:
    if text not in _FLAGS:
        raise Unfit("须为是或否 / yes or no")
    return _FLAGS[text]


def _first_moment(text: str) -> Json:
    if _DATE.fullmatch(text):
        return text + _MIDNIGHT
    return _moment(text)


def _last_moment(text: str) -> Json:
    """A date names the last day; the document states the moment after it."""
    if _DATE.fullmatch(text):
        return (_date(text) + timedelta(days=1)).isoformat() + _MIDNIGHT
    return _moment(text)


def _moment(text: str) -> Json:
    found = _MOMENT.fullmatch(text)
    if found is None:
        raise Unfit("须为日期，如 2026-01-01，或日期加时刻，如 2026-01-01 08:00 / a date, or a date and a time")
    return f"{found[1]}T{found[2]}{found[3] or ':00'}+08:00"


def _date(text: str) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise Unfit("没有这一天 / there is no such day") from None
    if found.year >= date.max.year:
        raise Unfit("年份过大 / a year too far away")
    return found


def _show_first(value: Json) -> str | None:
    if not isinstance(value, str):
        return None
    on = value.removesuffix(_MIDNIGHT)
    return on if _DATE.fullmatch(on) else _show_moment(value)


def _show_last(value: Json) -> str | None:
    if not isinstance(value, str):
        return None
    on = value.removesuffix(_MIDNIGHT)
    if not _DATE.fullmatch(on):
        return _show_moment(value)
    try:
        return (date.fromisoformat(on) - timedelta(days=1)).isoformat()
    except (ValueError, OverflowError):
        return None


def _show_moment(value: str) -> str:
    return value.removesuffix("+08:00").removesuffix(":00").replace("T", " ")


def _show_text(value: Json) -> str | None:
    """A field holds one line: a browser drops what ends one."""
    return value if isinstance(value, str) and value.isprintable() else None


def _show_day(value: Json) -> str | None:
    try:
        return date.fromisoformat(value).isoformat() if isinstance(value, str) else None
    except ValueError:
        return None


def _show_whole(value: Json) -> str | None:
    return str(value) if _is_whole(value) else None


def _show_list(value: Json) -> str | None:
    whole = isinstance(value, list) and all(isinstance(one, str) for one in value)
    return "、".join(value) if whole else None


def _show_numbers(value: Json) -> str | None:
    whole = isinstance(value, list) and all(_is_whole(one) for one in value)
    return "、".join(str(one) for one in value) if whole else None


def _show_prices(value: Json) -> str | None:
    if not isinstance(value, list):
        return None
    shown = [_hundredths(one) for one in value]
    return "、".join(one for one in shown if one) if all(shown) else None


_yuan = _scaled(_MONEY, "须为金额（元），最多两位小数，如 1500.00 / yuan with at most two decimals")
MONEY = Kind(_hundredths, _yuan)
PERCENT = Kind(_short_hundredths, _scaled(_PERCENT, "须为百分数，最多两位小数，如 15 或 7.5 / per cent, two decimals"))
WHOLE = Kind(_show_whole, _whole)
TEXT = Kind(_show_text, lambda text: text)
DAY = Kind(_show_day, lambda text: text)
FLAG = Kind(lambda value: {True: "true", False: "false"}[value] if isinstance(value, bool) else None, _flag)
FIRST = Kind(_show_first, _first_moment)
LAST = Kind(_show_last, _last_moment)
LIST = Kind(_show_list, plain_list)
NUMBERS = Kind(_show_numbers, lambda text: [_whole(one) for one in plain_list(text)])
PRICES = Kind(_show_prices, lambda text: [_yuan(one) for one in plain_list(text)])

KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "money": MONEY,
        "percent": PERCENT,
        "whole": WHOLE,
        "text": TEXT,
        "day": DAY,
        "flag": FLAG,
        "first": FIRST,
        "last": LAST,
        "list": LIST,
        "numbers": NUMBERS,
        "prices": PRICES,
    }
)
