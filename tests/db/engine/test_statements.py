"""A batch costs its city the same statements, however many scans it holds."""

from collections.abc import Callable
from itertools import count

import pytest

from backend.storage.transaction import Database, observed
from backend.usecases.record_baskets import Arrival
from tests.worlds import books, rules
from tests.worlds.city import FRIDGE, NANJING, SUZHOU, WASHER, City, Till, gtin, open_city, read, resident, unit_label

SCANS = (1, 20, 500)
CAPS = [rules.cap("day", "day", 10**6), rules.cap("life", "lifetime", 10**9)]
Fill = Callable[["Batches", int], list[Arrival]]


class Batches:
    """Batches of a city with two policies, two caps each; every one is of people who come for the first time."""

    def __init__(self, database: Database) -> None:
        self.suzhou = open_city(database, code=SUZHOU)
        self.city = open_city(database, _policy("green", 1))
        self.city.publish(_policy("water", 2))
        self.till = Till(NANJING)
        self.people = count(1)

    def code(self, home: City | None = None) -> str:
        return (home or self.city).issue_code(resident(next(self.people)))

    def statements(self, arrivals: list[Arrival]) -> list[str]:
        seen: list[str] = []
        with observed(seen.append):
            self.city.record(*arrivals)
        return seen


def _policy(name: str, grade: int) -> rules.Doc:
    return rules.document(rules.rule("ten", rules.fixed(10), rules.where("grade", "=", grade)), policy=name, caps=CAPS)


def members(batches: Batches, scans: int) -> list[Arrival]:
    """Baskets of two labels, one for each policy, each with a code of its own; the first label alone makes one scan."""
    labels = [read(FRIDGE), read(WASHER)][:scans]
    return [batches.till.basket(*labels, member=batches.code()) for _ in range(max(1, scans // 2))]


def everything(batches: Batches, scans: int) -> list[Arrival]:
    """Members of two cities, a spent code, labels of single pieces, labels that nobody knows, nobody's basket."""
    found = []
    for _ in range(max(1, scans // 7)):
        code, serial = batches.code(), str(batches.till.seq)
        found += [
            batches.till.basket(read(FRIDGE), read(unit_label(serial)), member=code),
            batches.till.basket(read(WASHER), member=code),
            batches.till.basket(
                read(WASHER), read(gtin(batches.till.seq + 10_000)), member=batches.code(batches.suzhou)
            ),
            batches.till.basket(read(FRIDGE), read("?")),
        ]
    return found


@pytest.fixture
def batches(engine_db: Database) -> Batches:
    found = Batches(engine_db)
    found.statements(everything(found, 7))  # fills the caches, as the first batch of every process does
    return found


@pytest.mark.parametrize("fill", [members, everything])
def test_one_scan_twenty_and_five_hundred_cost_the_same_statements(batches: Batches, fill: Fill) -> None:
    filled = [fill(batches, scans) for scans in SCANS]

    costs = [batches.statements(batch) for batch in filled]

    assert sum(len(arrival.basket.reads) for arrival in filled[-1]) > 490
    assert costs[0] == costs[1] == costs[2]
    assert len(costs[0]) < 25
    books.assert_balanced(batches.city.database, NANJING)


@pytest.mark.parametrize("changed", [b'"qty":1', b'"qty":2'], ids=["repeats", "conflicts"])
def test_what_was_sent_before_costs_the_same_statements(batches: Batches, changed: bytes) -> None:
    filled = [members(batches, scans) for scans in SCANS]
    for batch in filled:
        batches.city.record(*batch)
    again = [
        [
            batches.till.arrival(arrival.basket.line.replace(b'"qty":1', changed))
            for arrival in batch
            if arrival.basket.line
        ]
        for batch in filled
    ]

    costs = [batches.statements(batch) for batch in again]

    assert costs[0] == costs[1] == costs[2]
