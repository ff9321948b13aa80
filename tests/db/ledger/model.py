"""Points in time as one would keep them on paper, for one resident: what the ledger is held against after every step."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from tests.db.ledger.walk import FOREST, PLAIN, SHORT, YEAR

AWARD = 10
NEVER = date.max
CHINA = timedelta(hours=8)
HOUR, DAY, SECOND = timedelta(hours=1), timedelta(days=1), timedelta(seconds=1)
Key = tuple[datetime | None, date]
"""When it is available or lapses (None: it is available), and through which civil day it is good. Instants are UTC."""


@dataclass
class Paper:
    """`spent`: what each redemption took from lots of each end; `back` those that were undone."""

    lots: Counter[date] = field(default_factory=Counter)
    pending: Counter[Key] = field(default_factory=Counter)
    collect: Counter[Key] = field(default_factory=Counter)
    owed: int = 0
    used: int = 0
    expired: int = 0
    not_collected: Counter[Key] = field(default_factory=Counter)
    issued: int = 0
    returned: int = 0
    spent: dict[int, dict[date, int]] = field(default_factory=dict)
    back: set[int] = field(default_factory=set)

    @property
    def lapsed(self) -> int:
        """And did not come back with its goods since."""
        return sum(self.not_collected.values())

    def award(self, kind: int, sold_at: datetime) -> None:
        self.issued += AWARD
        if kind == PLAIN:
            self.lots[NEVER] += AWARD
        elif kind == SHORT:
            self.lots[date(2026, 11, 30)] += AWARD
        elif kind == YEAR:
            day = (sold_at + CHINA).date()
            after = (day.replace(day=1) + 32 * DAY).replace(day=1)  # of the next month
            last = after.replace(year=after.year + 1) - DAY
            self.pending[_midnight(day + 8 * DAY), last] += AWARD
        elif kind == FOREST:
            by = sold_at + 72 * HOUR
            full = by.replace(minute=0, second=0, microsecond=0)
            self.collect[full if full == by else full + HOUR, NEVER] += AWARD

    def give_back(self, kind: int, sold_at: datetime) -> None:
        """The goods of an award come back: from where it waits, its own lot, those that end first, and a debt."""
        sale = Paper()
        sale.award(kind, sold_at)
        amount = AWARD
        self.returned += AWARD
        for key in sale.pending:
            amount -= self._out_of(self.pending, key, amount)
        for key in sale.collect:
            amount -= self._out_of(self.collect, key, amount)
            amount -= self._out_of(self.not_collected, key, amount)
        for end in (
            *sale.lots,
            *(end for _, end in sale.collect),
            *(end for _, end in sale.pending),
            *sorted(self.lots),
        ):
            amount -= self._out_of(self.lots, end, amount)
        self.owed += amount

    @staticmethod
    def _out_of(held: Counter[Any], key: object, amount: int) -> int:
        part = min(amount, held[key])
        held[key] -= part
        return part

    def settle(self, now: datetime) -> None:
        """All that is due, in the order in which it became due."""
        for key in sorted(key for key in self.collect if key[0] is not None and key[0] <= now):
            self.not_collected[key] += self.collect.pop(key)
        for key in sorted(key for key in self.pending if self.pending[key] and key[0] is not None and key[0] <= now):
            assert key[0] is not None
            self._expire(key[0] - SECOND)
            self.lots[key[1]] += self._after_debt(self.pending.pop(key))
        self._expire(now)

    def _expire(self, now: datetime) -> None:
        for end in sorted(end for end in self.lots if _is_over(end, now)):
            self.expired += self._after_debt(self.lots.pop(end))

    def collected(self, now: datetime) -> None:
        keys = [key for key in self.collect if self.collect[key] and key[0] is not None and key[0] > now]
        if keys:
            self.settle(now)
        for key in sorted(keys, key=lambda key: (key[1], key[0])):
            self.lots[key[1]] += self._after_debt(self.collect.pop(key))

    def redeem(self, reference: int, amount: int, now: datetime) -> bool:
        """False when there is too little: then nothing at all has changed."""
        if self._spendable(now) < amount:
            return False
        self.settle(now)
        self._take(min(self.owed, sum(self.lots.values())), repays=True)
        self.spent[reference] = self._take(amount, repays=False)
        self.used += amount
        return True

    def undo(self, reference: int, now: datetime) -> None:
        if reference in self.back:
            return
        self.back.add(reference)
        parts = self.spent[reference]
        for end in sorted(end for end in parts if _is_over(end, now)):
            self.expired += self._after_debt(self.lots.pop(end, 0))
        for end, amount in parts.items():
            self.lots[end] += amount
            self.used -= amount
        for end in sorted(end for end in parts if _is_over(end, now)):
            self.expired += self._after_debt(self.lots.pop(end))

    def _spendable(self, now: datetime) -> int:
        """What is due repays first, also from what is over; what then is left and not over may be spent after the debt."""
        after = Paper(self.lots.copy(), self.pending.copy(), self.collect.copy(), self.owed)
        after.settle(now)
        return sum(after.lots.values()) - after.owed

    def _take(self, amount: int, *, repays: bool) -> dict[date, int]:
        taken: dict[date, int] = {}
        for end in sorted(self.lots):
            part = min(amount, self.lots[end])
            if part:
                taken[end] = part
                self.lots[end] -= part
                amount -= part
        if repays:
            self.owed -= sum(taken.values())
        return taken

    def _after_debt(self, amount: int) -> int:
        repaid = min(amount, self.owed)
        self.owed -= repaid
        return amount - repaid


def _midnight(day: date) -> datetime:
    """00:00 of a civil day in Nanjing."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC) - CHINA


def _is_over(end: date, now: datetime) -> bool:
    return end != NEVER and _midnight(end + DAY) <= now
