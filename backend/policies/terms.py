"""What holds of an award after its sale: when it is available and ends, what a return takes back, old marks."""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Pending:
    """An award waits `days` whole civil days after the day of sale, then is available; or it must be collected within
    `collect_hours` of the sale, or it lapses back to the budget. One of the two is 0.
    """

    days: int = 0
    collect_hours: int = 0


AT_ONCE = Pending()


@dataclass(frozen=True, slots=True)
class Expiry:
    """Points end `months` after the sale at the end of that civil month, or with the day `on`, whichever is given."""

    months: int = 0
    on: str | None = None


WITHOUT_END = Expiry()


@dataclass(frozen=True, slots=True)
class Returns:
    """Until how many days after the sale a return takes the award back; None: for ever."""

    days: int | None = None


WHENEVER = Returns()


@dataclass(frozen=True, slots=True)
class Transition:
    """Goods certified under `scheme` are accepted if sold on or before `until` (civil date), whatever else holds."""

    scheme: str
    until: str


class Claims(StrEnum):
    """Where a basket is claimed with the code on its sales slip: by phone or at a shop, or only at the shop that sold it."""

    ANYWHERE = "anywhere"
    SAME_STORE = "same_store"
