from datetime import date
from typing import NamedTuple

from backend.kernel.periods import civil_date
from backend.policies.model import HAND_IN


class Evidence(NamedTuple):
    """What a till may add to a line beyond the label. The first three are digests made by the shop, never the plain value.

    `trade_in` stands for the serial of an old unit that was handed in, `trade_in_age` for its age in whole years, and
    `trade_in_on` for the civil day, with the sale where it is not said; `case` names how the goods are used (replace, new, …);
    `linked_points` what the same purchase earned elsewhere.
    """

    phone: str | None = None
    address: str | None = None
    trade_in: str | None = None
    trade_in_age: int | None = None
    case: str | None = None
    linked_points: int | None = None
    trade_in_on: str | None = None


NO_EVIDENCE = Evidence()


def trade_in_days(evidence: Evidence, sold_at_ms: int, channel: str) -> int | None:
    """Civil days from the sale to the hand-in of the old unit, below 0 where that came first; None where none was handed in.

    With a sale a unit has come that day or before: what a till only promises for later is no hand-in.
    """
    if evidence.trade_in is None:
        return None
    if evidence.trade_in_on is None:
        return 0
    days = (date.fromisoformat(evidence.trade_in_on) - civil_date(sold_at_ms)).days
    return None if days > 0 and channel != HAND_IN else days
