"""A counter in a shop: a till with its page, in this process, so that a test decides what happens when."""

import threading
from dataclasses import dataclass, field, replace
from typing import Self

import orjson

from firmware_bridge.wire.messages import Clock as ClockReport
from firmware_bridge.wire.messages import ClockSource
from scanner import keys, notices
from scanner.chaos import Chaos
from scanner.clock import Clock
from scanner.feedback import Everyone, Notice, Signal
from scanner.lease.desk import LeaseDesk
from scanner.outbox import Limits, Outbox
from scanner.outbox_file import open_outbox
from scanner.page.feed import Feed
from scanner.page.page import Page
from scanner.page.screen import Standing
from scanner.page.server import PageServer
from scanner.page.server import Till as PageTill
from scanner.settings import Settings
from scanner.snapshot.sayings import UNKNOWN, Saying
from scanner.sources.model import CodeSeen, SourceEvent, SourceOpened
from scanner.till import Till


class CounterClock:
    boot = "boot-1"

    def __init__(self) -> None:
        self.mono = 1_000

    def mono_ms(self) -> int:
        return self.mono

    def wall_ms(self) -> int:
        return 1_790_000_000_000 + self.mono


def online(outbox: Outbox, clock: Clock) -> LeaseDesk:
    """Of a till that is never without the server, so that it promises nothing."""
    unset = ClockReport(src=ClockSource.NONE)
    return LeaseDesk(outbox, clock, lambda: unset, lambda: False, lambda _notice: None, may_promise=True)


@dataclass
class Heard:
    notices: list[Notice] = field(default_factory=list)

    def show(self, notice: Notice) -> None:
        self.notices.append(notice)


@dataclass
class Knowing:
    """A snapshot of the goods that a test names."""

    sayings: dict[str, Saying] = field(default_factory=dict)

    def tell(self, seen: CodeSeen) -> Saying:
        return self.sayings.get(seen.code, UNKNOWN)


class Counter:
    def __init__(self, settings: Settings, *, baskets_max: int = 10, feed_token: str | None = None) -> None:
        self._feed_token = feed_token
        self.clock = CounterClock()
        self.clock_known = True
        self.heard = Heard()
        limits = Limits(baskets_max=baskets_max, size_max_bytes=10**6)
        self.outbox: Outbox = open_outbox(settings.outbox_path, limits, random_stream=b"\x07" * 16, now_ts=1).outbox
        self.teller = Knowing()
        self.page = Page(settings.device_id, self.clock)
        self.page.ask(self._standing)
        self.feedback = Everyone([self.heard, self.page])
        self.till = Till(
            replace(settings, page_port=0),
            self.outbox,
            keys.city_keys(settings.city_keys_path),
            self.clock,
            lambda: ClockReport(src=ClockSource.NONE),
            self.feedback,
            lambda: None,
            Chaos(),
            self.teller,
            leases=online(self.outbox, self.clock),
        )
        self._one_at_a_time = threading.Lock()
        self.serve(0)

    def __enter__(self) -> Self:
        self.till.begin()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.stop()
        self.outbox.close()

    def serve(self, port: int) -> None:
        feed = None if self._feed_token is None else Feed(self._feed_token, self.take, self.clock)
        till = PageTill(put=self.take, slip_shown=self.outbox.slip_shown, feed=feed)
        self.server = PageServer(port, self.page, till)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.server.start()

    def take(self, *events: SourceEvent) -> bool:
        with self._one_at_a_time:
            for event in events:
                self.till.take(event)
        return True

    def tell(self, name: str, signal: Signal = Signal.NONE, **facts: object) -> None:
        """A state that another part of the till would report."""
        self.feedback.show(notices.state(name, f"[{name}]", f"[{name}]", signal, **facts))

    def ready(self) -> None:
        self.tell("connected")
        self.take(SourceOpened("cam0"))

    def screen(self) -> dict[str, object]:
        shown: dict[str, object] = orjson.loads(self.page.screen())
        return shown

    def _standing(self) -> Standing:
        fill, last = self.outbox.fill(), self.outbox.last_group()
        return Standing(
            basket=self.till.open_basket,
            cashier=self.till.cashier,
            percent=fill.percent,
            waiting=fill.baskets,
            clock_known=self.clock_known,
            void_seq=last[0] if last else None,
        )


def code(text: str, *, mono_ms: int = 1_000, qty: int = 1, price_fen: int | None = None) -> CodeSeen:
    return CodeSeen(code=text, symbology="EAN13", mono_ms=mono_ms, src="cam0", qty=qty, price_fen=price_fen)
