"""What the reads of a basket share when they are decided: its sale, its moment, its policies, its proof. Pure."""

from datetime import date

import msgspec

from backend.kernel.periods import civil_date, hour_of_day
from backend.policies.compiled import InForce, PolicySet
from backend.policies.model import Proof
from backend.scans.model import Basket, Channel

# CPython 3.11 runs Python code for each `Enum.MEMBER` (0.3 µs), and every basket comes by here.
_PHONE = Channel.PHONE.value
_P0, _P1, _P2, _P3 = Proof.SCAN.value, Proof.CLAIM.value, Proof.TILL.value, Proof.TILL_ONLINE.value


class Moment(msgspec.Struct, frozen=True, gc=False):
    """What all reads of a basket share."""

    sale: tuple[object, ...]
    """The facts of the basket, from `channel` to `claimed_elsewhere`."""
    sold_at_ms: int
    sold_on: date
    policies: InForce
    priced: str
    unpriced: str
    """The proof of a line with a price, and of one without."""
    hold: str | None


def moment_of(basket: Basket, policies: PolicySet) -> Moment:
    at_ms = basket.sold_at_ms
    hold = "clock_uncertain" if basket.clock_held else "store_suspended" if basket.store_held else None
    priced, unpriced = _proofs_of(basket)
    return Moment(sale_of(basket), at_ms, civil_date(at_ms), policies.in_force(at_ms), priced, unpriced, hold)


def sale_of(basket: Basket) -> tuple[object, ...]:
    return (
        basket.channel,
        basket.buyer,
        basket.receipt_fen,
        basket.basket,
        basket.device,
        basket.cashier,
        hour_of_day(basket.sold_at_ms),
        basket.sold_at_ms,
        basket.claimed_elsewhere,
    )


def _proofs_of(basket: Basket) -> tuple[str, str]:
    """P3 a till online with a price, P2 any other till, P1 by claim code, P0 a phone."""
    if basket.channel == _PHONE:
        return _P0, _P0
    if basket.claim_sha256 is not None:
        return _P1, _P1
    return (_P3, _P2) if basket.online else (_P2, _P2)
