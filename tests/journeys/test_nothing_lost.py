"""Nothing lost, nothing doubled: what beeped at a till is in the database once, whatever dies on the way there."""

import os
import random
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import pytest

from backend.demo.supervisor import Service
from firmware_bridge.chaos import ChaosPoint as BridgePoint
from tests.journeys.cashiers import Cashier, Residents
from tests.journeys.storm import OF_A_SALE, Storm
from tests.journeys.town import Town, current, till_of, wait_until
from tests.journeys.witness import Events, assert_books_are_sound, assert_nothing_lost_and_nothing_doubled
from tests.worlds import books, rules
from tests.worlds.city import NANJING, City

BASKETS, RESIDENTS = 2_000, 40
BUDGET = 9_000
PACE_S = 0.08
"""Of one till, a basket: slow enough that most of the storm falls into the sale."""
HONEST = (sys.executable, "-m", "scanner", "run", "--events-json")
TRUSTING = (sys.executable, "-m", "tests.scanner.till.trusting_till", "--events-json")
Deck = Callable[[Storm], list[Callable[[], None]]]


@pytest.fixture(scope="module")
def city(town: Town) -> City:
    """Caps and a budget that both run out during the sale: their last points are fought for amid the kills."""
    doc = current(budget=BUDGET, caps=[rules.cap("day", "day", 300), rules.cap("month", "month", 100_000)])
    return town.open_city(doc, NANJING)


class Sale:
    """Four tills, their cashiers, and the residents who come."""

    def __init__(
        self, town: Town, numbers: Sequence[int], program: tuple[str, ...], *, seed: int, baskets: int
    ) -> None:
        self.town, self.seed, self.baskets = town, seed, baskets
        self.place = town.home / f"tills-{numbers[0]}"
        self.tills: list[Service] = []
        self.residents = Residents(town.address.backend_url, RESIDENTS, seed=seed)
        for number in numbers:
            town.enrol(till_of(number), NANJING)
            self.tills.append(replace(town.till(till_of(number), self.place, EXIT_WHEN_DONE="true"), command=program))
        share = baskets // len(numbers)
        self.cashiers = [
            Cashier(till.name, self.place, self.residents, seed=seed + place, baskets=share, pace_s=PACE_S)
            for place, till in enumerate(self.tills)
        ]

    @property
    def said(self) -> dict[str, Events]:
        return {cashier.device: cashier.log.events for cashier in self.cashiers}

    def go_through(self, deck: Deck) -> Storm:
        """Sells while the storm rages; returns when it is over and every till has ended by itself."""
        devices = {till.name for till in self.tills}
        wait_until(lambda: devices <= self.town.admitted(), "the broker to know the tills")
        storm = Storm(self.town, self.cashiers, self.tills, seed=self.seed, goal=self.baskets)
        for thread in (self.residents, *self.cashiers):
            thread.start()
        storm.rage(deck(storm))
        storm.calm()
        for cashier in self.cashiers:
            cashier.log.look()
        return storm

    def in_outboxes(self) -> list[tuple[int, ...]]:
        """Of each till: baskets without a receipt, baskets that were quarantined, reads of an open basket."""
        return [_held(self.place / f"{till.name}.sqlite") for till in self.tills]

    def close(self) -> None:
        self.residents.go_home()
        for till, cashier in zip(self.tills, self.cashiers, strict=True):
            self.town.programs.stop(till.name)
            cashier.close_shop()


def _held(outbox: Path) -> tuple[int, ...]:
    with closing(sqlite3.connect(outbox)) as connection:
        tables = ("baskets", "rejected", "open_reads")
        return tuple(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables)


def new_seed() -> int:
    """JOURNEY_SEED repeats a storm: the same customers, kills and points, though not the same microseconds."""
    seed = int(os.environ.get("JOURNEY_SEED") or random.SystemRandom().randrange(2**31))
    print(f"\n  JOURNEY_SEED={seed}", flush=True)
    return seed


def test_what_beeped_is_recorded_once_whatever_dies(town: Town, city: City) -> None:
    with ExitStack() as stack:
        sale = Sale(town, [0, 1, 2, 3], HONEST, seed=new_seed(), baskets=BASKETS)
        stack.callback(sale.close)
        begun_s = time.monotonic()

        storm = sale.go_through(Storm.everything)

        took_s = time.monotonic() - begun_s
        told = Counter(event["event"] for events in sale.said.values() for event in events)
        print(f"  {took_s:.0f} s, {dict(told)}, {storm.kills.total()} kills: {dict(storm.kills)}", flush=True)
        assert sale.in_outboxes() == [(0, 0, 0)] * len(sale.tills)
        assert_nothing_lost_and_nothing_doubled(town.owner, NANJING, sale.said)
        assert_books_are_sound(town.owner, NANJING)
        assert sum(cashier.sold for cashier in sale.cashiers) >= BASKETS
        assert books.budget_left(town.owner, NANJING) < BUDGET / 2, "too few of the awards came to be"
        points = {f"till at {point}" for point in OF_A_SALE} | {f"bridge at {point}" for point in BridgePoint}
        assert points - storm.kills.keys() == set()


def test_a_till_that_takes_the_brokers_word_for_a_receipt_is_caught(town: Town, city: City) -> None:
    """The planted fault, in the same sale and before the same witness."""
    with ExitStack() as stack:
        sale = Sale(town, [4, 5, 6, 7], TRUSTING, seed=new_seed(), baskets=400)
        stack.callback(sale.close)

        sale.go_through(lambda storm: [storm.strand] * 2)

        with pytest.raises(AssertionError, match="lost"):
            assert_nothing_lost_and_nothing_doubled(town.owner, NANJING, sale.said)
        assert_books_are_sound(town.owner, NANJING)
