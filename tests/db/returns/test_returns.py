"""Goods come back, and with them what was awarded for them: from the resident, into the budget, caps and quotas."""

from datetime import timedelta

import pytest

from backend.kernel.errors import DomainError
from backend.ledger import chart
from backend.scans.returns import (
    ReturnAhead,
    ReturnBeforeSale,
    ReturnConflict,
    ReturnedTooMuch,
    SaleUnknown,
)
from backend.storage.transaction import Database
from tests.worlds import books, rules
from tests.worlds.city import (
    FRIDGE,
    NANJING,
    NOON,
    TELEVISION,
    UNCERTIFIED,
    WASHER,
    open_city,
    read,
    register,
    resident,
)
from tests.worlds.later import LATER, assert_sound, assert_verified, resolve
from tests.worlds.returning import DAY, asked, bring_back, shop_system, spend

LI, WANG = resident(1), resident(2)
CAPS = [rules.cap("day", "day", 25), rules.cap("life", "lifetime", 10**6)]
PER_PIECE = rules.rule("seven", {"kind": "per_unit", "amount": 7})


def debt(database: Database, person: str = LI) -> int:
    return books.balance(database, NANJING, chart.debt(person, "points"))


def used(database: Database, cap: str) -> int:
    found = books.rows(database, "SELECT used FROM cap_counters WHERE city = :c AND cap = :cap", c=NANJING, cap=cap)
    return int(found[0][0])


def test_a_returned_line_takes_its_award_back(engine_db: Database) -> None:
    city = open_city(engine_db, rules.document(caps=CAPS, budget=1_000))
    sale = city.till().basket(read(FRIDGE), read(WASHER), resident=LI)
    city.record(sale)

    returned = bring_back(engine_db, (sale.basket.basket, 0, 1))

    assert returned.new
    (line,) = returned.answer.lines
    assert (line.state, line.left, [(t.unit, t.source, t.amount) for t in line.taken]) == (
        "taken_back",
        0,
        [("points", "balance", 10)],
    )
    assert line.said.zh == "已退 1 件：从账户扣回 10 分。"
    assert books.wallet(engine_db, NANJING, LI) == 10
    assert books.budget_left(engine_db, NANJING) == 990
    assert (used(engine_db, "green/day"), used(engine_db, "green/life")) == (10, 10)
    assert_sound(engine_db, NANJING)


def test_pieces_come_back_one_by_one_and_sum_to_the_whole(engine_db: Database) -> None:
    city = open_city(engine_db, rules.document(rules.rule("ten", rules.fixed(10)), caps=CAPS))
    sale = city.till().basket(read(FRIDGE, qty=3), resident=LI)
    city.record(sale)

    taken = []
    for number in range(3):
        (line,) = bring_back(engine_db, (sale.basket.basket, 0, 1), number=f"R{number}").answer.lines
        taken.append(sum(each.amount for each in line.taken))
        assert_sound(engine_db, NANJING)

    assert taken == [3, 3, 4]
    assert used(engine_db, "green/day") == 0
    with pytest.raises(ReturnedTooMuch):
        bring_back(engine_db, (sale.basket.basket, 0, 1), number="R9")


def test_what_was_spent_becomes_a_debt(engine_db: Database) -> None:
    city = open_city(engine_db, rules.document(PER_PIECE))
    first, second = (city.till(n).basket(read(FRIDGE, qty=2), resident=LI) for n in (1, 2))
    city.record(first, second)
    spend(engine_db, 20, LI)

    (line,) = bring_back(engine_db, (first.basket.basket, 0, 2)).answer.lines

    assert [(each.source, each.amount) for each in line.taken] == [("balance", 8), ("debt", 6)]
    assert line.said.zh == "已退 2 件：从账户扣回 8 分，账户中不足的部分（6 分）由今后获得的先抵扣。"
    assert (books.wallet(engine_db, NANJING, LI), debt(engine_db)) == (0, -6)


def test_a_return_sent_again_answers_as_before(engine_db: Database) -> None:
    city = open_city(engine_db)
    sale = city.till().basket(read(FRIDGE, qty=2), resident=LI)
    city.record(sale)
    first = bring_back(engine_db, (sale.basket.basket, 0, 1))
    bring_back(engine_db, (sale.basket.basket, 0, 1), number="R2")

    again = bring_back(engine_db, (sale.basket.basket, 0, 1), now=NOON + DAY)

    assert (again.new, again.answer) == (False, first.answer)
    with pytest.raises(ReturnConflict):
        bring_back(engine_db, (sale.basket.basket, 0, 2))
    assert_sound(engine_db, NANJING)


@pytest.mark.parametrize(
    ("refusal", "line", "changes"),
    [
        (SaleUnknown, ("01900000-0000-7000-8000-000000000abc", 0, 1), {}),
        (SaleUnknown, (None, 7, 1), {}),
        (SaleUnknown, (None, 0, 1), {"store": "s2"}),
        (ReturnedTooMuch, (None, 0, 3), {}),
        (ReturnBeforeSale, (None, 0, 1), {"at": NOON - timedelta(seconds=1)}),
        (ReturnAhead, (None, 0, 1), {"at": NOON + DAY}),
    ],
)
def test_a_return_that_cannot_be_is_refused_whole(
    engine_db: Database, refusal: type[DomainError], line: tuple[str | None, int, int], changes: dict[str, object]
) -> None:
    city = open_city(engine_db)
    sale = city.till().basket(read(FRIDGE, qty=2), read(WASHER), resident=LI)
    city.record(sale)
    basket = line[0] or sale.basket.basket

    with pytest.raises(refusal):
        shop_system(engine_db).give_back(
            asked((sale.basket.basket, 1, 1), (basket, *line[1:]), **changes),  # type: ignore[arg-type]
            NOON + timedelta(hours=2),
        )

    assert books.count(engine_db, "returns", NANJING) == 0
    assert books.wallet(engine_db, NANJING, LI) == 20


