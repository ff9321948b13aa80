"""What a shop gets for handling: into the shop's own account, with the award that it goes with, and back with the goods."""

from datetime import timedelta

from backend.kernel.ids import new_id
from backend.ledger import chart
from backend.ledger.model import Reason, Transfer
from backend.ledger.post import post_once
from backend.ledger.queries import Liability, liability
from backend.storage.transaction import Database
from backend.usecases.report_funding import report_funding
from tests.worlds import books, later, rules
from tests.worlds.city import FRIDGE, NANJING, NOON, UNCERTIFIED, City, open_city, read, register, resident
from tests.worlds.later import assert_verified
from tests.worlds.quotes import open_desk
from tests.worlds.returning import bring_back

LI = resident(1)
SHOP = chart.shop("s1", "fee")


def policy(fees: int = 10_000, **more: object) -> rules.Doc:
    """Fifteen points a bottle and a fee of two fen; points wait for a week, fees do not."""
    rule = rules.rule("bottle", {})
    rule["rewards"] = [
        {"kind": "per_unit", "unit": "fee", "amount": 2},
        {"kind": "per_unit", "unit": "points", "amount": 15},
    ]
    del rule["reward"]
    budgets = [{"unit": "points", "amount": 10_000}, {"unit": "fee", "amount": fees, "shards": 2}]
    caps = [{**rules.cap("day", "day", 60), "unit": "points"}]
    doc = rules.document(rule, caps=caps) | {"budgets": budgets, **more}
    del doc["budget"]
    return doc


def fee(database: Database) -> int:
    return books.balance(database, NANJING, SHOP)


def sell(city: City, pieces: int, person: str | None = LI, **more: object) -> str:
    arrival = city.till(city.codes_issued).basket(read(FRIDGE, qty=pieces), resident=person, **more)
    city.codes_issued += 1
    city.record(arrival)
    return arrival.basket.basket


def test_a_fee_goes_to_the_shop_and_comes_back_with_the_goods(engine_db: Database) -> None:
    city = open_city(engine_db, policy(pending={"days": 7}))
    sold = sell(city, 3)
    assert fee(engine_db) == 6
    assert books.decided(engine_db, NANJING) == [("awarded", "awarded", 45)]

    (line,) = bring_back(engine_db, (sold, 0, 1)).answer.lines

    assert "手续费 0.02 元一并退回" in line.said.zh
    assert fee(engine_db) == 4
    (points,) = (one for one in liabilities(engine_db) if one.unit == "points")
    (fees,) = (one for one in liabilities(engine_db) if one.unit == "fee")
    assert (points.pending, points.of_shops) == (30, 0)
    assert (fees.issued, fees.returned, fees.of_shops, fees.outstanding) == (6, 2, 4, 0)
    assert_verified(engine_db, NANJING)


def liabilities(database: Database) -> list[Liability]:
    with database.read() as connection:
        return list(liability(connection, NANJING))


def test_no_award_no_fee(engine_db: Database) -> None:
    """Neither beyond the buyer's cap, nor for a phone's scan, nor until somebody claims."""
    city = open_city(engine_db, policy())
    sell(city, 4)
    sell(city, 1)
    sell(city, 1, None)

    assert fee(engine_db) == 8
    assert_verified(engine_db, NANJING)


def test_a_budget_of_fees_that_is_spent_leaves_the_awards(engine_db: Database) -> None:
    city = open_city(engine_db, policy(fees=5))
    sell(city, 2)
    sell(city, 1, resident(2))
    sell(city, 1, resident(3))

    assert fee(engine_db) == 5
    assert [one.award for one in books.decided(engine_db, NANJING)] == [30, 15, 15]
    assert_verified(engine_db, NANJING)


def test_a_shop_owes_a_fee_that_was_paid_out(engine_db: Database) -> None:
    city = open_city(engine_db, policy())
    sold = sell(city, 2)
    paid_out = Transfer(new_id(), 1, 0, Reason.REDEMPTION, "fee", SHOP, chart.redeemed("fee"), 4)
    engine_db.write(lambda c: post_once(c, NANJING, [paid_out], NOON))

    bring_back(engine_db, (sold, 0, 2))

    assert fee(engine_db) == -4
    assert sum(books.balance(engine_db, NANJING, one) for one in chart.budget("green", "fee", 2)) == 10_000


def test_a_quote_reserves_a_fee_and_pays_it_when_it_is_captured(engine_db: Database) -> None:
    city = open_city(engine_db, policy())
    desk = open_desk(city)
    quote = desk.hold(read(FRIDGE, qty=2), person=LI)
    assert [(one.unit, one.amount) for one in quote.lines[0].awards] == [("points", 30), ("fee", 4)]
    assert quote.lines[0].customer.zh.count("手续费") == 0
    assert fee(engine_db) == 0

    desk.capture(quote, (0, 1, 5_000))

    assert fee(engine_db) == 2
    assert_verified(engine_db, NANJING)


def test_what_is_decided_later_pays_its_fee_then(engine_db: Database) -> None:
    city = open_city(engine_db, policy())
    city.record(city.till().basket(read(UNCERTIFIED, qty=2), resident=LI))
    assert fee(engine_db) == 0

    register(engine_db, {"code": UNCERTIFIED, "product": "冰箱", "category": "冰箱", "grade": "1"}, now=later.LATER)
    later.resolve(city)

    assert fee(engine_db) == 4
    assert_verified(engine_db, NANJING)


def test_sources_bear_fees_as_they_bear_awards(engine_db: Database) -> None:
    shares = [{"source": s, "name_zh": s, "name_en": s, "basis_points": 5_000} for s in ("city", "district")]
    doc = policy()
    doc["budgets"][1]["shares"] = shares
    city = open_city(engine_db, doc)
    sell(city, 3)

    with engine_db.read() as connection:
        report = report_funding(connection, NANJING, NOON - timedelta(days=1), NOON + timedelta(days=1))

    assert report.equal
    assert [(one.source, one.amount) for one in report.borne if one.unit == "fee"] == [("city", 3), ("district", 3)]
