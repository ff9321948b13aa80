from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from firmware_bridge.inbox import Delivery

BODY_BYTES_MAX: Final = 1_048_576
_FRAME_BYTES: Final = 96  # the JSON names, quotes and time around one message


@dataclass(frozen=True, slots=True)
class Load:
    """`reads` is an estimate from the unopened bytes; where it is too low, the backend's 413 corrects it."""

    reads: int
    size_bytes: int

    def __add__(self, other: "Load") -> "Load":
        return Load(self.reads + other.reads, self.size_bytes + other.size_bytes)


def load_of(delivery: Delivery) -> Load:
    base64_bytes = 4 * ((len(delivery.payload) + 2) // 3)
    reads = max(1, delivery.payload.count(b'"sym"'))
    return Load(reads, base64_bytes + 2 * len(delivery.topic) + _FRAME_BYTES)


def fits(load: Load, reads_max: int) -> bool:
    return load.reads <= reads_max and load.size_bytes <= BODY_BYTES_MAX


def halves(deliveries: Sequence[Delivery]) -> tuple[Sequence[Delivery], Sequence[Delivery]]:
    """In order; both non-empty for two and more."""
    middle = len(deliveries) // 2
    return deliveries[:middle], deliveries[middle:]
