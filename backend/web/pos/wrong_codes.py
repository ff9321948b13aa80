"""A bound on guessing: codes that a shop's system got wrong are counted, and beyond the bound it waits."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from backend.kernel.errors import DomainError
from backend.redemptions.model import CodeUnknown

Result = TypeVar("Result")

WRONG_MAX = 30
WINDOW_S = 60.0
SERVICES_MAX = 10_000


class TooManyWrongCodes(DomainError):
    code = "too-many-wrong-codes"
    text_zh = "错误的号码过多，请 {wait_s} 秒后再试。"
    text_en = "Too many wrong codes: try again in {wait_s} s."


class WrongCodes:
    """Thirty a minute for each service token, a process: a code of eight characters would take thousands of years."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wrong: dict[str, tuple[float, int]] = {}

    def tried(self, service: str, work: Callable[[], Result]) -> Result:
        """What `work` returns. Raises TooManyWrongCodes, and what it raises: a CodeUnknown counts."""
        now_s = time.monotonic()
        with self._lock:
            ends_s, wrong = self._wrong.get(service, (0.0, 0))
        if now_s < ends_s and wrong >= WRONG_MAX:
            raise TooManyWrongCodes(wait_s=int(ends_s - now_s) + 1)
        try:
            return work()
        except CodeUnknown:
            self._count(service, now_s)
            raise

    def _count(self, service: str, now_s: float) -> None:
        with self._lock:
            ends_s, wrong = self._wrong.get(service, (0.0, 0))
            if len(self._wrong) >= SERVICES_MAX:
                self._wrong.clear()
            self._wrong[service] = (ends_s, wrong + 1) if now_s < ends_s else (now_s + WINDOW_S, 1)
