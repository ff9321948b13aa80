"""What a till promised out of a lease while it had no connection: for that line the lease stands beside the budget. Pure.

The line is decided as any other; of what it earns the lease pays up to what was promised, the budget the rest.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from backend.policies.limits import Limits

PROMISES_MAX = 16
"""Of one line: a label may earn under several policies."""


class Promised(NamedTuple):
    """What the bytes of a basket say. `amount` > 0, of the unit that the lease is of."""

    line_no: int
    lease: str
    amount: int


class Backed(NamedTuple):
    """A promise that its lease pays. `pool`: the budget that the lease was taken from."""

    lease: str
    pool: str
    amount: int


class Draw(NamedTuple):
    """What a lease pays of the awards of one decision."""

    basket: str
    line_no: int
    decision_no: int
    lease: str
    amount: int


class Lent(NamedTuple):
    """`backed`: by (basket, line). `left`: what each lease still holds, used up by the decisions, as `draws` say."""

    backed: Mapping[tuple[str, int], Sequence[Backed]]
    left: dict[str, int]
    draws: list[Draw]

    def beside(self, basket: str, line_no: int, limits: Limits) -> "Beside | None":
        """Adds what leases hold for the line to what its budgets have left; None where no lease does."""
        added = []
        for one in self.backed.get((basket, line_no), ()):
            amount = min(one.amount, self.left[one.lease])
            if amount > 0:
                limits.budgets[one.pool] = limits.budgets.get(one.pool, 0) + amount
                added.append(one._replace(amount=amount))
        return Beside(self, added, {one.pool: limits.budgets[one.pool] for one in added}) if added else None


class Beside(NamedTuple):
    """What stands beside budgets while one line is decided. `had`: what the pools had before, with it."""

    lent: Lent
    added: Sequence[Backed]
    had: Mapping[str, int]

    def settle(self, place: tuple[str, int, int], limits: Limits) -> None:
        """Leases pay first, and what they need not pay is no budget's either. `place`: basket, line, number."""
        earned = {pool: before - limits.budgets[pool] for pool, before in self.had.items()}
        for one in self.added:
            paid = min(earned[one.pool], one.amount)
            limits.budgets[one.pool] -= one.amount - paid
            if paid:
                earned[one.pool] -= paid
                self.lent.left[one.lease] -= paid
                self.lent.draws.append(Draw(*place, one.lease, paid))
