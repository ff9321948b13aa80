"""What the cashier sees and hears. Fed only by what has already happened: a beep follows its disk commit."""

import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Protocol, TextIO

import orjson

from scanner.errors import TillRefusal


class Signal(Enum):
    """What lights and buzzer do with a notice."""

    NONE = auto()
    GOOD = auto()
    """A read is safe: short beep, green."""
    REFUSED = auto()
    """Not recorded: long buzz, red."""
    WARNING = auto()
    """Amber, until the next good read."""
    STOPPED = auto()
    """Nothing is taken any more: long buzz, and red until it is."""
    RESUMED = auto()


@dataclass(frozen=True, slots=True)
class Notice:
    """`event` is read, refused, basket_closed, receipt or state; `facts` are for machines."""

    event: str
    text_zh: str
    text_en: str
    signal: Signal = Signal.NONE
    facts: Mapping[str, object] = field(default_factory=dict)
    slip: str | None = None
    """What the customer takes home."""


class Feedback(Protocol):
    def show(self, notice: Notice) -> None:
        """Never raises: a broken lamp stops no sale."""


def refused(refusal: TillRefusal, **facts: object) -> Notice:
    reason = getattr(refusal, "reason", refusal.code)
    return Notice(
        "refused",
        refusal.sentence_zh,
        refusal.sentence_en,
        Signal.REFUSED,
        {"code_refused": refusal.code, "reason": reason, **facts},
    )


class Console:
    """One line a notice, Chinese first; or one JSON object a line for programs."""

    def __init__(self, out: TextIO | None = None, *, events_json: bool = False) -> None:
        self._out = sys.stdout if out is None else out
        self._json = events_json
        self._guard = threading.Lock()

    def show(self, notice: Notice) -> None:
        # A reader that went away stops no sale.
        with self._guard, suppress(OSError, ValueError):
            self._out.write((_as_json(notice) if self._json else _as_text(notice)) + "\n")
            self._out.flush()


class Everyone:
    def __init__(self, members: Sequence[Feedback]) -> None:
        self._members = tuple(members)

    def show(self, notice: Notice) -> None:
        for member in self._members:
            member.show(notice)


def _as_text(notice: Notice) -> str:
    line = f"{notice.text_zh}  {notice.text_en}"
    return f"{line}\n{notice.slip}" if notice.slip else line


def _as_json(notice: Notice) -> str:
    fields = {"event": notice.event, **notice.facts, "text_zh": notice.text_zh, "text_en": notice.text_en}
    return orjson.dumps(fields, default=str).decode()
