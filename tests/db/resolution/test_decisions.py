"""Decision 2 of a scan whose product was unknown: what it looks at, and what it leaves as it was."""

import random
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from backend.scans.model import Channel
from backend.scans.sale_time import Clock
from backend.storage.transaction import Database
from backend.usecases.record_baskets import Arrival
from backend.usecases.resolve_products import Resolved
from backend.usecases.verify_ledger import verify_ledger
from tests.worlds import books, rules
from tests.worlds.city import (
    FRIDGE,
    NANJING,
    NOON,
    SUZHOU,
    UNCERTIFIED,
    WASHER,
    City,
    Till,
    gtin,
    open_city,
    read,
    register,
    resident,
    unit_label,
)
from tests.worlds.later import LATER, assert_sound, open_codes, resolve

LI, WANG = resident(1), resident(2)
PENDING = ("pending_product", "product_unknown", 0)
GS = "\x1d"


@pytest.fixture
def city(usual_city: City) -> City:
    return usual_city


def test_every_scan_of_a_code_earns_once_the_registry_knows_it(city: City) -> None:
    till = city.till()
    city.record(till.basket(read(UNCERTIFIED), read(FRIDGE), read(UNCERTIFIED), resident=LI))
    city.record(till.basket(read(UNCERTIFIED), resident=WANG))
    register(city.database, {"code": UNCERTIFIED, "grade": "1"})

    resolved = resolve(city)

    assert resolved == Resolved(codes=1, scans=3, awarded=3)
    assert books.wallets(city.database, NANJING) == {f"resident:{LI}:points": 30, f"resident:{WANG}:points": 10}
    assert books.columns(city.database, NANJING, "d.line_no, d.decision_no, d.outcome")[:5] == [
        (0, 1, "pending_product"),
        (0, 2, "awarded"),
        (1, 1, "awarded"),
        (2, 1, "pending_product"),
        (2, 2, "awarded"),
    ]
    assert open_codes(city.database, NANJING) == []
    assert_sound(city.database, NANJING)


def test_a_second_pass_changes_nothing(city: City) -> None:
    city.record(city.till().basket(read(UNCERTIFIED), resident=LI))
    register(city.database, {"code": UNCERTIFIED, "grade": "1"})
    resolve(city)

    assert resolve(city) == Resolved()
    assert books.count(city.database, "decisions", NANJING) == 2


def test_what_the_registry_does_not_know_waits_on(city: City) -> None:
    other = gtin(77)
    city.record(city.till().basket(read(UNCERTIFIED), read(other), resident=LI))
    register(city.database, {"code": other, "grade": "1"})

    assert resolve(city) == Resolved(codes=1, scans=1, awarded=1)
    assert open_codes(city.database, NANJING) == [f"gtin:0{UNCERTIFIED}"]
    assert_sound(city.database, NANJING)


def test_each_sale_is_decided_by_the_policy_of_its_moment(city: City) -> None:
    city.publish(
        rules.document(rules.rule("three", rules.fixed(3)), starts="2026-11-21T00:00:00+08:00"),
    )
    before = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
    till = city.till()
    city.record(
        till.basket(read(UNCERTIFIED), resident=LI, sold_at=before), till.basket(read(UNCERTIFIED), resident=LI)
    )
    register(city.database, {"code": UNCERTIFIED, "grade": "1"})

    resolve(city)

    assert [scan.award for scan in books.decided(city.database, NANJING)] == [0, 10, 0, 3]
    assert_sound(city.database, NANJING)


