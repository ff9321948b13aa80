"""Keeps the book of leases: hears the server, and promises at a read what is on disk with it before the beep."""

from collections import deque
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from firmware_bridge.wire.errors import WireError
from firmware_bridge.wire.leases import LeaseMessage, decode_leases
from firmware_bridge.wire.messages import Clock as ClockReport
from firmware_bridge.wire.messages import ClockSource, Promise
from scanner.clock import Clock
from scanner.errors import TillRefusal
from scanner.feedback import Notice, Signal
from scanner.lease.book import BACK_MS_MAX, Wanted, hear, promise, read_book, see, write_book
from scanner.notices import state
from scanner.outbox import Outbox

WAITING_MAX: Final = 16
"""Messages that wait for the main loop; each takes the place of those before it."""


class Promised(NamedTuple):
    """`amounts` by unit. `book`: as it must be on disk with the read, None where there is none to keep."""

    promises: tuple[Promise, ...]
    amounts: Mapping[str, int]
    book: str | None


NOTHING: Final = Promised((), {}, None)


class LeaseDesk:
    """`take` may come from any thread; everything else belongs to the thread that reads labels."""

    def __init__(
        self,
        outbox: Outbox,
        clock: Clock,
        judge_clock: Callable[[], ClockReport],
        is_offline: Callable[[], bool],
        show: Callable[[Notice], None],
        *,
        may_promise: bool,
    ) -> None:
        """`may_promise` False where the shop's till reports lines: pieces of one line are joined, and what they earn together
        is known with the basket.
        """
        self._outbox = outbox
        self._clock = clock
        self._judge_clock = judge_clock
        self._is_offline = is_offline
        self._show = show
        self._may_promise = may_promise
        self._waiting: deque[bytes] = deque(maxlen=WAITING_MAX)
        self._book = read_book(outbox.lease_book())
        self._seen: tuple[int, int] | None = None
        """The latest moment of this run, with the time since boot at which it was."""

    def take(self, body: bytes) -> None:
        """A genuine message of the server."""
        self._waiting.append(body)

    def tick(self) -> None:
        """On disk before it counts; what cannot be kept comes again with the next connection."""
        while self._waiting:
            try:
                message = decode_leases(self._waiting.popleft())
            except WireError as error:
                text_zh, text_en = "服务器下发的租约无法识别，已忽略。", "Leases that cannot be read were ignored."
                self._show(state("leases_unusable", text_zh, text_en, Signal.WARNING, reason=error.code))
            else:
                self._hear(message)

    @property
    def is_offline(self) -> bool:
        return self._is_offline()

    def promise(self, wanted: Wanted) -> Promised:
        """What may be promised of `wanted` now: nothing where the server is there to decide, or the time is unsure. Its book
        must be on disk with the read; `keep` then makes it count.
        """
        self.tick()
        now_ms = self._now_ms()
        if not self._book.held:
            return NOTHING
        if not wanted or now_ms is None or not self._may_promise or not self._is_offline():
            # Kept all the same: what time it is, so that no clock brings the moment back.
            return NOTHING._replace(book=write_book(self._book))
        after, promises, amounts = promise(self._book, wanted, now_ms)
        return Promised(promises, amounts, write_book(after))

    def keep(self, book: str | None) -> None:
        """The read that it was promised for is on disk, and the book with it."""
        if book is not None:
            self._book = read_book(book)

    def _hear(self, message: LeaseMessage) -> None:
        after = hear(self._book, message, self._outbox.stream, self._now_ms())
        if after == self._book:
            return
        try:
            self._outbox.keep_lease_book(write_book(after))
        except TillRefusal as refusal:
            self._show(state("leases_unsaved", refusal.sentence_zh, refusal.sentence_en, Signal.WARNING))
            return
        self._book = after

    def _now_ms(self) -> int | None:
        """None where nothing has set the clock, or it stands before what it showed earlier in this run."""
        report = self._judge_clock()
        if report.src is ClockSource.NONE:
            return None
        now_ms, mono_ms = self._clock.wall_ms() + report.off_ms, self._clock.mono_ms()
        if self._seen is not None and now_ms < self._seen[0] + (mono_ms - self._seen[1]) - BACK_MS_MAX:
            return None
        if self._seen is None or now_ms > self._seen[0]:
            self._seen = now_ms, mono_ms
            self._book = see(self._book, now_ms) if self._book.held else self._book
        return now_ms