def test_a_phones_scan_is_no_sale(engine_db: Database) -> None:
    city = open_city(engine_db)
    till = city.till()
    till.channel = "phone"
    scan = till.basket(read(FRIDGE), resident=LI)
    city.record(scan)

    with pytest.raises(SaleUnknown):
        bring_back(engine_db, (scan.basket.basket, 0, 1))


def test_after_the_window_the_award_stays(engine_db: Database) -> None:
    doc = rules.document(PER_PIECE) | {"returns": {"days": 7}}
    city = open_city(engine_db, doc)
    sale = city.till().basket(read(FRIDGE, qty=3), resident=LI)
    city.record(sale)

    (in_time,) = bring_back(engine_db, (sale.basket.basket, 0, 1), at=NOON + 7 * DAY).answer.lines
    (late,) = bring_back(engine_db, (sale.basket.basket, 0, 1), number="R2", at=NOON + 8 * DAY).answer.lines
    (earlier,) = bring_back(
        engine_db, (sale.basket.basket, 0, 1), number="R3", at=NOON + 2 * DAY, now=NOON + 9 * DAY
    ).answer.lines

    assert [(line.state, sum(t.amount for t in line.taken)) for line in (in_time, late, earlier)] == [
        ("taken_back", 7),
        ("window_over", 0),
        ("taken_back", 7),
    ]
    assert late.said.zh == "已退 1 件：已过政策规定的收回期限，奖励不收回。"
    assert_sound(engine_db, NANJING)


def test_what_earned_nothing_takes_nothing_back(engine_db: Database) -> None:
    city = open_city(engine_db, rules.document(rules.rule("one", rules.fixed(1), rules.where("grade", "<=", 2))))
    sale = city.till().basket(read(TELEVISION), read(FRIDGE, qty=3), resident=LI)
    city.record(sale)

    lines = bring_back(engine_db, (sale.basket.basket, 0, 1), (sale.basket.basket, 1, 1)).answer.lines

    assert [line.state for line in lines] == ["no_award", "too_little"]
    assert_sound(engine_db, NANJING)


def test_a_line_that_waits_is_decided_on_what_was_kept(engine_db: Database) -> None:
    city = open_city(engine_db, rules.document(rules.rule("half", rules.percent(5_000))))
    sale = city.till().basket(
        read(UNCERTIFIED, qty=3, price_fen=1_000), read(UNCERTIFIED, qty=2, price_fen=500), resident=LI
    )
    city.record(sale)
    basket = sale.basket.basket

    (partly, wholly) = bring_back(engine_db, (basket, 0, 1), (basket, 1, 2)).answer.lines
    assert [partly.state, wholly.state] == ["undecided", "undecided"]
    assert_sound(engine_db, NANJING)
    register(engine_db, {"code": UNCERTIFIED, "grade": "1"})
    resolve(city)

    facts = books.columns(engine_db, NANJING, "d.line_no, d.decision_no, d.reason, d.quantity, d.price_fen, d.award")
    assert sorted(facts) == [
        (0, 1, "product_unknown", 3, 1_000, 0),
        (0, 2, "awarded", 2, 666, 333),
        (1, 1, "product_unknown", 2, 500, 0),
        (1, 2, "returned", 2, 500, 0),
    ]
    assert_sound(engine_db, NANJING)

    (line,) = bring_back(engine_db, (basket, 0, 1), number="R2", at=LATER, now=LATER).answer.lines
    assert [each.amount for each in line.taken] == [166]
    (line,) = bring_back(engine_db, (basket, 0, 1), number="R3", at=LATER, now=LATER).answer.lines
    assert [each.amount for each in line.taken] == [167]
    assert books.wallet(engine_db, NANJING, LI) == 0
    assert_sound(engine_db, NANJING)


def test_nobodys_line_that_came_back_is_decided_so(engine_db: Database) -> None:
    city = open_city(engine_db)
    sale = city.till().basket(read(FRIDGE, qty=2))
    city.record(sale)

    bring_back(engine_db, (sale.basket.basket, 0, 1))
    bring_back(engine_db, (sale.basket.basket, 0, 1), number="R2")

    assert books.decided(engine_db, NANJING) == [("unclaimed", "no_member", 0), ("none", "returned", 0)]
    assert_sound(engine_db, NANJING)


NATIONAL_2024 = rules.document(
    rules.rule(
        "grade-1",
        rules.percent(2_000, cap_per_unit=200_000),
        rules.where("grade", "=", 1),
        rates={"M": {"P3": 10_000, "P2": 10_000}},
    ),
    unit="fen",
    caps=[
        {
            "cap": "quota",
            "per": ["person", "category"],
            "counts": "pieces",
            "period": "lifetime",
            "limit": 1,
            "partial": False,
        }
    ],
)


def test_p1_a_second_fridge_is_refused_and_free_again_after_a_full_return(engine_db: Database) -> None:
    city = open_city(engine_db, NATIONAL_2024)
    till = city.till()
    fridge = read(FRIDGE, price_fen=899_900)

    first, second, third = (till.basket(fridge, resident=LI) for _ in range(3))
    city.record(first)
    city.record(second)
    bring_back(engine_db, (first.basket.basket, 0, 1))
    city.record(third)

    assert books.decided(engine_db, NANJING) == [
        ("awarded", "awarded", 179_980),
        ("none", "cap", 0),
        ("awarded", "awarded", 179_980),
    ]
    assert books.wallet(engine_db, NANJING, LI, "fen") == 179_980
    assert_verified(engine_db, NANJING)
