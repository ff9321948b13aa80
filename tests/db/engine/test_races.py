"""Racers for the last of something, each a till of its own, spread over four processes' connections and caches."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from backend.scans.model import Recorded
from backend.storage.transaction import Database
from backend.usecases.record_baskets import Arrival, RecordBaskets
from tests.worlds import books, rules
from tests.worlds.city import FRIDGE, NANJING, NOON, SUZHOU, City, Till, open_city, read, resident, states, unit_label
from tests.worlds.later import assert_verified

RACERS = 60
PROCESSES = 4
LI = resident(1)


@pytest.fixture
def processes(database_url: str) -> Iterator[list[RecordBaskets]]:
    """Each with connections enough for all of its racers at once."""
    pools = [Database(database_url, role="greenpoints_engine", pool_size=RACERS // PROCESSES) for _ in range(PROCESSES)]
    yield [City(pool).another_process() for pool in pools]
    for pool in pools:
        pool.close()


def race(processes: list[RecordBaskets], entries: list[tuple[str, list[Arrival]]]) -> list[list[Recorded]]:
    """What each entry, a city and a batch, was answered; all begin at the same moment. Raises what any of them raised."""
    start = Barrier(len(entries))

    def run(place: int) -> list[Recorded]:
        city, arrivals = entries[place]
        start.wait()
        return processes[place % len(processes)].record(city, arrivals, NOON)

    with ThreadPoolExecutor(len(entries)) as threads:
        return list(threads.map(run, range(len(entries))))


def outcomes(database: Database, *cities: str) -> Counter[tuple[str, int]]:
    return Counter((one.reason, one.award) for city in cities for one in books.decided(database, city))


@pytest.mark.parametrize(
    ("partial", "expected", "left"),
    [
        (True, {("awarded", 10): 7, ("awarded_in_part", 5): 1, ("budget", 0): 52}, 0),
        (False, {("awarded", 10): 7, ("budget", 0): 53}, 5),
    ],
    ids=["the last in part", "whole or nothing"],
)
def test_the_last_points_of_a_budget_go_out_once(
    engine_db: Database,
    processes: list[RecordBaskets],
    partial: bool,  # noqa: FBT001 - a parameter of the test
    expected: dict[tuple[str, int], int],
    left: int,
) -> None:
    open_city(engine_db, rules.document(budget=75, partial=partial))

    answers = race(
        processes,
        [(NANJING, [Till(NANJING, n).basket(read(FRIDGE), resident=resident(n))]) for n in range(RACERS)],
    )

    assert [states(answer) for answer in answers] == [["recorded"]] * RACERS
    assert outcomes(engine_db, NANJING) == expected
    assert books.budget_left(engine_db, NANJING) == left
    books.assert_balanced(engine_db, NANJING)


@pytest.mark.parametrize("cities", [(NANJING,), (NANJING, SUZHOU)], ids=["one city", "two cities"])
def test_a_label_of_a_single_piece_is_paid_once(
    engine_db: Database, processes: list[RecordBaskets], cities: tuple[str, ...]
) -> None:
    for city in cities:
        open_city(engine_db, code=city)
    label = read(unit_label("A1"))
    where = [cities[n // PROCESSES % len(cities)] for n in range(RACERS)]

    answers = race(
        processes, [(city, [Till(city, n).basket(label, resident=resident(n))]) for n, city in enumerate(where)]
    )

    assert [states(answer) for answer in answers] == [["recorded"]] * RACERS
    assert outcomes(engine_db, *cities) == {("awarded", 10): 1, ("unit_already_awarded", 0): RACERS - 1}
    for city in cities:
        books.assert_balanced(engine_db, city)


@pytest.mark.parametrize("used", [False, True], ids=["a fresh cap", "a cap used before"])
def test_the_last_of_a_cap_goes_out_once(
    engine_db: Database,
    processes: list[RecordBaskets],
    used: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """A counter that is not there yet cannot be locked, one that is can."""
    city = open_city(engine_db, rules.document(caps=[rules.cap("day", "day", 35), rules.cap("month", "month", 1_000)]))
    if used:
        city.record(city.till(RACERS).basket(read(FRIDGE), resident=LI))

    answers = race(processes, [(NANJING, [Till(NANJING, n).basket(read(FRIDGE), resident=LI)]) for n in range(RACERS)])

    assert [states(answer) for answer in answers] == [["recorded"]] * RACERS
    assert outcomes(engine_db, NANJING) == {
        ("awarded", 10): 3,
        ("awarded_in_part", 5): 1,
        ("cap", 0): RACERS - 4 + used,
    }
    assert books.wallet(engine_db, NANJING, LI) == 35
    books.assert_balanced(engine_db, NANJING)


def test_a_member_code_names_its_resident_once(engine_db: Database, processes: list[RecordBaskets]) -> None:
    code = open_city(engine_db).issue_code(LI)

    race(processes, [(NANJING, [Till(NANJING, n).basket(read(FRIDGE), member=code)]) for n in range(RACERS)])

    assert outcomes(engine_db, NANJING) == {("awarded", 10): 1, ("member_spent", 0): RACERS - 1}
    books.assert_balanced(engine_db, NANJING)


def test_one_basket_sent_by_all_at_once_is_recorded_once(engine_db: Database, processes: list[RecordBaskets]) -> None:
    city = open_city(engine_db)
    line = city.till().line(read(FRIDGE), member=city.issue_code(LI))

    answers = race(processes, [(NANJING, [city.till().arrival(line)]) for _ in range(RACERS)])

    assert Counter(state for answer in answers for state in states(answer)) == {"recorded": 1, "duplicate": RACERS - 1}
    assert outcomes(engine_db, NANJING) == {("awarded", 10): 1}
    books.assert_balanced(engine_db, NANJING)


def test_batches_of_the_same_people_in_opposite_orders_all_end(
    engine_db: Database, processes: list[RecordBaskets]
) -> None:
    """Each would wait for the other's wallets and counters, were they not taken in one order."""
    open_city(
        engine_db, rules.document(budget=1_999, caps=[rules.cap("day", "day", 95), rules.cap("month", "month", 500)])
    )
    people = [resident(n) for n in range(20)]
    tills = [Till(NANJING, n) for n in range(20)]

    answers = race(
        processes,
        [
            (NANJING, [till.basket(read(FRIDGE), resident=who) for who in (people if n % 2 else reversed(people))])
            for n, till in enumerate(tills)
        ],
    )

    assert [states(answer) for answer in answers] == [["recorded"] * len(people)] * len(tills)
    assert set(books.wallets(engine_db, NANJING).values()) == {95}
    assert books.budget_left(engine_db, NANJING) == 99
    books.assert_balanced(engine_db, NANJING)


def test_racers_do_not_slip_past_a_watch_together(engine_db: Database, processes: list[RecordBaskets]) -> None:
    """Each would see the room that the others take: what is beyond the watch waits for a person all the same."""
    watch = {"cap": "velocity", "per": ["cashier"], "period": "day", "limit": 2, "counts": "awards", "partial": False}
    open_city(engine_db, rules.document(caps=[{**watch, "beyond": "hold"}, rules.cap("life", "lifetime", 10**9)]))

    race(processes, [(NANJING, [Till(NANJING, n).basket(read(FRIDGE), resident=resident(n))]) for n in range(RACERS)])

    assert outcomes(engine_db, NANJING) == {("awarded", 10): 2, ("signal", 0): RACERS - 2}
    assert_verified(engine_db, NANJING)
