"""Baskets against a real PostgreSQL: recorded once, answered the same, quarantined rather than overwritten."""

import pytest
from msgspec.structs import replace

from backend.scans.model import BasketConflict
from backend.storage.transaction import Database
from backend.usecases.record_baskets import Arrival
from tests.worlds import books, rules
from tests.worlds.city import (
    FRIDGE,
    NANJING,
    SUZHOU,
    TELEVISION,
    UNCERTIFIED,
    City,
    open_city,
    read,
    register,
    resident,
    states,
    unit_label,
)
from tests.worlds.later import assert_verified

LI, WANG = resident(1), resident(2)


@pytest.fixture
def city(usual_city: City) -> City:
    return usual_city


def test_a_repeated_basket_answers_as_before_and_earns_once(city: City) -> None:
    arrival = city.till().basket(read(FRIDGE), resident=LI)

    first = city.record(arrival)
    again = city.record(arrival)

    assert states(first) == ["recorded"]
    assert states(again) == ["duplicate"]
    assert replace(first[0], state="duplicate") == again[0]
    assert books.wallet(city.database, NANJING, LI) == 10
    books.assert_balanced(city.database, NANJING)


def test_the_same_number_with_other_content_is_quarantined_and_overwrites_nothing(city: City) -> None:
    till = city.till()
    line = till.line(read(FRIDGE))
    forged = line.replace(b'"qty":1', b'"qty":7')
    city.record(till.arrival(line))

    answers = city.record(till.arrival(forged))

    assert (answers[0].state, answers[0].code) == ("quarantined", BasketConflict.code)
    assert books.rows(city.database, "SELECT line FROM baskets") == [(line,)]
    assert books.rows(city.database, "SELECT payload, reason FROM quarantine") == [(forged, BasketConflict.code)]
    assert books.columns(city.database, NANJING, "d.quantity") == [(1,)]


def test_the_same_conflict_is_kept_once_however_often_it_comes(city: City) -> None:
    till = city.till()
    line = till.line(read(FRIDGE))
    forged = till.arrival(line.replace(b'"qty":1', b'"qty":7'))
    city.record(till.arrival(line))

    for _ in range(3):
        assert states(city.record(forged)) == ["quarantined"]

    assert books.quarantined(city.database, NANJING) == [BasketConflict.code]


def test_a_basket_twice_in_one_batch_is_recorded_once(city: City) -> None:
    till = city.till()
    arrival, other = till.basket(read(FRIDGE), resident=LI), till.basket(read(FRIDGE), resident=WANG)

    answers = city.record(arrival, other, arrival)

    assert states(answers) == ["recorded", "recorded", "duplicate"]
    assert books.wallets(city.database, NANJING) == {f"resident:{LI}:points": 10, f"resident:{WANG}:points": 10}


def test_two_contents_of_one_number_in_one_batch_keep_the_first(city: City) -> None:
    till = city.till()
    line = till.line(read(FRIDGE))
    forged = line.replace(b'"qty":1', b'"qty":7')

    answers = city.record(till.arrival(line), till.arrival(forged))

    assert states(answers) == ["recorded", "quarantined"]
    assert books.rows(city.database, "SELECT line FROM baskets") == [(line,)]


def test_two_voids_of_one_number_in_one_batch_keep_the_first(city: City) -> None:
    """They have no reads, so no key of the decisions tells them apart."""
    till = city.till()
    line = till.line(void_of=7)
    other = line.replace(b'"void_of":7', b'"void_of":8')

    answers = city.record(till.arrival(line), till.arrival(line), till.arrival(other))

    assert states(answers) == ["recorded", "duplicate", "quarantined"]
    assert books.rows(city.database, "SELECT payload FROM quarantine") == [(other,)]


