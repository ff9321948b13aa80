"""Watches on a real database: what they compare with is learned, stored with the decision, and replays as it was."""

from datetime import timedelta
from typing import Any

import psycopg
import pytest

from backend.certificates.cache import RegistryCache
from backend.ledger import chart
from backend.policies.store import PolicyCache
from backend.retailers.store import Store, StorePlace, place_store
from backend.scans.holds.rulings import Said
from backend.scans.past_sales import Window
from backend.storage.transaction import Database, observed
from backend.usecases import preview_policy as previews
from backend.usecases.learn_prices import learn_prices
from backend.usecases.open_store import open_store
from backend.usecases.record_baskets import Arrival
from backend.usecases.rule_on_hold import Place, RuleOnHold
from backend.usecases.verify_ledger import verify_ledger
from tests.db.operator.typed import Run
from tests.worlds import books, rules
from tests.worlds.city import FRIDGE, NANJING, NOON, WASHER, City, open_city, read, resident
from tests.worlds.later import assert_verified
from tests.worlds.quotes import open_desk
from tests.worlds.returning import asked, shop_system

LI, WANG = resident(1), resident(2)
DEAR = {"watch": "dear", "of": "price", "above_bp": 13_000, "below_bp": 5_000}
FAR = {"watch": "far", "of": "travel", "kmh": 150}
LAST_WEEK = NOON - timedelta(days=8)
NEAR, APART = timedelta(minutes=19), timedelta(minutes=59)


def watching() -> dict[str, Any]:
    return {**rules.document(), "watches": [DEAR, FAR]}


@pytest.fixture
def city(engine_db: Database) -> City:
    """Whose policy watches; two shops 80 km apart, and one whose place nobody knows."""
    city = open_city(engine_db, watching())
    open_desk(city)
    for store in ("s2", "s3"):
        shop = Store(NANJING, store, "示例超市", f"{store} 店", "320102")
        engine_db.write(lambda connection, shop=shop: open_store(connection, shop, NOON))
    for store, latitude_e6, longitude_e6 in (("s1", 32_041_000, 118_784_000), ("s2", 31_327_000, 118_892_000)):
        at = StorePlace(NOON, latitude_e6, longitude_e6, "Li")
        engine_db.write(lambda connection, store=store, at=at: place_store(connection, NANJING, store, at))
    return city


