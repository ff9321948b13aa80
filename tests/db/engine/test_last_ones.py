"""A hundred racers for the last of everything that is limited, round after round; each round in a city of its own.

The suite runs few rounds; `LAST_ONES_ROUNDS=200` runs as many as it says.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import TypeVar

import pytest

from backend.scans.model import Recorded
from backend.storage.transaction import Database
from backend.usecases.record_baskets import RecordBaskets
from tests.worlds import books, rules
from tests.worlds.city import FRIDGE, NOON, City, Till, read, register, resident, states
from tests.worlds.later import assert_verified
from tests.worlds.quotes import Desk, awards, open_desk, reserved

ROUNDS = int(os.environ.get("LAST_ONES_ROUNDS", "1"))
RACERS, PROCESSES = 100, 4
T = TypeVar("T")
LI = resident(1)
QUOTA = {"cap": "quota", "per": ["person", "category"], "counts": "pieces", "period": "lifetime", "limit": 3}
MILESTONE = {"milestone": "starter", "unit": "points", "period": "lifetime", "steps": {"50": 500}}
IN_PART = {("awarded", 10): 3, ("awarded_in_part", 5): 1, ("cap", 0): RACERS - 4}


def sharded() -> rules.Doc:
    doc = rules.document(budget=75)
    doc["budget"]["shards"] = 4
    return doc


RACES: dict[str, tuple[rules.Doc, bool, dict[tuple[str, int], int]]] = {
    "the last of a budget in four accounts": (
        sharded(),
        False,
        {("awarded", 10): 7, ("awarded_in_part", 5): 1, ("budget", 0): RACERS - 8},
    ),
    "the last of a person's cap": (rules.document(caps=[rules.cap("day", "day", 35)]), True, IN_PART),
    "the last of a shop's cap": (
        rules.document(caps=[{**rules.cap("shop", "day", 35), "per": ["store"]}, rules.cap("life", "lifetime", 10**6)]),
        False,
        IN_PART,
    ),
    "the last piece of a quota": (
        rules.document(caps=[{**QUOTA, "partial": False}, rules.cap("life", "lifetime", 10**6)]),
        True,
        {("awarded", 10): 3, ("cap", 0): RACERS - 3},
    ),
    "the only award of a window": (
        rules.document() | {"windows": [{"window": "same-box", "per": "model", "hours": 24}]},
        False,
        {("awarded", 10): 1, ("cap", 0): RACERS - 1},
    ),
    "the fiftieth act": (rules.document() | {"milestones": [MILESTONE]}, True, {("awarded", 10): RACERS}),
}


@pytest.fixture
def pools(database_url: str) -> Iterator[list[Database]]:
    """Each with connections enough for all of its racers at once."""
    opened = [
        Database(database_url, role="greenpoints_engine", pool_size=RACERS // PROCESSES) for _ in range(PROCESSES)
    ]
    yield opened
    for pool in opened:
        pool.close()


@pytest.fixture
def processes(pools: list[Database]) -> list[RecordBaskets]:
    return [City(pool).another_process() for pool in pools]


def race(processes: list[RecordBaskets], city: City, *, alone: bool) -> list[list[Recorded]]:
    """What each racer was answered; `alone`: all for one person."""
    arrivals = [
        Till(city.code, n).basket(
            read(FRIDGE), resident=LI if alone else resident(n), sold_at=NOON - timedelta(seconds=n)
        )
        for n in range(1, RACERS + 1)
    ]
    return at_once(lambda place: processes[place % PROCESSES].record(city.code, [arrivals[place]], NOON))


def at_once(work: Callable[[int], T]) -> list[T]:
    """What `work` comes to for each racer; all begin at the same moment. Raises what any of them raised."""
    start = Barrier(RACERS)

    def run(place: int) -> T:
        start.wait()
        return work(place)

    with ThreadPoolExecutor(RACERS) as threads:
        return list(threads.map(run, range(RACERS)))


@pytest.mark.parametrize("raced", RACES)
def test_of_a_hundred_the_right_ones_win(engine_db: Database, processes: list[RecordBaskets], raced: str) -> None:
    document, alone, expected = RACES[raced]
    register(engine_db)
    for number in range(ROUNDS):
        city = City(engine_db, f"{200_000 + number}")
        city.publish(document)

        answers = race(processes, city, alone=alone)

        assert [states(answer) for answer in answers] == [["recorded"]] * RACERS
        assert Counter((one.reason, one.award) for one in books.decided(engine_db, city.code)) == expected
        bonus = 500 if "milestones" in document else 0
        won = sum(award * times for (_, award), times in expected.items())
        assert sum(books.wallets(engine_db, city.code).values()) == won + bonus
        assert_verified(engine_db, city.code)


def test_the_last_reservation_is_held_by_one_and_paid_out_once(engine_db: Database, pools: list[Database]) -> None:
    """A hundred quotes for an award that is left once; then a hundred captures of the one that holds it."""
    register(engine_db)
    for number in range(ROUNDS):
        city = City(engine_db, f"{200_000 + number}")
        city.publish(rules.document(budget=10, partial=False))
        open_desk(city)
        desks = [Desk(city, pool) for pool in pools]
        codes = [city.issue_code(resident(n)) for n in range(RACERS)]

        held = at_once(lambda n: desks[n % PROCESSES].hold(read(FRIDGE), member=codes[n], key=f"racer-{n:04d}"))  # noqa: B023 - called at once

        assert Counter(map(tuple, map(awards, held))) == {(10,): 1, (0,): RACERS - 1}
        assert reserved(engine_db, city.code) == 10
        (winner,) = (quote for quote in held if awards(quote) == [10])
        paid = at_once(lambda n: desks[n % PROCESSES].capture(winner))  # noqa: B023 - called at once
        assert {tuple(awards(quote)) for quote in paid} == {(10,)}
        assert books.decided(engine_db, city.code) == [("awarded", "awarded", 10)]
        assert sum(books.wallets(engine_db, city.code).values()) == 10
        assert reserved(engine_db, city.code) == books.budget_left(engine_db, city.code) == 0
        assert_verified(engine_db, city.code)
