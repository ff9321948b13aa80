"""Months of one resident's points, at random, beside the same months kept on paper; `WALKS` is how many of them."""

import os
import random
from datetime import UTC, date, datetime, timedelta

import pytest

from backend.kernel.periods import milliseconds
from backend.ledger import chart, queries
from backend.storage.transaction import Database
from backend.usecases.collect_awards import CollectAwards
from backend.usecases.settle_due import settle_due
from backend.usecases.spend_points import TooLittleAvailable
from tests.db.ledger.model import NEVER, Paper
from tests.db.ledger.walk import LI, PLENTY, assert_sound, held, never, walled
from tests.worlds.city import FRIDGE, NANJING, NOON, City, read
from tests.worlds.redeeming import open_counter
from tests.worlds.returning import bring_back

WALKS, STEPS = int(os.environ.get("WALKS", "3")), 50
VERIFIED_EVERY = 5
"""The paper is held against the books after every step; the whole verification costs a hundred times more."""
MIDNIGHTS = [
    datetime.fromisoformat(f"{day}T00:00:00+08:00").astimezone(UTC)
    for day in ("2026-11-30", "2026-12-01", "2027-12-01")
]
LAST_SALE = datetime(2027, 12, 31, 16, 0, tzinfo=UTC)
"""The policies are over."""


class Walk:
    """One city and its paper. The clock only goes forward, and likes to stop at midnight and a second before it."""

    def __init__(self, database: Database, seed: int) -> None:
        self.chance = random.Random(seed)
        self.city: City = walled(database)
        self.counter = open_counter(database)
        self.paper = Paper()
        self.now = NOON
        self.count = 0
        self.sales: list[tuple[str, int, datetime]] = []

    def step(self) -> None:
        (name,) = self.chance.choices(list(WEIGHTS), list(WEIGHTS.values()))
        getattr(self, name)()

    def sell(self) -> None:
        kind, self.count = self.chance.choice(PLENTY), self.count + 1
        late = self.chance.choice([timedelta(), timedelta(), timedelta(minutes=self.chance.randrange(14))])
        sold_at = self.now - late
        if sold_at >= LAST_SALE:
            return
        basket = self.city.till(self.count).basket(
            read(FRIDGE, qty=kind), resident=LI, sold_at=sold_at, received_at=self.now
        )
        self.city.record(basket, now=self.now)
        self.paper.award(kind, sold_at)
        self.sales.append((basket.basket.basket, kind, sold_at))

    def wait(self) -> None:
        coming = [at + off for at in MIDNIGHTS for off in (-timedelta(seconds=1), timedelta()) if at + off > self.now]
        hours = timedelta(hours=self.chance.choice([1, 7, 24, 71, 72, 24 * 30]), seconds=self.chance.randrange(3600))
        self.now = coming[0] if coming and self.chance.random() < 0.3 else self.now + hours

    def settle(self) -> None:
        settle_due(self.city.database, NANJING, self.now, never, batch=self.chance.choice([1_000, 1_000, 1]))
        self.paper.settle(self.now)

    def collect(self) -> None:
        CollectAwards(self.city.database).collect(NANJING, LI, self.now)
        self.paper.collected(self.now)

    def redeem(self) -> None:
        self.count += 1
        amount = self.chance.randrange(1, 40)
        try:
            self.counter.redeem(LI, amount, self.count, self.now)
            done = True
        except TooLittleAvailable:
            done = False
        assert self.paper.redeem(self.count, amount, self.now) == done

    def undo(self) -> None:
        if self.paper.spent.keys() - self.paper.back:
            which = self.chance.choice(sorted(self.paper.spent.keys() - self.paper.back))
            self.counter.void(self.counter.named(LI, which), self.now)
            self.paper.undo(which, self.now)

    def bring_back(self) -> None:
        """All pieces of one sale, whatever became of its award."""
        if self.sales:
            basket, kind, sold_at = self.sales.pop(self.chance.randrange(len(self.sales)))
            bring_back(self.city.database, (basket, 0, kind), number=basket, at=self.now)
            self.paper.give_back(kind, sold_at)

    def check(self, *, wholly: bool = True) -> None:
        assert held(self.city) == _addresses(self.paper)
        with self.city.database.read() as connection:
            (one,) = queries.liability(connection, NANJING)
        paper = self.paper
        assert (one.issued, one.lapsed, one.returned) == (paper.issued, paper.lapsed, paper.returned)
        assert (one.used, one.expired, one.owed) == (paper.used, paper.expired, paper.owed)
        if wholly:
            assert_sound(self.city)


WEIGHTS = {"sell": 8, "wait": 6, "settle": 3, "collect": 2, "redeem": 6, "undo": 3, "bring_back": 3}


def _addresses(paper: Paper) -> dict[str, int]:
    def end(day: date) -> date | None:
        return None if day == NEVER else day

    found = {chart.lot(LI, "points", end(day)): amount for day, amount in paper.lots.items()}
    for (at, day), amount in paper.pending.items():
        assert at is not None
        found[chart.pending(LI, "points", milliseconds(at), end(day))] = amount
    for (at, day), amount in paper.collect.items():
        assert at is not None
        found[chart.collect(LI, "kind-4", "points", milliseconds(at), end(day))] = amount
    found[chart.debt(LI, "points")] = -paper.owed
    return {account: amount for account, amount in found.items() if amount}


@pytest.mark.parametrize("seed", range(WALKS))
def test_the_ledger_is_as_on_paper_after_every_step(engine_db: Database, seed: int) -> None:
    walk = Walk(engine_db, seed)
    for number in range(STEPS):
        walk.step()
        walk.check(wholly=number % VERIFIED_EVERY == 0)
    walk.now += timedelta(days=500)
    walk.settle()
    walk.check()
    assert set(held(walk.city)) <= {chart.wallet(LI, "points"), chart.debt(LI, "points")}
