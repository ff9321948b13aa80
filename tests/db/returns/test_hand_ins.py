"""An old unit that comes after the sale: what it adds, what is refused, and that it goes back with the goods."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import pytest

from backend.certificates.cache import RegistryCache
from backend.kernel.errors import DomainError
from backend.ledger import chart
from backend.policies.store import PolicyCache
from backend.storage.transaction import Database
from backend.usecases.hand_in_unit import AskedHandIn, HandedIn, HandInUnit
from tests.worlds import books, rules
from tests.worlds.city import FRIDGE, NANJING, NOON, City, open_city, read, resident, unit_label
from tests.worlds.later import assert_verified
from tests.worlds.returning import bring_back, voider

LI, WANG = resident(1), resident(2)
OLD, OLDER = "cc" * 16, "dd" * 16
SOLD_ON = date(2026, 11, 22)
DAY = timedelta(days=1)


def bonus() -> rules.Doc:
    """Two hundred points for an old unit within thirty days of the sale; each old unit once in the city."""
    rule = rules.rule(
        "old", rules.fixed(200), rules.where("trade_in_days", ">=", -30), rules.where("trade_in_days", "<=", 30)
    )
    once = {
        "cap": "old-unit",
        "per": "trade_in",
        "period": "lifetime",
        "limit": 1,
        "counts": "awards",
        "partial": False,
        "citywide": True,
    }
    doc = rules.document(rule, policy="bonus", caps=[rules.cap("life", "lifetime", 10**6), once])
    return {
        **doc,
        "scope": {"channels": ["till", "hand_in"]},
        "stacking": {"group": "old", "mode": "first"},
        "returns": {"days": 60},
    }


@pytest.fixture
def city(engine_db: Database) -> City:
    """Ten points for any label, and the bonus."""
    city = open_city(engine_db)
    city.publish(bonus())
    return city


def sell(city: City, *reads: dict[str, Any], person: str | None = LI) -> str:
    city.codes_issued += 1
    arrival = city.till(city.codes_issued).basket(*(reads or [read(FRIDGE)]), resident=person)
    city.record(arrival)
    return arrival.basket.basket


def shop_system(database: Database) -> HandInUnit:
    return HandInUnit(database, RegistryCache(), PolicyCache(chart.budget))


def asked(sold: str, days: int = 10, **changes: object) -> AskedHandIn:
    usual = AskedHandIn(NANJING, "s1", "H1", "a shop", "c07", sold, 0, OLD, 9, SOLD_ON + days * DAY)
    return usual._replace(**changes)  # type: ignore[arg-type]  # the test's own


def hand_in(city: City, sold: str, days: int = 10, **changes: object) -> HandedIn:
    return shop_system(city.database).hand_in(asked(sold, days, **changes), NOON + 40 * DAY)


def wallet(city: City, person: str = LI) -> int:
    return books.wallet(city.database, NANJING, person)


@pytest.mark.parametrize(
    ("days", "reason", "points"), [(0, "awarded", 210), (30, "awarded", 210), (31, "condition", 10)]
)
def test_an_old_unit_after_the_sale_adds_what_it_earns_and_nothing_twice(
    city: City, days: int, reason: str, points: int
) -> None:
    handed_in = hand_in(city, sell(city), days)

    assert (handed_in.new, handed_in.scan.decision.reason) == (True, reason)
    assert wallet(city) == points
    assert_verified(city.database, NANJING)


def test_the_same_number_answers_the_same_and_stands_for_nothing_else(city: City) -> None:
    sold = sell(city)
    first = hand_in(city, sold)

    again = hand_in(city, sold, caller="another token")

    assert (again.new, again.row, again.scan) == (False, first.row, first.scan)
    with pytest.raises(DomainError, match="hand-in-conflict"):
        hand_in(city, sold, days=11)
    assert wallet(city) == 210


@pytest.mark.parametrize(
    ("refused", "changes"),
    [
        ("hand-in-sale-unknown", {"basket": resident(77)}),
        ("hand-in-sale-unknown", {"line_no": 5}),
        ("hand-in-sale-unknown", {"store": "s2"}),
        ("hand-in-ahead", {"handed_in_on": SOLD_ON + 41 * DAY}),
    ],
)
def test_what_does_not_belong_to_the_sale_is_refused(city: City, refused: str, changes: dict[str, object]) -> None:
    sold = sell(city)

    with pytest.raises(DomainError, match=refused):
        hand_in(city, sold, **changes)

    assert books.count(city.database, "hand_ins", NANJING) == 0
    assert wallet(city) == 10


def test_a_sale_has_one_old_unit_and_only_while_its_goods_are_kept(city: City) -> None:
    told = sell(city, read(FRIDGE, evidence={"trade_in": OLDER}))
    nobodys, sold = sell(city, person=None), sell(city)
    returned = sell(city)
    bring_back(city.database, (returned, 0, 1))
    hand_in(city, sold)

    for basket, refused in (
        (told, "hand-in-repeated"),
        (nobodys, "hand-in-undecided"),
        (returned, "hand-in-returned"),
        (sold, "hand-in-repeated"),
    ):
        with pytest.raises(DomainError, match=refused):
            hand_in(city, basket, number="H2", serial_sha256="ee" * 16)
    assert_verified(city.database, NANJING)


def test_an_old_unit_serves_once_at_the_till_and_after_the_sale(city: City) -> None:
    sell(city, read(FRIDGE, evidence={"trade_in": OLD, "trade_in_on": "2026-10-23"}))
    assert wallet(city) == 210

    later = hand_in(city, sell(city, person=WANG))

    assert (later.scan.decision.reason, later.scan.decision.limit_name) == ("cap", "old-unit")
    assert wallet(city, WANG) == 10
    assert_verified(city.database, NANJING)


def test_a_day_that_a_till_only_promises_is_no_hand_in(city: City) -> None:
    sell(city, read(FRIDGE, evidence={"trade_in": OLD, "trade_in_on": "2026-11-23"}))

    assert wallet(city) == 10
    assert_verified(city.database, NANJING)


def test_a_label_of_one_piece_that_has_earned_may_still_get_its_old_unit(city: City) -> None:
    hand_in(city, sell(city, read(unit_label("S1"))))

    assert wallet(city) == 210
    assert_verified(city.database, NANJING)


def test_the_bonus_comes_back_with_the_goods_in_proportion(city: City) -> None:
    sold = sell(city, read(FRIDGE, qty=2))
    hand_in(city, sold)

    half = bring_back(city.database, (sold, 0, 1), at=NOON + 20 * DAY).answer
    assert [line.said.zh for line in half.lines] == ["已退 1 件：从账户扣回 5 分。", "已退 1 件：从账户扣回 100 分。"]
    assert wallet(city) == 105
    bring_back(city.database, (sold, 0, 1), number="R2", at=NOON + 20 * DAY)

    assert wallet(city) == 0
    hand_in(city, sell(city, person=WANG), number="H2")
    assert wallet(city, WANG) == 210
    assert_verified(city.database, NANJING)


def test_a_sale_that_is_voided_takes_its_old_unit_back(city: City) -> None:
    till = city.till(50)
    sale = till.basket(read(FRIDGE), resident=LI)
    city.record(sale)
    hand_in(city, sale.basket.basket)

    city.record(till.basket(void_of=sale.basket.seq, sold_at=NOON + DAY), now=NOON + DAY)
    voider(city.database).work(NANJING, NOON + 40 * DAY)

    assert wallet(city) == 0
    assert_verified(city.database, NANJING)


def at_once(works: list[Callable[[], HandedIn]]) -> Counter[str]:
    def run(work: Callable[[], HandedIn]) -> str:
        try:
            return work().scan.decision.reason
        except DomainError as refused:
            return refused.code

    with ThreadPoolExecutor(len(works)) as threads:
        return Counter(threads.map(run, works))


def test_of_many_that_hand_in_one_old_unit_one_gets_the_bonus(city: City) -> None:
    sold = [sell(city, person=resident(n)) for n in range(10)]
    system = shop_system(city.database)

    for_many = at_once(
        [lambda n=n: system.hand_in(asked(sold[n], number=f"H{n}"), NOON + 40 * DAY) for n in range(10)]  # type: ignore[misc]  # n is bound
    )
    for_one = at_once(
        [
            lambda n=n: system.hand_in(asked(sold[0], number=f"X{n}", serial_sha256=f"{n:032x}"), NOON + 40 * DAY)  # type: ignore[misc]  # n is bound
            for n in range(10)
        ]
    )

    assert for_many == {"awarded": 1, "cap": 9}
    assert for_one == {"hand-in-repeated": 10}
    assert_verified(city.database, NANJING)
