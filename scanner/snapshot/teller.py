"""Says at a read what it would likely earn. Never raises, never waits: a read goes on whatever the snapshot is like."""

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final, Protocol

from firmware_bridge.wire.messages import Clock as ClockReport
from firmware_bridge.wire.messages import ClockSource
from scanner.clock import Clock
from scanner.snapshot.file import Goods, SnapshotFile
from scanner.snapshot.labels import label_of
from scanner.snapshot.sayings import UNKNOWN, Saying, saying
from scanner.sources.model import CodeSeen

AHEAD_MS_MAX: Final = 300_000
"""A snapshot from further ahead says that the till's clock is behind, and knows nothing of what is over."""


class Teller(Protocol):
    def tell(self, seen: CodeSeen) -> Saying: ...


class Silent:
    """For a till without a snapshot."""

    def tell(self, seen: CodeSeen) -> Saying:  # noqa: ARG002 - as a teller's
        return UNKNOWN


class SnapshotTeller:
    """Used by the thread that reads labels."""

    def __init__(self, file: SnapshotFile, clock: Clock, judge_clock: Callable[[], ClockReport]) -> None:
        self._file = file
        self._clock = clock
        self._judge_clock = judge_clock

    def tell(self, seen: CodeSeen) -> Saying:
        label, now_ms = label_of(seen), self._now_ms()
        if label is None or now_ms is None:
            return UNKNOWN
        try:
            goods = self._believed(label.key, now_ms)
            if goods is None:
                return UNKNOWN
            place = 2 * label.unit
            offer = goods.offers[place + (seen.price_fen is not None)]
            # Amounts are of one piece; how many pieces count is the policy's business.
            if seen.qty != 1:
                return saying(goods.name, dict.fromkeys(offer, "later"))
            # A label of a single piece may have been paid for already: nobody but the server knows.
            paid = {} if label.unit else _payers(goods, priced=seen.price_fen is not None)
            return replace(saying(goods.name, offer), payers=paid)
        except (sqlite3.Error, ValueError, TypeError, LookupError, AttributeError):
            # A disk that fails, or lines of a later release: nothing to stop a sale for.
            return UNKNOWN

    def _believed(self, key: str, now_ms: int) -> Goods | None:
        found = self._file.look(key)
        if found is None:
            return None
        held, goods = found
        fresh = held.checked_at - AHEAD_MS_MAX <= now_ms < held.expires_at
        return goods if fresh and goods is not None and now_ms < goods.until else None

    def _now_ms(self) -> int | None:
        """None where nothing has ever set the clock."""
        report = self._judge_clock()
        return None if report.src is ClockSource.NONE else self._clock.wall_ms() + report.off_ms


def _payers(goods: Goods, *, priced: bool) -> Mapping[tuple[str, str], int]:
    """A basket that was sent late proves less: with a price only what is paid for either proof is sure."""
    if not goods.paid:
        return {}
    plain, online = ({(p, u): a for u, of in paid.items() for p, a in of.items()} for paid in goods.paid[:2])
    return {key: amount for key, amount in plain.items() if not priced or online.get(key) == amount}
