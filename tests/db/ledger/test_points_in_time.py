"""What time does to awards, on a real database: pending, collected or lapsed, available, over; to the second."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, text

from backend.adapters.chores import Chores
from backend.ledger import chart, queries
from backend.ledger.model import Reason, Transfer
from backend.ledger.post import lock, post
from backend.policies.store import PolicyCache
from backend.storage.transaction import Database
from backend.usecases.settle_due import Settled, settle_due
from backend.usecases.verify_ledger import verify_ledger
from tests.worlds import books, rules
from tests.worlds.city import FRIDGE, NANJING, NOON, RICE, City, open_city, read, resident
from tests.worlds.later import resolver
from tests.worlds.returning import bring_back, spend, voider

LI, WANG = resident(1), resident(2)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
AVAILABLE_ON = datetime(2026, 11, 29, 16, 0, tzinfo=UTC)
"""00:00 of 30 November in Nanjing: seven whole days after the day of NOON, which is 22 November."""
OVER_ON = datetime(2027, 11, 30, 16, 0, tzinfo=UTC)
"""00:00 of 1 December 2027: the month that lies twelve months after November 2026 has ended."""
ORGANIC = rules.document(
    rules.rule("organic", {"kind": "percent", "basis_points": 200, "unit": "points"}),
    policy="organic",
) | {"pending": {"days": 7}, "expiry": {"months": 12}}
FOREST = rules.document(policy="forest") | {"pending": {"collect_hours": 72}}


def never() -> bool:
    return False


def settle(city: City, now: datetime, batch: int = 1_000) -> Settled:
    return settle_due(city.database, city.code, now, never, batch=batch)


def held(city: City, person: str = LI) -> dict[str, int]:
    with city.database.read() as connection:
        return {one.account: one.amount for one in queries.holdings(connection, city.code, person)}


def assert_sound(city: City) -> None:
    (verified,) = verify_ledger(city.database, city.code)
    assert [finding for finding in verified.findings if finding.broken] == []


BROKEN = """
INSERT INTO accounts (city, account, unit, floor, balance, version, opened_at, due_at)
VALUES (:city, :account, 'points', 0, 0, 0, :now, :now)"""


def test_an_account_that_cannot_be_settled_keeps_no_other_waiting(engine_db: Database, database_url: str) -> None:
    city = open_city(engine_db, ORGANIC)
    for person in (LI, WANG):
        city.record(city.till(int(person[-1], 16) or 1).basket(read(RICE, price_fen=10_000), resident=person))
    owner = Database(database_url, role=None)
    of_no_day = {"city": NANJING, "account": f"pending:{LI}:2026139999:-:points", "now": NOON}
    owner.write(lambda c: c.execute(text(BROKEN), of_no_day))
    owner.close()

    assert settle(city, AVAILABLE_ON).released == 2
    assert settle(city, AVAILABLE_ON, batch=1) == Settled()


def test_a_whole_batch_that_cannot_be_settled_keeps_none_behind_it_waiting(
    engine_db: Database, database_url: str
) -> None:
    city = open_city(engine_db, ORGANIC)
    city.record(city.till().basket(read(RICE, price_fen=10_000), resident=LI))
    owner = Database(database_url, role=None)
    for day in (2026139998, 2026139999):
        of_no_day = {"city": NANJING, "account": f"pending:{LI}:{day}:-:points", "now": NOON}
        owner.write(lambda c: c.execute(text(BROKEN), of_no_day))  # noqa: B023 - called at once
    owner.close()

    assert settle(city, AVAILABLE_ON, batch=1).released == 1


def owe(city: City, person: str, amount: int) -> None:
    """Points that were spent before their goods came back."""
    city.publish(rules.document(rules.rule("plain", rules.fixed(amount)), policy="a-plain"))  # the first that pays
    sale = city.till(3).basket(read(FRIDGE), resident=person)
    city.record(sale)
    spend(city.database, amount, person)
    bring_back(city.database, (sale.basket.basket, 0, 1))


@pytest.fixture
def organic(engine_db: Database) -> City:
    """P8: 200 points for Li, pending seven days, good to the end of the month twelve months on."""
    city = open_city(engine_db, ORGANIC)
    city.record(city.till().basket(read(RICE), resident=LI))
    return city


@pytest.fixture
def forest(engine_db: Database) -> City:
    """P10: ten points for Li, to be collected within 72 hours."""
    city = open_city(engine_db, FOREST)
    city.record(city.till().basket(read(FRIDGE), resident=LI))
    return city


def test_pending_points_are_available_from_midnight_and_not_a_second_before(organic: City) -> None:
    waiting = chart.pending(LI, "points", rules.at("2026-11-30T00:00:00+08:00"), OVER_ON.date())
    assert held(organic) == {waiting: 200}
    assert settle(organic, AVAILABLE_ON - SECOND) == Settled()
    assert settle(organic, AVAILABLE_ON) == Settled(accounts=1, released=1)
    assert held(organic) == {f"resident:{LI}:e20271130:points": 200}
    assert settle(organic, AVAILABLE_ON) == Settled()
    assert_sound(organic)


def test_points_are_over_at_midnight_after_their_last_day(organic: City) -> None:
    settle(organic, AVAILABLE_ON)
    assert settle(organic, OVER_ON - SECOND) == Settled()
    assert settle(organic, OVER_ON) == Settled(accounts=1, expired=1)
    assert held(organic) == {}
    assert books.balance(organic.database, NANJING, "expired:points") == 200
    assert_sound(organic)


def test_what_was_never_settled_is_released_and_over_in_one_go(organic: City) -> None:
    assert settle(organic, OVER_ON) == Settled(accounts=2, released=1, expired=1)
    assert held(organic) == {}
    assert_sound(organic)


def test_what_nobody_collects_lapses_to_its_policy_and_may_be_awarded_again(forest: City) -> None:
    until = NOON + timedelta(hours=72)
    assert list(held(forest).values()) == [10]
    assert settle(forest, until - SECOND) == Settled()
    assert settle(forest, until) == Settled(accounts=1, lapsed=1)
    assert held(forest) == {}
    assert books.budget_left(forest.database, NANJING, "forest") == 10**9
    assert_sound(forest)


def test_a_basket_that_arrives_late_makes_a_settled_account_wait_again(organic: City) -> None:
    settle(organic, AVAILABLE_ON)
    late = organic.till(2).basket(read(RICE), resident=LI, received_at=AVAILABLE_ON + DAY)
    organic.record(late, now=AVAILABLE_ON + DAY)

    assert settle(organic, AVAILABLE_ON + DAY) == Settled(accounts=1, released=1)
    assert sum(held(organic).values()) == 300  # the late one proves half as much
    assert_sound(organic)


def test_a_debt_is_repaid_before_anything_is_released(organic: City) -> None:
    owe(organic, LI, 50)
    assert settle(organic, AVAILABLE_ON) == Settled(accounts=1, released=1, repaid=1)
    assert held(organic) == {f"resident:{LI}:e20271130:points": 150}
    assert_sound(organic)


def test_a_debt_above_what_is_released_takes_all_of_it(organic: City) -> None:
    owe(organic, LI, 500)
    assert settle(organic, AVAILABLE_ON) == Settled(accounts=1, repaid=1)
    assert held(organic) == {chart.debt(LI, "points"): -300}
    assert_sound(organic)


def test_one_policy_with_terms_leaves_another_as_it_was(organic: City) -> None:
    organic.publish(rules.document(policy="a-plain"))  # the first that pays
    organic.record(organic.till(2).basket(read(FRIDGE), resident=WANG))
    assert books.rows(organic.database, "SELECT count(*) FROM accounts WHERE due_at IS NOT NULL") == [(1,)]
    assert held(organic, WANG) == {chart.wallet(WANG, "points"): 10}
    assert_sound(organic)


def test_a_careful_attempt_opens_and_locks_the_accounts_of_the_sale(organic: City) -> None:
    """A budget that two batches want the last of makes the second run again with locks."""
    doc = ORGANIC | {"policy": "small", "budget": {"unit": "points", "amount": 300, "partial": True}}
    organic.publish(doc)
    baskets = [organic.till(n).basket(read(RICE), resident=resident(n)) for n in range(3, 9)]
    for basket in baskets:
        organic.record(basket)
    assert_sound(organic)


def test_batches_settle_as_one_run_does(organic: City) -> None:
    for number in range(2, 12):
        organic.record(organic.till(number).basket(read(RICE), resident=resident(number)))
    done = settle(organic, AVAILABLE_ON, batch=3)

    assert done == Settled(accounts=11, released=11)
    assert_sound(organic)


def test_the_minutes_job_settles_every_city(organic: City) -> None:
    policies = PolicyCache(chart.budget)
    chores = Chores(organic.database, resolver(organic.database), voider(organic.database), policies)
    assert chores.works()["settle_due"](AVAILABLE_ON, never) == Settled(accounts=1, released=1)._asdict()


def test_an_account_opened_for_nothing_stops_waiting(organic: City) -> None:
    empty = chart.pending(WANG, "points", rules.at("2026-11-30T00:00:00+08:00"), None)
    organic.database.write(lambda c: lock(c, NANJING, [empty], NOON))
    assert settle(organic, AVAILABLE_ON) == Settled(accounts=2, released=1)
    assert books.rows(organic.database, "SELECT account FROM accounts WHERE due_at <= :now", now=AVAILABLE_ON) == []


def test_an_account_that_waits_and_receives_again_leaves_every_index_as_it_is(organic: City) -> None:
    (waiting,) = held(organic)
    row = Transfer(resident(78), 1, 0, Reason.AWARD.value, "points", "budget:organic:points", waiting, 1)

    def changed(connection: Connection) -> tuple[int, int]:
        before = connection.execute(text(CHANGED)).one()
        post(connection, NANJING, [row], NOON)
        after = connection.execute(text(CHANGED)).one()
        return after[0] - before[0], after[1] - before[1]

    assert organic.database.write(changed) == (2, 2)


CHANGED = (
    "SELECT pg_stat_get_xact_tuples_updated('accounts'::regclass),"
    " pg_stat_get_xact_tuples_hot_updated('accounts'::regclass)"
)


def test_the_liability_adds_up_to_the_ledger(organic: City) -> None:
    organic.record(organic.till(2).basket(read(RICE), resident=WANG))
    owe(organic, WANG, 20)
    settle(organic, AVAILABLE_ON)
    with organic.database.read() as connection:
        (one,) = queries.liability(connection, NANJING)

    assert one.adds_up
    assert (one.issued, one.returned, one.used, one.outstanding, one.owed) == (420, 20, 20, 380, 0)
    assert one.granted - one.in_budgets == 400
