"""Redemptions at the same moment: the last piece goes once, a balance is spent once, and each redemption ends one way.

The suite races a few rounds; `REDEMPTION_ROUNDS=1000` as many as it says.
"""

import os
import subprocess
import sys
from collections import Counter as Counted
from collections.abc import Callable, Iterator
from datetime import timedelta
from threading import Barrier

import pytest

from backend.kernel.errors import DomainError
from backend.redemptions.model import State, VoucherState
from backend.storage.transaction import Database
from tests.architecture.project import ROOT
from tests.db.ledger.walk import LI, PLAIN, SHORT, held, walled
from tests.worlds import books
from tests.worlds.city import FRIDGE, NANJING, NOON, City, read, resident
from tests.worlds.later import assert_verified
from tests.worlds.redeeming import BUS, HELD, TEA, Counter, entry, open_counter, publish
from tests.worlds.threads import Threads

ROUNDS = int(os.environ.get("REDEMPTION_ROUNDS", "3"))
RACERS, PROCESSES = 100, 4
LATE = NOON + HELD
JUST_BEFORE = LATE - timedelta(milliseconds=1)


@pytest.fixture
def city(engine_db: Database) -> City:
    opened = walled(engine_db)
    open_counter(engine_db)
    return opened


@pytest.fixture
def counters(city: City, database_url: str) -> Iterator[list[Counter]]:
    """As several processes of the backend have them."""
    pools = [Database(database_url, role="greenpoints_engine", pool_size=RACERS // PROCESSES) for _ in range(PROCESSES)]
    yield [Counter(pool) for pool in pools]
    for pool in pools:
        pool.close()


def sell(city: City, *kinds: int, person: str = LI) -> None:
    lines = [read(FRIDGE, qty=kind) for kind in kinds]
    city.record(city.till(books.count(city.database, "baskets", NANJING)).basket(*lines, resident=person), now=NOON)


def race(*works: Callable[[], object]) -> list[object]:
    """What each came to, a refusal as its code; all begin at the same moment. Raises what is no refusal."""
    start = Barrier(len(works))

    def run(work: Callable[[], object]) -> object:
        start.wait()
        try:
            return work()
        except DomainError as refused:
            return refused.code

    with Threads(len(works)) as threads:
        return list(threads.map(run, works))


def test_the_last_piece_goes_to_one_of_a_hundred(city: City, counters: list[Counter]) -> None:
    people = [resident(100 + n) for n in range(RACERS)]
    arrivals = [city.till(n).basket(read(FRIDGE, qty=PLAIN), resident=person) for n, person in enumerate(people)]
    city.record(*arrivals)
    for n, person in enumerate(people):
        counters[n % PROCESSES].settle_in(person)
    for number in range(ROUNDS):
        publish(city.database, entry(f"last-{number}", stock=1))

        answers = race(
            *(
                lambda n=n, person=person: counters[n % PROCESSES].hold(person, number, entry=f"last-{number}")  # type: ignore[misc]  # noqa: B023 - raced at once
                for n, person in enumerate(people)
            )
        )

        # Whoever has won ten times has nothing left.
        assert len([one for one in answers if one not in ("sold-out", "too-little-available")]) == 1, Counted(answers)
        assert books.rows(
            city.database, "SELECT taken FROM catalogue_entries WHERE entry = :e", e=f"last-{number}"
        ) == [(1,)]
    assert_verified(city.database, NANJING)


def test_two_tills_and_two_phones_spend_one_balance_once(city: City, counters: list[Counter]) -> None:
    for number in range(ROUNDS):
        person = resident(500 + number)
        sell(city, PLAIN, person=person)
        for one in counters:
            one.settle_in(person)

        def spend(one: Counter, place: int, person: str = person) -> str:
            if place % 2:
                return one.at_till(one.hold(person, place, entry=BUS, pieces=2), f"{person} {place}")
            redemption = one.hold(person, place, pieces=10)
            one.confirm(redemption, person)
            return redemption

        answers = race(*(lambda n=n: spend(counters[n], n) for n in range(PROCESSES)))  # type: ignore[misc]

        assert answers.count("too-little-available") == PROCESSES - 1, answers
        assert held(city, person) == {}
    assert books.balance(city.database, NANJING, "redeemed:points") == 10 * ROUNDS
    assert_verified(city.database, NANJING)


def test_two_tills_confirm_one_code_once(city: City, counters: list[Counter]) -> None:
    for number in range(ROUNDS):
        sell(city, PLAIN)
        redemption = counters[0].hold(LI, number, entry=BUS)

        answers = race(*(lambda n=n: counters[n].at_till(redemption, f"r{number}-{n}") for n in range(PROCESSES)))  # type: ignore[misc]  # noqa: B023

        assert Counted(answers) == {redemption: 1, "redemption-confirmed": PROCESSES - 1}
    assert books.balance(city.database, NANJING, "redeemed:points") == 5 * ROUNDS
    assert_verified(city.database, NANJING)


def test_the_same_request_many_times_at_once_is_one(city: City, counters: list[Counter]) -> None:
    sell(city, PLAIN)
    for one in counters:
        one.settle_in(LI)

    answers = race(*(lambda n=n: counters[n % PROCESSES].hold(LI, "one", pieces=3) for n in range(20)))  # type: ignore[misc]

    assert len(set(answers)) == 1
    assert sum(held(city).values()) == 10
    assert books.count(city.database, "redemptions", NANJING) == 1
    assert_verified(city.database, NANJING)


def test_confirming_cancelling_and_the_timeout_end_a_redemption_one_way(city: City, counters: list[Counter]) -> None:
    """The job of the timeout runs just after the end, the others just before it by their own clocks."""
    ends: Counted[str] = Counted()
    for number in range(2 * ROUNDS):
        person = resident(700 + number)
        sell(city, PLAIN, person=person)
        name = TEA if number % 2 else BUS
        redemption = counters[0].hold(person, entry=name)

        def confirm(one: Counter, name: str = name, redemption: str = redemption, person: str = person) -> None:
            if name == BUS:
                one.at_till(redemption, f"{redemption}", now=JUST_BEFORE)
            else:
                one.confirm(redemption, person, JUST_BEFORE)

        race(
            *(lambda c=c: confirm(c) for c in counters[:2]),  # type: ignore[misc]
            *(lambda c=c: c.cancel(redemption, person, JUST_BEFORE) for c in counters[:2]),  # type: ignore[misc]  # noqa: B023
            *(lambda c=c: c.expire(LATE) for c in counters[2:]),  # type: ignore[misc]
        )

        found = counters[0].seen(redemption)
        ends[found.state.value] += 1
        kept = sum(held(city, person).values())
        assert kept == 10 - (found.points if found.state is State.CONFIRMED else 0)
        assert found.voucher_state == (VoucherState.ISSUED if name == TEA and kept < 10 else None)
    assert sum(ends.values()) == 2 * ROUNDS
    assert State.HELD.value not in ends
    assert_verified(city.database, NANJING)


def test_a_voucher_is_used_voided_or_over_and_only_one_of_them(city: City, counters: list[Counter]) -> None:
    for number in range(ROUNDS):
        sell(city, PLAIN)
        redemption = counters[0].hold(LI, number, entry=TEA)
        counters[0].confirm(redemption, LI)
        end = counters[0].seen(redemption).voucher_expires_at
        assert end is not None
        before = end - timedelta(milliseconds=1)

        race(
            *(lambda n=n: counters[n].use(redemption, f"r{number}-{n}", now=before) for n in range(2)),  # type: ignore[misc]  # noqa: B023
            lambda: counters[2].void(redemption, before),  # noqa: B023
            lambda: counters[3].expire_vouchers(end),  # noqa: B023
        )

        found = counters[0].seen(redemption)
        assert found.voucher_state is not VoucherState.ISSUED
        assert (found.state is State.CONFIRMED) == (found.voucher_state is VoucherState.USED)
    assert_verified(city.database, NANJING)


def test_everything_at_once_waits_in_no_ring(city: City, counters: list[Counter]) -> None:
    """Holds, confirmations, cancellations, voids, new versions, sales and the jobs of few people over one stock."""
    publish(city.database, entry("seat", stock=1_000, limit={"pieces": 500, "period": "month"}))
    people = [resident(n) for n in range(3)]
    for person in people:
        sell(city, *[PLAIN, SHORT] * 5, person=person)

    def work(number: int) -> object:
        one, person = counters[number % PROCESSES], people[number % 3]
        if number % 6 == 5:
            return publish(one.database, entry("seat", points=1 + number % 2, stock=1_000 + number))
        redemption = one.hold(person, number, entry="seat", pieces=2)
        if number % 6 == 0:
            return one.cancel(redemption, person)
        if number % 6 == 1:
            return one.expire(LATE)
        one.confirm(redemption, person)
        return one.void(redemption) if number % 6 == 2 else None

    race(*(lambda n=n: work(n) for n in range(48)))  # type: ignore[misc]

    assert_verified(city.database, NANJING)


KILLED = """
import os, signal, sys
from backend.redemptions import store
from backend.redemptions.model import State, VoucherState
from backend.storage.transaction import Database
from tests.worlds.city import NANJING
from tests.worlds.later import assert_verified
from tests.worlds.redeeming import Counter, TEA

url, person = sys.argv[1:]

def opened():
    counter = Counter(Database(url, role="greenpoints_engine"))
    counter.people.add(person)
    return counter

def killed(last, work):
    child = os.fork()
    if child == 0:
        real = getattr(store, last)
        def stopped(*given, **more):
            real(*given, **more)
            os.kill(os.getpid(), signal.SIGKILL)  # all is written, nothing is committed
        setattr(store, last, stopped)
        work(opened())
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    after = opened()
    assert_verified(after.database, NANJING)
    after.database.close()  # nothing is open when the next one is forked

def done(work):
    counter = opened()
    answer = work(counter)
    counter.database.close()
    return answer

hold = lambda counter: counter.hold(person, "killed", entry=TEA)
killed("take_stock", hold)
assert done(lambda counter: counter.named(person, "killed")) == (first := done(hold))
killed("give_up", lambda counter: counter.cancel(first, person))
killed("issue_voucher", lambda counter: counter.confirm(first, person))
assert done(lambda counter: counter.seen(first)).state is State.HELD
done(lambda counter: counter.confirm(first, person))
killed("void", lambda counter: counter.void(first))
killed("end_voucher", lambda counter: counter.use(first))
assert done(lambda counter: counter.seen(first)).voucher_state is VoucherState.ISSUED
done(lambda counter: counter.use(first))
"""


def test_killed_between_writing_and_commit_each_step_is_done_again_and_nothing_twice(
    city: City, database_url: str
) -> None:
    sell(city, PLAIN, SHORT)
    Counter(city.database).settle_in(LI)

    command = [sys.executable, "-c", KILLED, database_url, LI]
    ended = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False, capture_output=True, text=True
    )

    assert ended.returncode == 0, ended.stderr
    assert sum(held(city).values()) == 12
    assert_verified(city.database, NANJING)
