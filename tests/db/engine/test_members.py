"""Member codes at the till: one code, one basket, within its two minutes."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from backend.storage.transaction import Database
from backend.usecases.record_baskets import Arrival
from tests.worlds import books
from tests.worlds.city import FRIDGE, NANJING, NOON, SUZHOU, City, open_city, read, resident

LI, WANG = resident(1), resident(2)
MEMBER_SPENT, MEMBER_UNKNOWN, MEMBER_EXPIRED = (("none", f"member_{why}", 0) for why in ("spent", "unknown", "expired"))
AWARDED = ("awarded", "awarded", 10)


@pytest.fixture
def city(usual_city: City) -> City:
    return usual_city


def decided(city: City) -> list[books.Decided]:
    return books.decided(city.database, city.code)


def test_a_code_names_its_resident_and_is_spent(city: City) -> None:
    city.record(city.till().basket(read(FRIDGE), member=city.issue_code(LI)))

    assert books.wallet(city.database, NANJING, LI) == 10
    assert books.rows(city.database, "SELECT used_seq FROM member_codes") == [(1,)]


def test_a_basket_that_is_sent_again_keeps_its_code(city: City) -> None:
    till = city.till()
    line = till.line(read(FRIDGE), member=city.issue_code(LI))

    city.record(till.arrival(line))
    city.record(till.arrival(line))

    assert decided(city) == [AWARDED]
    assert books.rows(city.database, "SELECT resident::text FROM baskets") == [(LI,)]


def test_a_spent_code_serves_no_second_basket(city: City) -> None:
    code = city.issue_code(LI)

    city.record(city.till(1).basket(read(FRIDGE), member=code))
    city.record(city.till(2).basket(read(FRIDGE), member=code))

    assert decided(city) == [AWARDED, MEMBER_SPENT]


@pytest.mark.parametrize("tills", [(1, 1), (1, 2)], ids=["one till", "two tills with the same number"])
def test_two_baskets_of_one_batch_share_no_code(city: City, tills: tuple[int, int]) -> None:
    code = city.issue_code(LI)
    first = city.till(tills[0])
    second = first if tills[0] == tills[1] else city.till(tills[1])

    city.record(first.basket(read(FRIDGE), member=code), second.basket(read(FRIDGE), member=code))

    assert sorted(decided(city)) == sorted([AWARDED, MEMBER_SPENT])
    books.assert_balanced(city.database, NANJING)


@pytest.mark.parametrize("together", [True, False])
def test_a_continuation_may_show_the_code_of_its_first_part_again(city: City, together: bool) -> None:  # noqa: FBT001
    till, code = city.till(), city.issue_code(LI)
    parts = [
        till.basket(read(FRIDGE), member=code),
        till.basket(read(FRIDGE), member=code, part_of=1),
        till.basket(read(FRIDGE), member=code, part_of=1),
    ]

    for batch in [parts] if together else [[part] for part in reversed(parts)]:
        city.record(*batch)

    assert decided(city) == [AWARDED] * 3


def test_an_unknown_code_gives_nobody_anything(city: City) -> None:
    """A code of Suzhou whose city was changed to Nanjing: the handle means nobody there."""
    suzhou = open_city(city.database, code=SUZHOU)
    forged = city.till().basket(read(FRIDGE), member=suzhou.issue_code(LI))
    assert forged.member is not None

    city.record(Arrival(forged.basket, replace(forged.member, home=NANJING)))

    assert decided(city) == [MEMBER_UNKNOWN]


@pytest.mark.parametrize(
    ("shown_after", "reason"),
    [(-150, "awarded"), (-151, "member_expired"), (30, "awarded"), (31, "member_expired")],
    ids=["first second", "before it was made", "last second", "too late"],
)
def test_a_code_is_good_for_its_two_minutes_and_half_a_minute_of_clock_error(
    city: City, shown_after: int, reason: str
) -> None:
    """`shown_after`: seconds from its expiry to the sale; the basket is open for no time at all."""
    code = city.issue_code(LI, expires_at=NOON)
    sold_at = NOON + timedelta(seconds=shown_after)

    city.record(city.till().basket(read(FRIDGE), member=code, sold_at=sold_at, opened_mono=9_000), now=sold_at)

    assert [scan.reason for scan in decided(city)] == [reason]


def test_a_till_without_a_clock_holds_the_basket_and_names_its_member(city: City) -> None:
    """Who it is for is known; when it was sold is not, so a person decides."""
    till = city.till()
    till.clock = till.clock._replace(source="none", boot="b9")

    city.record(till.basket(read(FRIDGE), member=city.issue_code(LI, expires_at=NOON - timedelta(days=1))))

    assert decided(city) == [("held", "clock_uncertain", 0)]
    assert books.rows(city.database, "SELECT resident::text FROM baskets") == [(LI,)]


def test_a_resident_of_another_city_earns_points_of_the_shops_city(engine_db: Database) -> None:
    nanjing, suzhou = open_city(engine_db), open_city(engine_db, code=SUZHOU)

    nanjing.record(nanjing.till().basket(read(FRIDGE), member=suzhou.issue_code(LI)))

    assert books.wallet(engine_db, NANJING, LI) == 10
    assert books.wallet(engine_db, SUZHOU, LI) == 0


def test_members_of_several_cities_in_one_batch_are_told_apart(engine_db: Database) -> None:
    nanjing, suzhou = open_city(engine_db), open_city(engine_db, code=SUZHOU)
    till = nanjing.till()

    nanjing.record(
        till.basket(read(FRIDGE), member=suzhou.issue_code(LI)),
        till.basket(read(FRIDGE), member=nanjing.issue_code(WANG)),
        till.basket(read(FRIDGE)),
    )

    assert books.columns(engine_db, NANJING, "d.resident::text") == [(LI,), (WANG,), (None,)]
