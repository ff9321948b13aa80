"""Quotes, baskets, captures, voids and timeouts at the same moment: the last fen goes once, and every quote ends one way."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest

from backend.kernel.errors import DomainError
from backend.scans.quotes import QuoteState
from backend.storage.transaction import Database
from backend.usecases.record_baskets import RecordBaskets
from tests.worlds import books, later, rules
from tests.worlds.city import FRIDGE, NANJING, NOON, City, Till, open_city, read, resident, unit_label
from tests.worlds.quotes import Desk, awards, open_desk, reserved

RACERS = 100
PROCESSES = 4
ROUNDS = 5
LATE = NOON + timedelta(minutes=15)
LI = resident(1)


@pytest.fixture
def pools(database_url: str) -> Iterator[list[Database]]:
    opened = [
        Database(database_url, role="greenpoints_engine", pool_size=RACERS // PROCESSES) for _ in range(PROCESSES)
    ]
    yield opened
    for pool in opened:
        pool.close()


def race(*works: Callable[[], object]) -> list[object]:
    """What each came to, a refusal as its code; all begin at the same moment. Raises what is no refusal."""
    start = Barrier(len(works))

    def run(work: Callable[[], object]) -> object:
        start.wait()
        try:
            return work()
        except DomainError as refused:
            return refused.code

    with ThreadPoolExecutor(len(works)) as threads:
        return list(threads.map(run, works))


def systems(city: City, pools: list[Database]) -> tuple[list[Desk], list[RecordBaskets]]:
    open_desk(city)
    return [Desk(city, pool, f"system-{place}") for place, pool in enumerate(pools)], [
        City(pool).another_process() for pool in pools
    ]


@pytest.mark.parametrize("shards", [1, 4])
def test_the_last_award_goes_to_one_of_quotes_and_baskets(
    engine_db: Database, pools: list[Database], shards: int
) -> None:
    """A hundred racers for ten points that one award needs whole."""
    budget = {"unit": "points", "amount": 10, "partial": False, "shards": shards}
    city = open_city(engine_db, {**rules.document(), "budget": budget})
    desks, recorders = systems(city, pools)
    codes = [city.issue_code(resident(number)) for number in range(RACERS)]

    def hold(number: int) -> int:
        desk = desks[number % PROCESSES]
        return sum(awards(desk.hold(read(FRIDGE), member=codes[number], key=f"racer-{number:04d}")))

    def record(number: int) -> int:
        arrival = Till(NANJING, number).basket(read(FRIDGE), resident=resident(number))
        (settled,) = recorders[number % PROCESSES].decide(NANJING, [arrival], NOON)
        return sum(decision.award for decision in settled.decisions)

    won = race(*(lambda n=n: (hold if n % 2 else record)(n) for n in range(RACERS)))  # type: ignore[misc]  # n is bound

    assert Counter(won) == {10: 1, 0: RACERS - 1}
    left = sum(
        books.balance(engine_db, NANJING, a)
        for a in ["budget:green:points", *(f"budget:green:{n}:points" for n in (1, 2, 3))]
    )
    assert left == 0
    later.assert_verified(engine_db, NANJING)


def test_the_last_of_a_cap_goes_once_to_quotes_and_baskets_of_one_person(
    engine_db: Database, pools: list[Database]
) -> None:
    city = open_city(engine_db, rules.document(caps=[rules.cap("day", "day", 25)]))
    desks, recorders = systems(city, pools)
    racers = 40
    codes = [city.issue_code(LI) for _ in range(racers)]

    def hold(number: int) -> int:
        return sum(
            awards(desks[number % PROCESSES].hold(read(FRIDGE), member=codes[number], key=f"racer-{number:04d}"))
        )

    def record(number: int) -> int:
        arrival = Till(NANJING, number).basket(read(FRIDGE), resident=LI)
        (settled,) = recorders[number % PROCESSES].decide(NANJING, [arrival], NOON)
        return sum(decision.award for decision in settled.decisions)

    won = race(*(lambda n=n: (hold if n % 2 else record)(n) for n in range(racers)))  # type: ignore[misc]  # n is bound

    assert Counter(won) == {10: 2, 5: 1, 0: racers - 3}
    later.assert_verified(engine_db, NANJING)


def test_a_label_of_one_piece_is_promised_or_paid_once(engine_db: Database, pools: list[Database]) -> None:
    city = open_city(engine_db)
    desks, recorders = systems(city, pools)
    codes = [city.issue_code(resident(number)) for number in range(20)]

    def hold(number: int) -> int:
        desk = desks[number % PROCESSES]
        return sum(awards(desk.hold(read(unit_label("S1")), member=codes[number], key=f"racer-{number:04d}")))

    def record(number: int) -> int:
        arrival = Till(NANJING, number).basket(read(unit_label("S1")), resident=resident(number))
        (settled,) = recorders[number % PROCESSES].decide(NANJING, [arrival], NOON)
        return sum(decision.award for decision in settled.decisions)

    won = race(*(lambda n=n: (hold if n % 2 else record)(n) for n in range(20)))  # type: ignore[misc]  # n is bound

    assert Counter(won) == {10: 1, 0: 19}
    later.assert_verified(engine_db, NANJING)


def test_the_same_key_at_once_is_one_quote(engine_db: Database, pools: list[Database]) -> None:
    city = open_city(engine_db)
    open_desk(city)
    desks = [Desk(city, pool, "one-system") for pool in pools]
    code = city.issue_code(LI)

    quotes = race(
        *(lambda n=n: desks[n % PROCESSES].hold(read(FRIDGE), member=code, key="the-same-key") for n in range(20))
    )  # type: ignore[misc]

    assert all(quote == quotes[0] for quote in quotes)
    assert (books.count(engine_db, "quotes", NANJING), reserved(engine_db, NANJING)) == (1, 10)
    later.assert_verified(engine_db, NANJING)


def test_capture_void_and_timeout_end_a_quote_one_way(engine_db: Database, pools: list[Database]) -> None:
    """The job of the timeout runs just after the end, the others just before it by their own clocks."""
    city = open_city(engine_db, rules.document(budget=1_000))
    open_desk(city)
    desks = [Desk(city, pool, "one-system") for pool in pools]
    ends: Counter[str] = Counter()
    for number in range(ROUNDS):
        quote = desks[0].hold(read(FRIDGE), read(FRIDGE), person=resident(number))
        just_before = LATE - timedelta(milliseconds=1)
        race(
            *(lambda d=d: d.capture(quote, now=just_before) for d in desks),  # type: ignore[misc]  # noqa: B023 - raced at once
            *(lambda d=d: d.capture(quote, (0, 1, 10_000), now=just_before) for d in desks),  # type: ignore[misc]  # noqa: B023
            *(lambda d=d: d.void(quote, now=just_before) for d in desks),  # type: ignore[misc]  # noqa: B023
            *(lambda d=d: d.expire(LATE) for d in desks),  # type: ignore[misc]
        )
        assert quote.quote is not None
        end = desks[0].quotes.find(NANJING, quote.quote)
        ends[end.state.value] += 1
        paid = books.wallet(engine_db, NANJING, resident(number))
        assert paid == (sum(awards(end)) if end.state == QuoteState.CAPTURED else 0)

    assert sum(ends.values()) == ROUNDS
    assert reserved(engine_db, NANJING) == 0
    later.assert_verified(engine_db, NANJING)


def test_many_quotes_of_few_people_never_wait_in_a_ring(engine_db: Database, pools: list[Database]) -> None:
    """Held, captured in part and voided beside baskets of the same people, over sharded budgets and shared caps."""
    budget = {"unit": "points", "amount": 10**6, "partial": True, "shards": 4}
    caps = [rules.cap("day", "day", 10**4), rules.cap("month", "month", 10**5)]
    city = open_city(engine_db, {**rules.document(caps=caps), "budget": budget})
    desks, recorders = systems(city, pools)
    racers = 40
    codes = [city.issue_code(resident(number % 3)) for number in range(racers)]

    def work(number: int) -> str:
        if number % 4 == 3:
            arrival = Till(NANJING, number).basket(read(FRIDGE), read(FRIDGE), resident=resident(number % 3))
            recorders[number % PROCESSES].record(NANJING, [arrival], NOON)
            return "recorded"
        desk = desks[number % PROCESSES]
        quote = desk.hold(read(FRIDGE), read(FRIDGE), member=codes[number], key=f"racer-{number:04d}")
        if number % 4 == 0:
            return desk.void(quote).state.value
        return desk.capture(quote, *([(1, 1, 10_000)] if number % 4 == 1 else [])).state.value

    done = race(*(lambda n=n: work(n) for n in range(racers)))  # type: ignore[misc]  # n is bound

    assert Counter(done) == {"recorded": 10, "voided": 10, "captured": 20}
    assert sum(books.wallet(engine_db, NANJING, resident(n)) for n in range(3)) == 10 * 20 + 10 * 10 + 10 * 20
    later.assert_verified(engine_db, NANJING)