def test_a_certificate_is_taken_as_it_stood_at_the_sale(city: City) -> None:
    till = city.till()
    codes = [gtin(number) for number in range(60, 64)]
    city.record(till.basket(*map(read, codes), resident=LI))
    register(
        city.database,
        {"code": codes[0], "grade": "1", "valid_until": "2026-11-21"},
        {"code": codes[1], "grade": "1", "valid_from": "2026-11-23"},
        {"code": codes[2], "grade": "1", "state": "暂停", "state_from": "2026-11-01"},
        {"code": codes[3], "grade": "1", "state": "暂停", "state_from": "2026-11-23"},
        now=LATER,
    )

    resolve(city)

    reasons = [scan.reason for scan in books.decided(city.database, NANJING)]
    assert reasons[1::2] == ["certificate_expired", "certificate_not_yet_valid", "certificate_suspended", "awarded"]
    assert open_codes(city.database, NANJING) == []
    assert_sound(city.database, NANJING)


def test_a_known_product_that_no_rule_rewards_gets_its_refusal(engine_db: Database) -> None:
    best_only = rules.rule("best", rules.fixed(10), rules.where("grade", "<=", 1))
    city = open_city(engine_db, rules.document(best_only))
    city.record(city.till().basket(read(UNCERTIFIED), resident=LI))
    register(engine_db, {"code": UNCERTIFIED, "grade": "3"})

    assert resolve(city) == Resolved(codes=1, scans=1, awarded=0)

    assert books.decided(engine_db, NANJING) == [PENDING, ("none", "condition", 0)]
    assert_sound(engine_db, NANJING)


def test_baskets_of_nobody_and_baskets_held_stay_so(city: City) -> None:
    wrong = city.till(2)
    wrong.clock = wrong.clock._replace(source="none", boot="b9")
    city.record(
        city.till().basket(read(UNCERTIFIED)),
        wrong.basket(read(UNCERTIFIED), resident=LI),
        city.till(3).basket(read(UNCERTIFIED), claim_sha256="ab" * 32),
        city.till(4).basket(read(UNCERTIFIED), resident=LI, received_at=NOON + timedelta(days=31)),
    )
    register(city.database, {"code": UNCERTIFIED, "grade": "1"})

    resolve(city)

    assert books.decided(city.database, NANJING)[1::2] == [
        ("unclaimed", "no_member", 0),
        ("held", "clock_uncertain", 0),
        ("unclaimed", "claim_open", 0),
        ("held", "clock_uncertain", 0),
    ]
    assert_sound(city.database, NANJING)


def test_the_last_of_a_cap_goes_to_the_earliest_sale(engine_db: Database) -> None:
    city = open_city(engine_db, rules.document(caps=[rules.cap("day", "day", 25)]))
    tills = [city.till(number) for number in range(1, 5)]
    for hours, till in zip((3, 1, 2, 0), tills, strict=True):
        city.record(till.basket(read(UNCERTIFIED), resident=LI, sold_at=NOON + timedelta(hours=hours)))
    register(engine_db, {"code": UNCERTIFIED, "grade": "1"})

    resolve(city)

    assert [scan.award for scan in books.decided(engine_db, NANJING)][1::2] == [0, 10, 5, 10]
    assert_sound(engine_db, NANJING)


def test_the_cap_is_that_of_the_day_of_sale_as_it_stands(engine_db: Database) -> None:
    city = open_city(engine_db, rules.document(caps=[rules.cap("day", "day", 15)]))
    till = city.till()
    city.record(till.basket(read(UNCERTIFIED), read(FRIDGE), resident=LI))
    city.record(till.basket(read(FRIDGE), resident=LI, sold_at=LATER), now=LATER)
    register(engine_db, {"code": UNCERTIFIED, "grade": "1"}, now=LATER)

    resolve(city)

    assert books.decided(engine_db, NANJING)[1] == ("awarded", "awarded_in_part", 5)
    used = books.rows(engine_db, "SELECT period, used FROM cap_counters WHERE city = :c ORDER BY period", c=NANJING)
    assert used == [("2026-11-22", 15), ("2026-11-25", 10)]
    assert_sound(engine_db, NANJING)


