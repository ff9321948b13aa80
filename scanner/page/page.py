"""The cashier's page between the till's threads and the server's."""

import threading
from collections.abc import Callable

import orjson

from scanner.clock import Clock
from scanner.feedback import Notice
from scanner.page.memory import Memory, remember
from scanner.page.screen import Standing, screen

_NOTHING = Standing(basket=None, cashier=None, percent=0, waiting=0, clock_known=False, void_seq=None)


class Page:
    """Feedback that waits to be looked at. Any thread."""

    def __init__(self, device: str, clock: Clock) -> None:
        self._device = device
        self._standing: Callable[[], Standing] = lambda: _NOTHING
        self._clock = clock
        self._memory = Memory()
        self._told = 0
        self._changed = threading.Condition()

    def ask(self, standing: Callable[[], Standing]) -> None:
        """Of whom, on the server's threads, while the till lives."""
        self._standing = standing

    def show(self, notice: Notice) -> None:
        with self._changed:
            self._memory = remember(self._memory, notice, wall_ms=self._clock.wall_ms(), mono_ms=self._clock.mono_ms())
            self._told += 1
            self._changed.notify_all()

    def screen(self) -> bytes:
        shown = screen(self._memory, self._standing(), mono_ms=self._clock.mono_ms(), device=self._device)
        return orjson.dumps(shown)

    def claim(self, seq: int) -> str | None:
        """As printed; None where the page does not show it."""
        return next((past.claim for past in self._memory.baskets if past.seq == seq), None)

    def wait(self, told: int, timeout_s: float) -> int:
        """Until there were more notices than `told`, at most `timeout_s`: some changes no notice tells."""
        with self._changed:
            self._changed.wait_for(lambda: self._told != told, timeout_s)
            return self._told
