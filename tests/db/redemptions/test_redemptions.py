"""Held, confirmed, cancelled, late, voided; vouchers; what changes in the catalogue meanwhile. To the point and the second."""

import random
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.kernel.ids import new_id
from backend.ledger import chart
from backend.redemptions.model import (
    Approved,
    EntryClosed,
    LimitReached,
    NotConfirmed,
    RedemptionConfirmed,
    RedemptionExpired,
    RedemptionVoided,
    SoldOut,
    State,
    VoidByTwo,
    VoucherExpired,
    VoucherState,
    VoucherUsed,
    VoucherVoid,
)
from backend.residents.standing import GuardianConsentNeeded, ResidentClosed
from backend.retailers.store import StoreUnknown
from backend.storage.transaction import Database
from backend.usecases.change_consent import Who
from backend.usecases.close_account import CloseAccount, Confirmed, Drawn
from backend.usecases.publish_catalogue import Change, Said, StockBelowTaken, withdraw_entry
from backend.usecases.spend_points import DebtFirst, TooLittleAvailable
from tests.db.ledger.walk import LI, NOVEMBER, PLAIN, SHORT, assert_sound, held, owe, walled
from tests.worlds import books
from tests.worlds.city import FRIDGE, NANJING, NOON, City, read, resident
from tests.worlds.people import People
from tests.worlds.redeeming import (
    BUS,
    HELD,
    POINT,
    TEA,
    TREES,
    Counter,
    entry,
    open_counter,
    publish,
    voucher,
)
from tests.worlds.returning import bring_back

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
WANG = resident(2)
VOUCHER_END = datetime.fromisoformat("2026-12-23T00:00:00+08:00")
"""Of one that is good for thirty days after 22 November."""


@pytest.fixture
def city(engine_db: Database) -> City:
    """Li has ten points without end, ten to the end of November."""
    opened = walled(engine_db)
    sell(opened, PLAIN, SHORT)
    return opened


@pytest.fixture
def counter(city: City) -> Counter:
    return open_counter(city.database)


def sell(city: City, *kinds: int, person: str = LI) -> None:
    for kind in kinds:
        till = city.till(100 * kind + books.count(city.database, "baskets", NANJING))
        city.record(till.basket(read(FRIDGE, qty=kind), resident=person, sold_at=NOON), now=NOON)


def stock(counter: Counter, name: str) -> tuple[int, int | None]:
    """Taken, and of how many."""
    query = "SELECT taken, stock FROM catalogue_entries WHERE city = :c AND entry = :e"
    ((taken, of),) = books.rows(counter.database, query, c=NANJING, e=name)
    return taken, of


def test_points_are_held_first_expiring_first_and_then_spent(city: City, counter: Counter) -> None:
    redemption = counter.hold(LI, pieces=14)

    assert counter.parts(redemption) == ((f"resident:{LI}:e20261130:points", 10), (chart.wallet(LI, "points"), 4))
    assert held(city) == {chart.held(LI, redemption, "points"): 14, chart.wallet(LI, "points"): 6}
    assert_sound(city)
    counter.confirm(redemption, LI, NOON + HELD - SECOND)
    assert held(city) == {chart.wallet(LI, "points"): 6}
    assert books.balance(city.database, NANJING, "redeemed:points") == 14
    assert_sound(city)


def test_all_of_it_or_nothing(city: City, counter: Counter) -> None:
    publish(city.database, entry("rare", points=3, stock=2, limit={"pieces": 1, "period": "day"}))
    before = held(city)

    for refusal, pieces in ((LimitReached, 2), (SoldOut, 3)):
        with pytest.raises(refusal):
            counter.hold(LI, pieces, entry="rare", pieces=pieces)
    with pytest.raises(TooLittleAvailable):
        counter.hold(LI, pieces=21)

    assert held(city) == before
    assert (books.count(city.database, "redemptions", NANJING), stock(counter, "rare")) == (0, (0, 2))
    assert_sound(city)


def test_cancelled_every_lot_is_as_it_was_and_so_are_stock_and_limit(city: City, counter: Counter) -> None:
    publish(city.database, entry("film", points=3, stock=5, limit={"pieces": 5, "period": "month"}))
    before = held(city)
    redemption = counter.hold(LI, entry="film", pieces=5)
    assert stock(counter, "film") == (5, 5)

    counter.cancel(redemption, LI)
    counter.cancel(redemption, LI)

    assert (held(city), stock(counter, "film")) == (before, (0, 5))
    assert counter.seen(redemption).state is State.CANCELLED
    counter.hold(LI, 2, entry="film", pieces=5)  # the limit counts none of what was cancelled
    assert_sound(city)


