"""Signs of misuse that no counter shows: an unusual price, and one person in two places. Pure.

What a watch looks at are facts of other sales. They are stored with the decision, so that it replays whatever came later;
where one is not known the watch is silent.
"""

from dataclasses import dataclass
from enum import StrEnum

from backend.kernel.amounts import BASIS_POINTS


class Of(StrEnum):
    """What a watch compares: the price with the code's trailing median in the city, or two shops with the time between."""

    PRICE = "price"
    TRAVEL = "travel"


@dataclass(frozen=True, slots=True)
class Watch:
    """An award that it sees is held for a person, like one beyond a cap that holds.

    `above_bp` and `below_bp`: of the median price of a piece, in basis points; `kmh`: the fastest that people travel.
    """

    watch: str
    of: Of
    above_bp: int | None = None
    below_bp: int | None = None
    kmh: int | None = None

    def sees(self, unit_price_fen: int | None, median_fen: int | None, travel_kmh: int | None) -> bool:
        """Whether the sale is beyond it; at its very bound it is not. A fact that is None is not known."""
        if self.of is Of.TRAVEL:
            return travel_kmh is not None and self.kmh is not None and travel_kmh > self.kmh
        if unit_price_fen is None or median_fen is None:
            return False
        priced = unit_price_fen * BASIS_POINTS
        dear = self.above_bp is not None and priced > median_fen * self.above_bp
        return dear or (self.below_bp is not None and priced < median_fen * self.below_bp)
