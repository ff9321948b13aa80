"""Leases, phones, quotes and baskets of tills at the same moment: nobody gets the last points twice."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from backend.storage.transaction import Database, observed
from backend.usecases.record_baskets import Arrival
from tests.db.quotes.test_quote_races import PROCESSES, RACERS, pools, race, systems
from tests.worlds import books, later, rules
from tests.worlds.city import FRIDGE, NANJING, NOON, City, Till, open_city, read, resident
from tests.worlds.lending import TERMS, grant, kept, leases, lend, promised, settle
from tests.worlds.quotes import awards

__all__ = ["pools"]
TILLS = 12
SETTLES = NOON + timedelta(hours=80)


@pytest.mark.parametrize("shards", [4])
def test_the_last_points_go_once_to_leases_quotes_and_baskets(
    engine_db: Database, pools: list[Database], shards: int
) -> None:
    """Workers lend while a hundred people buy. What tills then promise out of their leases is paid to the point, and the
    books know of every point there ever was.
    """
    budget = {"unit": "points", "amount": 400, "partial": True, "shards": shards}
    city = open_city(engine_db, {**rules.document(), "budget": budget})
    desks, recorders = systems(city, pools)
    tills = [Till(NANJING, 500 + number) for number in range(TILLS)]
    lend(city, *tills, terms=TERMS._replace(amount=30))
    codes = [city.issue_code(resident(number)) for number in range(RACERS)]

    def work(number: int) -> int:
        if number % 10 == 0:
            return 1_000 + grant(city, database=pools[number % PROCESSES]).granted
        if number % 3 == 0:
            desk = desks[number % PROCESSES]
            return sum(awards(desk.hold(read(FRIDGE), member=codes[number], key=f"racer-{number:04d}")))
        arrival = Till(NANJING, number).basket(read(FRIDGE), resident=resident(number))
        (settled,) = recorders[number % PROCESSES].decide(NANJING, [arrival], NOON)
        return sum(decision.award for decision in settled.decisions)

    done = race(*(lambda n=n: work(n) for n in range(RACERS)))  # type: ignore[misc]  # n is bound

    lent = sum(one.amount for one in leases(city))
    sold = sum(int(one) for one in done if isinstance(one, int) and one < 1_000)
    assert len(leases(city)) == len({one.device for one in leases(city)}) <= TILLS
    assert lent + sold + _left(city, shards) == 400
    later.assert_verified(engine_db, NANJING)
    _spend(city, shards)

    offline = [till.basket(*_all_of(city, till), resident=resident(900)) for till in tills]
    race(*(lambda n=n: recorders[n % PROCESSES].record(NANJING, [offline[n]], NOON) for n in range(TILLS)))  # type: ignore[misc]

    assert books.wallet(engine_db, NANJING, resident(900)) == lent
    assert [one.left for one in leases(city)] == [0] * len(leases(city))
    later.assert_verified(engine_db, NANJING)


def test_a_lease_that_is_given_back_while_its_baskets_come_pays_each_point_once(
    engine_db: Database, pools: list[Database]
) -> None:
    """The worker's clock is past the grace, the recorders' just before it: each order ends in books that are sound."""
    city = open_city(engine_db, rules.document(budget=200))
    till = city.till()
    lend(city, till)
    grant(city)
    (lease,) = leases(city)
    _spend(city, 1)
    just_before = SETTLES - timedelta(seconds=1)
    arrivals = [till.basket(promised((lease.lease, 10)), resident=resident(n)) for n in range(8)]
    for arrival in arrivals:
        arrival.basket.received_at_ms = int(just_before.timestamp() * 1000)
    recorders = [City(pool).another_process() for pool in pools]

    works: list[Callable[[], object]] = [
        *(lambda n=n: recorders[n % PROCESSES].record(NANJING, [arrivals[n]], just_before) for n in range(8)),  # type: ignore[misc]
        lambda: settle(city, SETTLES),
    ]
    race(*works)

    settle(city, SETTLES)
    paid = sum(books.wallets(engine_db, NANJING).values()) - 100
    (after,) = leases(city)
    # Once it had given back, the budget had something again for those that came after it.
    assert after.drawn + after.returned == 100
    assert after.drawn == sum(drawn for _, _, drawn in kept(city)) <= paid <= 80
    assert {fault for _, fault, _ in kept(city)} <= {None, "late"}
    later.assert_verified(engine_db, NANJING)


def test_a_batch_with_leases_costs_the_same_statements_whatever_its_size(engine_db: Database) -> None:
    city = open_city(engine_db)
    tills = [city.till(number) for number in range(1, 4)]
    lend(city, *tills, terms=TERMS._replace(amount=10_000, awards=1_000))
    grant(city)
    held = {one.device: one.lease for one in leases(city)}
    people = iter(range(10_000))

    def batch(baskets: int) -> list[Arrival]:
        return [
            till.basket(promised((held[till.device], 10)), read(FRIDGE), member=city.issue_code(resident(next(people))))
            for till in tills
            for _ in range(baskets)
        ]

    def statements(arrivals: list[Arrival]) -> int:
        seen: list[str] = []
        with observed(seen.append):
            city.record(*arrivals)
        return len(seen)

    city.record(*batch(1))
    plain = [till.basket(read(FRIDGE), member=city.issue_code(resident(next(people)))) for till in tills]
    few, many, without = statements(batch(1)), statements(batch(60)), statements(plain)

    assert few == many
    assert few - without == 3, "leases are locked, drawn on, and what was promised is kept"


def _left(city: City, shards: int) -> int:
    names = ["budget:green:points", *(f"budget:green:{n}:points" for n in range(1, shards))]
    return sum(books.balance(city.database, NANJING, name) for name in names)


def _spend(city: City, shards: int) -> None:
    buyer = Till(NANJING, 800)
    while _left(city, shards):
        city.record(buyer.basket(*[read(FRIDGE)] * 40, resident=resident(901)))


def _all_of(city: City, till: Till) -> Iterator[dict[str, object]]:
    """Reads for which the till promises, ten points each or what is left, everything it was lent."""
    for lease in leases(city):
        if lease.device == till.device:
            for left in range(lease.left, 0, -10):
                yield dict(promised((lease.lease, min(left, 10))))
    yield read(FRIDGE)