def test_a_batch_mixes_new_repeated_and_conflicting_baskets(city: City) -> None:
    till = city.till()
    lines = [till.line(read(FRIDGE)) for _ in range(3)]
    city.record(till.arrival(lines[0]), till.arrival(lines[1]))
    forged = lines[1].replace(b'"qty":1', b'"qty":7')

    answers = city.record(till.arrival(lines[2]), till.arrival(forged), till.arrival(lines[0]))

    assert states(answers) == ["recorded", "quarantined", "duplicate"]
    assert [answer.seq for answer in answers] == [3, 2, 1]
    assert books.count(city.database, "baskets", NANJING) == 3


def _too_many(arrival: Arrival) -> Arrival:
    """More pieces than the column holds: a value that only PostgreSQL refuses."""
    basket = arrival.basket
    return Arrival(replace(basket, reads=[replace(basket.reads[0], quantity=40_000)]))


def _with_nul(arrival: Arrival) -> Arrival:
    """A text that the driver refuses before PostgreSQL sees it."""
    return Arrival(replace(arrival.basket, store="s\x001"))


@pytest.mark.parametrize("spoil", [_too_many, _with_nul])
def test_a_value_that_the_database_refuses_quarantines_its_basket_alone(city: City, spoil: object) -> None:
    till = city.till()
    arrivals = [till.basket(read(FRIDGE), resident=LI) for _ in range(9)]
    arrivals[4] = spoil(arrivals[4])  # type: ignore[operator]  # one of the two above

    answers = city.record(*arrivals)

    assert states(answers) == ["recorded"] * 4 + ["quarantined"] + ["recorded"] * 4
    assert [answer.seq for answer in answers] == list(range(1, 10))
    assert books.rows(city.database, "SELECT payload FROM quarantine") == [(arrivals[4].basket.line,)]
    assert books.wallet(city.database, NANJING, LI) == 80
    books.assert_balanced(city.database, NANJING)


def test_an_unknown_product_is_pending_and_queued_once(city: City) -> None:
    till = city.till()

    city.record(till.basket(read(UNCERTIFIED), read(UNCERTIFIED), resident=LI))
    city.record(till.basket(read(UNCERTIFIED), resident=WANG))

    assert books.decided(city.database, NANJING) == [("pending_product", "product_unknown", 0)] * 3
    queued = books.rows(city.database, "SELECT key, resolved_at FROM pending_products WHERE city = :c", c=NANJING)
    assert queued == [(f"gtin:0{UNCERTIFIED}", None)]


def test_baskets_of_nobody_and_baskets_held_post_nothing(city: City) -> None:
    till, wrong = city.till(1), city.till(2)
    wrong.clock = wrong.clock._replace(source="none", boot="b9")

    city.record(
        till.basket(read(FRIDGE)),
        till.basket(read(FRIDGE), claim_sha256="ab" * 32),
        wrong.basket(read(FRIDGE), resident=LI),
        till.basket(read(TELEVISION)),
    )

    assert books.decided(city.database, NANJING) == [
        ("unclaimed", "no_member", 0),
        ("unclaimed", "claim_open", 0),
        ("unclaimed", "no_member", 0),
        ("held", "clock_uncertain", 0),
    ]
    assert books.count(city.database, "transfers", NANJING) == 1  # the grant
    assert books.count(city.database, "cap_counters", NANJING) == 0


def test_a_label_that_names_one_piece_earns_once_in_all_cities(engine_db: Database) -> None:
    nanjing, suzhou = open_city(engine_db), open_city(engine_db, code=SUZHOU)
    label = read(unit_label("A1"))

    nanjing.record(nanjing.till().basket(label, label, resident=LI))
    suzhou.record(suzhou.till().basket(label, resident=WANG))

    assert books.decided(engine_db, NANJING) == [("awarded", "awarded", 10), ("none", "unit_already_awarded", 0)]
    assert books.decided(engine_db, SUZHOU) == [("none", "unit_already_awarded", 0)]
    assert books.rows(engine_db, "SELECT city, line_no FROM unit_claims") == [(NANJING, 0)]


