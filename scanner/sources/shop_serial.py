"""The shop's till on a serial line of its own, beside whatever reads labels."""

import threading
from collections.abc import Callable

from scanner import notices
from scanner.clock import Clock
from scanner.feedback import Notice, Signal
from scanner.join import SHOP
from scanner.settings import Settings
from scanner.sources.model import ShopLines, SourceEvent, SourceLost, SourceOpened, follow
from scanner.sources.shop import shop_line
from scanner.sources.streams import SerialSource, port_and_baud


class ShopSerial:
    """Its thread ends with `stop`. Its loss costs prices and no read, so it is told apart from a reader's."""

    def __init__(
        self, settings: Settings, clock: Clock, put: Callable[[SourceEvent], None], show: Callable[[Notice], None]
    ) -> None:
        self._put = put
        self._show = show
        self._thread: threading.Thread | None = None
        self._source: SerialSource | None = None
        if settings.feed_serial:
            port, baud = port_and_baud(settings.feed_serial)
            self._source = SerialSource(port, baud, settings.wedge_gap_ms, clock, src=SHOP, of_line=_lines)

    def start(self, stop: threading.Event) -> None:
        if self._source is not None:
            self._thread = threading.Thread(
                target=follow, args=(self._source, self._take, stop), name="shop", daemon=True
            )
            self._thread.start()

    def alive(self) -> bool:
        """True, too, where there is none to live."""
        return self._thread is None or self._thread.is_alive()

    def _take(self, event: SourceEvent) -> None:
        match event:
            case SourceLost():
                text_zh, text_en = "收银系统的线断开，暂无价格和件数。", "The shop's till is lost; prices are missing."
                self._show(notices.state("feed_lost", text_zh, text_en, Signal.WARNING))
            case SourceOpened():
                self._show(notices.state("feed_open", "收银系统已接通。", "The shop's till is connected."))
            case _:
                self._put(event)


def _lines(line: bytes, mono_ms: int) -> SourceEvent:
    """Nobody waits for an answer here; a line that is refused is shown to the cashier."""
    return ShopLines((shop_line(line, mono_ms=mono_ms),), lambda _: None)