def test_what_nobody_confirms_comes_back_to_the_second(city: City, counter: Counter) -> None:
    before, redemption = held(city), counter.hold(LI, pieces=14)

    assert counter.expire(NOON + HELD - SECOND) == 0
    with pytest.raises(RedemptionExpired):
        counter.confirm(redemption, LI, NOON + HELD)
    assert counter.expire(NOON + HELD) == 1
    assert counter.expire(NOON + HELD) == 0

    assert held(city) == before
    assert counter.seen(redemption).state is State.EXPIRED
    assert_sound(city)


def test_what_ends_while_it_is_held_is_good_when_confirmed_and_over_when_given_back(
    city: City, counter: Counter
) -> None:
    first = counter.hold(LI, 1, pieces=6, now=NOVEMBER - SECOND)
    second = counter.hold(LI, 2, pieces=4, now=NOVEMBER - SECOND)

    counter.confirm(first, LI, NOVEMBER)
    counter.cancel(second, LI, NOVEMBER)

    assert (counter.seen(second).lapsed, counter.seen(second).repaid) == (4, 0)
    assert held(city) == {chart.wallet(LI, "points"): 10}
    assert books.balance(city.database, NANJING, "expired:points") == 4
    assert_sound(city)


def test_a_debt_is_repaid_before_anything_is_held(city: City, counter: Counter) -> None:
    owe(city, WANG, 7)
    sell(city, PLAIN, SHORT, person=WANG)

    with pytest.raises(TooLittleAvailable) as refused:
        counter.hold(WANG, 1, pieces=14)

    assert refused.value.facts == {"available": 13, "needed": 14}
    counter.redeem(WANG, 13, 2)
    assert held(city, WANG) == {}
    assert_sound(city)


def test_a_debt_that_arises_meanwhile_comes_first(city: City, counter: Counter) -> None:
    sale = city.till(55).basket(read(FRIDGE, qty=PLAIN), resident=WANG, sold_at=NOON)
    city.record(sale, now=NOON)
    redemption = counter.hold(WANG, pieces=10)
    bring_back(city.database, (sale.basket.basket, 0, PLAIN), at=NOON + SECOND)

    with pytest.raises(DebtFirst):
        counter.confirm(redemption, WANG, NOON + SECOND)

    counter.cancel(redemption, WANG, NOON + SECOND)
    with pytest.raises(TooLittleAvailable):
        counter.hold(WANG, 2, now=NOON + SECOND)
    assert_sound(city)


def test_a_voucher_that_ends_unused_gives_all_back_or_nothing_as_was_said(city: City, counter: Counter) -> None:
    publish(city.database, voucher("kept", points=4, stock=3, points_back=False))
    back, kept = (counter.hold(LI, name, entry=name) for name in (TEA, "kept"))
    for redemption in (back, kept):
        counter.confirm(redemption, LI)
    assert held(city) == {chart.wallet(LI, "points"): 8}

    assert counter.expire_vouchers(VOUCHER_END - SECOND) == 0
    with pytest.raises(VoucherExpired):
        counter.use(back, now=VOUCHER_END)
    assert counter.expire_vouchers(VOUCHER_END) == 2
    assert counter.expire_vouchers(VOUCHER_END) == 0

    found = [counter.seen(one) for one in (back, kept)]
    assert [(one.state, one.voucher_state) for one in found] == [
        (State.VOIDED, VoucherState.EXPIRED),
        (State.CONFIRMED, VoucherState.EXPIRED),
    ]
    assert found[0].lapsed == 8  # all of it came from the lot that ended with November
    assert (stock(counter, TEA)[0], stock(counter, "kept")) == (0, (1, 3))
    assert_sound(city)


