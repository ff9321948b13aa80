"""A basket that voids a former one takes all of it back, once, whenever the two arrive."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from backend.scans import return_rows
from backend.storage.transaction import Database, observed
from backend.usecases.record_baskets import Arrival
from backend.usecases.void_baskets import Voided
from tests.worlds import books, rules
from tests.worlds.city import FRIDGE, NANJING, NOON, UNCERTIFIED, WASHER, open_city, read, resident
from tests.worlds.later import assert_sound
from tests.worlds.returning import bring_back, voider

LI = resident(1)
LATER = NOON + timedelta(minutes=5)


def test_a_voided_sale_comes_back_whole(engine_db: Database) -> None:
    city = open_city(engine_db, rules.document(caps=[rules.cap("day", "day", 25)], budget=1_000))
    till = city.till()
    sale = till.basket(read(FRIDGE, qty=3), read(UNCERTIFIED), read(WASHER), resident=LI)
    city.record(sale)
    bring_back(engine_db, (sale.basket.basket, 0, 1))
    city.record(till.basket(void_of=sale.basket.seq, sold_at=LATER))

    done = voider(engine_db).work(NANJING, LATER)

    assert done == Voided(voided=1)
    assert books.wallet(engine_db, NANJING, LI) == 0
    assert books.budget_left(engine_db, NANJING) == 1_000
    assert books.decided(engine_db, NANJING)[2] == ("none", "returned", 0)
    assert voider(engine_db).work(NANJING, LATER) == Voided()
    assert_sound(engine_db, NANJING)


def test_two_baskets_that_void_the_same_take_it_back_once(engine_db: Database) -> None:
    city = open_city(engine_db)
    till = city.till()
    sale = till.basket(read(FRIDGE, qty=2), resident=LI)
    city.record(sale, till.basket(void_of=1), till.basket(void_of=1))

    with ThreadPoolExecutor(4) as threads:
        done = list(threads.map(lambda _: voider(engine_db).work(NANJING, NOON), range(4)))

    assert sum(each.failed + each.waiting for each in done) == 0
    assert books.wallet(engine_db, NANJING, LI) == 0
    assert books.count(engine_db, "returns", NANJING) == 1
    assert books.count(engine_db, "open_voids", NANJING) == 0
    assert_sound(engine_db, NANJING)


def test_a_void_that_comes_before_its_sale_waits_for_it(engine_db: Database) -> None:
    city = open_city(engine_db)
    till = city.till()
    sale = till.basket(read(FRIDGE), resident=LI)
    city.record(till.basket(void_of=1))
    assert voider(engine_db).work(NANJING, NOON) == Voided(waiting=1)
    assert_sound(engine_db, NANJING)

    city.record(sale)
    assert voider(engine_db).work(NANJING, NOON) == Voided(voided=1)

    assert books.wallet(engine_db, NANJING, LI) == 0
    assert_sound(engine_db, NANJING)


def test_a_void_whose_sale_never_comes_is_not_waited_for_for_ever(engine_db: Database) -> None:
    city = open_city(engine_db)
    till = city.till()
    never_sent = till.basket(read(FRIDGE))
    city.record(till.basket(void_of=never_sent.basket.seq))
    late = NOON + timedelta(days=31)

    assert voider(engine_db).work(NANJING, late) == Voided(waiting=1)
    assert voider(engine_db).work(NANJING, late + timedelta(seconds=1)) == Voided(missing=1)

    assert books.count(engine_db, "open_voids", NANJING) == 0
    assert voider(engine_db).work(NANJING, late + timedelta(days=1)) == Voided()
    assert_sound(engine_db, NANJING)


def test_a_void_of_a_void_takes_nothing_back(engine_db: Database) -> None:
    city = open_city(engine_db)
    till = city.till()
    sale = till.basket(read(FRIDGE), resident=LI)
    city.record(sale, till.basket(read(WASHER), void_of=1), till.basket(void_of=2))

    assert voider(engine_db).work(NANJING, NOON) == Voided(voided=2)
    assert books.count(engine_db, "returns", NANJING) == 1
    assert_sound(engine_db, NANJING)


def test_a_tills_self_test_is_recorded_earns_nothing_and_waits_for_nothing(engine_db: Database) -> None:
    """It voids itself (`scanner.basket.self_test_line`); goods in it, which no honest till puts there, earn nothing either."""
    city = open_city(engine_db)
    till = city.till()
    alone, with_goods = till.basket(void_of=1), till.basket(read(FRIDGE), resident=LI, void_of=2)

    answers = city.record(alone, with_goods)

    assert [answer.state for answer in answers] == ["recorded", "recorded"]
    assert [answer.state for answer in city.record(alone)] == ["duplicate"]
    assert books.count(engine_db, "open_voids", NANJING) == 0
    assert voider(engine_db).work(NANJING, LATER) == Voided()
    assert books.count(engine_db, "transfers", NANJING) == 1  # the budget's own
    assert books.count(engine_db, "returns", NANJING) == 0
    assert_sound(engine_db, NANJING)


def test_another_tills_sale_is_not_voided(engine_db: Database) -> None:
    city = open_city(engine_db)
    city.record(city.till(1).basket(read(FRIDGE), resident=LI), city.till(2).basket(void_of=1))

    voider(engine_db).work(NANJING, NOON)

    assert books.wallet(engine_db, NANJING, LI) == 10
    assert_sound(engine_db, NANJING)


def test_a_batch_with_voids_costs_one_statement_more_however_many(engine_db: Database) -> None:
    city = open_city(engine_db)
    tills = [city.till(n) for n in range(20)]
    city.record(*(till.basket(read(FRIDGE), resident=LI) for till in tills))

    def statements(*arrivals: Arrival) -> list[str]:
        seen: list[str] = []
        with observed(seen.append):
            city.record(*arrivals)
        return seen

    none = statements(tills[0].basket(read(FRIDGE)))
    one = statements(tills[0].basket(read(FRIDGE)), tills[0].basket(void_of=1))
    many = statements(tills[0].basket(read(FRIDGE)), *(till.basket(void_of=1) for till in tills[1:]))

    assert set(one) - set(none) == {return_rows.OPEN_VOIDS}
    assert len(one) == len(none) + 1
    assert one == many
    assert voider(engine_db).work(NANJING, NOON) == Voided(voided=20)
    assert books.wallet(engine_db, NANJING, LI) == 0
    assert_sound(engine_db, NANJING)
