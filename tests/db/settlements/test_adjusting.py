"""Adjustments by hand, and what the city owes day by day."""

from datetime import datetime, timedelta

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from backend.adjustments import queries
from backend.adjustments.model import (
    AdjustedNobody,
    AdjustmentByTwo,
    AdjustmentInvalid,
    AdjustmentJudged,
    AdjustmentRepeated,
    AdjustmentState,
    AdjustmentUntold,
    Cause,
    Proposed,
    TooLittleToTake,
    Wanted,
    alone_max,
)
from backend.kernel.ids import new_id
from backend.kernel.periods import civil_date, milliseconds
from backend.ledger import chart
from backend.ledger.queries import liability
from backend.storage.transaction import Database
from backend.usecases.adjust_by_hand import approve_adjustment, propose_adjustment, refuse_adjustment
from backend.usecases.report_liability import freeze_liability, liability_report
from tests.worlds import books
from tests.worlds.city import NANJING, NOON, resident
from tests.worlds.later import assert_verified
from tests.worlds.people import People
from tests.worlds.redeeming import open_counter
from tests.worlds.settling import CLOSING, DAY, QIAN, ZHAO, Office, open_office

LI = resident(1)
FINANCE = frozenset({"finance"})


def adjust(
    office: Office, amount: int, unit: str = "points", by: str = ZHAO, now: datetime = NOON, **changes: object
) -> tuple[str, AdjustmentState]:
    wanted = Wanted(LI, None, unit, amount, Cause.GOODWILL, "T-1", "系统停机期间未能扫码")._replace(**changes)  # type: ignore[arg-type]
    adjustment = new_id()
    proposed = Proposed(by, alone_max(FINANCE, wanted.unit))
    return adjustment, propose_adjustment(office.database, NANJING, adjustment, wanted, proposed, now)


@pytest.fixture
def office(engine_db: Database) -> Office:
    opened = open_office(engine_db)
    opened.sell(40)
    return opened


def test_within_ones_limit_alone_and_beyond_it_by_another(office: Office) -> None:
    database = office.database
    _, at_once = adjust(office, 2_000)
    waiting, proposed = adjust(office, 2_001)

    assert (at_once, proposed) == (AdjustmentState.POSTED, AdjustmentState.PROPOSED)
    assert books.wallet(database, NANJING, LI) == 2_040
    with pytest.raises(AdjustmentByTwo):
        approve_adjustment(database, NANJING, waiting, ZHAO, NOON)
    approve_adjustment(database, NANJING, waiting, QIAN, NOON)
    with pytest.raises(AdjustmentJudged):
        refuse_adjustment(database, NANJING, waiting, QIAN, NOON)
    assert books.wallet(database, NANJING, LI) == 4_041
    assert books.balance(database, NANJING, chart.adjust("goodwill", "points")) == -4_001
    with database.read() as connection:
        shown = queries.of_resident(connection, NANJING, LI)
    assert [(one.wanted.amount, one.wanted.cause) for one in shown] == [(2_001, "goodwill"), (2_000, "goodwill")]
    assert_verified(database, NANJING)


def test_many_small_ones_are_one_large_one(office: Office) -> None:
    states = [
        adjust(office, amount, by=by)[1] for amount, by in ((1_500, ZHAO), (-400, QIAN), (101, ZHAO), (100, QIAN))
    ]
    assert states == [AdjustmentState.POSTED] * 2 + [AdjustmentState.PROPOSED, AdjustmentState.POSTED]
    assert adjust(office, 1)[1] is AdjustmentState.PROPOSED
    assert adjust(office, 1, now=NOON + timedelta(days=31))[1] is AdjustmentState.POSTED

    people = [resident(number) for number in range(2, 13)]
    for number, person in enumerate(people):
        office.sell(1, person=person, at=NOON + timedelta(days=number))
    last = NOON + timedelta(days=60)
    states = [adjust(office, 2_000, resident=person, now=last)[1] for person in people]
    assert states == [AdjustmentState.POSTED] * 10 + [AdjustmentState.PROPOSED]
    assert_verified(office.database, NANJING)


def test_one_form_is_one_adjustment_however_often_it_is_sent(office: Office) -> None:
    adjustment, wanted = new_id(), Wanted(LI, None, "points", 7, Cause.GOODWILL, "T-1", "停机")
    for _ in range(2):
        state = propose_adjustment(office.database, NANJING, adjustment, wanted, Proposed(ZHAO, 10), NOON)
        assert state is AdjustmentState.POSTED
    other = wanted._replace(amount=8)
    with pytest.raises(AdjustmentRepeated):
        propose_adjustment(office.database, NANJING, adjustment, other, Proposed(ZHAO, 10), NOON)

    assert books.wallet(office.database, NANJING, LI) == 47


