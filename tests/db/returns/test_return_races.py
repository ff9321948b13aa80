"""Many bring back the same, spend what is taken back, or decide what comes back, all at once, on a real database."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import Connection

from backend.audit.acting import acting
from backend.audit.model import Actor
from backend.ledger import chart
from backend.ledger.queries import Holding
from backend.policies.store import PolicyCache
from backend.scans.returns import ReturnedTooMuch
from backend.storage.transaction import Database
from backend.usecases import take_back
from backend.usecases.return_goods import Returned, ReturnGoods
from backend.usecases.settle_due import settle_due
from backend.usecases.spend_points import DebtFirst, TooLittleAvailable
from tests.worlds import books, rules
from tests.worlds.city import FRIDGE, NANJING, NOON, UNCERTIFIED, open_city, read, register, resident
from tests.worlds.later import LATER, assert_sound, assert_verified, resolver
from tests.worlds.returning import DAY, asked, bring_back, spend

RACERS, PROCESSES = 50, 4
LI = resident(1)
Race = Callable[..., list[object]]

HELD = "SELECT balance FROM accounts WHERE city = :c AND account LIKE 'held:%'"


@pytest.fixture
def shops(database_url: str) -> Iterator[list[ReturnGoods]]:
    pools = [
        Database(database_url, role="greenpoints_engine", pool_size=RACERS // PROCESSES + 1) for _ in range(PROCESSES)
    ]
    yield [ReturnGoods(pool, PolicyCache(chart.budget)) for pool in pools]
    for pool in pools:
        pool.close()


def race(*racers: Callable[[], object]) -> list[object]:
    """What each answered or raised; all begin at the same moment."""
    start = Barrier(len(racers))

    def run(racer: Callable[[], object]) -> object:
        start.wait()
        with acting(Actor("command:tests", "command")):  # a thread begins with nobody
            try:
                return racer()
            except ReturnedTooMuch as refusal:
                return refusal

    with ThreadPoolExecutor(len(racers)) as threads:
        return list(threads.map(run, racers))


def test_the_last_piece_comes_back_once(engine_db: Database, shops: list[ReturnGoods]) -> None:
    city = open_city(engine_db, rules.document(caps=[rules.cap("day", "day", 100)]))
    sale = city.till().basket(read(FRIDGE, qty=3), resident=LI)
    city.record(sale)
    bring_back(engine_db, (sale.basket.basket, 0, 2), number="first")

    answers = race(
        *(
            lambda n=n: shops[n % PROCESSES].give_back(  # type: ignore[misc]
                asked((sale.basket.basket, 0, 1), number=f"R{n}"), NOON + DAY
            )
            for n in range(RACERS)
        )
    )

    assert Counter(type(answer) for answer in answers) == {Returned: 1, ReturnedTooMuch: RACERS - 1}
    assert books.wallet(engine_db, NANJING, LI) == 0
    assert_sound(engine_db, NANJING)


def test_one_return_sent_by_many_is_one(engine_db: Database, shops: list[ReturnGoods]) -> None:
    city = open_city(engine_db)
    sale = city.till().basket(read(FRIDGE, qty=3), resident=LI)
    city.record(sale)

    answers = race(
        *(
            lambda n=n: shops[n % PROCESSES].give_back(asked((sale.basket.basket, 0, 1)), NOON + DAY)  # type: ignore[misc]
            for n in range(RACERS)
        )
    )

    given = [answer for answer in answers if isinstance(answer, Returned)]
    assert [answer.new for answer in given].count(True) == 1
    assert all(answer.answer.lines == given[0].answer.lines for answer in given)
    assert len(given) == RACERS
    assert_sound(engine_db, NANJING)


@pytest.mark.parametrize("trial", range(5))
def test_points_are_spent_or_taken_back_and_never_both(
    engine_db: Database, shops: list[ReturnGoods], trial: int
) -> None:
    city = open_city(engine_db)
    sales = [city.till(n).basket(read(FRIDGE), resident=LI) for n in range(4)]
    city.record(*sales)

    race(
        *(
            lambda n=n, sale=sale: shops[n].give_back(asked((sale.basket.basket, 0, 1), number=f"R{n}"), NOON + DAY)  # type: ignore[misc]
            for n, sale in enumerate(sales)
        ),
        *(lambda: _spent(engine_db, 10 + trial) for _ in range(3)),
    )

    spent = books.balance(engine_db, NANJING, chart.redeemed("points"))
    kept = sum(balance for (balance,) in books.rows(engine_db, HELD, c=NANJING))
    held = books.wallet(engine_db, NANJING, LI) + books.balance(engine_db, NANJING, chart.debt(LI, "points"))
    assert held == -spent - kept
    assert_verified(engine_db, NANJING)


def _spent(database: Database, amount: int) -> bool:
    try:
        spend(database, amount, LI)
    except (TooLittleAvailable, DebtFirst):
        return False
    return True


@pytest.mark.parametrize("trial", range(5))
def test_a_return_meets_the_release_of_its_award(engine_db: Database, shops: list[ReturnGoods], trial: int) -> None:
    city = open_city(engine_db, rules.document() | {"pending": {"days": 7}})
    sales = [city.till(n).basket(read(FRIDGE, qty=2), resident=resident(n % 2)) for n in range(4)]
    city.record(*sales)
    now = NOON + timedelta(days=8, seconds=trial)

    race(
        *(
            lambda n=n, sale=sale: shops[n].give_back(  # type: ignore[misc]
                asked((sale.basket.basket, 0, 1), number=f"R{n}", at=now), now
            )
            for n, sale in enumerate(sales)
        ),
        lambda: settle_due(engine_db, NANJING, now, lambda: False),
        lambda: settle_due(engine_db, NANJING, now, lambda: False),
    )
    settle_due(engine_db, NANJING, now, lambda: False)

    assert [books.wallet(engine_db, NANJING, resident(n)) for n in (0, 1)] == [10, 10]
    assert_verified(engine_db, NANJING)


@pytest.mark.parametrize("expiry", [{}, {"expiry": {"months": 12}}], ids=["without-end", "with-end"])
def test_a_release_between_a_look_and_a_lock_leaves_no_debt_beside_a_lot(
    engine_db: Database, shops: list[ReturnGoods], monkeypatch: pytest.MonkeyPatch, expiry: dict[str, object]
) -> None:
    city = open_city(engine_db, rules.document() | {"pending": {"days": 7}} | expiry)
    sale = city.till().basket(read(FRIDGE, qty=2), resident=LI)
    city.record(sale)
    now = NOON + timedelta(days=8)
    look = take_back.queries.holdings

    def looked_too_early(connection: Connection, city: str, person: str) -> list[Holding]:
        found = look(connection, city, person)
        settle_due(engine_db, NANJING, now, lambda: False)  # nothing is due any more when it is called again
        return found

    monkeypatch.setattr(take_back.queries, "holdings", looked_too_early)
    shops[0].give_back(asked((sale.basket.basket, 0, 1), at=now), now)

    assert books.balance(engine_db, NANJING, chart.debt(LI, "points")) == 0
    assert_verified(engine_db, NANJING)


@pytest.mark.parametrize("trial", range(5))
def test_a_line_comes_back_while_it_is_decided(engine_db: Database, shops: list[ReturnGoods], trial: int) -> None:
    """Whoever is first: what is kept earns its part, and no more."""
    city = open_city(engine_db, rules.document(rules.rule("each", {"kind": "per_unit", "amount": 10})))
    sales = [city.till(n).basket(read(UNCERTIFIED, qty=3), resident=LI) for n in range(4)]
    city.record(*sales)
    register(engine_db, {"code": UNCERTIFIED, "grade": "1"})

    race(
        *(
            lambda n=n, sale=sale: shops[n].give_back(  # type: ignore[misc]
                asked((sale.basket.basket, 0, 1 + n % 3), number=f"R{trial}-{n}", at=LATER), LATER
            )
            for n, sale in enumerate(sales)
        ),
        lambda: resolver(engine_db).resolve(NANJING, LATER),
        lambda: resolver(engine_db).resolve(NANJING, LATER),
    )

    assert books.wallet(engine_db, NANJING, LI) == 10 * (12 - (1 + 2 + 3 + 1))
    assert_sound(engine_db, NANJING)
