"""Who left once and came back by two identities has used of limits what was used before, and not twice as much once the two
accounts are one.
"""

import pytest

from backend.residents.queries import Session
from backend.residents.session_life import Way
from backend.storage.transaction import Database
from backend.usecases.sign_in import Proof
from backend.usecases.verify_ledger import verify_ledger
from tests.worlds import rules
from tests.worlds.books import rows
from tests.worlds.city import NOON, City, open_city, read, unit_label
from tests.worlds.people import People
from tests.worlds.redeeming import entry, open_counter, publish

PAID = {"U": {"P0": 10_000, "P3": 10_000}, "M": {"P0": 10_000, "P3": 10_000}}
YEAR = rules.document(rules.rule("ten", rules.fixed(10), rates=PAID), caps=[rules.cap("year", "year", 100)])
USED = "SELECT used, allowed FROM cap_counters WHERE person = :who AND used > 0 ORDER BY period, cap"
OF_WINDOW = "SELECT used, allowed FROM cap_counters WHERE person = :who AND used > 0 AND period LIKE 't%'"
REDEEMED = "SELECT used FROM redemption_counters WHERE person = :who AND used > 0"


@pytest.fixture
def city(engine_db: Database) -> City:
    return open_city(engine_db, YEAR)


@pytest.fixture
def people(engine_db: Database) -> People:
    return People(engine_db)


def bind(people: People, who: Session, name: str) -> None:
    people.signing.bind(Proof(way=Way.DEVELOPMENT, code=f"dev:{name}"), who.city, who.resident, NOON)


def buy(city: City, who: Session, pieces: int = 1) -> None:
    """Each piece is a label of its own, of ten points."""
    till = city.till(int(who.resident[:6], 16))
    goods = [till.basket(read(unit_label(f"{who.resident}{n}")), resident=who.resident) for n in range(pieces)]
    city.record(*goods)


def leave_with(city: City, people: People, *names: str) -> None:
    """Somebody of all these identities has earned ten, of which a note says 25 of 100, and leaves."""
    gone = people.sign_in(names[0])
    for name in names[1:]:
        bind(people, gone, name)
    buy(city, gone)
    people.leave(gone)


def assert_sound(database: Database) -> None:
    for city in verify_ledger(database):
        assert [one for one in city.findings if one.broken] == [], city


def test_what_both_accounts_carry_from_one_departure_counts_once(city: City, people: People) -> None:
    leave_with(city, people, "phone", "wechat")
    kept, other = people.sign_in("wechat"), people.sign_in("phone")
    buy(city, other)

    people.merge(kept, "phone")

    assert rows(city.database, USED, who=kept.resident) == [(25 + 10, 100)]
    assert_sound(city.database)


def test_of_what_they_carry_from_one_departure_the_larger_counts(city: City, people: People) -> None:
    """The one account had room for a part alone of what was used before."""
    leave_with(city, people, "phone", "wechat")
    kept, _other = people.sign_in("another"), people.sign_in("phone")
    buy(city, kept, 9)
    bind(people, kept, "wechat")
    assert rows(city.database, USED, who=kept.resident) == [(90 + 10, 100)]

    people.merge(kept, "phone")

    assert rows(city.database, USED, who=kept.resident) == [(90 + 25, 115)]
    assert_sound(city.database)


def test_accounts_that_were_absorbed_before_have_carried_it_too(city: City, people: People) -> None:
    leave_with(city, people, "phone", "wechat", "card")
    kept, first, _second = (people.sign_in(name) for name in ("phone", "wechat", "card"))

    people.merge(first, "card")
    people.merge(kept, "wechat")

    assert rows(city.database, USED, who=kept.resident) == [(25, 100)]
    assert_sound(city.database)


def test_two_departures_count_each(city: City, people: People) -> None:
    leave_with(city, people, "phone", "wechat")
    leave_with(city, people, "card")
    kept, other = people.sign_in("phone"), people.sign_in("wechat")
    bind(people, other, "card")

    people.merge(kept, "wechat")

    assert rows(city.database, USED, who=kept.resident) == [(25 + 25, 100)]
    assert_sound(city.database)


def test_an_identity_that_comes_later_brings_nothing_that_an_absorbed_account_has_carried(
    city: City, people: People
) -> None:
    leave_with(city, people, "phone", "wechat")
    people.sign_in("phone")
    kept = people.sign_in("new")
    people.merge(kept, "phone")

    for name in ("wechat", "phone"):
        bind(people, kept, name)

    assert rows(city.database, USED, who=kept.resident) == [(25, 100)]
    assert_sound(city.database)


def test_the_day_of_a_window_counts_once(engine_db: Database, people: People) -> None:
    window = {"windows": [{"window": "day", "per": "person", "hours": 24}]}
    city = open_city(engine_db, rules.document(rules.rule("five", rules.fixed(5), rates=PAID), policy="daily") | window)
    leave_with(city, people, "phone", "wechat")
    kept, _other = people.sign_in("wechat"), people.sign_in("phone")

    people.merge(kept, "phone")

    assert rows(city.database, OF_WINDOW, who=kept.resident) == [(1, 1)]
    assert_sound(city.database)


def test_what_was_redeemed_before_counts_once(city: City, people: People) -> None:
    counter = open_counter(city.database)
    publish(city.database, entry("bag", limit={"pieces": 8, "period": "year"}))
    gone = people.sign_in("phone")
    bind(people, gone, "wechat")
    buy(city, gone)
    counter.people.add(gone.resident)
    counter.confirm(counter.hold(gone.resident, entry="bag", pieces=3), gone.resident)
    people.leave(gone)
    kept, other = people.sign_in("phone"), people.sign_in("wechat")
    assert rows(city.database, REDEEMED, who=other.resident) == [(4,)]

    people.merge(kept, "wechat")
    bind(people, kept, "wechat")

    assert rows(city.database, REDEEMED, who=kept.resident) == [(4,)]
    assert_sound(city.database)
