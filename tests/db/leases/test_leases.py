"""Leases of budget: granted within bounds, paid once, never beyond, and given back."""

from datetime import timedelta

import pytest

from backend.kernel.ids import new_id
from backend.kernel.periods import milliseconds
from backend.leases.model import LeaseTermsInvalid, Terms
from backend.policies.lifecycle import Turn
from backend.storage.transaction import Database
from backend.usecases import end_leases
from backend.usecases.end_leases import Ended
from backend.usecases.grant_leases import Lent
from backend.usecases.revoke_device import revoke_device
from backend.usecases.set_lease_terms import set_lease_terms
from backend.usecases.turn_policy import turn_policy
from tests.worlds import books, later, rules
from tests.worlds.city import FRIDGE, NANJING, NOON, UNCERTIFIED, City, Till, open_city, read, register, resident
from tests.worlds.lending import (
    TERMS,
    be_there,
    grant,
    kept,
    leases,
    lend,
    policies,
    promised,
    settle,
    stream_of,
    told,
)
from tests.worlds.quotes import reserved

LI, WANG = resident(1), resident(2)
HOUR = timedelta(hours=1)
END = NOON + 8 * HOUR
SETTLES = END + 72 * HOUR


@pytest.fixture
def city(engine_db: Database) -> City:
    """A budget of 250 points, of which half may be lent: 100 to the one till there is."""
    return open_city(engine_db, rules.document(budget=250))


@pytest.fixture
def till(city: City) -> Till:
    till = city.till()
    lend(city, till)
    return till


def spend_the_rest(city: City) -> None:
    """Whoever is online takes all that the budget has left."""
    while books.budget_left(city.database, NANJING):
        before = books.budget_left(city.database, NANJING)
        city.record(Till(NANJING, 99, seq=before * 10).basket(read(FRIDGE), resident=WANG))


def test_a_till_that_is_there_is_lent_and_told(city: City, till: Till) -> None:
    assert grant(city).granted == 1
    assert grant(city).granted == 0

    (lease,) = leases(city)
    assert (lease.device, lease.stream, lease.amount, lease.left) == (till.device, stream_of(till), 100, 100)
    assert (books.budget_left(city.database, NANJING), reserved(city.database, NANJING)) == (150, 100)
    (said,) = told(city, till)["leases"]
    assert (said["lease"], said["stream"], said["amount"], said["awards"]) == (lease.lease, till.stream, 100, 10)
    later.assert_verified(city.database, NANJING)


def test_what_was_promised_is_paid_although_the_budget_has_run_out(city: City, till: Till) -> None:
    grant(city)
    (lease,) = leases(city)
    spend_the_rest(city)

    city.record(till.basket(promised((lease.lease, 10)), read(FRIDGE), resident=LI))

    assert books.decided(city.database, NANJING)[:2] == [("awarded", "awarded", 10), ("none", "budget", 0)]
    assert kept(city) == [(10, None, 10)]
    assert (leases(city)[0].left, reserved(city.database, NANJING)) == (90, 90)
    later.assert_verified(city.database, NANJING)


def test_the_lease_pays_before_the_budget_and_no_more_than_was_promised(city: City, till: Till) -> None:
    grant(city)
    (lease,) = leases(city)

    city.record(till.basket(promised((lease.lease, 4)), resident=LI))

    assert books.decided(city.database, NANJING) == [("awarded", "awarded", 10)]
    assert (leases(city)[0].drawn, books.budget_left(city.database, NANJING)) == (4, 144)
    later.assert_verified(city.database, NANJING)


def test_a_basket_sent_twice_draws_once(city: City, till: Till) -> None:
    grant(city)
    (lease,) = leases(city)
    line = till.line(promised((lease.lease, 10)))
    for _ in range(2):
        arrival = till.arrival(line)
        arrival.basket.resident = LI
        city.record(arrival)

    assert (leases(city)[0].drawn, books.wallet(city.database, NANJING, LI)) == (10, 10)
    later.assert_verified(city.database, NANJING)


