from typing import NamedTuple


class Evidence(NamedTuple):
    """What a till may add to a line beyond the label. The first three are digests made by the shop, never the plain value.

    `trade_in` stands for the serial of an old unit that was handed in, `trade_in_age` for its age in whole years;
    `case` names how the goods are used (replace, new, …); `linked_points` what the same purchase earned elsewhere.
    """

    phone: str | None = None
    address: str | None = None
    trade_in: str | None = None
    trade_in_age: int | None = None
    case: str | None = None
    linked_points: int | None = None


NO_EVIDENCE = Evidence()
