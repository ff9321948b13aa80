"""What a city's books must say, kept beside them in plain integers: nothing of the backend is used or looked at."""

import copy
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from typing import NamedTuple

CHINA = timezone(timedelta(hours=8))
CLAIM_DAYS = 7
WAITING = ("pending_product", "held", "unclaimed")


class Terms(NamedTuple):
    """One version: what a piece earns, how much of it a person gets in a day, and what becomes of it."""

    amount: int
    day_cap: int
    watch: int | None
    """Awards of a person in a day beyond which a person looks."""
    pending_days: int
    collect_hours: int
    months: int
    return_days: int | None
    reclaim_on: date | None


class Bucket(NamedTuple):
    """Value of one kind: `moment` when it becomes available or lapses, `ends` its last day."""

    kind: str
    moment: datetime | None
    ends: date | None

    @property
    def lot(self) -> "Bucket":
        return Bucket("lot", None, self.ends)

    @property
    def due_at(self) -> datetime | None:
        if self.kind != "lot":
            return self.moment
        return None if self.ends is None else midnight(self.ends + timedelta(days=1))

    def due(self, now: datetime) -> bool:
        return self.due_at is not None and now >= self.due_at


class TooLittle(Exception):
    pass


def midnight(on: date) -> datetime:
    return datetime(on.year, on.month, on.day, tzinfo=CHINA)


def day_of(at: datetime) -> date:
    return at.astimezone(CHINA).date()


def month_end(on: date, months: int) -> date:
    first = on.replace(day=1)
    for _ in range(months + 1):
        first = (first + timedelta(days=32)).replace(day=1)
    return first - timedelta(days=1)


def full_hour(at: datetime) -> datetime:
    below = at.replace(minute=0, second=0, microsecond=0)
    return below if below == at else below + timedelta(hours=1)


@dataclass
class Book:
    """A policy: its versions by their start, when it paid nothing, and what is left of its money."""

    budget: int = 0
    versions: list[tuple[datetime, Terms]] = field(default_factory=list)
    turns: list[tuple[str, datetime]] = field(default_factory=list)

    def at(self, sold_at: datetime) -> Terms | None:
        running = True
        for turn, moment in self.turns:
            if moment <= sold_at:
                running = turn == "resume"
        found = [terms for start, terms in self.versions if start <= sold_at]
        return found[-1] if running and found else None

    @property
    def state(self) -> str:
        return self.turns[-1][0] if self.turns else "resume"


@dataclass
class Line:
    """A sold line. `policy` None: nobody knows the product yet. `pieces`: those that its decision in force was taken on."""

    code: str
    policy: str | None
    bought: int
    unit: bool = False
    released: bool = False
    outcome: str = ""
    award: int = 0
    pieces: int = 0
    returned: int = 0
    back: int = 0
    bucket: Bucket | None = None
    terms: Terms | None = None
    lease: str | None = None
    """Out of which `promise` was made, where its till could."""
    promise: int = 0


@dataclass
class Basket:
    lines: list[Line]
    person: str | None
    sold_at: datetime
    wrong_clock: bool = False
    claim: str | None = None


@dataclass
class Purse:
    held: Counter[Bucket] = field(default_factory=Counter)
    lapsed: Counter[Bucket] = field(default_factory=Counter)
    """What went back to the budgets uncollected, and is not to be taken back once more."""
    debt: int = 0

    def total(self, kind: str) -> int:
        return sum(amount for bucket, amount in self.held.items() if bucket.kind == kind)

    def lots(self) -> list[Bucket]:
        found = [bucket for bucket, amount in self.held.items() if bucket.kind == "lot" and amount]
        return sorted(found, key=lambda bucket: bucket.ends or date.max)

    def take(self, amount: int, *first: Bucket) -> list[tuple[Bucket, int]]:
        """From `first` in their order, then from the lots that end first; perhaps less than `amount`."""
        parts = []
        for bucket in dict.fromkeys([*first, *self.lots()]):
            part = min(amount, self.held[bucket])
            if part:
                self.held[bucket] -= part
                amount -= part
                parts.append((bucket, part))
        return parts

    def repay(self, bucket: Bucket) -> int:
        part = min(self.debt, self.held[bucket])
        self.held[bucket] -= part
        self.debt -= part
        return part


