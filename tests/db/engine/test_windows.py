"""One award in any so many hours: by the moments of sale, whoever tells of them first, and given back as caps are."""

from datetime import timedelta

from backend.storage.transaction import Database
from backend.usecases.verify_ledger import verify_ledger
from tests.db.ledger.faults import plant
from tests.worlds import books, rules
from tests.worlds.city import FRIDGE, NANJING, NOON, WASHER, City, open_city, read, resident
from tests.worlds.later import assert_verified
from tests.worlds.quotes import Desk, awards, open_desk
from tests.worlds.returning import bring_back

LI, WANG = resident(1), resident(2)
NIGHT = NOON + timedelta(hours=11)
"""23:00 in Nanjing."""
SECOND = timedelta(seconds=1)


def policy(hours: int = 24, **more: object) -> rules.Doc:
    return {**rules.document(), "windows": [{"window": "same-box", "per": "model", "hours": hours}], **more}


def sell(city: City, sold_after: timedelta, person: str = LI, code: str = FRIDGE) -> str:
    """The id of a basket that is sold so long after 23:00."""
    arrival = city.till(city.codes_issued).basket(read(code), resident=person, sold_at=NIGHT + sold_after)
    city.codes_issued += 1
    city.record(arrival, now=NIGHT + timedelta(days=3))
    return arrival.basket.basket


def earned(database: Database) -> dict[str, int]:
    found = {person: books.wallet(database, NANJING, person) for person in (LI, WANG)}
    return {person: points for person, points in found.items() if points}


def test_a_window_rolls_over_midnight_and_looks_both_ways(engine_db: Database) -> None:
    city = open_city(engine_db, policy())
    sell(city, timedelta())

    sell(city, timedelta(hours=2), WANG)
    sell(city, timedelta(hours=24) - SECOND, WANG)
    sell(city, -timedelta(hours=24) + SECOND, WANG)
    sell(city, timedelta(hours=2), WANG, code=WASHER)
    sell(city, timedelta(hours=24), WANG)
    sell(city, -timedelta(hours=24))

    assert [(one.reason, one.award) for one in books.decided(engine_db, NANJING)].count(("cap", 0)) == 3
    assert earned(engine_db) == {LI: 20, WANG: 20}
    assert_verified(engine_db, NANJING)


def test_two_sales_of_one_batch_and_of_one_basket_share_a_window(engine_db: Database) -> None:
    city = open_city(engine_db, policy())
    later = city.till(1).basket(read(FRIDGE), resident=LI, sold_at=NOON + SECOND)
    first = city.till(2).basket(read(FRIDGE), read(FRIDGE), resident=WANG)

    city.record(later, first)

    assert earned(engine_db) == {WANG: 10}
    assert_verified(engine_db, NANJING)


def test_what_comes_back_frees_its_window(engine_db: Database) -> None:
    city = open_city(engine_db, policy())
    sold = sell(city, timedelta())

    bring_back(engine_db, (sold, 0, 1), at=NIGHT + timedelta(hours=1))
    sell(city, timedelta(), WANG)
    sell(city, timedelta(hours=1))

    assert earned(engine_db) == {WANG: 10}
    assert_verified(engine_db, NANJING)


def test_a_quote_holds_its_window_until_it_is_given_up(engine_db: Database) -> None:
    city = open_city(engine_db, policy())
    desk: Desk = open_desk(city)
    held = desk.hold(read(FRIDGE, qty=2), person=LI)
    assert awards(desk.hold(read(FRIDGE), person=WANG)) == [0]

    desk.void(held)
    again = desk.hold(read(FRIDGE, qty=2), person=WANG)
    assert awards(desk.capture(again, (0, 1, 5_000))) == [10]

    assert awards(desk.hold(read(FRIDGE), person=LI, now=NOON + timedelta(hours=23))) == [0]
    assert awards(desk.hold(read(FRIDGE), person=LI, now=NOON + timedelta(hours=24))) == [10]
    assert_verified(engine_db, NANJING)


def test_awards_too_near_together_are_found(engine_db: Database, database_url: str) -> None:
    city = open_city(engine_db, policy())
    sell(city, timedelta())
    late = sell(city, timedelta(hours=24), WANG)

    a_second_early = "'t' || lpad((substr(period, 2)::bigint - 1000)::text, 14, '0')"
    last = "(SELECT max(period) FROM cap_counters WHERE period LIKE 't%')"
    owner = Database(database_url, role=None, pool_size=1)
    plant(
        owner,
        [
            f"UPDATE baskets SET sold_at = sold_at - interval '1 second' WHERE basket = '{late}'",
            f"UPDATE cap_counters SET period = {a_second_early} WHERE period = {last}",
        ],
    )
    owner.close()

    found = [
        one for verified in verify_ledger(engine_db, NANJING) for one in verified.findings if one.invariant == "I7"
    ]
    assert "too near together" in str(found)
