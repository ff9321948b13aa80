"""The page of one till program: joined to its parts, served while it runs; nothing where no port is set."""

import queue
from collections.abc import Callable

from firmware_bridge.wire.messages import Clock as ClockReport
from firmware_bridge.wire.messages import ClockSource
from scanner import notices
from scanner.clock import Clock
from scanner.feedback import Notice
from scanner.outbox import Outbox
from scanner.page.feed import Feed, read_token
from scanner.page.page import Page
from scanner.page.screen import Standing
from scanner.page.server import PageServer
from scanner.page.server import Till as PageTill
from scanner.settings import Settings
from scanner.sources.model import SourceEvent
from scanner.till import Till


class PageDesk:
    def __init__(self, settings: Settings, clock: Clock, events: "queue.Queue[SourceEvent]") -> None:
        self._port = settings.page_port
        self._token_path = settings.feed_token_path
        self._clock = clock
        self._page = Page(settings.device_id, clock)
        self._events = events
        self._server: PageServer | None = None

    def show(self, notice: Notice) -> None:
        if self._port is not None:
            self._page.show(notice)

    def join(self, till: Till, outbox: Outbox, judge_clock: Callable[[], ClockReport]) -> None:
        """Takes the port; nobody is answered yet. Raises PagePortTaken, FeedTokenUnusable."""
        if self._port is None:
            return
        self._page.ask(lambda: _standing(till, outbox, judge_clock()))
        feed = None if self._token_path is None else Feed(read_token(self._token_path), self._put, self._clock)
        asked = PageTill(put=self._put, slip_shown=outbox.slip_shown, feed=feed)
        self._server = PageServer(self._port, self._page, asked)

    def start(self, show: Callable[[Notice], None]) -> None:
        if self._server is not None:
            self._server.start()
            url = f"http://127.0.0.1:{self._server.server_port}/"
            show(notices.state("page", f"收银台页面：{url}", "The cashier's page is open.", url=url))

    def stop(self) -> None:
        if self._server is not None:
            self._server.stop()

    def _put(self, event: SourceEvent) -> bool:
        """False where there is no room: whoever asks at the page asks again."""
        try:
            self._events.put_nowait(event)
        except queue.Full:
            return False
        return True


def _standing(till: Till, outbox: Outbox, clock: ClockReport) -> Standing:
    fill, last = outbox.fill(), outbox.last_group()
    return Standing(
        basket=till.open_basket,
        cashier=till.cashier,
        percent=fill.percent,
        waiting=fill.baskets,
        clock_known=clock.src is not ClockSource.NONE,
        void_seq=last[0] if last else None,
    )