def test_two_officials_void_what_was_not_received(city: City, counter: Counter) -> None:
    before = held(city)
    trees, tea, used, open_one = (counter.hold(LI, n, entry=name) for n, name in enumerate((TREES, TEA, POINT, BUS)))
    for redemption in (trees, tea, used):
        counter.confirm(redemption, LI)

    with pytest.raises(VoidByTwo):
        counter.void(trees, approved=Approved("王处长", "王处长", "未能提供"))
    for redemption in (trees, tea, used):
        counter.void(redemption)
    with pytest.raises(RedemptionVoided):
        counter.void(trees)
    with pytest.raises(NotConfirmed):
        counter.void(open_one)
    with pytest.raises(VoucherVoid):
        counter.use(tea)

    counter.cancel(open_one, LI)
    assert held(city) == before
    assert counter.seen(trees).void_reason == "未能提供"
    assert_sound(city)


def test_a_used_voucher_stays_used(city: City, counter: Counter) -> None:
    redemption = counter.hold(LI, entry=TEA)
    counter.confirm(redemption, LI)
    counter.use(redemption)

    with pytest.raises(VoucherUsed):
        counter.void(redemption)
    with pytest.raises(RedemptionConfirmed):
        counter.cancel(redemption, LI)
    assert counter.expire_vouchers(VOUCHER_END) == 0
    assert_sound(city)


def test_what_was_promised_stands_whatever_is_published_since(city: City, counter: Counter) -> None:
    redemption = counter.hold(LI, 1, entry=BUS)

    (moved,) = publish(city.database, entry(BUS, points=9, at_till=True, stores=["r2"]))
    assert moved == (BUS, 2, Change.CHANGED)
    assert counter.at_till(redemption) == redemption
    later = counter.hold(LI, 2, entry=BUS)
    assert [counter.seen(one).points for one in (redemption, later)] == [5, 9]
    version = city.database.write(lambda c: withdraw_entry(c, NANJING, BUS, Said("tests", "停办"), NOON))
    again = city.database.write(lambda c: withdraw_entry(c, NANJING, BUS, Said("tests", "停办"), NOON))
    with pytest.raises(EntryClosed):
        counter.hold(LI, 3, entry=BUS)
    counter.at_till(later, "u2", "r2")

    assert (version, again) == (3, 3)
    assert_sound(city)


def test_a_stock_counts_all_that_was_ever_offered(city: City, counter: Counter) -> None:
    publish(city.database, entry("seat", stock=4))
    counter.redeem(LI, 1)
    counter.hold(LI, 2, entry="seat", pieces=3)

    with pytest.raises(StockBelowTaken):
        publish(city.database, entry("seat", stock=2), entry("unborn"))
    assert publish(city.database, entry("seat", stock=4)) == [("seat", 1, Change.UNCHANGED)]
    publish(city.database, entry("seat", stock=5))

    assert books.rows(city.database, "SELECT count(*) FROM catalogue_versions WHERE entry = 'unborn'") == [(0,)]
    counter.hold(LI, 3, entry="seat", pieces=2)
    with pytest.raises(SoldOut):
        counter.hold(LI, 4, entry="seat")
    with pytest.raises(StoreUnknown):
        publish(city.database, voucher("far", stores=["nowhere"]))
    assert_sound(city)


def test_an_entry_is_open_from_its_first_second_to_its_last(counter: Counter) -> None:
    publish(counter.database, entry("noon", **{"from": NOON.isoformat(), "until": (NOON + DAY).isoformat()}))

    for number, at in enumerate((NOON - SECOND, NOON + DAY)):
        with pytest.raises(EntryClosed):
            counter.hold(LI, number, entry="noon", now=at)
    for number, at in enumerate((NOON, NOON + DAY - SECOND)):
        counter.hold(LI, 9 + number, entry="noon", now=at)


@pytest.mark.parametrize(
    ("period", "again"),
    [
        ("day", "2026-11-23T00:00:00+08:00"),
        ("month", "2026-12-01T00:00:00+08:00"),
        ("year", "2027-01-01T00:00:00+08:00"),
    ],
)
def test_a_limit_is_of_one_person_and_one_civil_period(city: City, counter: Counter, period: str, again: str) -> None:
    publish(city.database, entry("once", limit={"pieces": 1, "period": period}))
    sell(city, PLAIN, person=WANG)
    at = datetime.fromisoformat(again)

    counter.hold(LI, 1, entry="once")
    with pytest.raises(LimitReached):
        counter.hold(LI, 2, entry="once", now=at - SECOND)
    counter.hold(WANG, 1, entry="once")
    counter.hold(LI, 3, entry="once", now=at)
    assert_sound(city)


