import os
import signal
from enum import StrEnum


class ChaosPoint(StrEnum):
    """Where the process may be told to kill itself, so that a trial hits the point every time."""

    BEFORE_REQUEST = "before_request"
    AFTER_ANSWER = "after_answer_before_receipts"
    AFTER_RECEIPTS = "after_receipts_before_acks"


class Chaos:
    """Does nothing unless a point is named, which the settings allow only where ENV is `test`."""

    def __init__(self, point: ChaosPoint | None, passes: int = 0) -> None:
        """`passes`: how often the point is passed unharmed first."""
        self._point = point
        self._passes_left = passes

    def reached(self, point: ChaosPoint) -> None:
        if point is not self._point:
            return
        self._passes_left -= 1
        if self._passes_left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
