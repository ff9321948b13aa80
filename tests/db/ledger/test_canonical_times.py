"""P8 and P10 of the product's canonical policies from sale to end, on a real database, to the point and the second."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from backend.ledger import chart
from backend.storage.transaction import Database
from backend.usecases.collect_awards import CollectAwards, Collected
from backend.usecases.settle_due import Settled, settle_due
from backend.usecases.spend_points import TooLittleAvailable
from tests.architecture.project import ROOT
from tests.db.ledger.walk import LI, assert_sound, held, never
from tests.worlds import books
from tests.worlds.city import FRIDGE, NANJING, RICE, City, open_city, read
from tests.worlds.redeeming import open_counter

CANONICAL = Path(ROOT) / "tests/pure/policies/canonical"
SOLD = datetime(2026, 3, 1, 15, 59, 59, tzinfo=UTC)
"""The last second of 1 March in Nanjing."""
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


def canonical(name: str) -> dict[str, object]:
    found: dict[str, object] = json.loads((CANONICAL / f"{name}.json").read_text())
    return found


def sell(city: City, code: str, price_fen: int, sold_at: datetime, number: int) -> None:
    basket = city.till(number).basket(read(code, price_fen=price_fen), resident=LI, sold_at=sold_at)
    city.record(basket, now=sold_at)


def settle(city: City, now: datetime) -> Settled:
    return settle_due(city.database, NANJING, now, never)


def spend(city: City, amount: int, now: datetime, reference: int = 1) -> None:
    open_counter(city.database).redeem(LI, amount, reference, now)


def test_p8_waits_seven_days_and_ends_with_the_twelfth_month(engine_db: Database) -> None:
    """71 points for 35.99 yuan on 1 March, 60 for 30.00 a second later: two days of sale, one end."""
    doc = canonical("p08-organic-points")
    doc["rules"][0]["when"][0]["fact"] = "certificate_scheme"  # type: ignore[index]  # a label of any kind here
    doc["rules"][0]["rates"] = {"M": {"P3": 10_000}}  # type: ignore[index]
    city = open_city(engine_db, doc)
    sell(city, RICE, 3_599, SOLD, 1)
    sell(city, RICE, 3_000, SOLD + SECOND, 2)
    lot, ninth = f"resident:{LI}:e20270331:points", datetime(2026, 3, 8, 16, 0, tzinfo=UTC)

    assert held(city) == {
        f"pending:{LI}:2026030900:e20270331:points": 71,
        f"pending:{LI}:2026031000:e20270331:points": 60,
    }
    assert settle(city, ninth - SECOND) == Settled()
    with pytest.raises(TooLittleAvailable):
        spend(city, 1, ninth - SECOND)
    assert settle(city, ninth) == Settled(accounts=1, released=1)
    assert settle(city, ninth + DAY) == Settled(accounts=1, released=1)
    spend(city, 100, ninth + DAY)
    assert held(city) == {lot: 31}

    april = datetime(2027, 3, 31, 16, 0, tzinfo=UTC)
    assert settle(city, april - SECOND) == Settled()
    spend(city, 1, april - SECOND, reference=2)
    assert settle(city, april) == Settled(accounts=1, expired=1)
    assert books.balance(city.database, NANJING, chart.expired("points")) == 30
    assert books.balance(city.database, NANJING, chart.redeemed("points")) == 101
    assert_sound(city)


def test_p10_lapses_after_72_hours_the_reverse_of_a_release(engine_db: Database) -> None:
    """5 g an act; what is collected stays, what is not goes back to the budget and not to the resident."""
    city = open_city(engine_db, canonical("p10-carbon-act"))
    full = SOLD + SECOND  # 00:00 of 2 March: a full hour is not rounded up
    sell(city, FRIDGE, 100, full, 1)
    sell(city, FRIDGE, 100, full + SECOND, 2)
    first, second = full + timedelta(hours=72), full + timedelta(hours=73)

    assert held(city) == {
        f"collect:{LI}:carbon-act:2026030500:-:gco2e": 5,
        f"collect:{LI}:carbon-act:2026030501:-:gco2e": 5,
    }
    assert settle(city, first - SECOND) == Settled()
    assert settle(city, first) == Settled(accounts=1, lapsed=1)
    assert CollectAwards(city.database).collect(NANJING, LI, second - SECOND) == [Collected("gco2e", 5, 0)]
    assert settle(city, second) == Settled(accounts=1)
    assert held(city) == {chart.wallet(LI, "gco2e"): 5}
    assert books.budget_left(city.database, NANJING, "carbon-act", "gco2e") == 10_000_000_000 - 5
    assert_sound(city)
