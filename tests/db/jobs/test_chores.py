"""Recurring work on a real database: what it does, what it leaves alone, and what it reports."""

from datetime import datetime, timedelta

import psycopg
import pytest
from sqlalchemy import Connection, text
from structlog.testing import capture_logs

import backend.adapters.chores as chores_module
from backend.adapters.chores import Chores, LedgerBroken
from backend.devices.enrolment.clones import Birth
from backend.devices.enrolment.store import save_boots
from backend.kernel.ids import new_id
from backend.ledger import chart
from backend.officials import slowing
from backend.officials.model import Role
from backend.outbox.store import NewDownlink, put
from backend.policies.store import PolicyCache
from backend.residents import sessions
from backend.residents.queries import Session
from backend.residents.session_life import Way
from backend.storage.transaction import Database, observed
from backend.usecases.find_missing_points import FindMissingPoints
from backend.usecases.make_snapshot import MakeSnapshot
from backend.usecases.resolve_products import ResolveProducts
from backend.usecases.void_baskets import VoidBaskets
from tests.worlds import books, officials, rules
from tests.worlds.city import FRIDGE, NANJING, NOON, SUZHOU, UNCERTIFIED, City, open_city, read, register, resident
from tests.worlds.later import LATER, resolver
from tests.worlds.returning import voider

LI = resident(1)
DAY = timedelta(days=1)


def never() -> bool:
    return False


@pytest.fixture
def chores(engine_db: Database) -> Chores:
    return Chores(engine_db, resolver(engine_db), voider(engine_db), PolicyCache(chart.budget))


@pytest.fixture
def city(usual_city: City) -> City:
    return usual_city


def _at(database: Database, now: datetime, *messages: NewDownlink, city: str = NANJING) -> None:
    database.write(lambda connection: put(connection, city, messages, now))


def _topics(database: Database) -> list[str]:
    return [topic for (topic,) in books.rows(database, "SELECT topic FROM downlinks ORDER BY city, topic")]


def test_waiting_scans_of_every_city_are_decided(engine_db: Database, chores: Chores) -> None:
    for city in (open_city(engine_db), open_city(engine_db, code=SUZHOU)):
        city.record(city.till().basket(read(UNCERTIFIED), resident=LI))
    register(engine_db, {"code": UNCERTIFIED, "grade": "1"})

    facts = chores.works()["resolve_products"](LATER, never)

    assert facts == {"codes": 2, "scans": 2, "awarded": 2, "failed": 0}


def test_a_sound_ledger_is_reported_as_such(city: City, chores: Chores) -> None:
    city.record(city.till().basket(read(FRIDGE), resident=LI))

    with capture_logs() as logs:
        facts = chores.works()["verify_ledger"](NOON, never)

    assert facts["cities"] == 1
    assert logs == []


@pytest.mark.parametrize("name", ["verify_ledger", "verify_all"])
def test_a_break_is_an_error_that_names_its_place(city: City, chores: Chores, database_url: str, name: str) -> None:
    city.record(city.till().basket(read(FRIDGE), resident=LI))
    with psycopg.connect(database_url) as owner:  # the engine itself could not
        owner.execute("UPDATE accounts SET balance = balance + 1 WHERE account LIKE 'resident:%'")

    with capture_logs() as logs, pytest.raises(LedgerBroken) as raised:
        chores.works()[name](NOON, never)

    assert raised.value.facts["broken"] == sum(line["broken"] for line in logs)
    assert {(line["log_level"], line["city"]) for line in logs} == {("error", NANJING)}
    assert any(f"resident:{LI}:points" in place for line in logs for place in line["places"])


def test_a_break_in_one_city_hides_none_in_another(engine_db: Database, chores: Chores, database_url: str) -> None:
    for code in (NANJING, SUZHOU):
        open_city(engine_db, code=code)
    with psycopg.connect(database_url) as owner:
        owner.execute("UPDATE accounts SET balance = balance - 1 WHERE account LIKE 'budget:%'")

    with capture_logs() as logs, pytest.raises(LedgerBroken):
        chores.works()["verify_ledger"](NOON, never)

    assert {line["city"] for line in logs} == {NANJING, SUZHOU}


