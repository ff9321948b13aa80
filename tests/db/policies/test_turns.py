"""A policy is suspended, resumed and ended by moments of sale that lie ahead; what was decided stays."""

from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest

from backend.policies.lifecycle import (
    NotInThatState,
    PolicyUnknown,
    Standing,
    SuspensionBackdated,
    Turn,
)
from backend.storage.transaction import Database
from backend.usecases.verify_ledger import verify_ledger
from tests.db.policies.office import LATER, ROUNDS, Office, outcomes, sound
from tests.worlds import books
from tests.worlds.city import FRIDGE, NANJING, NOON, City, open_city, read, resident


def test_of_two_suspensions_at_once_one_is_taken(office: Office) -> None:
    office.approve(office.submitted())

    found = outcomes(*[lambda: office.turn(Turn.SUSPEND)] * 4)

    assert sorted(type(one).__name__ for one in found) == ["NotInThatState"] * 3 + ["Standing"]


# Suspension.


def test_a_policy_that_is_unknown_or_not_suspended_does_not_turn(office: Office) -> None:
    with pytest.raises(PolicyUnknown):
        office.turn(Turn.SUSPEND)
    office.approve(office.submitted())
    with pytest.raises(NotInThatState):
        office.turn(Turn.RESUME)
    with pytest.raises(SuspensionBackdated):
        office.turn(Turn.SUSPEND, from_at=NOON - timedelta(seconds=1))


def test_the_database_itself_takes_no_turn_that_reaches_back(owner: psycopg.Connection[Any]) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        owner.execute(
            "INSERT INTO policy_suspensions VALUES ('320100', 'p', 1, 'suspend', now() - interval '1 second', 'n', 'r', 'b',"
            " now())"
        )


def sold(city: City, *moments: datetime) -> list[str]:
    """The reasons of fridges sold and received at those moments, each to another person."""
    till = city.till(len(moments))
    for number, at in enumerate(moments):
        city.record(till.basket(read(FRIDGE), resident=resident(number), sold_at=at), now=at)
    return [one.reason for one in books.decided(city.database, city.code)]


def broken(database: Database) -> list[Any]:
    return [finding for verified in verify_ledger(database, NANJING) for finding in verified.findings if finding.broken]


def test_what_is_sold_while_a_policy_is_suspended_is_told_so(engine_db: Database) -> None:
    city, office = open_city(engine_db, sound()), Office(engine_db)
    until = LATER + timedelta(hours=1)
    office.turn(Turn.SUSPEND, from_at=LATER)
    office.turn(Turn.RESUME, from_at=until)

    second = timedelta(seconds=1)
    reasons = sold(city, LATER - second, LATER, until - second, until)

    assert reasons == ["awarded", "policy_suspended", "policy_suspended", "awarded"]
    assert books.budget_left(engine_db, NANJING) == 5_000 - 2 * 10
    assert broken(engine_db) == []


def test_what_was_decided_before_a_suspension_replays_as_it_was(engine_db: Database) -> None:
    """Also what was sold before and comes late: the moment of sale decides."""
    city, office = open_city(engine_db, sound()), Office(engine_db)
    sold(city, NOON)
    office.turn(Turn.SUSPEND, now=LATER)

    late = city.till(2).basket(read(FRIDGE), resident=resident(9), sold_at=NOON, received_at=LATER + timedelta(days=1))
    city.record(late, now=LATER + timedelta(days=1))

    assert [one.reason for one in books.decided(engine_db, NANJING)] == ["awarded", "awarded"]
    assert broken(engine_db) == []


def test_an_ended_policy_pays_nothing_more_and_takes_no_new_version(engine_db: Database, database_url: str) -> None:
    city, office = open_city(engine_db, sound()), Office(engine_db, database_url)

    assert office.turn(Turn.END, now=LATER) is Standing.ENDED

    assert sold(city, NOON, LATER + timedelta(minutes=1)) == ["awarded", "policy_suspended"]
    with pytest.raises(NotInThatState):
        office.turn(Turn.RESUME, now=LATER + timedelta(hours=1))
    with pytest.raises(NotInThatState):
        office.submitted(sound(starts="2027-06-01T00:00:00+08:00"))


def test_another_policy_pays_beside_one_that_is_suspended(engine_db: Database) -> None:
    city, office = open_city(engine_db, sound()), Office(engine_db)
    city.publish(sound(policy="other"))
    office.turn(Turn.SUSPEND, from_at=NOON)

    assert sold(city, NOON) == ["awarded"]
    assert books.budget_left(engine_db, NANJING, "other") == 4_990


def test_every_process_learns_of_a_suspension_with_its_next_batch(engine_db: Database) -> None:
    city, office = open_city(engine_db, sound()), Office(engine_db)
    another, till = city.another_process(), city.till()
    another.record(NANJING, [till.basket(read(FRIDGE), resident=resident(1))], NOON)
    office.turn(Turn.SUSPEND, now=NOON)
    at = NOON + timedelta(seconds=1)
    another.record(NANJING, [till.basket(read(FRIDGE), resident=resident(2), sold_at=at)], at)

    assert [one.reason for one in books.decided(engine_db, NANJING)] == ["awarded", "policy_suspended"]


def test_awards_and_a_suspension_at_once_leave_books_that_hold(engine_db: Database) -> None:
    """Whatever is decided beside it, what comes after the suspension is told of it, and everything replays."""
    city, office = open_city(engine_db, sound()), Office(engine_db)
    at = NOON + timedelta(seconds=1)
    tills = [city.till(number) for number in range(4)]

    def scan(number: int) -> list[str]:
        process = city.another_process()
        for each in range(ROUNDS):
            person = resident(100 * number + each)
            process.record(NANJING, [tills[number].basket(read(FRIDGE), resident=person, sold_at=at)], at)
        return []

    outcomes(*[lambda n=number: scan(n) for number in range(4)], lambda: office.turn(Turn.SUSPEND, now=NOON))
    told = {one.reason for one in books.decided(engine_db, NANJING)}
    awarded = sum(one.reason == "awarded" for one in books.decided(engine_db, NANJING))
    city.record(city.till(9).basket(read(FRIDGE), resident=resident(999), sold_at=at), now=at)

    assert told <= {"awarded", "policy_suspended"}
    assert books.decided(engine_db, NANJING)[-1].reason == "policy_suspended"
    assert books.budget_left(engine_db, NANJING) == 5_000 - 10 * awarded
    assert broken(engine_db) == []


def test_an_award_of_a_suspended_policy_is_found(engine_db: Database, owner: psycopg.Connection[Any]) -> None:
    """The suspension is planted as if it had been known long before the award."""
    city = open_city(engine_db, sound())
    sold(city, NOON)
    begun = NOON - timedelta(hours=1)
    owner.execute(
        "INSERT INTO policy_suspensions VALUES ('320100', 'green', 1, 'suspend', %s, 'n', 'r', 'b', %s)", (begun, begun)
    )

    (found,) = broken(engine_db)

    assert (found.invariant, found.broken) == ("I8", 1)
    assert "was suspended at the sale" in found.breaks[0].found