def test_what_a_person_may_not_have_stays_with_the_lease(engine_db: Database) -> None:
    city = open_city(engine_db, rules.document(budget=250, caps=[rules.cap("day", "day", 15)]))
    till = city.till()
    lend(city, till)
    grant(city)
    (lease,) = leases(city)

    city.record(till.basket(promised((lease.lease, 10)), promised((lease.lease, 10)), resident=LI))

    assert books.decided(engine_db, NANJING) == [("awarded", "awarded", 10), ("awarded", "awarded_in_part", 5)]
    assert (leases(city)[0].drawn, books.budget_left(engine_db, NANJING)) == (15, 150)
    later.assert_verified(engine_db, NANJING)


def test_a_promise_that_was_not_the_tills_to_give_is_decided_without_it(city: City, till: Till) -> None:
    other = city.till(2)
    grant(city)
    (lease,) = leases(city)
    spend_the_rest(city)
    renewed = Till(NANJING, 1, seq=50)

    city.record(other.basket(promised((lease.lease, 10)), resident=LI))
    city.record(till.basket(promised((new_id(), 10)), resident=LI))
    city.record(renewed.basket(promised((lease.lease, 10)), resident=LI, sold_at=END + HOUR), now=END + HOUR)
    city.record(till.basket(promised((lease.lease, 10)), resident=LI, received_at=SETTLES), now=SETTLES)

    assert sorted(fault or "" for _, fault, _ in kept(city)) == ["another_till", "late", "out_of_time", "unknown"]
    assert (books.wallet(city.database, NANJING, LI), leases(city)[0].left) == (0, 100)
    later.assert_verified(city.database, NANJING)


def test_a_till_that_promises_beyond_its_lease_is_paid_what_was_granted(city: City, till: Till) -> None:
    grant(city)
    (lease,) = leases(city)
    spend_the_rest(city)

    for _ in range(13):
        city.record(till.basket(promised((lease.lease, 10)), resident=LI))

    assert books.wallet(city.database, NANJING, LI) == 100
    assert [fault for _, fault, _ in kept(city)] == [None] * 10 + ["used_up"] * 3
    later.assert_verified(city.database, NANJING)


def test_what_is_left_flows_back_after_the_grace_and_no_earlier(city: City, till: Till) -> None:
    grant(city)
    (lease,) = leases(city)
    just_before = SETTLES - timedelta(seconds=1)
    city.record(
        till.basket(promised((lease.lease, 10)), resident=LI, sold_at=END, received_at=just_before), now=just_before
    )

    assert settle(city, just_before) == Ended(0, 0)
    assert settle(city, SETTLES) == Ended(0, 1)
    assert settle(city, SETTLES) == Ended(0, 0)

    assert (books.budget_left(city.database, NANJING), reserved(city.database, NANJING)) == (245, 0)
    assert (leases(city)[0].drawn, leases(city)[0].returned) == (5, 95)
    later.assert_verified(city.database, NANJING)


def test_a_lease_that_cannot_be_settled_keeps_no_other_waiting(city: City, till: Till, database_url: str) -> None:
    lend(city, city.till(2))
    grant(city)
    broken, _other = leases(city)
    owner = Database(database_url, role=None)
    lost = f"UPDATE accounts SET balance = 0 WHERE account LIKE 'reserved:{broken.lease}:%'"
    owner.write(lambda c: c.exec_driver_sql(lost, execution_options={"no_parameters": True}))
    owner.close()

    assert settle(city, SETTLES) == Ended(0, 1)
    assert [one.left == 0 for one in leases(city)] == [False, True]


