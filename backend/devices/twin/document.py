"""The document that a till may be sent: which settings, within which bounds. Pure.

The backend's own statement of the contract that the till checks again; golden files hold the two together.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

import orjson

from backend.devices.twin.model import Document, Setting
from backend.kernel.errors import DomainError

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
NUMBERS: Final[Mapping[str, tuple[int, int]]] = {
    "basket_timeout_s": (5, 3_600),
    "bridge_up_jitter_s": (0, 600),
    "camera_frames_per_s_max": (1, 60),
    "health_interval_s": (1, 3_600),
    "wedge_gap_ms": (10, 5_000),
}
CODE: Final = "^GP[A-Z0-9]{2,30}$"
"""No product's code and no member code looks like it, so no label is ever taken for a command."""
WINDOW: Final = "^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$"
CODES: Final = ("finish_code", "void_code")
TEXTS: Final[Mapping[str, tuple[str, str, str]]] = {
    **dict.fromkeys(CODES, (CODE, "GP 加 2-30 个大写字母或数字", "GP and 2-30 capitals or digits")),
    "update_window": (WINDOW, "北京时间的起止，如 22:30-06:00", "a span of time in China, like 22:30-06:00"),
}
"""Pattern, and the form in words."""
WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "basket_timeout_s": ("多少秒无读码即结单", "a basket closes after so long without a read"),
    "bridge_up_jitter_s": ("网桥恢复后随机错开的秒数", "random delay once a bridge is back"),
    "camera_frames_per_s_max": ("摄像头每秒帧数上限", "frames a second, at most"),
    "health_interval_s": ("上报运行状况的间隔秒数", "how often health is reported"),
    "wedge_gap_ms": ("扫码枪一个码内的最长停顿，毫秒", "longest pause within one code of a hand-held reader, in ms"),
    "finish_code": ("结单码", "the code that finishes a basket"),
    "void_code": ("作废上一单的码", "the code that voids the last basket"),
    "update_window": ("不营业、可以更新程序的时段", "when nobody trades and the program may be updated"),
}


class TwinInvalid(DomainError):
    code = "twin-invalid"
    text_zh = "终端设置有误：{problems_zh}。"
    text_en = "The till's settings are not usable: {problems_en}."


def read_words(words: Mapping[str, str]) -> Document:
    """Values as they are typed. Raises TwinInvalid."""
    document: dict[str, Setting] = {}
    for name, text in words.items():
        document[name] = int(text) if name in NUMBERS and re.fullmatch("[0-9]{1,9}", text) else text
    return check(document)


def check(document: Mapping[str, Any]) -> Document:
    """The document, when every setting is known and within its bounds. Raises TwinInvalid with all problems."""
    problems = [problem for name in sorted(document) if (problem := _problem(name, document[name])) is not None]
    codes = [document.get(name) for name in CODES]
    if codes[0] is not None and codes[0] == codes[1]:
        problems.append(("结单码与作废码相同", "the two codes are the same"))
    if problems:
        raise TwinInvalid(
            problems_zh="；".join(zh for zh, _ in problems), problems_en="; ".join(en for _, en in problems)
        )
    return dict(document)


def text_of(document: Document) -> str:
    """Equal settings give equal bytes, so a hash tells whether anything changes."""
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS).decode()


def json_schema() -> dict[str, object]:
    numbers = {name: {"type": "integer", "minimum": low, "maximum": high} for name, (low, high) in NUMBERS.items()}
    # Some validators let `$` stand before a last line end; none lets it after this.
    texts = {name: {"type": "string", "pattern": rf"{pattern}(?!\n)"} for name, (pattern, _, _) in TEXTS.items()}
    return {"$schema": DIALECT, "type": "object", "properties": numbers | texts, "additionalProperties": False}


def _problem(name: str, value: object) -> tuple[str, str] | None:
    if name in NUMBERS:
        low, high = NUMBERS[name]
        if type(value) is not int or not low <= value <= high:
            return f"{name} 须为 {low}-{high} 的整数", f"{name} must be a whole number from {low} to {high}"
        return None
    if name in TEXTS:
        pattern, form_zh, form_en = TEXTS[name]
        if type(value) is not str or not re.fullmatch(pattern.removesuffix("$"), value):
            return f"{name} 须为{form_zh}", f"{name} must be {form_en}"
        return None
    shown = name if name.isprintable() else "?"
    known = "、".join(sorted({*NUMBERS, *TEXTS}))
    return f"没有名为 {shown[:40]} 的设置（可设：{known}）", f"no setting is called {shown[:40]}"
