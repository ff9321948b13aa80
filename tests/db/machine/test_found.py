"""What the walks found, each in as few steps as show it."""

from backend.storage.transaction import Database
from tests.worlds import rules
from tests.worlds.city import FRIDGE, NANJING, open_city, read, resident
from tests.worlds.later import assert_verified
from tests.worlds.returning import bring_back

LI = resident(1)


def test_a_budget_of_fewer_units_than_accounts_adds_up(engine_db: Database) -> None:
    doc = rules.document(budget=1)
    doc["budget"]["shards"] = 3
    open_city(engine_db, doc)

    assert_verified(engine_db, NANJING)


def test_a_held_line_that_came_back_whole_needs_no_ruling(engine_db: Database) -> None:
    city = open_city(engine_db)
    till = city.till()
    till.clock = till.clock._replace(source="none", boot="b9")
    sale = till.basket(read(FRIDGE), resident=LI)
    city.record(sale)

    bring_back(engine_db, (sale.basket.basket, 0, 1))

    assert_verified(engine_db, NANJING)
