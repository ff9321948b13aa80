"""All leases that a till holds, as it is told of them; the wire contract of `firmware_bridge.wire.leases`. Pure."""

from collections.abc import Sequence

import orjson

from backend.kernel.periods import milliseconds
from backend.leases.model import Lease

LEASES_MAX = 64
"""In one message, the longest-lived ones: a till of many budgets keeps some of each."""


def leases_body(version: int, leases: Sequence[Lease]) -> bytes:
    """`version` grows with every message to this till; a lease that is absent is over."""
    longest = sorted(leases, key=lambda lease: lease.ends_at, reverse=True)[:LEASES_MAX]
    return orjson.dumps(
        {
            "v": 1,
            "version": version,
            "leases": [
                {
                    "lease": lease.lease,
                    "stream": lease.stream.replace("-", ""),
                    "policy": lease.policy,
                    "unit": lease.unit,
                    "amount": lease.amount,
                    "awards": lease.awards,
                    "from": milliseconds(lease.granted_at),
                    "until": milliseconds(lease.ends_at),
                }
                for lease in longest
            ],
        }
    )
