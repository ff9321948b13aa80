"""Batches of several callers in one database transaction: what a transaction costs is paid once for all of them."""

from collections.abc import Sequence
from datetime import datetime
from itertools import chain, islice
from typing import Protocol

from backend.scans.model import Recorded
from backend.usecases.record_baskets import Arrival
from backend.usecases.shared_transaction import SharedTransaction

TOGETHER_READS_MAX = 2_000
"""What one statement writes at most (architecture 6.5): four full batches."""
LEADERS_MAX = 2
"""One waits for the database while the other computes: an interpreter does no more at a time."""

Arrivals = Sequence[Arrival]


class Recorder(Protocol):
    def record(self, city: str, arrivals: Sequence[Arrival], now: datetime) -> list[Recorded]: ...


class RecordTogether:
    """As the recorder itself: batches of a city that arrive while two are being committed share the next transaction."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._shared: SharedTransaction[Arrivals, list[Recorded]] = SharedTransaction(
            self._record, together_max=TOGETHER_READS_MAX, leaders_max=LEADERS_MAX, weigh=_reads
        )

    def record(self, city: str, arrivals: Sequence[Arrival], now: datetime) -> list[Recorded]:
        """What became of each basket, in order, after COMMIT. Raises what the recorder raises of these baskets."""
        return self._shared.run(city, arrivals, now)

    def _record(self, city: str, batches: Sequence[Arrivals], now: datetime) -> list[list[Recorded]]:
        recorded = iter(self._recorder.record(city, list(chain.from_iterable(batches)), now))
        return [list(islice(recorded, len(batch))) for batch in batches]


def _reads(arrivals: Arrivals) -> int:
    return sum(len(arrival.basket.reads) for arrival in arrivals)
