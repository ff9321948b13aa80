"""From where awards are taken back, and into which accounts and counters."""

from datetime import timedelta

from backend.ledger import chart, queries
from backend.storage.transaction import Database
from backend.usecases.settle_due import settle_due
from tests.worlds import books, rules
from tests.worlds.city import FRIDGE, NANJING, NOON, RICE, WASHER, City, open_city, read, resident
from tests.worlds.later import assert_verified
from tests.worlds.quotes import open_desk
from tests.worlds.returning import DAY, bring_back, spend

LI = resident(1)
PER_PIECE = rules.rule("seven", {"kind": "per_unit", "amount": 7})


def held(database: Database, person: str = LI) -> dict[str, int]:
    with database.read() as connection:
        return {one.account: one.amount for one in queries.holdings(connection, NANJING, person)}


def settled(city: City, days: int) -> None:
    settle_due(city.database, NANJING, NOON + days * DAY, lambda: False)


def test_what_is_pending_is_taken_from_there(engine_db: Database) -> None:
    city = open_city(engine_db, rules.document(PER_PIECE) | {"pending": {"days": 7}})
    first, second = (city.till(n).basket(read(FRIDGE, qty=2), resident=LI) for n in (1, 2))
    city.record(first)
    settled(city, 8)
    city.record(second)

    (line,) = bring_back(engine_db, (second.basket.basket, 0, 1)).answer.lines

    assert [(each.source, each.amount) for each in line.taken] == [("pending", 7)]
    assert line.said.zh == "已退 1 件：取消待入账的 7 分。"
    assert books.wallet(engine_db, NANJING, LI) == 14
    assert_verified(engine_db, NANJING)


def test_after_the_release_it_is_taken_from_its_own_lot_first(engine_db: Database) -> None:
    """The older lot would end first, but the award lies in the newer."""
    doc = rules.document(PER_PIECE) | {"expiry": {"months": 1}}
    city = open_city(engine_db, doc)
    older = city.till(1).basket(read(FRIDGE, qty=3), resident=LI, sold_at=NOON - 25 * DAY, received_at=NOON)
    newer = city.till(2).basket(read(FRIDGE, qty=3), resident=LI)
    city.record(older, newer)

    bring_back(engine_db, (newer.basket.basket, 0, 2))
    assert sorted(held(engine_db).values()) == [7, 10]  # half for the older, which came late

    bring_back(engine_db, (newer.basket.basket, 0, 1), number="R2")
    assert len(held(engine_db)) == 1
    assert_verified(engine_db, NANJING)


def test_then_from_the_lots_that_end_first_and_then_a_debt(engine_db: Database) -> None:
    city = open_city(engine_db, rules.document(PER_PIECE))
    ending = rules.document(PER_PIECE, policy="a-ending") | {"expiry": {"months": 1}}
    plain = city.till(1).basket(read(FRIDGE, qty=3), resident=LI)
    city.record(plain)
    city.publish(ending)
    city.record(city.till(2).basket(read(FRIDGE), resident=LI))
    spend(engine_db, 21, LI)

    (line,) = bring_back(engine_db, (plain.basket.basket, 0, 3)).answer.lines

    assert [(each.source, each.amount) for each in line.taken] == [("balance", 7), ("debt", 14)]
    assert held(engine_db) == {chart.debt(LI, "points"): -14}
    assert_verified(engine_db, NANJING)


def test_every_account_of_a_budget_gets_back_what_it_paid(engine_db: Database) -> None:
    doc = rules.document(rules.rule("all", rules.fixed(10)), budget=40)
    doc["budget"]["shards"] = 4
    city = open_city(engine_db, doc)
    accounts = chart.budget("green", "points", 4)
    sales = [city.till(n).basket(read(FRIDGE, qty=3), resident=LI) for n in range(4)]
    for sale in sales:
        city.record(sale)
    before = {account: books.balance(engine_db, NANJING, account) for account in accounts}
    assert sum(before.values()) == 0

    for n, sale in enumerate(sales):
        for piece in range(3):
            bring_back(engine_db, (sale.basket.basket, 0, 1), number=f"R{n}-{piece}")
            assert_verified(engine_db, NANJING)

    assert [books.balance(engine_db, NANJING, account) for account in accounts] == [10] * 4


def test_several_units_and_policies_come_back_together(engine_db: Database) -> None:
    points = rules.document(rules.rule("ten", rules.fixed(10)), policy="points") | {
        "stacking": {"group": "a", "mode": "sum"},
        "returns": {"days": 7},
    }
    money = rules.document(rules.rule("tenth", rules.percent(1_000)), policy="money", unit="fen") | {
        "stacking": {"group": "b", "mode": "sum"}
    }
    city = open_city(engine_db, points)
    city.publish(money)
    sale = city.till().basket(read(FRIDGE, qty=2, price_fen=20_001), resident=LI)
    city.record(sale)

    (both,) = bring_back(engine_db, (sale.basket.basket, 0, 1)).answer.lines
    (one,) = bring_back(engine_db, (sale.basket.basket, 0, 1), number="R2", at=NOON + 10 * DAY).answer.lines

    assert {(each.unit, each.amount) for each in both.taken} == {("points", 5), ("fen", 1_000)}
    assert [(each.unit, each.amount) for each in one.taken] == [("fen", 1_000)]
    assert held(engine_db) == {chart.wallet(LI, "points"): 5}
    assert_verified(engine_db, NANJING)


