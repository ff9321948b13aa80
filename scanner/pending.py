"""Which baskets were sent and still have no receipt, and when each is sent again. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from firmware_bridge.wire.envelope import BASKETS_MAX

PENDING_MAX = 1_000
"""Baskets under way at once: bounds memory, and what is sent twice when a connection breaks."""
ALONE_AFTER = 3
"""Sendings without a receipt after which a basket travels alone, so that it cannot hold others back."""


@dataclass(frozen=True, slots=True)
class ResendLaw:
    """devices.md 1.4: after `min_s`, doubling to `max_s`, with full jitter above that floor.

    The floor stays because a receipt needs a moment: without it half of all first resends would be for nothing.
    """

    min_s: float
    max_s: float

    def wait_s(self, sendings: int, draw: float) -> float:
        """Before the next sending, after `sendings` of them; `draw` in [0, 1)."""
        assert sendings >= 1
        longest = min(self.max_s, self.min_s * (1 << min(sendings, 30)))
        return self.min_s + draw * max(0.0, longest - self.min_s)


@dataclass(slots=True)
class _Sent:
    sendings: int
    due_s: float


class Pending:
    """Times are seconds of a clock that never falls."""

    def __init__(self, law: ResendLaw, draw: Callable[[], float]) -> None:
        self._law = law
        self._draw = draw
        self._sent: dict[int, _Sent] = {}
        self.resends = 0

    def __len__(self) -> int:
        return len(self._sent)

    @property
    def room(self) -> int:
        return PENDING_MAX - len(self._sent)

    def mark_sent(self, seqs: Iterable[int], now_s: float) -> None:
        for seq in seqs:
            sendings = 1 + (self._sent[seq].sendings if seq in self._sent else 0)
            self.resends += sendings > 1
            self._sent[seq] = _Sent(sendings, now_s + self._law.wait_s(sendings, self._draw()))

    def due(self, now_s: float) -> list[int]:
        """The next group to send again, by seq; a basket that failed often comes alone."""
        ready = sorted(seq for seq, sent in self._sent.items() if sent.due_s <= now_s)
        if ready and self._sent[ready[0]].sendings >= ALONE_AFTER:
            return ready[:1]
        return [seq for seq in ready if self._sent[seq].sendings < ALONE_AFTER][:BASKETS_MAX]

    def next_due_s(self) -> float | None:
        return min((sent.due_s for sent in self._sent.values()), default=None)

    def hasten(self, now_s: float, within_s: float) -> None:
        """A bridge came up: everything again at once, spread over `within_s` so that a fleet does not stampede."""
        for sent in self._sent.values():
            sent.due_s = min(sent.due_s, now_s + self._draw() * within_s)

    def spread(self, now_s: float, within_s: float) -> None:
        """Receipts come again: what fell due meanwhile waits for them a moment, and a fleet does not stampede."""
        for sent in self._sent.values():
            if sent.due_s <= now_s:
                sent.due_s = now_s + self._law.min_s + self._draw() * within_s

    def settle(self, seqs: Iterable[int]) -> None:
        for seq in seqs:
            self._sent.pop(seq, None)
