"""What shops are owed beside fees: subsidies that they gave at the till, vouchers and services that they handed out."""

from datetime import datetime, timedelta

import pytest

from backend.ledger import chart
from backend.scans.returns import SaleUnknown, SoldElsewhere
from backend.storage.transaction import Database
from backend.usecases.collect_awards import CollectAwards
from backend.usecases.prepay_subsidy import (
    NothingPrepaid,
    Owed,
    Prepaid,
    PrepaymentConflict,
    SubsidyUsed,
    prepay_subsidy,
)
from backend.usecases.settle_due import settle_due
from tests.worlds import books, rules
from tests.worlds.city import NANJING, NOON, resident
from tests.worlds.later import assert_verified
from tests.worlds.redeeming import SHOP, entry, open_counter, voucher
from tests.worlds.settling import BIG, CLOSING, DAY, Office, fees, open_office

LI = resident(1)


def subsidised(**more: object) -> rules.Doc:
    """Five yuan a piece for the buyer, three fen for the shop."""
    doc = fees()
    doc["rules"][0]["rewards"].append({"kind": "per_unit", "unit": "fen", "amount": 500})
    doc["budgets"].append({"unit": "fen", "amount": 1_000_000, "shards": 2})
    return doc | more


def prepaid(
    office: Office, basket: str, number: str = "P1", store: str = "s1", at: datetime = NOON + timedelta(minutes=1)
) -> Owed:
    given = Prepaid(NANJING, store, number, "a shop", ((basket, 0),))
    return prepay_subsidy(office.database, given, at)


def owed(database: Database, store: str = "s1") -> int:
    return books.balance(database, NANJING, chart.shop(store, "fen"))


@pytest.mark.parametrize("pending", [{}, {"days": 7}], ids=["at once", "waiting"])
def test_a_subsidy_that_the_shop_gave_is_owed_to_it_and_comes_back_with_the_goods(
    engine_db: Database, pending: dict[str, int]
) -> None:
    office = open_office(engine_db, subsidised(**({"pending": pending} if pending else {})))
    sold, other = office.sell(3), office.sell(1)

    first, again = prepaid(office, sold), prepaid(office, sold)

    assert (first.amount_fen, first.new, again) == (1_500, True, first._replace(new=False))
    assert owed(engine_db) == 1_500
    with pytest.raises(PrepaymentConflict):
        prepaid(office, other)
    office.bring_back(sold, 1, NOON + DAY)
    assert (owed(engine_db), books.balance(engine_db, NANJING, chart.debt(LI, "fen"))) == (1_000, 0)
    office.close()
    causes = [("fee", 9), ("fee", 3), ("prepaid", 1_500), ("return", -500), ("return", -3)]
    assert sorted(office.amounts()) == sorted(causes)
    assert office.pay().amount_fen == 1_009
    office.bring_back(sold, 2, CLOSING + 9 * DAY)
    assert owed(engine_db) == -1_000
    assert_verified(engine_db, NANJING)


@pytest.mark.parametrize(
    ("pending", "collected"),
    [({"days": 7}, False), ({"collect_hours": 300}, True)],
    ids=["released", "collected"],
)
def test_a_subsidy_that_the_shop_gave_is_owed_to_it_also_once_it_is_the_residents_to_use(
    engine_db: Database, pending: dict[str, int], *, collected: bool
) -> None:
    office = open_office(engine_db, subsidised(pending=pending))
    sold, other = office.sell(3), office.sell(1)
    after = NOON + 9 * DAY
    if collected:
        CollectAwards(engine_db).collect(NANJING, LI, after)
    settle_due(engine_db, NANJING, after, lambda: False)

    assert prepaid(office, sold, at=after).amount_fen == 1_500

    assert (owed(engine_db), books.balance(engine_db, NANJING, chart.wallet(LI, "fen"))) == (1_500, 500)
    office.bring_back(sold, 1, after)
    assert (owed(engine_db), books.balance(engine_db, NANJING, chart.debt(LI, "fen"))) == (1_000, 0)
    assert prepaid(office, other, "P2", at=after).amount_fen == 500
    assert_verified(engine_db, NANJING)


def test_a_subsidy_that_lapsed_is_not_taken_from_what_else_the_resident_has(engine_db: Database) -> None:
    office = open_office(engine_db, subsidised(pending={"collect_hours": 24}))
    lapsed, later = office.sell(1), NOON + 2 * DAY
    office.sell(1, at=later)
    CollectAwards(engine_db).collect(NANJING, LI, later)
    settle_due(engine_db, NANJING, later, lambda: False)

    with pytest.raises(SubsidyUsed):
        prepaid(office, lapsed, at=later)

    assert books.balance(engine_db, NANJING, chart.wallet(LI, "fen")) == 500
    assert_verified(engine_db, NANJING)


def test_what_a_shop_did_not_sell_or_could_not_give_is_refused(engine_db: Database) -> None:
    office = open_office(engine_db, subsidised())
    sold, back = office.sell(1), office.sell(2)
    office.bring_back(back, 1, NOON)
    with pytest.raises(SoldElsewhere):
        prepaid(office, sold, store="s2")
    with pytest.raises(SaleUnknown):  # of another retailer's sale nothing is told
        prepaid(office, sold, store="s3")
    with pytest.raises(NothingPrepaid):
        prepaid(office, back)
    prepaid(office, sold)
    with pytest.raises(NothingPrepaid):
        prepaid(office, sold, "P2")


def test_a_subsidy_that_is_not_all_there_is_not_the_shops(engine_db: Database) -> None:
    office = open_office(engine_db, subsidised())
    sold = office.sell(1)
    wallet = chart.wallet(LI, "fen")
    engine_db.write(
        lambda c: c.exec_driver_sql(
            "UPDATE accounts SET balance = balance - 1 WHERE city = %s AND account = %s", (NANJING, wallet)
        )
    )

    with pytest.raises(SubsidyUsed):
        prepaid(office, sold)

    assert owed(engine_db) == 0


def test_a_voucher_that_was_used_and_a_service_that_was_handed_out_are_owed_to_their_shop(engine_db: Database) -> None:
    office = open_office(engine_db)
    office.sell(40)
    counter = open_counter(
        engine_db,
        voucher("tea", points=8, shop_fen=600),
        entry("bus", points=5, at_till=True, stores=[SHOP], shop_fen=200),
        entry("free", points=1, at_till=True, stores=[SHOP]),
    )
    counter.confirm(counter.hold(LI, 1, entry="tea"), LI)
    counter.use(counter.named(LI, 1))
    counter.use(counter.named(LI, 1))
    for number, name in enumerate(("bus", "bus", "free"), 2):
        counter.at_till(counter.hold(LI, number, entry=name, pieces=1), f"u{number}")
    counter.void(counter.named(LI, 3))

    assert owed(engine_db, SHOP) == 800
    office.close()
    causes = [("service", 200), ("service", 200), ("undone", -200), ("voucher", 600)]
    assert sorted(office.amounts("示例商户")) == causes
    assert office.amounts(BIG) == [("fee", 120)]
    office.pay()
    assert owed(engine_db, SHOP) == 0
    assert_verified(engine_db, NANJING)