def test_the_budget_is_todays(engine_db: Database) -> None:
    city = open_city(engine_db, rules.document(budget=25))
    till = city.till()
    city.record(till.basket(read(UNCERTIFIED), read(UNCERTIFIED), resident=LI))
    city.record(till.basket(read(FRIDGE), resident=WANG))
    register(engine_db, {"code": UNCERTIFIED, "grade": "1"})

    resolve(city)

    assert books.decided(engine_db, NANJING)[1:4:2] == [("awarded", "awarded", 10), ("awarded", "awarded_in_part", 5)]
    assert books.budget_left(engine_db, NANJING) == 0
    assert_sound(engine_db, NANJING)


def test_a_label_of_one_piece_that_waited_in_two_cities_earns_in_one(engine_db: Database) -> None:
    nanjing, suzhou = open_city(engine_db), open_city(engine_db, code=SUZHOU)
    label = read(unit_label("A1", UNCERTIFIED))
    nanjing.record(nanjing.till().basket(label, label, resident=LI))
    suzhou.record(suzhou.till().basket(label, resident=WANG))
    register(engine_db, {"code": UNCERTIFIED, "grade": "1"})

    resolve(nanjing)
    resolve(suzhou)

    assert books.decided(engine_db, NANJING)[1::2] == [("awarded", "awarded", 10), ("none", "unit_already_awarded", 0)]
    assert books.decided(engine_db, SUZHOU) == [PENDING, ("none", "unit_already_awarded", 0)]
    assert books.rows(engine_db, "SELECT line_no FROM unit_claims") == [(0,)]
    assert_sound(engine_db, NANJING)
    assert_sound(engine_db, SUZHOU)


@pytest.mark.parametrize("aim", ["]C1", None])
@pytest.mark.parametrize("beside", [FRIDGE, "32010219900101123X"])
def test_a_piece_is_known_again_by_the_content_of_its_label_alone(city: City, aim: str | None, beside: str) -> None:
    """Whether its reader vouched for GS1 or not; also where the basket's line was not kept for somebody's id in it."""
    label = f"010{UNCERTIFIED}21S1{GS}10LOT" if aim is None else f"010{UNCERTIFIED}21S1"
    city.record(city.till().basket(read(label, sym="CODE128", aim=aim), read(beside), resident=LI))
    register(city.database, {"code": UNCERTIFIED, "grade": "1"})

    resolve(city)

    facts = books.columns(city.database, NANJING, "d.label_key, d.level, d.award, d.code, d.code_text")
    key = f"sgtin:(01)0{UNCERTIFIED}(21)S1"
    assert [row[:3] for row in facts[:2]] == [(key, "U", 0), (key, "M", 10)]
    assert facts[0][3:] == facts[1][3:]
    assert_sound(city.database, NANJING)


def test_a_wildcard_of_the_body_makes_every_mark_of_it_known(city: City) -> None:
    marks = [f"有机码：100220123456{serial}" for serial in ("78901", "78902")]
    city.record(city.till().basket(*(read(mark) for mark in marks), resident=LI))
    register(city.database, {"code": "organic_body:0100", "scheme": "organic", "certificate_no": "100OP1200001"})

    resolved = resolve(city)

    assert resolved == Resolved(codes=2, scans=2, awarded=2)
    assert_sound(city.database, NANJING)


def test_a_mark_of_a_later_year_than_the_sale_is_no_piece_that_was_sold(city: City) -> None:
    """It was never held against the year, so that marks dated years ahead were paid for, each as a piece of its own."""
    register(city.database, {"code": "organic_body:0100", "scheme": "organic", "certificate_no": "100OP1200001"})
    ahead, now_on = "有机码：010049123456789012", "有机码：010026123456789012"
    clock_unsure = Till(NANJING, 2, clock=Clock("none", 0, "b1", 10_000))

    city.record(city.till().basket(read(ahead), read(now_on), resident=LI))
    city.record(clock_unsure.basket(read(ahead), resident=LI))

    assert [(one.outcome, one.reason, one.award) for one in books.decided(city.database, NANJING)] == [
        ("none", "label_organic", 0),
        ("awarded", "awarded", 10),
        ("held", "clock_uncertain", 0),
    ]
    assert_sound(city.database, NANJING)