def test_as_many_such_leases_as_are_looked_at_once_keep_no_other_waiting(
    city: City, till: Till, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(end_leases, "DUE_MAX", 1)
    test_a_lease_that_cannot_be_settled_keeps_no_other_waiting(city, till, database_url)


def test_a_till_is_lent_more_when_half_is_used(city: City, till: Till) -> None:
    grant(city)
    (first,) = leases(city)
    city.record(*[till.basket(promised((first.lease, 10)), resident=LI) for _ in range(5)])

    assert grant(city) == Lent(1, 0)

    second = leases(city)[1]
    assert (second.amount, reserved(city.database, NANJING)) == (50, 100)
    assert {said["lease"] for said in told(city, till)["leases"]} == {first.lease, second.lease}
    later.assert_verified(city.database, NANJING)


def test_what_a_till_holds_lasts_longer_as_long_as_it_is_there(city: City, till: Till) -> None:
    """And nothing is lent beside it, so that what waits for late baskets does not pile up."""
    grant(city)
    lasts = NOON
    for session in range(2, 22):
        lasts += 4 * HOUR + timedelta(seconds=1)
        assert grant(city, lasts) == Lent(0, 0), "it was not heard of for hours"
        be_there(city, till, lasts, session=session)
        assert grant(city, lasts) == Lent(0, 1)
        assert grant(city, lasts) == Lent(0, 0)

    (lease,) = leases(city)
    assert (lease.expires_at, lease.settles_at) == (lasts + 8 * HOUR, lasts + 80 * HOUR)
    (said,) = told(city, till)["leases"]
    assert said["until"] == milliseconds(lasts + 8 * HOUR)
    assert settle(city, lasts + 79 * HOUR) == Ended(0, 0)
    assert settle(city, lasts + 80 * HOUR) == Ended(0, 1)
    later.assert_verified(city.database, NANJING)


def test_a_line_that_waits_keeps_what_it_was_promised(city: City, till: Till) -> None:
    """Its product becomes known when the lease is long over and the budget empty."""
    grant(city)
    (lease,) = leases(city)
    city.record(till.basket(promised((lease.lease, 10), code=UNCERTIFIED), resident=LI))
    settled = settle(city, SETTLES)
    spend_the_rest(city)
    register(city.database, {"code": UNCERTIFIED, "product": "冰箱", "category": "冰箱", "grade": "1"})
    held = leases(city)[0]

    later.resolve(city, SETTLES + HOUR)

    assert (settled, held.returned, held.left) == (Ended(0, 0), 90, 10)
    assert (books.wallet(city.database, NANJING, LI), leases(city)[0].left) == (10, 0)
    assert settle(city, SETTLES + 2 * HOUR) == Ended(0, 1)
    later.assert_verified(city.database, NANJING)


def test_a_product_known_later_is_paid_what_was_promised(city: City, till: Till) -> None:
    grant(city)
    (lease,) = leases(city)
    city.record(till.basket(read(FRIDGE), promised((lease.lease, 10), code=UNCERTIFIED), resident=LI))
    spend_the_rest(city)
    register(city.database, {"code": UNCERTIFIED, "product": "冰箱", "category": "冰箱", "grade": "1"})

    later.resolve(city, SETTLES - HOUR)

    assert books.wallet(city.database, NANJING, LI) == 20
    assert (kept(city), leases(city)[0].drawn) == ([(10, None, 10)], 10)
    later.assert_verified(city.database, NANJING)


def test_what_waits_too_long_flows_back_at_last(city: City, till: Till) -> None:
    grant(city)
    (lease,) = leases(city)
    city.record(till.basket(promised((lease.lease, 10))))
    settle(city, SETTLES)

    assert settle(city, SETTLES + timedelta(days=30)) == Ended(0, 1)
    assert (leases(city)[0].returned, reserved(city.database, NANJING)) == (100, 0)
    later.assert_verified(city.database, NANJING)


def test_a_suspension_ends_leases_and_honours_what_was_sold_before(city: City, till: Till) -> None:
    grant(city)
    (lease,) = leases(city)
    suspended = NOON + HOUR
    turn = {"notice_zh": "暂停公告", "reason": "试验", "by": "tests", "now": suspended}
    city.database.write(lambda c: turn_policy(c, NANJING, "green", Turn.SUSPEND, **turn))  # type: ignore[arg-type]  # as named

    late = NOON + 2 * HOUR
    city.record(till.basket(promised((lease.lease, 10)), resident=LI, sold_at=NOON, received_at=late), now=late)
    city.record(till.basket(promised((lease.lease, 10)), resident=LI, sold_at=late), now=late)

    assert [one.reason for one in books.decided(city.database, NANJING)] == ["awarded", "policy_suspended"]
    assert kept(city) == [(10, None, 5), (10, "out_of_time", 0)]
    (said,) = told(city, till)["leases"]
    assert (grant(city, late).granted, said["until"]) == (0, milliseconds(suspended) + 1)
    assert settle(city, suspended + 73 * HOUR).closed == 1
    later.assert_verified(city.database, NANJING)


def test_a_revoked_till_is_lent_nothing_more(city: City, till: Till) -> None:
    grant(city)

    city.database.write(lambda c: revoke_device(c, till.device, NOON + HOUR))

    assert told(city, till)["leases"] == []
    assert (leases(city)[0].ends_at, grant(city, NOON + 5 * HOUR).granted) == (NOON + HOUR, 0)
    assert settle(city, NOON + 73 * HOUR) == Ended(0, 1)
    later.assert_verified(city.database, NANJING)


def test_a_policy_that_ran_out_ends_its_leases(engine_db: Database) -> None:
    until = "2026-11-22T13:00:00+08:00"
    city = open_city(engine_db, rules.document(budget=250, ends=until))
    lend(city, till := city.till())
    grant(city)

    assert settle(city, NOON + 2 * HOUR) == Ended(1, 0)
    assert (leases(city)[0].ends_at, told(city, till)["leases"]) == (NOON + HOUR, [])


def test_an_outbox_that_was_lost_is_lent_anew(city: City, till: Till) -> None:
    """Its counter is gone with it, so what it was lent before is not used any more."""
    lend(city, till, terms=TERMS._replace(amount=50))
    grant(city)
    lost = Till(NANJING, 1)
    lost.__class__ = type("Anew", (Till,), {"stream": property(lambda _self: "f" * 32)})
    be_there(city, lost, session=2)

    assert grant(city).granted == 1
    assert [one["stream"] for one in told(city, till)["leases"]].count("f" * 32) == 1


def test_everybody_gets_an_equal_part_of_what_may_be_lent(engine_db: Database) -> None:
    city = open_city(engine_db, rules.document(budget=100))
    lend(city, *(city.till(number) for number in range(1, 4)))

    assert grant(city).granted == 3
    assert [lease.amount for lease in leases(city)] == [16, 16, 16]
    later.assert_verified(engine_db, NANJING)


@pytest.mark.parametrize(
    ("changes", "terms"),
    [
        ({}, TERMS._replace(policy="blue")),
        ({}, TERMS._replace(unit="fen")),
        ({}, TERMS._replace(share_bp=5_001)),
        ({"partial": False}, TERMS),
        ({"caps": [{**rules.cap("shop", "day", 35), "per": ["store"]}, rules.cap("life", "lifetime", 10**6)]}, TERMS),
    ],
    ids=["no policy", "no budget", "too much", "whole awards only", "a shop's cap"],
)
def test_terms_that_a_till_could_not_keep_are_refused(
    engine_db: Database, changes: dict[str, object], terms: Terms
) -> None:
    city = open_city(engine_db, rules.document(**changes))  # type: ignore[arg-type]  # the world's own arguments

    with pytest.raises(LeaseTermsInvalid):
        city.database.write(lambda c: set_lease_terms(c, policies(), NANJING, terms, "tests", NOON))
