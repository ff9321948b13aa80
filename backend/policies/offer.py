"""What one policy would give for a sale, before it is taken."""

from typing import NamedTuple

from backend.kernel.amounts import Unit
from backend.policies.limits import CounterKey
from backend.policies.model import Award

_FEN = Unit.FEN.value


class Offer(NamedTuple):
    """What one policy would give now: its awards, those of which limits left nothing, and what they take of limits."""

    awards: list[Award]
    limited: list[Award]
    takes: dict[CounterKey, int]
    pools: dict[str, int]
    cut: set[CounterKey]
    """Counters whose exact amount decided an award."""


def fen_in(offer: Offer) -> int:
    """Of its awards, the money: a sum in fen."""
    return sum(award.amount for award in offer.awards if award.unit == _FEN)


def worth(offer: Offer) -> tuple[int, ...]:
    """Money before points, points before what has no price; never added up across units."""
    amounts = {award.unit: award.amount for award in offer.awards}
    return tuple(amounts.get(unit, 0) for unit in ("fen", "points", "evidence", "gco2e"))
