from collections.abc import Callable
from typing import Final

FIRST_WAIT_S: Final = 0.5


class Backoff:
    """Exponential with full jitter: after a storm the callers do not come back as one."""

    def __init__(self, wait_s_max: float, random: Callable[[], float]) -> None:
        """`random` gives [0, 1)."""
        self._wait_s_max = wait_s_max
        self._random = random
        self._failures = 0

    def failed(self, at_least_s: float = 0.0) -> float:
        """How long to wait now; `at_least_s` is what the other side asked for, cut at the maximum."""
        ceiling_s = min(self._wait_s_max, FIRST_WAIT_S * 2.0 ** min(self._failures, 20))
        self._failures += 1
        return max(self._random() * ceiling_s, min(at_least_s, self._wait_s_max))

    def succeeded(self) -> None:
        self._failures = 0