def test_a_bonus_goes_with_its_act_and_the_acts_keep_their_numbers(engine_db: Database) -> None:
    starter = {"milestone": "starter", "unit": "points", "period": "lifetime", "steps": {"2": 100}}
    city = open_city(engine_db, rules.document() | {"milestones": [starter]})
    sales = [city.till(n).basket(read(FRIDGE, qty=2), resident=LI) for n in range(3)]
    for sale in sales[:2]:
        city.record(sale)
    assert books.wallet(engine_db, NANJING, LI) == 120

    bring_back(engine_db, (sales[1].basket.basket, 0, 1), number="half")
    assert books.wallet(engine_db, NANJING, LI) == 115
    bring_back(engine_db, (sales[1].basket.basket, 0, 1), number="rest")
    assert books.wallet(engine_db, NANJING, LI) == 10
    city.record(sales[2])

    assert books.wallet(engine_db, NANJING, LI) == 20
    assert_verified(engine_db, NANJING)


def test_counters_of_any_attribute_get_back_in_the_period_of_the_sale(engine_db: Database) -> None:
    caps = [
        {
            "cap": "pieces",
            "per": ["person", "category"],
            "counts": "pieces",
            "period": "lifetime",
            "limit": 10,
            "partial": False,
        },
        {"cap": "visits", "per": ["store"], "counts": "awards", "period": "day", "limit": 10, "partial": False},
        {"cap": "model", "per": ["model"], "period": "month", "limit": 1_000, "partial": True},
        {"cap": "organic", "per": "person", "period": "year", "limit": 1_000, "partial": True, "schemes": ["organic"]},
    ]
    doc = rules.document(PER_PIECE, caps=caps)
    doc["budget"]["paces"] = [{"pace": "daily", "amount": 500, "per": ["district"]}]
    city = open_city(engine_db, doc)
    fridges = city.till().basket(read(FRIDGE, qty=3), read(RICE), read(WASHER), resident=LI)
    city.record(fridges)

    bring_back(engine_db, (fridges.basket.basket, 0, 1), at=NOON + 30 * DAY)
    assert _used(engine_db) == {
        "pieces/冰箱": 2,
        "pieces/洗衣机": 1,
        "pieces/粮食": 1,
        "visits": 3,
        "organic": 7,
        "daily": 28,
    }
    assert_verified(engine_db, NANJING)

    bring_back(
        engine_db, (fridges.basket.basket, 0, 2), (fridges.basket.basket, 1, 1), number="R2", at=NOON + timedelta(40)
    )

    assert _used(engine_db) == {
        "pieces/冰箱": 0,
        "pieces/洗衣机": 1,
        "pieces/粮食": 0,
        "visits": 1,
        "organic": 0,
        "daily": 7,
    }
    assert_verified(engine_db, NANJING)


def _used(database: Database) -> dict[str, int]:
    """By cap, and category where it counts by that."""
    found = books.rows(database, "SELECT cap, used FROM cap_counters WHERE city = :c", c=NANJING)
    named = {cap.removeprefix("green/"): used for cap, used in found}
    return {
        name if name.startswith("pieces") else name.partition("/")[0]: used
        for name, used in named.items()
        if not name.startswith("model")
    }


def test_what_is_paid_once_a_basket_comes_back_with_its_line(engine_db: Database) -> None:
    visit = rules.rule("visit", rules.fixed(50) | {"once_a_basket": True})
    city = open_city(engine_db, rules.document(visit))
    sale = city.till().basket(read(FRIDGE, qty=2), read(WASHER), resident=LI)
    city.record(sale)
    assert books.wallet(engine_db, NANJING, LI) == 50

    bring_back(engine_db, (sale.basket.basket, 1, 1), (sale.basket.basket, 0, 1))
    assert books.wallet(engine_db, NANJING, LI) == 25
    bring_back(engine_db, (sale.basket.basket, 0, 1), number="R2")

    assert books.wallet(engine_db, NANJING, LI) == 0
    assert_verified(engine_db, NANJING)


def test_a_captured_quote_comes_back_as_any_sale(engine_db: Database) -> None:
    doc = rules.document(PER_PIECE, budget=100, caps=[rules.cap("day", "day", 100)])
    doc["budget"]["shards"] = 3
    desk = open_desk(open_city(engine_db, doc))
    quote = desk.hold(read(FRIDGE, qty=4), read(WASHER), person=LI)
    desk.capture(quote, (0, 3, 7_500))
    ((basket,),) = books.rows(engine_db, "SELECT basket::text FROM baskets")

    bring_back(engine_db, (basket, 0, 1))
    assert books.wallet(engine_db, NANJING, LI) == 14
    assert_verified(engine_db, NANJING)
    bring_back(engine_db, (basket, 0, 2), number="R2")

    assert sum(books.balance(engine_db, NANJING, account) for account in chart.budget("green", "points", 3)) == 100
    assert_verified(engine_db, NANJING)
