"""Several versions of one policy: each sale is held to the version of its own moment."""

from datetime import UTC, datetime

from backend.storage.transaction import Database
from tests.worlds import books, rules
from tests.worlds.city import FRIDGE, NANJING, open_city, read, resident, states

LI = resident(1)
BEFORE = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)


def test_a_late_sale_may_use_a_cap_that_a_later_version_lowered(engine_db: Database) -> None:
    city = open_city(engine_db, rules.document(caps=[rules.cap("month", "month", 30)]))
    lower = rules.document(caps=[rules.cap("month", "month", 15)], starts="2026-11-21T00:00:00+08:00")
    city.publish(lower)
    till = city.till()

    answers = city.record(*[till.basket(read(FRIDGE), resident=LI, sold_at=BEFORE) for _ in range(4)])
    after = city.record(till.basket(read(FRIDGE), resident=LI))

    assert states(answers + after) == ["recorded"] * 5
    assert [(one.reason, one.award) for one in books.decided(engine_db, NANJING)] == [
        ("awarded", 10),
        ("awarded", 10),
        ("awarded", 10),
        ("cap", 0),
        ("cap", 0),
    ]
    books.assert_balanced(engine_db, NANJING)
