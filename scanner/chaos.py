"""Named points at which the process kills itself: what the crash tests are made of.

Settings refuse them unless ENV is `test`; without one every `reach` is one comparison.
"""

import os
import signal
from enum import StrEnum


class ChaosPoint(StrEnum):
    MID_BASKET = "mid_basket"
    """A read is on disk and has beeped; its basket is open."""
    LEASE_DRAWN = "lease_drawn"
    """A read and what was promised for it are on disk; nobody was told."""
    AFTER_OUTBOX_COMMIT = "after_outbox_commit"
    """The closed basket is on disk; nobody was told and nothing was published."""
    AFTER_PUBLISH = "after_publish"
    """The broker acknowledged a message; no receipt of it was handled."""
    AFTER_RECEIPT_BEFORE_DELETE = "after_receipt_before_delete"
    """A genuine receipt is in hand; its rows are still in the outbox."""
    TWIN_WRITTEN = "twin_written"
    """New settings are on disk under another name."""
    TWIN_ON_TRIAL = "twin_on_trial"
    """New settings are kept and on trial; the till does not run by them yet."""
    TWIN_APPLIED = "twin_applied"
    """The till runs by what it has kept; nobody was told."""
    ENROL_KEYS_MADE = "enrol_keys_made"
    """New keys are on disk; nobody was told of them."""
    ENROL_ANSWERED = "enrol_answered"
    """The server gave a certificate; nothing of it is on disk."""
    ENROL_STORED = "enrol_stored"
    """The new identity is whole on disk; the till is still what it was."""


class Chaos:
    def __init__(self, point: ChaosPoint | None = None, *, at_hit: int = 1) -> None:
        """The process dies when `point` is reached for the `at_hit`-th time since start."""
        self._point = point
        self._hits_left = at_hit

    def reach(self, point: ChaosPoint) -> None:
        if point is not self._point:
            return
        self._hits_left -= 1
        if self._hits_left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
