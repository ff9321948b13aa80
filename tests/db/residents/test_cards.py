"""A paper card credits its resident a few times a day, and nothing once it was lost; who holds its sheet may merge it."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from backend.residents.cards.number import CardMalformed, card_of, drawn, secret_of, typed_card
from backend.storage.transaction import Database
from backend.usecases.issue_card import CardUnknown, DrawnCard, block_card, issue_card
from tests.contracts import golden
from tests.worlds import books, rules
from tests.worlds.city import FRIDGE, NANJING, NOON, SUZHOU, City, open_city, read, resident
from tests.worlds.later import assert_sound, assert_verified

KEY = bytes(32)
EACH = {"M": {"P3": 10_000, "P2": 10_000, "P1": 10_000}}


@pytest.fixture
def city(engine_db: Database) -> City:
    return open_city(engine_db, rules.document(rules.rule("ten", rules.fixed(10), rates=EACH)))


def issue(city: City, number: int = 1, phone: bytes | None = None) -> DrawnCard:
    octets = (number << 8).to_bytes(8, "big")
    new = DrawnCard(resident(900 + number), drawn(NANJING, octets), secret_of(octets), resident(number))
    city.database.write(lambda c: issue_card(c, new, phone, KEY, "窗口", NOON))
    return new


def buy(city: City, card: DrawnCard, till: int = 1, **changes: object) -> str:
    arrival = city.till(till).basket(read(FRIDGE), member=card.number.text, **changes)
    (recorded,) = city.record(arrival)
    return recorded.state


def reasons(city: City) -> list[str]:
    found = books.rows(
        city.database, "SELECT reason FROM decisions WHERE city = :c ORDER BY decided_at, basket", c=NANJING
    )
    return sorted(reason for (reason,) in found)


def test_numbers_are_what_the_till_knows_them_as() -> None:
    for case in json.loads((golden.FOLDER / "member-cards.json").read_bytes()):
        assert (card_of(case["text"]) is None) == (case["code"] is not None), case
    number = drawn(NANJING, bytes(range(8)))
    assert typed_card(f" {number.shown.lower()} ") == number == typed_card(number.text.replace("0G4", "OG4"))
    with pytest.raises(CardMalformed):
        typed_card(number.number[:-1] + "9")


def test_a_card_credits_its_resident_and_no_line_with_its_number_is_kept(city: City) -> None:
    card = issue(city)

    assert [buy(city, card, till) for till in (1, 2)] == ["recorded", "recorded"]

    assert books.wallets(city.database, NANJING) == {f"resident:{resident(1)}:points": 20}
    assert books.rows(city.database, "SELECT DISTINCT proof FROM decisions WHERE city = :c", c=NANJING) == [("P3",)]
    lines = books.rows(city.database, "SELECT line FROM baskets WHERE city = :c", c=NANJING)
    assert lines == [(None,), (None,)]
    assert_sound(city.database, NANJING)


def test_the_eleventh_sale_of_a_day_is_not_credited_and_a_repeat_counts_once(city: City) -> None:
    card = issue(city)
    till = city.till()
    sales = [till.basket(read(FRIDGE), member=card.number.text) for _ in range(11)]
    parts = [till.basket(read(FRIDGE), member=card.number.text, part_of=1)]

    city.record(*sales[:6])
    city.record(*sales, *parts)
    city.record(till.basket(read(FRIDGE), member=card.number.text, sold_at=NOON + timedelta(days=1)))

    assert sum(books.wallets(city.database, NANJING).values()) == 120
    assert reasons(city).count("member_card_limit") == 1
    assert books.count(city.database, "card_uses", NANJING) == 11


def test_at_many_tills_at_once_the_day_holds(city: City) -> None:
    card = issue(city)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda till: buy(city, card, till), range(1, 15)))

    assert books.count(city.database, "card_uses", NANJING) == 10
    assert sum(books.wallets(city.database, NANJING).values()) == 100
    assert_sound(city.database, NANJING)


def test_a_lost_card_credits_what_was_sold_before_and_nothing_after(city: City) -> None:
    card = issue(city)
    city.database.write(lambda c: block_card(c, card.number, "窗口", NOON))

    buy(city, card, 1, sold_at=NOON - timedelta(minutes=5), received_at=NOON)
    buy(city, card, 2, sold_at=NOON + timedelta(minutes=5))

    assert reasons(city) == ["awarded", "member_card_blocked"]
    with pytest.raises(CardUnknown):
        city.database.write(lambda c: block_card(c, card.number, "窗口", NOON))


def test_a_new_card_takes_the_place_of_the_lost_one(city: City) -> None:
    phone = bytes([7]) * 32
    old, new = issue(city, 1, phone), issue(city, 2, phone)
    elsewhere = drawn(SUZHOU, bytes(8))

    buy(city, old, 1)
    buy(city, new, 2)
    city.record(city.till(3).basket(read(FRIDGE), member=elsewhere.text))

    assert reasons(city) == ["awarded", "member_card_blocked", "member_card_unknown"]
    assert_verified(city.database, NANJING)
    assert books.wallets(city.database, NANJING) == {f"resident:{resident(1)}:points": 10}
