"""A budget's reclaim date: what is left goes back once, and so does all that comes back into it later."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Connection

from backend.audit.model import Act
from backend.ledger import chart
from backend.ledger.queries import liability
from backend.policies.compiled import PolicySet
from backend.policies.reclaim import Reclaim, reclaims
from backend.storage.transaction import Database
from backend.usecases import reclaim_budgets as sweeping
from backend.usecases.reclaim_budgets import Reclaimed, reclaim_budgets
from tests.worlds import books, later, rules
from tests.worlds.city import FRIDGE, NANJING, City, open_city, read, resident
from tests.worlds.quotes import awards, open_desk, reserved
from tests.worlds.returning import bring_back

LI = resident(1)
MIDNIGHT = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
"""The 23rd begins in Nanjing."""
BEFORE = MIDNIGHT - timedelta(seconds=1)


def document(reclaim_on: str | None = "2026-11-23", amount: int = 1_000, **more: object) -> dict[str, object]:
    budget = {"unit": "points", "amount": amount, "partial": True, "shards": 3, "reclaim_on": reclaim_on}
    return {**rules.document(**more), "budget": budget}  # type: ignore[arg-type]  # the world's own arguments


@pytest.fixture
def city(engine_db: Database) -> City:
    return open_city(engine_db, document())


def left(database: Database) -> int:
    return sum(books.balance(database, NANJING, account) for account in chart.budget("green", "points", 3))


def swept(database: Database) -> list[tuple[str, int]]:
    return books.rows(
        database, "SELECT source, amount FROM transfers WHERE reason = 'reclaim' AND city = :c ORDER BY 1", c=NANJING
    )


def test_nothing_moves_before_the_day_and_everything_on_it_once(city: City) -> None:
    city.record(city.till().basket(read(FRIDGE), resident=LI))

    early = reclaim_budgets(city.database, NANJING, BEFORE)
    done = reclaim_budgets(city.database, NANJING, MIDNIGHT)
    again = reclaim_budgets(city.database, NANJING, MIDNIGHT)

    assert (early, done, again) == (Reclaimed(0), Reclaimed(1), Reclaimed(0))
    assert sum(amount for _, amount in swept(city.database)) == 990
    assert len(swept(city.database)) == 3
    later.assert_verified(city.database, NANJING)


def test_a_budget_that_cannot_be_swept_keeps_none_behind_it_from_it(
    engine_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_city(engine_db, document(policy="first")).publish(document(policy="second"))

    def breaks_at_one(_connection: Connection, act: Act) -> None:
        assert act.key != "first"

    monkeypatch.setattr(sweeping, "record", breaks_at_one)

    assert reclaim_budgets(engine_db, NANJING, MIDNIGHT) == Reclaimed(1)
    assert {source.split(":")[1] for source, _ in swept(engine_db)} == {"second"}


def test_afterwards_the_policy_has_no_budget(city: City) -> None:
    reclaim_budgets(city.database, NANJING, MIDNIGHT)

    city.record(city.till().basket(read(FRIDGE), resident=LI, sold_at=MIDNIGHT), now=MIDNIGHT)

    assert [one.reason for one in books.decided(city.database, NANJING)] == ["budget"]
    with city.database.read() as connection:
        (points,) = liability(connection, NANJING)
    assert (points.granted, points.in_budgets, points.adds_up) == (0, 0, True)


def test_what_is_reserved_is_honoured_and_what_comes_back_is_swept(city: City) -> None:
    desk = open_desk(city)
    paid, not_paid = desk.hold(read(FRIDGE), person=LI, now=BEFORE), desk.hold(read(FRIDGE), person=LI, now=BEFORE)
    reclaim_budgets(city.database, NANJING, MIDNIGHT)
    assert (left(city.database), reserved(city.database, NANJING)) == (0, 20)

    done = desk.capture(paid, now=MIDNIGHT)
    desk.void(not_paid, now=MIDNIGHT)
    assert left(city.database) == 10
    swept_release = reclaim_budgets(city.database, NANJING, MIDNIGHT + timedelta(minutes=1))
    assert done.quote is not None
    bring_back(city.database, (done.quote, 0, 1), at=MIDNIGHT + timedelta(hours=1))
    swept_return = reclaim_budgets(city.database, NANJING, MIDNIGHT + timedelta(hours=2))

    assert awards(done) == [10]
    assert (swept_release, swept_return, left(city.database)) == (Reclaimed(1), Reclaimed(1), 0)
    assert sum(amount for _, amount in swept(city.database)) == 1_000
    later.assert_verified(city.database, NANJING)


def test_a_later_version_keeps_the_money_until_its_own_date(city: City) -> None:
    city.publish(document("2026-12-31", 500, starts="2026-11-22T12:30:00+08:00"))

    assert reclaim_budgets(city.database, NANJING, MIDNIGHT) == Reclaimed(0)
    assert reclaim_budgets(city.database, NANJING, datetime(2026, 12, 30, 16, tzinfo=UTC)) == Reclaimed(1)
    assert sum(amount for _, amount in swept(city.database)) == 1_500


def test_versions_share_the_latest_date_and_none_where_one_names_none() -> None:
    first, second = rules.compiled(document()), rules.compiled(document("2026-12-31"))
    open_ended = rules.compiled(document(None))
    accounts = tuple(sorted(chart.budget("green", "points", 3)))

    assert reclaims(PolicySet([first, second])) == [Reclaim("green", "points", date(2026, 12, 31), accounts)]
    assert reclaims(PolicySet([open_ended, first])) == [Reclaim("green", "points", None, accounts)]