def test_the_minutes_verification_replays_what_was_just_decided_and_the_nights_everything(
    city: City, chores: Chores, database_url: str
) -> None:
    city.record(city.till(1).basket(read(FRIDGE), resident=LI))
    with psycopg.connect(database_url) as owner:
        owner.execute("UPDATE decisions SET gross = gross + 1, quantity = 2")

    with capture_logs(), pytest.raises(LedgerBroken):
        chores.works()["verify_ledger"](NOON + timedelta(minutes=9), never)
    assert chores.works()["verify_ledger"](NOON + timedelta(minutes=11), never)["cities"] == 1
    with capture_logs(), pytest.raises(LedgerBroken):
        chores.works()["verify_all"](NOON + DAY, never)


def test_messages_go_a_week_after_they_expired(city: City, chores: Chores) -> None:
    hour = 3_600
    _at(city.database, NOON - 7 * DAY - timedelta(hours=1, seconds=1), NewDownlink("gone", b"x", expiry_s=hour))
    _at(city.database, NOON - 7 * DAY - timedelta(minutes=59), NewDownlink("kept", b"x", expiry_s=hour))
    _at(city.database, NOON - 900 * DAY, NewDownlink("lasting", b"x", retain=True))

    facts = chores.clean_up(NOON, never)

    assert facts["downlinks"] == 1
    assert _topics(city.database) == ["kept", "lasting"]


def test_of_each_tills_boots_the_newest_hundred_are_kept(city: City, chores: Chores) -> None:
    births = [Birth(device, "s1", f"b{n}", n) for n in range(1, 103) for device in ("nj-till-0001", "nj-till-0002")]
    births.append(Birth("nj-till-0003", "s1", "b1", 1))
    city.database.write(lambda connection: save_boots(connection, NANJING, births))

    assert chores.clean_up(NOON, never)["boots"] == 4

    left = books.rows(city.database, "SELECT device, count(*), min(session) FROM device_boots GROUP BY 1 ORDER BY 1")
    assert left == [("nj-till-0001", 100, 3), ("nj-till-0002", 100, 3), ("nj-till-0003", 1, 1)]
    assert chores.clean_up(NOON, never)["boots"] == 0


def test_member_codes_that_nobody_used_go_when_no_till_can_still_deliver_them(city: City, chores: Chores) -> None:
    codes = [city.issue_code(LI, NOON - days * DAY) for days in (32, 32, 30, 0)]
    early = NOON - 32 * DAY - timedelta(seconds=30)
    till = city.till()
    city.record(till.arrival(till.line(read(FRIDGE), sold_at=early, member=codes[0]), early), now=early)

    facts = chores.clean_up(NOON, never)

    assert facts["member_codes"] == 1
    left = books.rows(city.database, "SELECT used_seq IS NOT NULL, expires_at FROM member_codes ORDER BY expires_at")
    assert left == [(True, NOON - 32 * DAY), (False, NOON - 30 * DAY), (False, NOON)]
    late = till.basket(read(FRIDGE), sold_at=NOON - 30 * DAY, received_at=NOON, member=codes[2])
    assert late.member is not None
    city.record(late)
    assert books.wallet(city.database, NANJING, LI) == 15  # at once ten, late five


def test_sessions_go_thirty_days_after_they_expired(city: City, chores: Chores) -> None:
    def open_one(days: int) -> None:
        session = Session(NANJING, LI, new_id(), Way.DEVELOPMENT, NOON - days * DAY, NOON)

        def work(connection: Connection) -> None:
            sessions.open_session(connection, bytes([days]) * 32, session, NOON - 99 * DAY)

        city.database.write(work)

    for days in (31, 29, 0):
        open_one(days)

    assert chores.clean_up(NOON, never)["sessions"] == 1
    left = books.rows(city.database, "SELECT expires_at FROM resident_sessions ORDER BY 1")
    assert left == [(NOON - 29 * DAY,), (NOON,)]