class Model:
    def __init__(self) -> None:
        self.books: dict[str, Book] = {}
        self.purses: dict[str, Purse] = {}
        self.used: Counter[tuple[str, str, str, date]] = Counter()
        self.spent_units: set[str] = set()
        self.expired = 0
        self.reserved = 0
        self.redeemed = 0
        self.held = 0
        self.lent: dict[str, int] = {}
        """What each lease of the policy `green` holds, as part of what is reserved."""

    def purse(self, person: str) -> Purse:
        return self.purses.setdefault(person, Purse())

    # Decisions

    def decide(self, basket: Basket, line: Line) -> None:
        """Sets the outcome of a line that has none or waits, and moves what it earns."""
        line.pieces, line.award, line.back = line.bought - line.returned, 0, 0
        line.outcome = self._waits(basket, line) or self._earned(basket, line)

    def _waits(self, basket: Basket, line: Line) -> str:
        if line.policy is None:
            return "pending_product"
        if basket.wrong_clock and not line.released:
            return "held"
        return "unclaimed" if basket.person is None else ""

    def _earned(self, basket: Basket, line: Line) -> str:
        assert line.policy is not None
        assert basket.person is not None
        book = self.books[line.policy]
        line.terms = terms = book.at(basket.sold_at)
        if terms is None or (line.unit and line.code in self.spent_units):
            return "none"
        day, watch = self._counters(basket, line)
        if terms.watch is not None and self.used[watch] >= terms.watch and not line.released:
            return "held"
        beside = min(line.promise, self.lent[line.lease]) if line.lease and line.policy == "green" else 0
        line.award = max(0, min(terms.amount * line.pieces, terms.day_cap - self.used[day], book.budget + beside))
        if not line.award:
            return "none"
        self._draw(line, min(line.award, beside))
        self.used[day] += line.award
        self.used[watch] += terms.watch is not None
        book.budget -= line.award
        line.bucket = _bucket(terms, basket.sold_at)
        self.purse(basket.person).held[line.bucket] += line.award
        if line.unit:
            self.spent_units.add(line.code)
        return "awarded"

    def _counters(self, basket: Basket, line: Line) -> tuple[tuple[str, str, str, date], tuple[str, str, str, date]]:
        assert line.policy is not None
        assert basket.person is not None
        day = day_of(basket.sold_at)
        return (line.policy, "day", basket.person, day), (line.policy, "watch", basket.person, day)

    def _draw(self, line: Line, amount: int) -> None:
        """Out of the lease into the budget, which pays."""
        if line.lease and amount:
            self.lent[line.lease] -= amount
            self.reserved -= amount
            self.books["green"].budget += amount

    # Reservations

    def reserve(self, basket: Basket) -> None:
        """What was just decided of `basket` waits until it is paid."""
        for purse, bucket, line in self._promised(basket):
            purse.held[bucket] -= line.award
            self.reserved += line.award

    def capture(self, basket: Basket) -> None:
        for purse, bucket, line in self._promised(basket):
            purse.held[bucket] += line.award
            self.reserved -= line.award

    def let_go(self, basket: Basket) -> None:
        for _, _, line in self._promised(basket):
            assert line.policy is not None
            assert line.terms is not None
            self.reserved -= line.award
            self.books[line.policy].budget += line.award
            day, watch = self._counters(basket, line)
            self.used[day] -= line.award
            self.used[watch] -= line.terms.watch is not None
            self.spent_units.discard(line.code)

    def _promised(self, basket: Basket) -> Iterator[tuple[Purse, Bucket, Line]]:
        for line in basket.lines:
            if line.award and line.bucket is not None:
                yield self.purse(basket.person or ""), line.bucket, line

    def reclaim(self, now: datetime) -> None:
        for book in self.books.values():
            dates = [terms.reclaim_on for _, terms in book.versions]
            if all(on is not None and on <= day_of(now) for on in dates):
                book.budget = 0

    # Returns

    def give_back(self, basket: Basket, line: Line, pieces: int, at: datetime) -> None:
        line.returned += pieces
        if line.outcome in WAITING:
            if line.returned == line.bought:
                line.outcome = "none"
            return
        if not line.award or not self._in_time(basket, line, at):
            return
        assert line.policy is not None
        assert line.bucket is not None
        assert line.terms is not None
        before, line.back = line.award * line.back // line.pieces, line.back + pieces
        amount = line.award * line.back // line.pieces - before
        day, watch = self._counters(basket, line)
        self.used[day] -= amount
        self.used[watch] -= line.back == line.pieces and line.terms.watch is not None
        self.books[line.policy].budget += amount
        purse = self.purse(basket.person or "")
        again = max(0, min(amount - purse.held[line.bucket], purse.lapsed[line.bucket]))
        purse.lapsed[line.bucket] -= again
        purse.held[line.bucket] += again
        self.books[line.policy].budget -= again
        purse.debt += amount - sum(part for _, part in purse.take(amount, line.bucket, line.bucket.lot))

    def _in_time(self, basket: Basket, line: Line, at: datetime) -> bool:
        assert line.terms is not None
        days = line.terms.return_days
        return days is None or (day_of(at) - day_of(basket.sold_at)).days <= days

    # Points in time

    def settle(self, person: str, now: datetime) -> None:
        """All that is due, as it came: what is pending becomes available, what was not collected lapses, lots end."""
        purse = self.purse(person)
        while due := [one for one, amount in purse.held.items() if amount and one.due(now)]:
            first = min(due, key=lambda one: (one.due_at, one.kind == "lot", one.ends or date.max))
            if first.moment is not None:
                self._wait_over(purse, first)
            else:
                self._end(purse, [first], now)

    def _wait_over(self, purse: Purse, bucket: Bucket) -> None:
        if bucket.kind.startswith("collect/"):
            self.books[bucket.kind.removeprefix("collect/")].budget += purse.held[bucket]
            purse.lapsed[bucket] += purse.held[bucket]
        else:
            purse.repay(bucket)
            purse.held[bucket.lot] += purse.held[bucket]
        purse.held[bucket] = 0

    def _end(self, purse: Purse, lots: list[Bucket], now: datetime) -> None:
        for lot in lots:
            if lot.due(now):
                purse.repay(lot)
                self.expired += purse.held[lot]
                purse.held[lot] = 0

    def collect(self, person: str, now: datetime) -> int:
        """What comes into lots; debts are repaid first."""
        purse = self.purse(person)
        waiting = [one for one, amount in purse.held.items() if one.kind.startswith("collect/") and amount]
        waiting = [one for one in waiting if not one.due(now)]
        if not waiting:
            return 0
        self.settle(person, now)
        got = 0
        for bucket in sorted(waiting, key=lambda one: (one.ends or date.max, one.moment)):
            purse.repay(bucket)
            got += purse.held[bucket]
            purse.held[bucket.lot] += purse.held[bucket]
            purse.held[bucket] = 0
        return got

    # Spending

    def hold(self, person: str, amount: int, now: datetime) -> list[tuple[Bucket, int]]:
        """The parts that are held. Raises TooLittle, and then nothing has changed."""
        before = copy.deepcopy((self.purses, self.books, self.expired))
        self.settle(person, now)
        purse = self.purse(person)
        for bucket in purse.lots():
            purse.repay(bucket)
        if purse.total("lot") < amount:
            self.purses, self.books, self.expired = before
            raise TooLittle
        self.held += amount
        return purse.take(amount)

    def spend(self, parts: list[tuple[Bucket, int]]) -> None:
        amount = sum(part for _, part in parts)
        self.held -= amount
        self.redeemed += amount

    def undo(self, person: str, parts: list[tuple[Bucket, int]], now: datetime, *, spent: bool) -> None:
        """Every part goes back to its lot; what is over by now ends at once."""
        purse = self.purse(person)
        lots = [bucket for bucket, _ in parts]
        self._end(purse, lots, now)
        for bucket, part in parts:
            purse.held[bucket] += part
            self.redeemed -= part * spent
            self.held -= part * (not spent)
        self._end(purse, lots, now)


def _bucket(terms: Terms, sold_at: datetime) -> Bucket:
    ends = month_end(day_of(sold_at), terms.months) if terms.months else None
    if terms.pending_days:
        return Bucket("pending", midnight(day_of(sold_at) + timedelta(days=terms.pending_days + 1)), ends)
    if terms.collect_hours:
        return Bucket("collect/forest", full_hour(sold_at + timedelta(hours=terms.collect_hours)), ends)
    return Bucket("lot", None, ends)


def lines_of(baskets: list[Basket], outcome: str) -> Iterator[tuple[int, int, Basket, Line]]:
    """Of the lines with this outcome: their basket's place, their own, and both."""
    for place, basket in enumerate(baskets):
        for number, line in enumerate(basket.lines):
            if line.outcome == outcome:
                yield place, number, basket, line
