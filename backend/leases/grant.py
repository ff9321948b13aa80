"""Which tills are lent how much of a budget now. Pure.

A till is lent more when half of what it may promise is used, and what it holds lasts longer when half of its time is over:
so whoever loses the connection has between half and all of it, and what waits for late baskets is that of tills that did.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from backend.leases.model import Lease, Terms


class Outbox(NamedTuple):
    """A till that is there, and the stream that it numbers its baskets in."""

    device: str
    stream: str


class Plan(NamedTuple):
    """`granted`: amounts above 0. `extended`: leases that last for the terms' hours from now."""

    granted: Mapping[Outbox, int]
    extended: Sequence[Lease]


def plan(
    terms: Terms, outboxes: Sequence[Outbox], held: Mapping[str, Sequence[Lease]], left: int, now: datetime
) -> Plan:
    """`held`: of each device the leases of this budget that are not settled; `left`: in the budget.

    Where less may be lent than is wanted everybody gets an equal part of it, as long as that is a tenth of the terms.
    """
    good = {outbox: _good(outbox, held.get(outbox.device, ()), now) for outbox in outboxes}
    half = timedelta(hours=terms.hours) / 2
    extended = [lease for leases in good.values() for lease in leases if lease.expires_at - now < half]
    lent = sum(lease.left for leases in held.values() for lease in leases)
    room = min((left + lent) * terms.share_bp // 10_000 - lent, left)
    wanted = {outbox: _wanted(terms, leases) for outbox, leases in good.items()}
    asking = sorted(outbox for outbox, amount in wanted.items() if amount)
    each = room // len(asking) if asking else 0
    granted = {outbox: min(wanted[outbox], each) for outbox in asking}
    if 10 * each < terms.amount:
        granted = {outbox: amount for outbox, amount in granted.items() if amount == wanted[outbox]}
    return Plan({outbox: amount for outbox, amount in granted.items() if amount > 0}, extended)


def _good(outbox: Outbox, held: Sequence[Lease], now: datetime) -> list[Lease]:
    """What the till can still promise out of."""
    return [
        lease
        for lease in held
        if lease.stream == outbox.stream
        and lease.ended_at is None
        and lease.expires_at > now
        and lease.left > 0
        and lease.promises < lease.awards
    ]


def _wanted(terms: Terms, good: Sequence[Lease]) -> int:
    left, awards = sum(lease.left for lease in good), sum(lease.awards - lease.promises for lease in good)
    if 2 * left > terms.amount and 2 * awards > terms.awards:
        return 0
    return max(terms.amount - left, 0)
