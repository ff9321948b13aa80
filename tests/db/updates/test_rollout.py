"""A rollout on a real database: whom it is offered to, what reports do to it, and how it ends."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import orjson
import pytest

from backend.adapters.chores import Chores
from backend.devices.updates.advance import Turn
from backend.devices.updates.model import in_cohort
from backend.ledger import chart
from backend.policies.store import PolicyCache
from backend.storage.transaction import Database, observed
from backend.usecases.move_rollout import MovedOn
from backend.usecases.offer_update import ReleaseRefused, RolloutUnderWay, RolloutUnknown, turn_rollout
from tests.db.updates.rollouts import (
    DAY,
    FLEET,
    HOUR,
    RELEASE,
    ROLLOUT,
    devices,
    jobs,
    move,
    offer,
    report,
    settle,
    state,
    till,
)
from tests.worlds import books
from tests.worlds.city import NANJING, NOON, SUZHOU
from tests.worlds.later import resolver
from tests.worlds.returning import voider


def test_a_rollout_reaches_every_till_in_use_by_stages_and_nobody_twice(fleet: Database) -> None:
    offer(fleet)

    seen = []
    for day in range(6):
        move(fleet, day * DAY)
        seen.append(len(devices(fleet)))
        settle(fleet, at_h=24 * day + 1)

    expected = [sum(in_cohort(till(n), ROLLOUT, percent) for n in range(FLEET - 1)) for percent in (1, 10, 50, 100)]
    assert seen[-1] == FLEET - 1
    assert set(seen) <= set(expected)
    assert seen == sorted(seen)
    assert state(fleet) == ("done", 3, None)
    assert set(devices(fleet).values()) == {"committed"}
    assert jobs(fleet, "update") == Counter(till(n) for n in range(FLEET - 1))


def test_an_offer_says_what_the_release_is(fleet: Database) -> None:
    offer(fleet)
    whole(fleet)

    (payload,) = {bytes(p) for (p,) in books.rows(fleet, "SELECT payload FROM downlinks WHERE topic LIKE '%/down/job'")}
    assert orjson.loads(payload) == {
        "v": 1,
        "job": "update",
        "rollout": ROLLOUT,
        "target": "till-2.0.tar",
        "version": "2.0",
        "hardware": ["pi4", "pi5"],
        "min_version": "1.0",
    }


def whole(database: Database) -> None:
    """Its last stage, as if the others were over."""
    books_owner = "UPDATE rollouts SET state = 'rolling', stage = 3"
    database.write(lambda connection: connection.exec_driver_sql(books_owner))
    move(database, HOUR)


def test_failures_abort_it_and_tills_that_have_not_begun_are_told_to_drop_it(fleet: Database) -> None:
    offer(fleet)
    whole(fleet)
    for number in range(3):
        report(fleet, till(number), "failed", reason="hash_mismatch", at_h=2)
    report(fleet, till(3), "trial", at_h=2)

    assert move(fleet, 2 * HOUR) == MovedOn(devices=4, offered=0, ended=1)

    assert state(fleet) == ("aborted", 3, "failures")
    assert till(3) in jobs(fleet, "cancel")
    assert till(10) in jobs(fleet, "cancel")
    assert move(fleet, 3 * HOUR) == MovedOn()
    rows = books.rows(fleet, "SELECT reason FROM rollout_devices WHERE state = 'failed'")
    assert rows == [("hash_mismatch",)] * 3


def test_a_till_that_says_nothing_until_its_deadline_has_failed(fleet: Database) -> None:
    offer(fleet)
    whole(fleet)
    report(fleet, till(0), "downloading", at_h=2)
    move(fleet, 3 * HOUR)

    assert move(fleet, 3 * DAY) == MovedOn()
    assert move(fleet, 3 * DAY + HOUR).ended == 1

    assert set(devices(fleet).values()) == {"timed_out"}
    reasons = dict(books.rows(fleet, "SELECT device, reason FROM rollout_devices"))
    assert (reasons[till(0)], reasons[till(1)]) == ("silent_since_downloading", "silent_since_offered")
    assert state(fleet) == ("aborted", 3, "failures")


def test_an_offer_is_repeated_every_hour_to_whoever_has_not_begun(fleet: Database) -> None:
    offer(fleet)
    whole(fleet)
    report(fleet, till(0), "downloading", at_h=1)
    report(fleet, till(1), "offered", at_h=1)

    for minutes in (61, 90, 119, 120, 121):
        move(fleet, timedelta(minutes=minutes))

    sent = jobs(fleet, "update")
    assert (sent[till(0)], sent[till(1)], sent[till(2)]) == (1, 2, 2)


def test_reports_of_another_rollout_late_reports_and_garbage_move_nothing(fleet: Database) -> None:
    offer(fleet)
    whole(fleet)
    report(fleet, till(0), "committed", rollout="01980000-0000-7000-8000-000000000009")
    report(fleet, till(1), "timed_out")
    report(fleet, till(2), "staged", at_h=2)
    move(fleet, 2 * HOUR)
    report(fleet, till(2), "downloading", at_h=3)
    move(fleet, 3 * HOUR)

    found = devices(fleet)
    assert (found[till(0)], found[till(1)], found[till(2)]) == ("offered", "offered", "staged")


def test_a_till_that_runs_the_release_already_is_no_failure(fleet: Database) -> None:
    offer(fleet)
    whole(fleet)
    report(fleet, till(0), "failed", reason="not_newer", version="2.0")
    move(fleet, 2 * HOUR)

    assert devices(fleet)[till(0)] == "committed"


def test_paused_it_offers_nothing_and_hears_what_was_offered(fleet: Database) -> None:
    offer(fleet)
    whole(fleet)
    turn(fleet, Turn.PAUSE)
    report(fleet, till(0), "committed", version="2.0")

    assert move(fleet, 2 * HOUR) == MovedOn(devices=1)
    turn(fleet, Turn.RESUME)
    assert move(fleet, 3 * HOUR) == MovedOn()
    assert state(fleet) == ("rolling", 3, "weather")


def test_an_abort_tells_all_that_have_no_outcome(fleet: Database) -> None:
    offer(fleet)
    whole(fleet)
    report(fleet, till(0), "committed", version="2.0")
    move(fleet, 2 * HOUR)

    turn(fleet, Turn.ABORT)

    told = jobs(fleet, "cancel")
    assert till(0) not in told
    assert len(told) == FLEET - 2
    assert state(fleet) == ("aborted", 3, "weather")


def turn(database: Database, which: Turn) -> None:
    database.write(lambda connection: turn_rollout(connection, NANJING, ROLLOUT, which, "weather", NOON))


def test_one_rollout_of_a_city_at_a_time(fleet: Database) -> None:
    offer(fleet)
    other = "01980000-0000-7000-8000-000000000002"

    with pytest.raises(RolloutUnderWay) as refused:
        offer(fleet, other)
    assert refused.value.facts["rollout"] == ROLLOUT
    offer(fleet, other, SUZHOU)

    turn(fleet, Turn.ABORT)
    offer(fleet, "01980000-0000-7000-8000-000000000003")


def test_what_tills_would_refuse_is_not_offered(fleet: Database) -> None:
    for release in (
        RELEASE._replace(target="../till"),
        RELEASE._replace(version="2.0rc1"),
        RELEASE._replace(min_version=""),
        RELEASE._replace(hardware=()),
        RELEASE._replace(hardware=("PI 4",)),
    ):
        with pytest.raises(ReleaseRefused):
            offer(fleet, release=release)
    with pytest.raises(RolloutUnknown):
        turn(fleet, Turn.PAUSE)


def test_workers_at_once_offer_nobody_twice(fleet: Database) -> None:
    offer(fleet)
    fleet.write(lambda c: c.exec_driver_sql("UPDATE rollouts SET state = 'rolling', stage = 3"))

    with ThreadPoolExecutor(4) as threads:
        moved = list(threads.map(lambda _: move(fleet, HOUR), range(4)))

    assert sum(one.offered for one in moved) == FLEET - 1
    assert jobs(fleet, "update") == Counter(till(n) for n in range(FLEET - 1))


def test_the_worker_moves_the_rollouts_of_every_city_that_has_tills(fleet: Database) -> None:
    """Cities where nothing was sold yet, and no policy stands."""
    offer(fleet)
    offer(fleet, "01980000-0000-7000-8000-000000000002", SUZHOU)
    chores = Chores(fleet, resolver(fleet), voider(fleet), PolicyCache(chart.budget))

    for _ in range(2):
        facts = chores.works()["move_rollouts"](NOON + HOUR, lambda: False)

    assert facts["ended"] == 0
    assert {one for (one,) in books.rows(fleet, "SELECT state FROM rollouts")} == {"rolling"}


def test_a_pass_takes_the_same_statements_whatever_the_fleet(fleet: Database) -> None:
    offer(fleet)
    whole(fleet)
    settle(fleet)
    statements: list[str] = []

    with observed(statements.append):
        move(fleet, 2 * HOUR)

    assert len(statements) <= 8


def test_a_till_on_trial_runs_the_release_and_has_proved_nothing(fleet: Database) -> None:
    offer(fleet)
    move(fleet, 0 * DAY)
    whole(fleet)
    device = next(iter(devices(fleet)))

    report(fleet, device, "trial", version="2.0", at_h=2)
    move(fleet, 3 * HOUR)
    assert devices(fleet)[device] == "trial"
    report(fleet, device, "rolled_back", version="1.0", at_h=4)
    move(fleet, 5 * HOUR)

    assert devices(fleet)[device] == "rolled_back"


def cancelled(database: Database, device: str) -> int:
    return jobs(database, "cancel")[device]


def abort(database: Database, after: timedelta) -> None:
    database.write(lambda c: turn_rollout(c, NANJING, ROLLOUT, Turn.ABORT, "weather", NOON + after))


@pytest.mark.parametrize("said", ["offered", "downloading", "verified", "staged"])
def test_a_till_that_was_away_at_the_abort_is_told_when_it_comes_back_with_the_update(
    fleet: Database, said: str
) -> None:
    """Whatever was sent at the abort has expired in the broker by then."""
    offer(fleet)
    whole(fleet)
    report(fleet, till(0), said, at_h=1)
    move(fleet, 2 * HOUR)
    abort(fleet, 3 * HOUR)
    move(fleet, 4 * HOUR)
    assert cancelled(fleet, till(0)) == 1

    report(fleet, till(0), said, at_h=30)
    move(fleet, 31 * HOUR)
    move(fleet, 32 * HOUR)
    assert cancelled(fleet, till(0)) == 2

    report(fleet, till(0), "failed", reason="cancelled", at_h=33)
    move(fleet, 34 * HOUR)
    assert cancelled(fleet, till(0)) == 2


def test_a_till_that_was_given_up_is_told_to_drop_it_even_while_others_go_on(fleet: Database) -> None:
    offer(fleet)
    whole(fleet)
    report(fleet, till(0), "downloading", at_h=2)
    for number in range(1, FLEET - 1):
        report(fleet, till(number), "committed", version="2.0", at_h=2)
    move(fleet, 2 * HOUR)
    move(fleet, 3 * DAY + HOUR)
    assert devices(fleet)[till(0)] == "timed_out"

    report(fleet, till(0), "staged", at_h=74)
    move(fleet, 75 * HOUR)

    assert jobs(fleet, "cancel") == Counter({till(0): 1})


def test_a_trial_under_way_and_tills_of_another_rollout_are_not_called_off(fleet: Database) -> None:
    offer(fleet)
    whole(fleet)
    abort(fleet, HOUR)
    told = jobs(fleet, "cancel")
    report(fleet, till(0), "trial", version="2.0", at_h=2)
    report(fleet, till(1), "staged", rollout="01980000-0000-7000-8000-000000000009", at_h=2)

    move(fleet, 3 * HOUR)

    assert jobs(fleet, "cancel") == told


@pytest.mark.parametrize("held", [False, True])
def test_a_staged_till_that_asks_whether_its_offer_stands_is_answered_once_a_report(
    fleet: Database, *, held: bool
) -> None:
    """A pause ends nothing that was offered."""
    offer(fleet)
    whole(fleet)
    report(fleet, till(0), "staged", at_h=1)
    move(fleet, HOUR + timedelta(minutes=1))
    if held:
        turn(fleet, Turn.PAUSE)
    asked = jobs(fleet, "update")[till(0)]

    report(fleet, till(0), "staged", reason="unconfirmed", at_h=2)
    for minutes in (1, 2, 3):
        move(fleet, 2 * HOUR + timedelta(minutes=minutes))
    assert jobs(fleet, "update")[till(0)] == asked + 1
    move(fleet, 2 * HOUR + timedelta(minutes=7))
    assert jobs(fleet, "update")[till(0)] == asked + 2

    report(fleet, till(0), "staged", at_h=3)
    move(fleet, 3 * HOUR)
    assert jobs(fleet, "update")[till(0)] == asked + 2


@pytest.mark.parametrize(("reason", "version"), [("wrong_hardware", "1.0"), ("not_newer", "3.0")])
def test_tills_that_a_release_is_not_for_are_no_failures(fleet: Database, reason: str, version: str) -> None:
    """A city with two kinds of hardware: half of its tills are not concerned, and the rest are what counts."""
    offer(fleet)
    whole(fleet)
    for number in range(FLEET - 1):
        if number % 2:
            report(fleet, till(number), "failed", reason=reason, version=version, at_h=2)
        else:
            report(fleet, till(number), "committed", version="2.0", at_h=2)

    move(fleet, 2 * HOUR)
    move(fleet, 2 * DAY)

    assert state(fleet) == ("done", 3, None)
    assert Counter(devices(fleet).values()) == {"committed": 30, "not_concerned": 29}


def test_failures_are_weighed_among_the_tills_that_are_concerned(fleet: Database) -> None:
    """2 of 30 are more than 5 %, and of 59 they would not be."""
    offer(fleet)
    whole(fleet)
    for number in range(FLEET - 1):
        if number % 2:
            report(fleet, till(number), "failed", reason="wrong_hardware", at_h=2)
        else:
            outcome = ("failed", "1.0") if number < 4 else ("committed", "2.0")
            report(fleet, till(number), outcome[0], version=outcome[1], at_h=2)

    assert move(fleet, 2 * HOUR).ended == 1

    assert state(fleet) == ("aborted", 3, "failures")


def test_a_rollout_that_concerns_nobody_says_so(fleet: Database) -> None:
    offer(fleet)
    for hours in range(8):
        move(fleet, hours * HOUR)
        settle_unconcerned(fleet, at_h=hours)

    assert state(fleet) == ("done", 3, "nobody_concerned")
    assert set(devices(fleet).values()) == {"not_concerned"}
    assert jobs(fleet, "cancel") == Counter()


def settle_unconcerned(database: Database, at_h: int) -> None:
    for device, found in devices(database).items():
        if found == "offered":
            report(database, device, "failed", reason="wrong_hardware", at_h=at_h)
