"""A serial that is read again is a sign on the label: how often, in how many shops, how soon one after the other."""

from datetime import timedelta

from msgspec.structs import replace

from backend.cases.repeated import repeated
from backend.storage.transaction import Database
from tests.worlds import books
from tests.worlds.city import FRIDGE, NANJING, NOON, City, open_city, read, resident, unit_label


def sell(city: City, label: str, person: int, minutes: int, store: str = "s1") -> None:
    at = NOON + timedelta(minutes=minutes)
    till = city.till(1 + books.count(city.database, "baskets", NANJING))
    arrival = till.basket(read(label), resident=resident(person), sold_at=at)
    city.record(replace(arrival, basket=replace(arrival.basket, store=store)), now=at)


def test_a_copied_serial_shows_its_shops_and_the_first_award_stands(engine_db: Database) -> None:
    city = open_city(engine_db)
    sell(city, unit_label("A1"), 1, 0)
    sell(city, unit_label("A1"), 2, 20, store="s2")
    sell(city, unit_label("A1"), 3, 90, store="s2")
    sell(city, unit_label("B2"), 1, 5)
    sell(city, unit_label("B2"), 2, 6)
    sell(city, unit_label("C3"), 1, 7)
    sell(city, FRIDGE, 1, 8)

    with engine_db.read() as connection:
        found = repeated(connection, NANJING, NOON - timedelta(days=30))
        later = repeated(connection, NANJING, NOON + timedelta(minutes=60))

    assert [(one.again, one.stores, one.first_store, one.apart_s) for one in found] == [
        (2, 2, "s1", 1_200),
        (1, 1, "s1", None),
    ]
    assert [(one.again, one.stores) for one in later] == [(1, 2)]
    assert books.wallet(engine_db, NANJING, resident(1)) == 40
    assert books.wallet(engine_db, NANJING, resident(2)) == 0
