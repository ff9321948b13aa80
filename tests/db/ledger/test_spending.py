"""Spending from lots, giving back to them, collecting; raced, killed, and walked at random beside a model."""

import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier

import pytest

from backend.ledger import chart
from backend.redemptions.model import RedemptionConflict
from backend.storage.transaction import Database
from backend.usecases.collect_awards import CollectAwards, Collected
from backend.usecases.settle_due import Settled, settle_due
from backend.usecases.spend_points import TooLittleAvailable
from tests.architecture.project import ROOT
from tests.db.ledger.walk import (
    FOREST,
    LI,
    NOVEMBER,
    PLAIN,
    PLENTY,
    SHORT,
    YEAR,
    assert_sound,
    held,
    never,
    owe,
    walled,
)
from tests.worlds import books
from tests.worlds.city import FRIDGE, NANJING, NOON, City, read, resident
from tests.worlds.redeeming import Counter, Part, open_counter
from tests.worlds.returning import bring_back

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
RACERS = 50


def sell(city: City, *kinds: int, person: str = LI, now: datetime = NOON) -> None:
    for kind in kinds:
        till = city.till(100 * kind + books.count(city.database, "baskets", NANJING))
        city.record(till.basket(read(FRIDGE, qty=kind), resident=person, sold_at=now), now=now)


def redeem(city: City, amount: int, reference: int = 1, now: datetime = NOON, person: str = LI) -> tuple[Part, ...]:
    return Counter(city.database).redeem(person, amount, reference, now)


def undo(city: City, reference: int = 1, now: datetime = NOON) -> tuple[int, int]:
    """What of it was over, and what of that repaid a debt."""
    counter = Counter(city.database)
    redemption = counter.named(LI, reference)
    counter.void(redemption, now)
    found = counter.seen(redemption)
    assert found.lapsed is not None
    assert found.repaid is not None
    return found.lapsed, found.repaid


@pytest.fixture
def city(engine_db: Database) -> City:
    """Ten points each: PLAIN without end, SHORT to the end of November, YEAR after seven days for a year, FOREST to collect."""
    opened = walled(engine_db)
    open_counter(engine_db)
    return opened


def test_what_ends_first_is_spent_first(city: City) -> None:
    sell(city, PLAIN, SHORT)

    assert redeem(city, 14) == (Part(f"resident:{LI}:e20261130:points", 10), Part(chart.wallet(LI, "points"), 4))
    assert held(city) == {chart.wallet(LI, "points"): 6}
    assert books.balance(city.database, NANJING, "redeemed:points") == 14
    assert_sound(city)


def test_the_same_redemption_counts_once_and_another_of_its_number_is_refused(city: City) -> None:
    sell(city, PLAIN, SHORT)

    assert redeem(city, 14) == redeem(city, 14, now=NOON + timedelta(days=30))
    with pytest.raises(RedemptionConflict):
        redeem(city, 15)
    assert held(city) == {chart.wallet(LI, "points"): 6}


def test_pending_and_uncollected_points_are_not_spent(city: City) -> None:
    sell(city, PLAIN, YEAR, FOREST)

    with pytest.raises(TooLittleAvailable) as refused:
        redeem(city, 11)
    assert refused.value.facts == {"available": 10, "needed": 11}
    assert "可用 10" in refused.value.sentence_zh


def test_what_is_due_counts_without_the_job_to_the_second(city: City) -> None:
    sell(city, SHORT, YEAR)
    released, over = NOVEMBER - DAY, NOVEMBER
    with pytest.raises(TooLittleAvailable):
        redeem(city, 20, now=released - SECOND)

    assert len(redeem(city, 15, now=released)) == 2
    assert_sound(city)
    undo(city, now=released)
    with pytest.raises(TooLittleAvailable):
        redeem(city, 15, reference=2, now=over)
    assert redeem(city, 15, reference=3, now=over - SECOND)
    assert_sound(city)


def test_a_debt_comes_first(city: City) -> None:
    owe(city, LI, 7)
    sell(city, PLAIN, SHORT)

    with pytest.raises(TooLittleAvailable):
        redeem(city, 14)
    assert redeem(city, 13, reference=2) == (
        Part(f"resident:{LI}:e20261130:points", 3),
        Part(chart.wallet(LI, "points"), 10),
    )
    assert held(city) == {}
    assert_sound(city)


def test_undone_every_lot_is_as_it_was(city: City) -> None:
    sell(city, PLAIN, SHORT)
    before = held(city)
    redeem(city, 14)

    assert undo(city) == (0, 0)
    assert held(city) == before
    assert_sound(city)


def test_undone_too_late_what_is_over_expires_and_is_told(city: City) -> None:
    sell(city, PLAIN, SHORT)
    redeem(city, 8)

    assert undo(city, now=NOVEMBER) == (8, 0)
    assert held(city) == {chart.wallet(LI, "points"): 10}
    assert books.balance(city.database, NANJING, "expired:points") == 10  # with the two that nobody had spent
    assert_sound(city)


