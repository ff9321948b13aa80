"""A thread that sales can do without: one that dies of a bug is begun again, ever later, and counted."""

import threading
import time
from collections.abc import Callable
from typing import Final

from scanner import notices
from scanner.feedback import Notice, Signal

AGAIN_MIN_S: Final = 1.0
AGAIN_MAX_S: Final = 1_800.0


class LastingThread:
    """Its fault is left to `threading.excepthook`, which writes it to the log. `look` belongs to the main loop."""

    def __init__(self, name: str, run: Callable[[], None], show: Callable[[Notice], None]) -> None:
        """`run` returns once it is over for good, and may be called again after it raised."""
        self.name = name
        self.deaths = 0
        self._run = run
        self._show = show
        self._over = False
        self._again_at_s: float | None = None
        self._thread = self._new()

    def start(self) -> None:
        self._thread.start()

    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def join(self, timeout_s: float) -> None:
        self._thread.join(timeout_s)

    def look(self, now_s: float) -> None:
        if self._over or self._thread.is_alive():
            return
        if self._again_at_s is None:
            wait_s = min(AGAIN_MAX_S, AGAIN_MIN_S * (1 << min(self.deaths, 16)))
            self.deaths += 1
            self._again_at_s = now_s + wait_s
            text_zh, text_en = (
                f"{self.name} 部分出错停止，将自动重启，不影响扫码。",
                f"{self.name} died; it is begun again.",
            )
            self._show(notices.state("part_died", text_zh, text_en, Signal.WARNING, part=self.name, deaths=self.deaths))
        if now_s >= self._again_at_s:
            self._again_at_s = None
            self._thread = self._new()
            self._thread.start()

    def _new(self) -> threading.Thread:
        return threading.Thread(target=self._go, name=self.name, daemon=True)

    def _go(self) -> None:
        self._run()
        self._over = True


def deaths_of(threads: list[LastingThread]) -> int:
    return sum(thread.deaths for thread in threads)


def look_after(threads: list[LastingThread]) -> None:
    for thread in threads:
        thread.look(time.monotonic())
