"""Whether a promise that a basket names was the till's to give. Pure."""

from datetime import datetime, timedelta

from backend.kernel.periods import instant
from backend.leases.model import Fault, Lease

TOLERANCE = timedelta(minutes=15)
"""A basket ends after the reads that were promised for, and clocks differ a little."""


def fault_of(
    lease: Lease | None, device: str, stream: str, *, sold_at_ms: int | None, now: datetime, taken: int
) -> Fault | None:
    """None where the lease pays. `sold_at_ms` None: the time of sale is unsure, so it proves nothing either way; a person
    looks at that basket. `taken`: promises of the same batch that were accepted before it.
    """
    if lease is None:
        return Fault.UNKNOWN
    if (lease.device, lease.stream) != (device, stream):
        return Fault.ANOTHER_TILL
    if lease.closed_at is not None or lease.returned or now >= lease.settles_at:
        return Fault.LATE
    if sold_at_ms is not None and not (
        lease.granted_at - TOLERANCE <= instant(sold_at_ms) <= lease.ends_at + TOLERANCE
    ):
        return Fault.OUT_OF_TIME
    return Fault.USED_UP if lease.left <= 0 or lease.promises + taken >= lease.awards else None