def test_an_adjustment_goes_to_whoever_the_resident_is_by_now(office: Office) -> None:
    town = People(office.database)
    kept, absorbed, gone = (town.sign_in(name) for name in ("kept", "absorbed", "gone"))
    for person in (kept, absorbed, gone):
        office.sell(1, person=person.resident)
    waiting, _ = adjust(office, 5_000, resident=absorbed.resident)
    late, _ = adjust(office, 5_000, resident=gone.resident)
    town.merge(kept, "absorbed")
    town.leave(gone)

    approve_adjustment(office.database, NANJING, waiting, QIAN, NOON)
    adjust(office, 3, resident=absorbed.resident)
    assert books.wallet(office.database, NANJING, kept.resident) == 5_005
    with pytest.raises(AdjustedNobody):
        approve_adjustment(office.database, NANJING, late, QIAN, NOON)
    with pytest.raises(AdjustedNobody):
        adjust(office, 3, resident=gone.resident)
    assert_verified(office.database, NANJING)


def test_what_is_taken_is_what_is_there_and_a_shop_may_owe(office: Office) -> None:
    with pytest.raises(TooLittleToTake):
        adjust(office, -41)
    adjust(office, -40, cause=Cause.MISTAKE)
    adjust(office, -500, "fee", resident=None, store="s1")

    assert books.wallet(office.database, NANJING, LI) == 0
    assert books.balance(office.database, NANJING, chart.shop("s1", "fee")) == 120 - 500
    office.close()
    assert sorted(office.amounts()) == [("adjustment", -500), ("fee", 120)]
    assert_verified(office.database, NANJING)


@pytest.mark.parametrize(
    ("refusal", "changes"),
    [
        (AdjustmentInvalid, {"amount": 0}),
        (AdjustmentInvalid, {"unit": "fee"}),
        (AdjustmentInvalid, {"store": "s1"}),
        (AdjustmentUntold, {"ticket": " "}),
        (AdjustmentUntold, {"explanation": "长" * 501}),
        (AdjustedNobody, {"resident": resident(9)}),
        (AdjustedNobody, {"resident": None, "store": "s9", "unit": "fee"}),
    ],
)
def test_what_is_no_adjustment_is_refused(office: Office, refusal: type[Exception], changes: dict[str, object]) -> None:
    with pytest.raises(refusal):
        adjust(office, **{"amount": 5, **changes})  # type: ignore[arg-type]


def test_the_database_too_wants_two(office: Office) -> None:
    waiting, _ = adjust(office, 2_001)
    for change in (
        "state = 'posted', posted_at = now()",
        "state = 'posted', posted_at = now(), judged_at = now(), judged_by = '赵会计'",
    ):
        with pytest.raises((psycopg.Error, DBAPIError), match="ck_adjustments_"):
            office.database.write(
                lambda c, x=change: c.execute(text(f"UPDATE adjustments SET {x} WHERE adjustment = :a"), {"a": waiting})  # type: ignore[misc]
            )


def test_the_liability_of_each_day_equals_the_ledger(office: Office) -> None:
    """Awards, a return, redemptions, an adjustment, a payment: frozen nightly, live today, the same either way."""
    database = office.database
    sold = office.sell(6, at=NOON + DAY)
    office.bring_back(sold, 2, NOON + 2 * DAY)
    open_counter(database).redeem(LI, 9, "r", NOON + 2 * DAY)
    adjust(office, 100)
    office.close()
    office.pay(CLOSING + 6 * DAY)
    office.sell(1, at=CLOSING + 7 * DAY)
    first, today = civil_date(milliseconds(NOON)), CLOSING + 7 * DAY

    def report() -> list[tuple[object, ...]]:
        with database.read() as connection:
            return [
                tuple(one)
                for one in liability_report(connection, NANJING, first, civil_date(milliseconds(today)), today)
            ]

    live = report()
    freeze_liability(database, NANJING, NOON + 2 * DAY)
    freeze_liability(database, NANJING, today)
    assert freeze_liability(database, NANJING, today) == 0
    assert report() == live
    points = {one[0]: one[2:] for one in live if one[1] == "points"}
    assert points[first] == (40, 100, 0, 0, 0, 140)
    assert points[first + timedelta(days=2)] == (0, 0, 9, 0, 2, 135)
    with database.read() as connection:
        now_owed = {one.unit: one.outstanding - one.owed + one.of_shops for one in liability(connection, NANJING)}
    last = {str(one[1]): one[-1] for one in live if one[0] == civil_date(milliseconds(today))}
    assert last == {unit: owed for unit, owed in now_owed.items() if owed}
    assert_verified(database, NANJING)
