from dataclasses import dataclass
from queue import Empty, Full, Queue


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

    Messages with QoS 1 are bounded by the receive maximum already (no acknowledgement, no more messages); the
    bound here is for brokers that do not keep to it. QoS 0 knows no back-pressure and gives way first.
    """

    def __init__(self, receive_maximum: int) -> None:
        self._best_effort_max = receive_maximum
        self._queue: Queue[Delivery] = Queue(maxsize=2 * receive_maximum)

    def offer(self, delivery: Delivery) -> bool:
        """Whether it was taken; never blocks."""
        if delivery.qos == 0 and self._queue.qsize() >= self._best_effort_max:
            return False
        try:
            self._queue.put_nowait(delivery)
        except Full:
            return False
        return True

    def take(self, timeout_s: float) -> Delivery | None:
        """The oldest, or None when none came in time; a timeout of 0 or less looks only once."""
        try:
            return self._queue.get(timeout=timeout_s) if timeout_s > 0 else self._queue.get_nowait()
        except Empty:
            return None

    def size(self) -> int:
        return self._queue.qsize()
