"""Which tills are lent how much of a budget now. Pure.

A till is lent anew when half of what it holds is used, or half of its time is over: so whoever loses the connection has
between half and all of it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from backend.leases.model import Lease, Terms


class Outbox(NamedTuple):
    """A till that is there, and the stream that it numbers its baskets in."""

    device: str
    stream: str


def grants(
    terms: Terms, outboxes: Sequence[Outbox], held: Mapping[str, Sequence[Lease]], left: int, now: datetime
) -> dict[Outbox, int]:
    """Amounts above 0. `held`: of each device the leases of this budget that are not settled; `left`: in the budget.

    Where less may be lent than is wanted everybody gets an equal part of it.
    """
    lent = sum(lease.left for leases in held.values() for lease in leases)
    room = (left + lent) * terms.share_bp // 10_000 - lent
    wanted = {outbox: _wanted(terms, outbox, held.get(outbox.device, ()), now) for outbox in outboxes}
    asking = sorted(outbox for outbox, amount in wanted.items() if amount)
    each = min(room, left) // len(asking) if asking else 0
    return {outbox: min(wanted[outbox], each) for outbox in asking if each > 0}


def _wanted(terms: Terms, outbox: Outbox, held: Sequence[Lease], now: datetime) -> int:
    half = timedelta(hours=terms.hours) / 2
    fresh = [lease for lease in held if lease.stream == outbox.stream and lease.ends_at - now >= half]
    left, awards = sum(lease.left for lease in fresh), sum(lease.awards - lease.promises for lease in fresh)
    if 2 * left > terms.amount and 2 * awards > terms.awards:
        return 0
    return max(terms.amount - left, 0)
