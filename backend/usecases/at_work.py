"""What time it is for a job that has been at work for a while: what it writes bears the moment at which it was written."""

import time
from datetime import datetime, timedelta


class AtWork:
    """A job is told when it begins; how long it has been at work it measures. Samples, totals and frozen reports look back some
    minutes for what was committed late, and would never see what a long run decided as of its first moment.
    """

    def __init__(self, now: datetime) -> None:
        self._began, self._now = time.monotonic(), now

    def now(self) -> datetime:
        return self._now + timedelta(seconds=time.monotonic() - self._began)