def usual_prices(city: City, sales: int = 20) -> None:
    """Fridges of last week in the shops of three retailers, ¥98.20 to ¥101.80: the median of each is ¥100. Two in one line
    count by the piece.
    """
    usual = [(9_820, 1), (10_180, 1), (20_000, 2), *[(10_000, 1)] * sales]
    for place in range(3):
        shop_of(city, f"m{place}")
        sold = usual[: (sales + place) // 3]
        at_shop(city, f"m{place}", [read(FRIDGE, price_fen=price, qty=pieces) for price, pieces in sold])


def shop_of(city: City, store: str) -> None:
    """A shop that is its retailer's only one."""
    shop = Store(NANJING, store, f"{store} 公司", f"{store} 店", "320102")
    city.database.write(lambda connection: open_store(connection, shop, NOON))


def at_shop(city: City, store: str, reads: list[dict[str, Any]], **more: Any) -> str:
    """The id of a basket of last week, of nobody unless `more` says so."""
    city.codes_issued += 1
    arrival = at_store(city.till(1_000 + city.codes_issued).basket(*reads, sold_at=LAST_WEEK, **more), store)
    city.record(arrival, now=LAST_WEEK)
    return arrival.basket.basket


def medians(city: City) -> list[tuple[Any, ...]]:
    return books.rows(city.database, "SELECT label_key, week::text, median_fen, sales FROM price_medians ORDER BY 2")


def decisions(city: City, names: str) -> list[tuple[object, ...]]:
    return books.columns(city.database, NANJING, names)


def test_a_price_far_from_the_usual_one_is_held_and_replays(city: City) -> None:
    usual_prices(city)
    assert learn_prices(city.database, NANJING, NOON) == 1
    till = city.till()

    for price, pieces in ((13_000, 1), (13_001, 1), (5_000, 1), (9_998, 2)):
        city.record(till.basket(read(FRIDGE, price_fen=price, qty=pieces), resident=LI))
    city.record(till.basket(read(WASHER, price_fen=1), resident=LI))

    found = decisions(city, "d.price_fen, d.outcome, d.limit_name, d.median_fen")
    assert sorted(row for row in found if row[1] != "unclaimed") == [
        (1, "awarded", None, None),
        (5_000, "awarded", None, 10_000),
        (9_998, "held", "dear", 10_000),
        (13_000, "awarded", None, 10_000),
        (13_001, "held", "dear", 10_000),
    ]
    assert_verified(city.database, NANJING)


def test_a_week_is_reckoned_once_whatever_comes_of_it(city: City) -> None:
    usual_prices(city, sales=19)
    assert learn_prices(city.database, NANJING, NOON) == 0
    usual_prices(city, sales=10)
    seen: list[str] = []
    with observed(seen.append):
        assert learn_prices(city.database, NANJING, NOON) == 0
    assert not any("percentile_disc" in statement for statement in seen)

    monday = NOON + timedelta(days=1)
    assert learn_prices(city.database, NANJING, monday) == 1
    first = medians(city)
    usual_prices(city, sales=30)

    assert learn_prices(city.database, NANJING, monday) == 0
    assert medians(city) == first == [(f"gtin:0{FRIDGE}", "2026-11-23", 10_000, 29)]


def test_a_retailer_does_not_shape_the_price_that_it_is_compared_with(city: City) -> None:
    """A hundred sales to nobody at three times the price are one voice of four; without others they are none."""
    usual_prices(city)
    shop_of(city, "sly")
    for _ in range(2):
        at_shop(city, "sly", [read(code, price_fen=30_000) for code in (FRIDGE, WASHER) for _ in range(25)])

    assert learn_prices(city.database, NANJING, NOON) == 1

    assert medians(city) == [(f"gtin:0{FRIDGE}", "2026-11-16", 10_000, 70)]


def test_where_few_sell_it_known_residents_say_what_goods_cost_each_once(city: City) -> None:
    for number in range(19):
        at_shop(city, "s1", [read(FRIDGE, price_fen=10_000 + number)], resident=resident(number))
    at_shop(city, "s1", [read(FRIDGE, price_fen=30_000, qty=1)] * 40, resident=resident(18))
    assert learn_prices(city.database, NANJING, NOON) == 0

    at_shop(city, "s1", [read(FRIDGE, price_fen=30_000)] * 40, resident=resident(19))

    assert learn_prices(city.database, NANJING, NOON + timedelta(days=1)) == 1
    assert medians(city)[0][2] == 10_009


def test_what_came_back_was_not_sold_at_its_price(city: City) -> None:
    usual_prices(city, sales=19)
    till = city.till(9)
    voided, returned = (
        at_store(till.basket(read(FRIDGE, price_fen=30_000), sold_at=LAST_WEEK), "m0") for _ in range(2)
    )
    voiding = till.basket(sold_at=LAST_WEEK, void_of=voided.basket.seq)
    city.record(voided, returned, voiding, now=LAST_WEEK)
    place = (returned.basket.basket, 0, 1)
    shop_system(city.database).give_back(asked(place, store="m0", at=LAST_WEEK + NEAR), LAST_WEEK + NEAR)

    assert learn_prices(city.database, NANJING, NOON) == 0


def test_what_was_held_is_released_and_replays_as_released(city: City) -> None:
    usual_prices(city)
    learn_prices(city.database, NANJING, NOON)
    city.record(arrival := city.till().basket(read(FRIDGE, price_fen=99_000), resident=LI))
    ruling = RuleOnHold(city.database, RegistryCache(), PolicyCache(chart.budget))

    decision = ruling.release(NANJING, Place(arrival.basket.basket, 0), Said("王处长", "发票齐全"), NOON)

    assert (decision.decision_no, decision.outcome, decision.award, decision.median_fen) == (2, "awarded", 10, 10_000)
    assert_verified(city.database, NANJING)


@pytest.mark.parametrize(
    ("planted", "found"),
    [
        ("median_fen = 1", ["replayed", "never reckoned"]),
        ("median_fen = 9999", ["never reckoned"]),
        ("travel_kmh = 151", ["replayed"]),
    ],
)
def test_a_changed_fact_of_a_watch_is_a_break(city: City, database_url: str, planted: str, found: list[str]) -> None:
    usual_prices(city)
    learn_prices(city.database, NANJING, NOON)
    city.record(city.till().basket(read(FRIDGE), resident=LI))
    with psycopg.connect(database_url) as owner:
        owner.execute(f"UPDATE decisions SET {planted} WHERE award > 0")  # type: ignore[call-overload]  # ours

    findings = [one for verified in verify_ledger(city.database, NANJING) for one in verified.findings if one.broken]

    assert len(findings) == len(found)
    assert all(said in one.breaks[0].found for said, one in zip(found, findings, strict=True))


def at_store(arrival: Arrival, store: str) -> Arrival:
    arrival.basket.store = store
    return arrival


@pytest.mark.parametrize("together", [False, True], ids=["one by one", "in one batch"])
@pytest.mark.parametrize(
    ("store", "later", "person", "outcome"),
    [
        ("s2", NEAR, LI, "held"),
        ("s2", APART, LI, "awarded"),
        ("s2", NEAR, WANG, "awarded"),
        ("s3", NEAR, LI, "awarded"),
        ("s1", NEAR, LI, "awarded"),
    ],
)
def test_one_person_in_two_places_is_held(
    city: City, store: str, later: timedelta, person: str, outcome: str, *, together: bool
) -> None:
    first = city.till(1).basket(read(FRIDGE), resident=LI)
    second = at_store(city.till(2).basket(read(FRIDGE), resident=person, sold_at=NOON + later), store)

    if together:
        city.record(second, first, now=NOON + later)
    else:
        city.record(first)
        city.record(second, now=NOON + later)

    found = dict(decisions(city, "b.device, d.outcome"))  # type: ignore[arg-type]  # pairs
    assert found == {f"till-{NANJING}-1": "awarded", f"till-{NANJING}-2": outcome}
    assert_verified(city.database, NANJING)


def test_an_earlier_sale_that_arrives_late_is_held_against_the_later_one(city: City) -> None:
    city.record(at_store(city.till(2).basket(read(FRIDGE), resident=LI, sold_at=NOON + NEAR), "s2"), now=NOON + NEAR)
    late = city.till(1).basket(read(FRIDGE), resident=LI, received_at=NOON + timedelta(days=1))

    city.record(late, now=NOON + timedelta(days=1))

    assert min(decisions(city, "b.device, d.outcome, d.travel_kmh"))[1:] == ("held", 240)
    assert_verified(city.database, NANJING)


def test_a_trifle_bought_next_door_does_not_hide_where_a_person_was(city: City) -> None:
    city.database.write(
        lambda connection: place_store(connection, NANJING, "s3", StorePlace(NOON, 31_327_500, 118_892_500, "Li"))
    )
    city.record(city.till(1).basket(read(FRIDGE), resident=LI))
    just_before = NOON + NEAR - timedelta(minutes=1)

    for till, store, moment in ((2, "s3", just_before), (3, "s2", NOON + NEAR)):
        city.record(at_store(city.till(till).basket(read(FRIDGE), resident=LI, sold_at=moment), store), now=moment)

    assert sorted(decisions(city, "b.store, d.outcome")) == [("s1", "awarded"), ("s2", "held"), ("s3", "held")]
    assert_verified(city.database, NANJING)


def test_a_quote_is_held_as_its_sale_would_be(city: City) -> None:
    usual_prices(city)
    learn_prices(city.database, NANJING, NOON)
    desk = open_desk(city)

    quote = desk.hold(read(FRIDGE, price_fen=99_000), read(FRIDGE), person=LI)
    desk.capture(quote)

    found = decisions(city, "d.line_no, d.outcome, d.award, d.median_fen")
    assert [row for row in found if row[1] != "unclaimed"] == [(0, "held", 0, 10_000), (1, "awarded", 10, 10_000)]
    assert_verified(city.database, NANJING)


def test_a_person_whose_basket_is_held_elsewhere_is_seen(city: City) -> None:
    """A quote that is held says as much of where somebody stood as a sale does, before and after."""
    desk = open_desk(city)
    first = desk.hold(read(FRIDGE), person=LI, now=NOON + NEAR)
    for number, sold_at in ((2, NOON), (3, NOON + 2 * NEAR)):
        late = at_store(city.till(number).basket(read(FRIDGE), resident=LI, sold_at=sold_at), "s2")
        city.record(late, now=NOON + 2 * NEAR)

    assert sorted(decisions(city, "b.device, d.outcome, d.travel_kmh"))[-2:] == [
        (f"till-{NANJING}-2", "held", 240),
        (f"till-{NANJING}-3", "held", 240),
    ]
    desk.void(first)
    city.record(
        at_store(city.till(4).basket(read(FRIDGE), resident=LI, sold_at=NOON + 3 * NEAR), "s2"), now=NOON + 3 * NEAR
    )
    assert max(decisions(city, "b.device, d.outcome"))[1] == "awarded"
    assert_verified(city.database, NANJING)


def test_a_batch_costs_the_same_statements_whatever_it_holds(city: City) -> None:
    city.record(city.till().basket(read(FRIDGE), resident=LI))  # fills the caches
    costs = []
    for number, scans in enumerate((1, 20, 200)):
        till = city.till(10 + number)
        batch = [till.basket(read(FRIDGE), resident=resident(1_000 * number + place)) for place in range(scans)]
        seen: list[str] = []
        with observed(seen.append):
            city.record(*batch)
        costs.append(len(seen))

    assert costs[1:] == costs[:-1]


def test_a_preview_shows_what_a_new_watch_would_have_held(engine_db: Database, database_url: str) -> None:
    """Nobody looked prices up when these were sold: the preview does."""
    city = open_city(engine_db)
    usual_prices(city)
    learn_prices(engine_db, NANJING, NOON)
    till = city.till()
    city.record(*(till.basket(read(FRIDGE, price_fen=price), resident=LI) for price in (10_000, 13_001, 90_000)))
    window = Window(NANJING, NOON - timedelta(days=30), NOON + timedelta(days=1), NOON + timedelta(days=1))

    found = previews.preview_policy(
        previews.Place(database_url, "greenpoints_auditor"), window, rules.text_of(watching()), parts=1
    )

    assert found.said["held"] == [0, 2]
    assert found.said["cost"] == {"points": [30, 10]}


def test_an_official_sees_what_a_watch_compared(city: City, run: Run) -> None:
    usual_prices(city)
    learn_prices(city.database, NANJING, NOON)
    city.record(city.till().basket(read(FRIDGE, price_fen=99_000), resident=LI))
    city.record(at_store(city.till(2).basket(read(FRIDGE), resident=LI, sold_at=NOON + NEAR), "s2"), now=NOON + NEAR)

    listed = run("holds", "list", "--city", NANJING).stdout

    assert "触发核查（dear），应得 10 分" in listed
    assert "单价 990.00 元，常见 100.00 元" in listed
    assert "自另一门店赶到须时速 240 公里" in listed


def test_a_label_of_one_piece_is_held_to_the_usual_price_of_its_model(city: City) -> None:
    """A shop that could print any serial would else never be compared: each piece is sold but once."""

    def piece(number: int) -> str:
        return f"https://id.gs1.org/01/0{FRIDGE}/21/P{number}"

    for place in range(3):
        shop_of(city, f"m{place}")
        at_shop(city, f"m{place}", [read(piece(10 * place + number), price_fen=10_000) for number in range(7)])
    assert learn_prices(city.database, NANJING, NOON) == 1

    city.record(city.till().basket(read(piece(99), price_fen=13_001), resident=LI))
    city.record(city.till(2).basket(read(FRIDGE, price_fen=13_001), resident=WANG))

    found = decisions(city, "d.outcome, d.limit_name, d.median_fen")
    assert [row for row in found if row[0] != "unclaimed"] == [("held", "dear", 10_000)] * 2
    assert_verified(city.database, NANJING)
