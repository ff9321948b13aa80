"""Who bears an award: its amount parted among sources of money so that the parts sum to it, to the fen. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

from backend.kernel.amounts import BASIS_POINTS
from backend.policies.model import Share


class FundingLine(NamedTuple):
    """What one source bears of an amount, in the unit of that amount."""

    source: str
    amount: int


def funding_lines(amount: int, shares: Sequence[Share]) -> tuple[FundingLine, ...]:
    """Each source's part of `amount` >= 0, in the order of `shares`; without any there is nothing to part.

    Largest remainder: every part is rounded down, and what is left goes, one unit each, to those that lost most by it; of
    equals to the first. So 85/15 of 899.95 yuan is 764.96 and 134.99.
    """
    if amount < 0:
        raise ValueError("an amount is parted when it is there")
    parts = [divmod(amount * share.basis_points, BASIS_POINTS) for share in shares]
    over = amount - sum(whole for whole, _ in parts) if shares else 0
    by_loss = sorted(range(len(parts)), key=lambda place: -parts[place][1])
    raised = frozenset(by_loss[:over])
    return tuple(
        FundingLine(share.source, whole + (place in raised))
        for place, (share, (whole, _)) in enumerate(zip(shares, parts, strict=True))
    )
