"""What a source tells the till, and how it is run."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from scanner.errors import TillRefusal


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeSeen:
    """A label, a member code or a command code: the till tells them apart.

    `raw`: the symbol's bytes where they are not the UTF-8 of `code`. `mono_ms`: when it was seen.
    """

    code: str
    symbology: str
    mono_ms: int
    src: str
    raw: bytes | None = None
    aim: str | None = None
    votes: int = 1
    qty: int = 1
    price_fen: int | None = None
    sn: str | None = None


@dataclass(frozen=True, slots=True)
class CashierSeen:
    cashier: str


@dataclass(frozen=True, slots=True)
class SlipSeen:
    """The number that the shop's till prints on the sales slip of this sale."""

    slip_no: str


@dataclass(frozen=True, slots=True)
class FinishSeen:
    """The shop's till ended the sale."""


@dataclass(frozen=True, slots=True)
class ButtonPressed:
    """The finish button of the till."""


@dataclass(frozen=True, slots=True)
class VoidAsked:
    """The cashier's page: `seq` is the basket that was seen there as the last one."""

    seq: int


@dataclass(frozen=True, slots=True)
class Unusable:
    """Something was there that gave no read: the cashier hears of it."""

    refusal: TillRefusal


FeedEvent = CodeSeen | CashierSeen | SlipSeen | FinishSeen | ButtonPressed | Unusable


@dataclass(frozen=True, slots=True)
class ShopLine:
    """A line of the shop's till and what it says. `line_id` is the shop's own: the same line comes with the same."""

    line_id: str | None
    events: tuple[FeedEvent, ...]


@dataclass(frozen=True, slots=True)
class LineOutcome:
    """Of a line that is on disk now; or was before; or was refused."""

    line_id: str | None
    repeated: bool = False
    refusal: TillRefusal | None = None


@dataclass(frozen=True, slots=True)
class ShopLines:
    """`answer` is told what became of each."""

    lines: tuple[ShopLine, ...]
    answer: Callable[[tuple[LineOutcome, ...]], None]


@dataclass(frozen=True, slots=True)
class SourceLost:
    refusal: TillRefusal


@dataclass(frozen=True, slots=True)
class SourceOpened:
    src: str


@dataclass(frozen=True, slots=True)
class SourceEnded:
    """A file or standard input has no more; no further read can come."""

    src: str


SourceEvent = FeedEvent | VoidAsked | ShopLines | SourceLost | SourceOpened | SourceEnded


class SourceFailed(TillRefusal):
    code = "source_failed"
    text_zh = "读码设备 {src} 不可用（{reason}），正在重试。"
    text_en = "The source {src} is not available ({reason}); trying again."


class NothingDecoded(TillRefusal):
    code = "nothing_decoded"
    text_zh = "{name}：没有读出条码，请手工录入或重扫。"
    text_en = "{name}: no code could be read."


class PictureUnusable(TillRefusal):
    code = "picture_unusable"
    text_zh = "{name}：图片无法读取（{reason}）。"
    text_en = "{name}: the picture cannot be used ({reason})."


class PartialCode(TillRefusal):
    code = "partial_code"
    text_zh = "只收到半个条码（{size} 个字符），已丢弃，请重扫。"
    text_en = "Only part of a code came ({size} characters); it was dropped, read it again."


class CodeTooLong(TillRefusal):
    code = "code_too_long"
    text_zh = "条码超过 {size_max} 个字符，未记录。"
    text_en = "The code has more than {size_max} characters; it was not recorded."


class FeedLineUnusable(TillRefusal):
    code = "feed_line_unusable"
    text_zh = "收银系统送来的一行无法识别（{reason}），未记录。"
    text_en = "A line of the till's feed cannot be understood ({reason}); it was not recorded."


class ReadSource(Protocol):
    @property
    def src(self) -> str:
        """Names the source in reads: cam0, serial, wedge, stdin, pictures, video."""

    def events(self, stop: threading.Event) -> Iterator[SourceEvent]:
        """Opens the device, then what it sees until `stop` or its end. Raises SourceFailed; may be called again."""


REOPEN_MIN_S = 1.0
REOPEN_MAX_S = 30.0
_TURN_S = 1.0


class Stop(threading.Event):
    """Every source asks it in each of its turns: so the question is the sign that its thread goes round."""

    def __init__(self, turned: Callable[[], None]) -> None:
        super().__init__()
        self._turned = turned

    def is_set(self) -> bool:
        self._turned()
        return super().is_set()

    def wait(self, timeout: float | None = None) -> bool:
        """In short turns, so that a long wait for a device is no silence."""
        left_s = float("inf") if timeout is None else timeout
        while left_s > 0 and not self.is_set():
            super().wait(min(_TURN_S, left_s))
            left_s -= _TURN_S
        return self.is_set()


def follow(source: ReadSource, put: Callable[[SourceEvent], None], stop: threading.Event) -> None:
    """Runs the source to its end, through every loss of its device: 1 s, doubling to 30 s between attempts."""
    wait_s = REOPEN_MIN_S
    while not stop.is_set():
        try:
            for event in source.events(stop):
                put(event)
                wait_s = REOPEN_MIN_S
        except SourceFailed as failure:
            put(SourceLost(failure))
            stop.wait(wait_s)
            wait_s = min(REOPEN_MAX_S, 2 * wait_s)
        else:
            # A source that was told to stop has not run dry.
            if not stop.is_set():
                put(SourceEnded(source.src))
            return