def test_what_is_decided_late_is_decided_as_if_it_had_been_known(engine_db: Database) -> None:
    """The same baskets in two cities: in one every product is learned of afterwards, in the other before."""
    doc = rules.document(
        rules.rule("part", rules.percent(100)),
        caps=[rules.cap("day", "day", 200), rules.cap("month", "month", 600, partial=False)],
        budget=20_000,
    )
    products = [gtin(number) for number in range(200, 212)]
    late, early = City(engine_db), City(engine_db, SUZHOU)
    for city in (late, early):
        city.publish(doc)
    late.record(*_week(late, products, random.Random(2)))
    register(engine_db, *({"code": code, "grade": str(1 + i % 3)} for i, code in enumerate(products[:9])), now=LATER)
    early.record(*_week(early, products, random.Random(2)))

    resolve(late)

    columns = "DISTINCT ON (b.device, b.seq, d.line_no) b.device, b.seq, d.line_no, d.outcome, d.reason, d.award,"
    columns += (
        " d.level, d.proof, d.certificate, d.gross, d.quantity, d.price_fen, d.limit_name, d.limit_left, d.resident"
    )
    decided = {
        city.code: [
            (row[0].replace(city.code, ""), *row[1:])
            for row in books.rows(
                engine_db,
                f"SELECT {columns} FROM decisions d JOIN baskets b ON b.city = d.city AND b.basket = d.basket"
                " WHERE d.city = :c ORDER BY b.device, b.seq, d.line_no, d.decision_no DESC",
                c=city.code,
            )
        ]
        for city in (late, early)
    }
    assert decided[NANJING] == decided[SUZHOU]
    assert {row[4] for row in decided[NANJING]} >= {"awarded", "awarded_in_part", "cap", "no_member", "product_unknown"}
    assert_sound(engine_db, NANJING)


def _week(city: City, products: list[str], dice: random.Random) -> list[Arrival]:
    """A hundred baskets of four residents and of nobody, by tills and phones, at different moments of a week."""
    tills = [city.till(number) for number in range(1, 4)]
    phone = Till(city.code, 9, channel=Channel.PHONE.value)
    arrivals = []
    for _ in range(100):
        till = dice.choice([*tills, phone])
        reads = [
            read(dice.choice(products), price_fen=dice.randrange(0, 9_000), qty=dice.randrange(1, 4))
            for _ in range(dice.randrange(1, 6))
        ]
        sold_at = NOON - timedelta(seconds=dice.randrange(0, 7 * 86_400))
        received_at = sold_at + timedelta(seconds=dice.randrange(0, 3_000))
        person = dice.choice([resident(number) for number in range(1, 5)] + [None])
        arrivals.append(till.basket(*reads, resident=person, sold_at=sold_at, received_at=received_at))
        if till is phone:
            arrivals[-1].basket.line = None  # what a phone sends is written otherwise than a till's basket
    return arrivals


def test_nothing_is_asked_of_a_city_where_nothing_waits(city: City) -> None:
    city.record(city.till().basket(read(WASHER), resident=LI))

    assert resolve(city) == Resolved()


def test_a_code_closed_over_a_waiting_scan_is_a_break(city: City, database_url: str) -> None:
    city.record(city.till().basket(read(UNCERTIFIED), resident=LI))
    with psycopg.connect(database_url) as owner:
        owner.execute("UPDATE pending_products SET resolved_at = now()")

    findings = verify_ledger(city.database, NANJING)[0].findings

    assert [(one.invariant, one.breaks[0].found) for one in findings if one.broken] == [
        ("I9", "an unknown product that nobody looks for")
    ]