def test_officials_sessions_and_failed_tries_go_when_they_serve_nobody(city: City, chores: Chores) -> None:
    official = officials.enter(city.database, NOON, Role.FLEET)
    for days in (32, 29):
        officials.session(city.database, NOON - days * DAY, official)
    for hours in (25, 23):
        tried = [slowing.Try(bytes([hours]) * 32, slowing.ADDRESS)]
        city.database.write(lambda c, t=tried, h=hours: slowing.take(c, t, NOON - timedelta(hours=h)))  # type: ignore[misc]

    assert chores.clean_up(NOON, never)["officials"] == 2
    assert books.rows(city.database, "SELECT key FROM official_tries") == [(bytes([23]) * 32,)]


def test_a_large_table_is_cleaned_slice_by_slice(city: City, chores: Chores) -> None:
    statement = (
        "INSERT INTO member_codes (city, handle, resident, expires_at)"
        " SELECT :city, substring(sha256(int4send(n)) FOR 16), :person,"
        " CASE WHEN n % 3 = 0 THEN CAST(:old AS timestamptz) ELSE :now END FROM generate_series(1, 12000) n"
    )
    values = {"city": NANJING, "person": LI, "old": NOON - 40 * DAY, "now": NOON}
    city.database.write(lambda connection: connection.execute(text(statement), values))
    statements: list[str] = []

    with observed(statements.append):
        assert chores.clean_up(NOON, never)["member_codes"] == 4_000

    assert sum("DELETE FROM member_codes" in statement for statement in statements) == 4  # 5,000 at a time, and the end
    assert chores.clean_up(NOON, never)["member_codes"] == 0
    assert books.count(city.database, "member_codes", NANJING) == 8_000


def test_work_that_is_told_to_stop_ends_between_cities(engine_db: Database, chores: Chores) -> None:
    for code in (NANJING, SUZHOU):
        open_city(engine_db, rules.document(), code=code)
    asked = iter([False, True])

    assert chores.works()["verify_all"](NOON, lambda: next(asked))["cities"] == 1


CITY_BY_CITY = {
    "resolve_products": (ResolveProducts, "resolve"),
    "void_baskets": (VoidBaskets, "work"),
    "find_missing_points": (FindMissingPoints, "look"),
    "make_snapshots": (MakeSnapshot, "make"),
    "verify_ledger": (chores_module, "verify_ledger"),
    "verify_all": (chores_module, "verify_ledger"),
    "replay_sample": (chores_module, "replay_decisions"),
    "close_settlements": (chores_module, "close_last_month"),
    "clean_up": (chores_module, "clean_city"),
    "write_exports": (chores_module, "run_exports"),
    "record_sales": (chores_module, "sales_files_waiting"),
    **{
        name: (chores_module, name)
        for name in (
            "settle_due",
            "expire_quotes",
            "expire_redemptions",
            "reclaim_budgets",
            "learn_sellers",
            "settle_leases",
            "grant_leases",
            "learn_prices",
            "count_scans",
            "find_gaps",
            "measure_targets",
            "draw_samples",
            "seal_ledger",
            "freeze_liability",
        )
    },
}
"""By job, what it does for one city."""


@pytest.mark.parametrize("name", sorted(CITY_BY_CITY))
def test_a_city_that_fails_keeps_none_behind_it_from_its_work(
    engine_db: Database, chores: Chores, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for code in (NANJING, SUZHOU):
        open_city(engine_db, rules.document(), code=code)
    reached: list[str] = []

    def fails(*given: object, **_more: object) -> None:
        reached.extend(one for one in given if isinstance(one, str))
        raise ZeroDivisionError

    monkeypatch.setattr(*CITY_BY_CITY[name], fails)

    with capture_logs() as logs, pytest.raises(ZeroDivisionError):
        chores.works()[name](NOON, never)

    assert reached[-2:] == [NANJING, SUZHOU]
    assert [(line["log_level"], line["city"]) for line in logs] == [("error", city) for city in reached]