def test_who_has_no_account_or_waits_for_a_guardian_redeems_nothing(city: City, counter: Counter) -> None:
    counter.hold(LI)
    for change, refusal in (
        ("age_band = 'under_14', age_basis = 'declared', waits_for_guardian = true", GuardianConsentNeeded),
        ("state = 'closed', waits_for_guardian = false", ResidentClosed),
    ):
        city.database.write(lambda c, s=change: c.exec_driver_sql(f"UPDATE residents SET {s}"))  # type: ignore[misc]
        with pytest.raises(refusal):
            counter.hold(LI, refusal.code)


def test_leaving_and_coming_back_gives_nobody_a_limit_anew(city: City, counter: Counter) -> None:
    once = {"pieces": 2, "period": "lifetime"}
    publish(city.database, entry("once", limit=once), entry("more", limit={"pieces": 8, "period": "year"}))
    people = People(city.database)

    def come(name: str) -> str:
        found = people.sign_in(name)
        counter.people.add(found.resident)
        city.record(city.till(int(found.resident[:4], 16)).basket(read(FRIDGE), resident=found.resident))
        return found.resident

    first = come("a")
    counter.confirm(counter.hold(first, 1, entry="once", pieces=2), first)
    counter.confirm(counter.hold(first, 2, entry="more", pieces=3), first)
    people.leave(people.sign_in("a"))
    again, other = come("a"), come("b")

    for name, pieces in (("once", 1), ("more", 5)):
        with pytest.raises(LimitReached):
            counter.hold(again, f"{name} again", entry=name, pieces=pieces)
    counter.confirm(counter.hold(again, 3, entry="more", pieces=4), again)
    counter.confirm(counter.hold(other, 4, entry="once", pieces=1), other)
    people.merge(people.sign_in("b"), "a")
    people.leave(people.sign_in("b"))
    with pytest.raises(LimitReached):
        counter.hold(come("a"), 5, entry="once", pieces=1)
    assert_sound(city)


def test_what_is_voided_of_one_who_has_left_ends_with_the_account(city: City, counter: Counter) -> None:
    redemption = counter.hold(LI, pieces=3)
    counter.confirm(redemption, LI)
    closing, me = CloseAccount(city.database, bytes(32)), Who(NANJING, LI)
    closing.close(me, Confirmed(closing.tell(me, NOON).sha256, gives_up_money=False), Drawn(new_id(), bytes(12)), NOON)

    counter.void(redemption)

    assert held(city) == {}
    assert books.balance(city.database, NANJING, chart.expired("points")) == 20
    assert_sound(city)


def test_one_that_cannot_be_ended_keeps_no_other_waiting(city: City, counter: Counter, database_url: str) -> None:
    broken, other = counter.hold(LI, 1, pieces=1), counter.hold(LI, 2, pieces=2)
    owner = Database(database_url, role=None)
    lost = f"UPDATE accounts SET balance = 0 WHERE account = '{chart.held(LI, broken, 'points')}'"
    owner.write(lambda c: c.exec_driver_sql(lost))
    owner.close()

    assert counter.expire(NOON + HELD) == 1

    assert (counter.seen(broken).state, counter.seen(other).state) == (State.HELD, State.EXPIRED)


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(
    st.lists(st.tuples(st.integers(1, 12), st.booleans()), min_size=1, max_size=4),
    st.randoms(use_true_random=False),
)
def test_whatever_is_held_and_given_back_in_any_order_leaves_every_lot_as_it_was(
    city: City, counter: Counter, asked: list[tuple[int, bool]], chance: random.Random
) -> None:
    before, open_ones = held(city), []
    number = books.count(city.database, "redemptions", NANJING)
    for place, (pieces, confirmed) in enumerate(asked):
        try:
            redemption = counter.hold(LI, number + place, pieces=pieces)
        except TooLittleAvailable:
            continue
        if confirmed:
            counter.confirm(redemption, LI)
        open_ones.append((redemption, confirmed))
    chance.shuffle(open_ones)

    for redemption, confirmed in open_ones:
        counter.void(redemption) if confirmed else counter.cancel(redemption, LI)

    assert held(city) == before
    assert books.balance(city.database, NANJING, "redeemed:points") == 0
