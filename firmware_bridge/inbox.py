from collections import deque
from dataclasses import dataclass
from threading import Condition
from typing import Final

BYTES_MAX: Final = 64 * 1_048_576


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One message as the broker gave it; `payload` is never opened here.

    `mid` means something only on the connection of `generation`: the broker reuses it on the next.
    """

    topic: str
    payload: bytes
    received_at_ms: int
    received_mono_s: float
    mid: int
    qos: int
    generation: int


class Inbox:
    """Between the network thread, which must never wait, and the forwarder.

    The receive maximum ought to bound it, but does not: Mosquitto 2.0.11 was seen to have 6,848 messages
    unacknowledged where its window was 20 (acknowledged one by one under load). Hence a bound of our own. QoS 0
    knows no back-pressure at all and gives way at half of it.
    """

    def __init__(self, messages_max: int) -> None:
        self._messages_max = messages_max
        self._waiting: deque[Delivery] = deque()
        self._waiting_bytes = 0
        self._in_hand = 0
        self._changed = Condition()

    def offer(self, delivery: Delivery) -> bool:
        """Whether it was taken; never waits."""
        share = 1 if delivery.qos else 2
        with self._changed:
            if share * len(self._waiting) >= self._messages_max or share * self._waiting_bytes >= BYTES_MAX:
                return False
            self._waiting.append(delivery)
            self._waiting_bytes += len(delivery.payload)
            self._changed.notify()
        return True

    def take(self, timeout_s: float) -> Delivery | None:
        """The oldest, or None when none came in time; a timeout of 0 or less looks only once."""
        with self._changed:
            if not self._waiting and timeout_s > 0:
                self._changed.wait(timeout_s)
            if not self._waiting:
                return None
            delivery = self._waiting.popleft()
            self._waiting_bytes -= len(delivery.payload)
            self._in_hand += 1
        return delivery

    def finished(self, count: int) -> None:
        """So many of those taken are acknowledged."""
        with self._changed:
            self._in_hand -= count

    def is_settled(self) -> bool:
        """Nothing waits and nothing is in hand."""
        with self._changed:
            return not self._waiting and self._in_hand == 0

    def size(self) -> int:
        return len(self._waiting)
