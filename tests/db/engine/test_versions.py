"""Several versions of one policy: each sale is held to the version of its own moment."""

from datetime import UTC, datetime

import pytest

from backend.ledger import chart
from backend.policies.store import PolicyCache
from backend.storage.transaction import Database
from tests.worlds import books, rules
from tests.worlds.city import FRIDGE, NANJING, open_city, read, resident, states
from tests.worlds.later import assert_verified

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


def test_a_look_up_that_was_overtaken_does_not_bring_back_what_was_in_force_before(engine_db: Database) -> None:
    city = open_city(engine_db)
    overtaking = iter([True])

    def budget(policy: str, unit: str, shards: int) -> tuple[str, ...]:
        # Called while the look-up compiles what it read: another thread publishes and looks up at that very moment.
        if next(overtaking, False):
            city.publish(rules.document(policy="second"))
            with engine_db.read() as other:
                cache.lookup(other, NANJING)
        return chart.budget(policy, unit, shards)

    cache = PolicyCache(budget)
    with engine_db.read() as connection:
        cache.lookup(connection, NANJING)

    assert [one.policy.policy for one in cache.held(NANJING)] == ["green", "second"]


@pytest.mark.parametrize(("former", "later"), [(1, 3), (2, 4), (3, 1)])
def test_a_late_sale_is_paid_from_all_accounts_that_any_version_spread_the_budget_over(
    engine_db: Database, former: int, later: int
) -> None:
    """The versions share one budget: what one of them put in the accounts of more shards is there for the other."""
    sold = rules.document(rules.rule("fifty", rules.fixed(50)), budget=60)
    sold["budget"]["shards"] = former
    city = open_city(engine_db, sold)
    spread = rules.document(rules.rule("fifty", rules.fixed(50)), budget=60, starts="2026-11-21T00:00:00+08:00")
    spread["budget"]["shards"] = later
    city.publish(spread)
    till = city.till()

    answers = city.record(*[till.basket(read(FRIDGE), resident=LI, sold_at=BEFORE) for _ in range(3)])

    assert states(answers) == ["recorded"] * 3
    assert [one.award for one in books.decided(engine_db, NANJING)] == [50, 50, 20]
    assert books.wallet(engine_db, NANJING, LI) == 120
    assert_verified(engine_db, NANJING)


@pytest.mark.parametrize("amount", [10, 20])
def test_what_earlier_versions_left_of_a_pace_is_there_under_the_next(engine_db: Database, amount: int) -> None:
    """Their awards stand in one counter: a version that counted its own days alone would pay nothing for as many again."""
    pace = {"pace": "daily", "amount": 10, "carry_over": True}
    first = rules.document(starts="2026-11-18T00:00:00+08:00")
    first["budget"]["paces"] = [pace]
    city = open_city(engine_db, first)
    second = rules.document(starts="2026-11-21T12:00:00+08:00")
    second["budget"]["paces"] = [{**pace, "amount": amount}]
    city.publish(second)
    till = city.till()

    # Three days of 10 are released by the 20th, the 21st and the 22nd are the second version's.
    earlier = city.record(*[till.basket(read(FRIDGE), resident=LI, sold_at=BEFORE) for _ in range(4)])
    later = city.record(*[till.basket(read(FRIDGE), resident=LI) for _ in range(5)])

    assert states(earlier + later) == ["recorded"] * 9
    awards = [one.award for one in books.decided(engine_db, NANJING)]
    assert awards[:4] == [10, 10, 10, 0]
    assert sum(awards[4:]) == 2 * amount
    assert_verified(engine_db, NANJING)
