"""The live table of `make run`: the same lines on a terminal, coloured, and in a log, plain."""

import shutil
import sys
import unicodedata
from dataclasses import dataclass
from typing import TextIO

WIDE = 170
_INDENT = " " * 9
_WIDTHS = (8, 14, 26, 34, 6)
_HEADS_ZH = ("时间", "扫码终端", "读到的标签", "找到的证书", "积分", "结果与原因")
_HEADS_EN = ("time", "till", "label read", "certificate found", "points", "result and why")
_GREEN, _YELLOW, _RED, _DIM, _PLAIN = "\x1b[32m", "\x1b[33m", "\x1b[31m", "\x1b[2m", "\x1b[0m"
_COLOURS = {"awarded": _GREEN, "pending_product": _YELLOW, "unclaimed": _YELLOW, "held": _YELLOW}


@dataclass(frozen=True, slots=True)
class TableLine:
    """`clock` is civil time in the city, HH:MM:SS."""

    clock: str
    till: str
    label: str
    certificate: str
    award: int
    outcome: str
    why_zh: str
    why_en: str


class Table:
    """On a terminal narrower than WIDE columns the reason stands under its line instead of at its end."""

    def __init__(self, out: TextIO = sys.stdout) -> None:
        self._out = out
        self._colours = out.isatty()
        self._wide = not self._colours or shutil.get_terminal_size().columns >= WIDE

    def say(self, text: str = "") -> None:
        print(text, file=self._out, flush=True)

    def heading(self) -> None:
        self.say()
        for heads in (_HEADS_ZH, _HEADS_EN):
            self.say(self._coloured(_row(heads), _DIM))

    def line(self, line: TableLine) -> None:
        award = f"+{line.award}" if line.award else "0"
        facts = (line.clock, line.till, line.label, line.certificate, award)
        colour = _COLOURS.get(line.outcome, "")
        if self._wide:
            self.say(self._coloured(_row((*facts, line.why_zh)), colour))
            self.say(self._coloured(_row(("", "", "", "", "", line.why_en)), _DIM))
        else:
            self.say(self._coloured(_row((*facts, "")), colour))
            self.say(f"{_INDENT}{line.why_zh}\n{_INDENT}{self._coloured(line.why_en, _DIM)}")

    def good(self, text: str) -> None:
        self.say(self._coloured(f"✓ {text}", _GREEN))

    def bad(self, text: str) -> None:
        self.say(self._coloured(f"✗ {text}", _RED))

    def _coloured(self, text: str, colour: str) -> str:
        return f"{colour}{text}{_PLAIN}" if self._colours and colour else text


def _row(cells: tuple[str, ...]) -> str:
    fitted = [fit(cell, width) for cell, width in zip(cells, _WIDTHS, strict=False)]
    return " ".join([*fitted, cells[-1]])


def fit(text: str, width: int) -> str:
    """Exactly `width` columns of a terminal, where a Chinese character takes two; cut with … where it is longer."""
    shown = "".join(character if character.isprintable() else "·" for character in text)
    if _columns(shown) <= width:
        return shown + " " * (width - _columns(shown))
    kept, used = "", 1
    for character in shown:
        used += _columns(character)
        if used > width:
            break
        kept += character
    return kept + "…" + " " * (width - _columns(kept) - 1)


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
