"""A city walked at random beside a model: every step may be any that people, tills, officials or time can take.

After each step the books equal the model's and invariants I4 to I9 hold. The suite walks a few short ways, the same each
time; `MACHINE_EXAMPLES=200 MACHINE_STEPS=40` walks as many and as long ones as it says, others each time.
"""

import os
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule, run_state_machine_as_test

from backend.scans.quotes import QuoteExpired
from backend.storage.transaction import Database
from backend.usecases.reclaim_budgets import reclaim_budgets
from tests.db.machine.lending import Lending
from tests.db.machine.model import Basket
from tests.db.machine.walk import PEOPLE, Sold, places, wares
from tests.worlds.city import read, register
from tests.worlds.quotes import Desk, Quoted, open_desk

EXAMPLES, STEPS = int(os.environ.get("MACHINE_EXAMPLES", "0")), int(os.environ.get("MACHINE_STEPS", "40"))
HELD = timedelta(minutes=15)


class Reserving(Lending):
    """With what tills are lent, what shops reserve before it is paid, and what cities take back of budgets."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.desk: Desk = open_desk(self.city)
        self.quotes: list[tuple[Quoted, Basket]] = []

    @rule(goods=st.lists(wares, min_size=1, max_size=2), person=st.sampled_from([*PEOPLE, None]))
    def reserve(self, goods: list[tuple[str, int]], person: str | None) -> None:
        basket = Basket([self._line(*one) for one in goods], person, self.now)
        reads = [read(line.code, qty=line.bought) for line in basket.lines]
        quote = self.desk.hold(*reads, person=person, now=self.now)
        for line in basket.lines:
            self.model.decide(basket, line)
        self.model.reserve(basket)
        self.quotes.append((quote, basket))
        self.now += timedelta(seconds=1)

    @precondition(lambda self: self.quotes)
    @rule(place=places)
    def capture(self, place: int) -> None:
        number = place % len(self.quotes)
        quote, basket = self.quotes[number]
        if self.now >= basket.sold_at + HELD:
            with pytest.raises(QuoteExpired):
                self.desk.capture(quote, now=self.now)
            return
        self.desk.capture(quote, now=self.now)
        self.quotes.pop(number)
        self.model.capture(basket)
        self.baskets.append(basket)
        assert quote.quote is not None
        self.sent.append(Sold(None, b"", quote.quote, 0))

    @precondition(lambda self: self.quotes)
    @rule(place=places)
    def let_go(self, place: int) -> None:
        quote, basket = self.quotes.pop(place % len(self.quotes))
        self.desk.void(quote, now=self.now)
        self.model.let_go(basket)

    @rule()
    def let_quotes_run_out(self) -> None:
        over = [one for one in self.quotes if self.now >= one[1].sold_at + HELD]
        assert self.desk.expire(self.now) == len(over)
        for quote, basket in over:
            self.quotes.remove((quote, basket))
            self.model.let_go(basket)

    @rule()
    def reclaim(self) -> None:
        reclaim_budgets(self.city.database, self.city.code, self.now)
        self.model.reclaim(self.now)


def test_a_city_walked_at_random_is_what_the_model_says(engine_db: Database) -> None:
    """Each step, and the invariants after it, assert that the city is what the model says."""
    register(engine_db)
    long = EXAMPLES > 0
    walks = settings(
        max_examples=EXAMPLES or 3,
        stateful_step_count=STEPS if long else 16,
        derandomize=not long,
        phases=[Phase.generate, Phase.shrink] if long else [Phase.generate],
        report_multiple_bugs=False,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(lambda: Reserving(engine_db), settings=walks)
