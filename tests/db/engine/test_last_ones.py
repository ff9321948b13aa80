"""A hundred racers for the last of everything that is limited, round after round; each round in a city of its own.

The suite runs few rounds; `LAST_ONES_ROUNDS=200` runs as many as it says.
"""

import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from backend.scans.model import Recorded
from backend.storage.transaction import Database
from backend.usecases.record_baskets import RecordBaskets
from tests.worlds import books, rules
from tests.worlds.city import FRIDGE, NOON, City, Till, read, register, resident, states
from tests.worlds.later import assert_verified

ROUNDS = int(os.environ.get("LAST_ONES_ROUNDS", "1"))
RACERS, PROCESSES = 100, 4
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
    "the fiftieth act": (rules.document() | {"milestones": [MILESTONE]}, True, {("awarded", 10): RACERS}),
}


@pytest.fixture
def processes(database_url: str) -> Iterator[list[RecordBaskets]]:
    """Each with connections enough for all of its racers at once."""
    pools = [Database(database_url, role="greenpoints_engine", pool_size=RACERS // PROCESSES) for _ in range(PROCESSES)]
    yield [City(pool).another_process() for pool in pools]
    for pool in pools:
        pool.close()


def race(processes: list[RecordBaskets], city: City, *, alone: bool) -> list[list[Recorded]]:
    """What each racer was answered; all begin at the same moment, `alone` for one person. Raises what any of them raised."""
    start = Barrier(RACERS)
    arrivals = [
        Till(city.code, n).basket(read(FRIDGE), resident=LI if alone else resident(n)) for n in range(1, RACERS + 1)
    ]

    def run(place: int) -> list[Recorded]:
        start.wait()
        return processes[place % PROCESSES].record(city.code, [arrivals[place]], NOON)

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
