"""A bound on routes that anyone may call: signatures and certificates cost more than looking at a token."""

import threading
import time

from backend.kernel.errors import DomainError

REQUESTS_MAX = 300
WINDOW_S = 30.0


class TooManyRequests(DomainError):
    code = "too-many-requests"
    text_zh = "请求过于频繁，请稍后再试。"
    text_en = "Too many requests just now: try again a little later."


class Window:
    """At most `REQUESTS_MAX` in a window of 30 s, a process; shared by its threads. Behind a proxy all who ask look alike."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ends_s = 0.0
        self._left = 0

    def enter(self) -> None:
        """Raises TooManyRequests."""
        now_s = time.monotonic()
        with self._lock:
            if now_s >= self._ends_s:
                self._ends_s, self._left = now_s + WINDOW_S, REQUESTS_MAX
            if self._left == 0:
                raise TooManyRequests
            self._left -= 1