def test_a_unit_label_that_earned_nothing_may_still_earn(engine_db: Database) -> None:
    """Its first holder had no cap left, so it was never paid for."""
    city = open_city(engine_db, rules.document(caps=[rules.cap("life", "lifetime", 10)]))
    city.record(city.till().basket(read(FRIDGE), resident=LI))

    city.record(
        city.till(2).basket(read(unit_label("A1")), resident=LI),
        city.till(3).basket(read(unit_label("A1")), resident=WANG),
    )

    assert books.decided(engine_db, NANJING)[1:] == [("none", "cap", 0), ("awarded", "awarded", 10)]


def test_cities_share_no_number_budget_counter_or_wallet(engine_db: Database) -> None:
    nanjing = open_city(engine_db, rules.document(budget=100))
    suzhou = open_city(engine_db, rules.document(budget=40), code=SUZHOU)
    arrival = nanjing.till().basket(read(FRIDGE), resident=LI)

    nanjing.record(arrival)
    answers = suzhou.record(arrival)

    assert states(answers) == ["recorded"]
    for city, left in ((NANJING, 90), (SUZHOU, 30)):
        assert books.wallet(engine_db, city, LI) == 10
        assert books.budget_left(engine_db, city) == left
        assert books.rows(engine_db, "SELECT used FROM cap_counters WHERE city = :c", c=city) == [(10,)]
        books.assert_balanced(engine_db, city)


def test_a_new_version_is_seen_by_a_running_recorder(city: City) -> None:
    city.record(city.till(1).basket(read(FRIDGE), resident=LI))

    city.publish(rules.document(rules.rule("three", rules.fixed(3)), starts="2026-11-01T00:00:00+08:00"))
    city.record(city.till(2).basket(read(FRIDGE), resident=LI))

    assert [scan.award for scan in books.decided(city.database, NANJING)] == [10, 3]


def test_a_change_of_the_registry_is_seen_by_a_running_recorder(city: City) -> None:
    city.record(city.till(1).basket(read(UNCERTIFIED), read(FRIDGE), resident=LI))

    register(city.database, {"code": UNCERTIFIED, "grade": "1"})
    register(
        city.database, {"code": FRIDGE, "product": "冰箱", "grade": "1", "state": "暂停", "state_from": "2026-11-01"}
    )
    city.record(city.till(2).basket(read(UNCERTIFIED), read(FRIDGE), resident=LI))

    assert books.decided(city.database, NANJING) == [
        ("pending_product", "product_unknown", 0),
        ("awarded", "awarded", 10),
        ("awarded", "awarded", 10),
        ("none", "certificate_suspended", 0),
    ]


def test_without_arrivals_nothing_happens(city: City) -> None:
    assert city.record() == []


def test_a_basket_that_voids_a_sale_earns_nothing_of_what_it_holds(city: City) -> None:
    till = city.till()
    city.record(till.basket(read(FRIDGE), resident=LI))

    city.record(till.basket(read(FRIDGE), read(UNCERTIFIED), resident=LI, void_of=1))

    assert [one.reason for one in books.decided(city.database, NANJING)] == ["awarded", "basket_voids", "basket_voids"]
    assert books.wallet(city.database, NANJING, LI) == 10


def test_a_limit_of_each_basket_counts_the_awards_of_every_rule_also_when_the_books_are_verified(
    engine_db: Database,
) -> None:
    first = rules.rule("first", rules.fixed(10), rules.where("grade", "=", 1))
    each = {**rules.cap("each", "lifetime", 2), "per": "basket", "counts": "awards"}
    doc = rules.document(first, rules.rule("others", rules.fixed(4)), caps=[each, rules.cap("life", "lifetime", 10**9)])
    city = open_city(engine_db, doc)

    city.record(city.till().basket(read(TELEVISION), read(TELEVISION), read(FRIDGE), resident=LI))

    decided = books.columns(engine_db, NANJING, "d.rule, d.reason")
    assert decided == [("others", "awarded"), ("others", "awarded"), ("first", "cap")]
    assert_verified(engine_db, NANJING)