def test_collected_in_time_and_not_a_second_later(city: City) -> None:
    collect = CollectAwards(city.database)
    sell(city, FOREST, FOREST)
    until = NOON + timedelta(hours=72)

    assert collect.collect(NANJING, LI, until) == []
    owe(city, LI, 5)
    assert collect.collect(NANJING, LI, until - SECOND) == [Collected("points", 15, 5)]
    assert collect.collect(NANJING, LI, until - SECOND) == []
    assert held(city) == {chart.wallet(LI, "points"): 15}
    assert settle_due(city.database, NANJING, until, never) == Settled(accounts=1)
    assert_sound(city)


def test_goods_of_what_lapsed_come_back_for_nothing(city: City) -> None:
    """Of two awards of one hour neither was collected: nobody owes what nobody had."""
    baskets = [city.till(n).basket(read(FRIDGE, qty=FOREST), resident=LI) for n in (1, 2)]
    city.record(*baskets)
    sell(city, PLAIN)
    later = NOON + 4 * DAY
    settle_due(city.database, NANJING, later, never)

    for place, basket in enumerate(baskets):
        bring_back(city.database, (basket.basket.basket, 0, FOREST), number=f"R{place}", at=later)
        assert held(city) == {chart.wallet(LI, "points"): 10}
        assert_sound(city)
    assert books.budget_left(city.database, NANJING, f"kind-{FOREST}") == 10**9


def test_goods_of_what_was_collected_take_it_back(city: City) -> None:
    sale = city.till(1).basket(read(FRIDGE, qty=FOREST), resident=LI)
    city.record(sale)
    CollectAwards(city.database).collect(NANJING, LI, NOON)

    bring_back(city.database, (sale.basket.basket, 0, FOREST), at=NOON + 4 * DAY)

    assert held(city) == {}
    assert_sound(city)


def raced(database_url: str, work: Callable[[City, int], object]) -> list[object]:
    """What each of 50 was answered; all begin at once, on connections of their own."""
    pool, start = Database(database_url, role="greenpoints_engine", pool_size=RACERS), Barrier(RACERS)

    def run(place: int) -> object:
        start.wait()
        try:
            return work(City(pool), place)
        except TooLittleAvailable as refused:
            return refused.code

    try:
        with ThreadPoolExecutor(RACERS) as threads:
            return list(threads.map(run, range(RACERS)))
    finally:
        pool.close()


def test_fifty_who_spend_one_balance_spend_it_exactly(city: City, database_url: str) -> None:
    sell(city, PLAIN, SHORT, PLAIN, SHORT)

    answers = raced(database_url, lambda one, n: redeem(one, 3, reference=n))

    assert answers.count(TooLittleAvailable.code) == RACERS - 13
    assert sum(held(city).values()) == 1
    assert_sound(city)


def test_fifty_times_the_same_redemption_is_one(city: City, database_url: str) -> None:
    sell(city, PLAIN, SHORT)

    answers = raced(database_url, lambda one, _n: redeem(one, 14))

    assert len(set(answers)) == 1
    assert sum(held(city).values()) == 6
    assert_sound(city)


def test_awards_jobs_redemptions_and_collecting_at_once(city: City, database_url: str) -> None:
    """No deadlock gets through, and every point is somewhere."""
    sell(city, PLAIN, SHORT, YEAR, FOREST)

    def work(one: City, n: int) -> object:
        if n % 5 == 0:
            return settle_due(one.database, NANJING, NOVEMBER, never)
        if n % 5 == 1:
            return CollectAwards(one.database).collect(NANJING, LI, NOON)
        if n % 5 == 2:
            return redeem(one, 1, reference=n)
        basket = one.till(1_000 + n).basket(*[read(FRIDGE, qty=kind) for kind in PLENTY], resident=LI)
        return one.record(basket)

    raced(database_url, work)
    assert_sound(city)


KILLED = """
import os, signal, sys
from datetime import datetime
from backend.ledger import post
from backend.storage.transaction import Database
from backend.usecases.settle_due import settle_due

calls, real = [], post.stop_waiting
def stop_waiting(*given):
    real(*given)
    calls.append(1)
    if len(calls) == 2:
        os.kill(os.getpid(), signal.SIGKILL)  # all is posted, nothing is committed
post.stop_waiting = stop_waiting
database, now = Database(sys.argv[1], role="greenpoints_engine"), datetime.fromisoformat(sys.argv[2])
settle_due(database, "320100", now, lambda: False, batch=4)
"""


def test_killed_between_posting_and_commit_it_is_done_again_and_moves_nothing_twice(
    city: City, database_url: str
) -> None:
    for n in range(10):
        sell(city, YEAR, FOREST, person=resident(n + 1))
    later = NOON + 20 * DAY

    command = [sys.executable, "-c", KILLED, database_url, later.isoformat()]
    killed = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False)

    assert killed.returncode == -9
    assert books.rows(city.database, "SELECT count(*) FROM transfers WHERE reason IN ('release', 'lapse')") == [(4,)]
    assert_sound(city)
    done = settle_due(city.database, NANJING, later, never, batch=4)
    assert (done.accounts, done.released + done.lapsed) == (16, 16)
    assert held(city, resident(10)) == {f"resident:{resident(10)}:e20271130:points": 10}
    assert_sound(city)
