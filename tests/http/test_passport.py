"""The green-credit passport: off at first, positive, held by its owner, shown to one recipient, stopped by a withdrawal."""

import json
import os
import threading
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask.testing import FlaskClient

from backend.adapters.chores import Chores, Outside
from backend.adapters.credit_platform import PlatformFile, platforms_of
from backend.bootstrap import Backend
from backend.credit import store, verifier
from backend.credit.model import OPEN_MAX
from backend.credit.sending import Due
from backend.credit.signing import SM2, SuiteUnavailable, signer_of
from backend.credit.store import Ground
from backend.environment import platforms_in
from backend.residents.consents.counter_code import code_hash
from backend.residents.standing import AgeBand
from backend.scans.identity import basket_id
from backend.settings import Settings
from backend.usecases.change_consent import verify_age
from backend.usecases.deliver_exports import ATTEMPTS_MAX, deliver_exports
from backend.usecases.passport import LISTED_MAX
from backend.web.app import create_app
from tests.http.conftest import Clock, SignIn
from tests.http.shop import Shop
from tests.http.test_consents import API, Headers, declare, give, problem_of, withdraw
from tests.http.test_hand_ins import send
from tests.http.test_leaving import close, deliver
from tests.worlds import rules
from tests.worlds.books import rows
from tests.worlds.city import FRIDGE, NANJING, City, read

STATEMENTS = f"{API}/passport/statements"
SHOWN = {"recipient": "市图书馆", "purpose": "benefit", "nonce": "nonce-0001"}
ANY: Any = None
"""What is not used."""
ROUNDS = int(os.environ.get("GREENPOINTS_TEST_RACES", "8"))


@pytest.fixture
def settings(settings: Settings) -> Settings:
    key = settings.receipt_key_file.with_name("passport")
    key.write_bytes(Ed25519PrivateKey.generate().private_bytes_raw())
    return replace(settings, passport_key_file=key, passport_issuer="https://points.example.cn")


@pytest.fixture
def buyer(client: FlaskClient, city: City, sign_in: SignIn, shop: Shop, clock: Clock) -> Headers:
    """An adult, verified, who bought two certified fridges at a till."""
    headers = sign_in("buyer")
    for _ in range(2):
        code = client.post(f"{API}/member-codes", headers=headers).get_json()["code"]
        deliver(client, shop, shop.line(read(FRIDGE), member=code))
    grown_up(client, city, headers, clock)
    give(client, headers, "credit_passport")
    return headers


def grown_up(client: FlaskClient, city: City, headers: Headers, clock: Clock) -> None:
    code = client.post(f"{API}/age-verifications", headers=headers).get_json()["code"]
    city.database.write(lambda c: verify_age(c, NANJING, code_hash(code), AgeBand.ADULT, clock.now))


def issue(client: FlaskClient, headers: Headers, at_least: int = 1) -> str:
    answer = client.post(STATEMENTS, json={"at_least": at_least}, headers=headers)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return str(answer.get_json()["statement"])


def publish(city: City, clock: Clock) -> None:
    ground = Ground(
        1, "示例信用平台", "025-0000000", "示例〔2026〕1 号", "示例市政府", date(2026, 1, 1), "https://example.cn/1"
    )
    city.database.write(lambda c: store.publish_ground(c, NANJING, ground, "tests", clock.now))


def test_nothing_is_counted_or_stated_without_consent_or_for_minors(
    client: FlaskClient, city: City, sign_in: SignIn
) -> None:
    nobody, grown = sign_in("a"), sign_in("b")
    declare(client, grown, "adult")

    refused = [problem_of(client.post(STATEMENTS, json={"at_least": 1}, headers=one)) for one in (nobody, grown)]

    assert refused == [(403, "adults-only"), (403, "consent-needed")]
    assert client.get(f"{API}/passport", headers=grown).get_json() == {"may_state": [], "statements": []}


def test_a_purchase_that_its_till_parted_into_baskets_counts_once(
    client: FlaskClient, city: City, sign_in: SignIn, shop: Shop, clock: Clock
) -> None:
    headers = sign_in("buyer")
    code = client.post(f"{API}/member-codes", headers=headers).get_json()["code"]
    for part_of in (None, 1, 1):
        deliver(client, shop, shop.line(read(FRIDGE), member=code, part_of=part_of))
    grown_up(client, city, headers, clock)
    give(client, headers, "credit_passport")

    refused = client.post(STATEMENTS, json={"at_least": 3}, headers=headers)

    assert rows(city.database, "SELECT count(*) FROM decisions WHERE outcome = 'awarded'") == [(3,)]
    assert client.get(f"{API}/passport", headers=headers).get_json()["may_state"] == [1]
    assert problem_of(refused) == (409, "too-few-purchases")


def test_an_old_unit_that_is_handed_in_is_no_purchase_more(
    client: FlaskClient, city: City, sign_in: SignIn, shop: Shop, clock: Clock
) -> None:
    rule = rules.rule("old", rules.fixed(200), rules.where("trade_in_days", "<=", 30))
    doc = rules.document(rule, policy="bonus") | {"scope": {"channels": ["till", "hand_in"]}}
    city.publish(doc | {"stacking": {"group": "old", "mode": "first"}})
    headers = sign_in("buyer")
    for seq in (1, 2):
        code = client.post(f"{API}/member-codes", headers=headers).get_json()["code"]
        deliver(client, shop, shop.line(read(FRIDGE), member=code))
        sold = basket_id(shop.device, shop.stream, seq)
        assert send(client, sold, hand_in_id=f"H-{seq}", trade_in=f"{seq}" * 32).status_code == 201
    grown_up(client, city, headers, clock)
    give(client, headers, "credit_passport")

    assert rows(city.database, "SELECT count(*) FROM decisions WHERE outcome = 'awarded'") == [(4,)]
    assert client.get(f"{API}/passport", headers=headers).get_json()["may_state"] == [1]


def test_a_statement_says_a_threshold_and_nothing_else(client: FlaskClient, buyer: Headers) -> None:
    overview = client.get(f"{API}/passport", headers=buyer).get_json()
    too_many = client.post(STATEMENTS, json={"at_least": 3}, headers=buyer)

    answer = client.post(STATEMENTS, json={"at_least": 1}, headers=buyer).get_json()

    keys = client.get("/api/public/v1/passport/keys").get_json()["keys"]
    claims = verifier.opened(answer["credential"], "vc+jwt", keys)
    assert overview["may_state"] == [1]
    assert problem_of(too_many) == (409, "too-few-purchases")
    assert claims["credentialSubject"] == {
        "city": NANJING,
        "kind": "verified_green_purchases",
        "at_least": 1,
        "months": 12,
        "statement": "12 个月内至少 1 次经核验的绿色消费",
        "statement_en": "At least 1 verified green purchases in 12 months",
    }


def test_no_more_statements_hold_at_once_than_may_however_many_were_made_void(
    client: FlaskClient, buyer: Headers, clock: Clock
) -> None:
    def one() -> str:
        clock.forward(seconds=60)
        return issue(client, buyer)

    kept = [one() for _ in range(OPEN_MAX - 1)]
    for _ in range(LISTED_MAX):
        client.delete(f"{STATEMENTS}/{one()}", headers=buyer)
    one()

    refused = client.post(STATEMENTS, json={"at_least": 1}, headers=buyer)
    listed = client.get(f"{API}/passport", headers=buyer).get_json()["statements"]

    assert refused.status_code == 409
    assert {*kept} <= {each["statement"] for each in listed}


def test_a_presentation_is_for_its_recipient_alone_and_is_checked_without_us(
    client: FlaskClient, buyer: Headers, clock: Clock
) -> None:
    statement = issue(client, buyer)
    shown = client.post(f"{STATEMENTS}/{statement}/presentations", json=SHOWN, headers=buyer).get_json()
    keys = client.get("/api/public/v1/passport/keys").get_json()["keys"]
    listed = client.get(f"/api/public/v1/passport/status-lists/{NANJING}").get_data(as_text=True)
    now = clock.now.timestamp()

    claims = verifier.checked(shown["presentation"], keys, "市图书馆", listed, now)

    assert (claims["at_least"], claims["purpose"], claims["nonce"]) == (1, "benefit", "nonce-0001")
    changed = shown["presentation"][:-4] + ("AAAA" if not shown["presentation"].endswith("AAAA") else "BBBB")
    for wrong in (
        (changed, keys, "市图书馆", listed, now),
        (shown["presentation"], keys, "银行", listed, now),
        (shown["presentation"], keys, "市图书馆", listed, now + 601),
        (shown["presentation"], [], "市图书馆", listed, now),
    ):
        with pytest.raises(verifier.Refused):
            verifier.checked(*wrong)
    client.delete(f"{STATEMENTS}/{statement}", headers=buyer)
    listed = client.get(f"/api/public/v1/passport/status-lists/{NANJING}").get_data(as_text=True)
    with pytest.raises(verifier.Refused):
        verifier.checked(shown["presentation"], keys, "市图书馆", listed, now)


def test_a_recipient_that_the_log_could_not_hold_is_refused(client: FlaskClient, buyer: Headers) -> None:
    shown = {**SHOWN, "recipient": "市图书馆\x00"}

    answer = client.post(f"{STATEMENTS}/{issue(client, buyer)}/presentations", json=shown, headers=buyer)

    assert problem_of(answer) == (422, "invalid-fields")


def test_every_showing_and_every_check_is_in_its_owners_log(client: FlaskClient, buyer: Headers) -> None:
    statement = issue(client, buyer)
    shown = client.post(f"{STATEMENTS}/{statement}/presentations", json=SHOWN, headers=buyer).get_json()
    asked = {"presentation": shown["presentation"], "recipient": "市图书馆", "nonce": "nonce-0001"}

    held = client.post("/api/public/v1/passport/verifications", json=asked)
    other = client.post("/api/public/v1/passport/verifications", json={**asked, "recipient": "银行"})

    entries = client.get(f"{API}/access-log", headers=buyer).get_json()["entries"]
    assert held.get_json()["at_least"] == 1
    assert problem_of(other) == (422, "token-refused")
    assert [(one["role"], one["who"]) for one in entries] == [("verifier", "市图书馆")] * 2
    withdraw(client, buyer, "credit_passport")
    refused = client.post("/api/public/v1/passport/verifications", json=asked)
    assert problem_of(refused) == (422, "token-refused")  # what its owner has withdrawn is not the verifier's to know


def test_the_schema_cannot_hold_a_negative(city: City, database_url: str) -> None:
    with psycopg.connect(database_url) as connection, pytest.raises(psycopg.errors.CheckViolation):
        connection.execute(
            "INSERT INTO passport_statements VALUES ('320100', gen_random_uuid(), gen_random_uuid(),"
            " 'verified_green_purchases', -1, now(), now(), now(), 1)"
        )


def test_sm2_is_refused_honestly() -> None:
    with pytest.raises(SuiteUnavailable):
        signer_of(SM2, Ed25519PrivateKey.generate())


def test_what_goes_to_a_platform_needs_a_ground_a_consent_of_its_own_and_ends_with_it(
    client: FlaskClient, city: City, buyer: Headers, clock: Clock, tmp_path: Path
) -> None:
    statement = issue(client, buyer)
    closed = problem_of(give(client, buyer, "credit_export"))
    publish(city, clock)
    without = problem_of(client.post(f"{STATEMENTS}/{statement}/exports", headers=buyer))
    assert give(client, buyer, "credit_export").status_code == 200
    handed = tmp_path / "platform.jsonl"

    assert client.post(f"{STATEMENTS}/{statement}/exports", headers=buyer).status_code == 202
    deliver_exports(city.database, PlatformFile(handed), NANJING, clock.now)
    withdraw(client, buyer, "credit_export")
    deliver_exports(city.database, PlatformFile(handed), NANJING, clock.now)

    sent = [json.loads(line) for line in handed.read_text().splitlines()]
    assert (closed, without) == ((409, "purpose-closed"), (403, "consent-needed"))
    assert [(one["act"], one.get("at_least")) for one in sent] == [("state", 1), ("erase", None)]
    assert sent[1]["about"] == sent[0]["export"]
    assert problem_of(client.post(f"{STATEMENTS}/{statement}/exports", headers=buyer)) == (403, "consent-needed")


def test_the_job_sends_to_each_citys_platform_and_waits_longer_for_one_that_is_away(
    client: FlaskClient, city: City, buyer: Headers, clock: Clock, tmp_path: Path
) -> None:
    publish(city, clock)
    give(client, buyer, "credit_export")
    client.post(f"{STATEMENTS}/{issue(client, buyer)}/exports", headers=buyer)
    handed = tmp_path / "there-soon" / "platform.jsonl"
    platforms = platforms_of(platforms_in(f"{NANJING}=file:{handed}"), httpx.Client())
    work = Chores(city.database, ANY, ANY, ANY, outside=Outside(platforms=platforms)).works()["deliver_exports"]

    away = [work(clock.now + timedelta(minutes=minutes), lambda: False) for minutes in (0, 0.5, 1, 2)]
    handed.parent.mkdir()
    back = work(clock.now + timedelta(minutes=3), lambda: False)

    assert away == [{"sent": 0, "waiting": 1}, {"sent": 0, "waiting": 0}] * 2
    assert back == {"sent": 1, "waiting": 0}
    assert json.loads(handed.read_text())["act"] == "state"


def test_what_a_full_disk_left_of_a_row_spoils_none_that_is_handed_over_after_it(
    client: FlaskClient, city: City, buyer: Headers, clock: Clock, tmp_path: Path
) -> None:
    publish(city, clock)
    give(client, buyer, "credit_export")
    client.post(f"{STATEMENTS}/{issue(client, buyer)}/exports", headers=buyer)
    handed = tmp_path / "handed"
    handed.write_bytes(b'{"export":"01a2","act":"sta')

    assert deliver_exports(city.database, PlatformFile(handed), NANJING, clock.now).sent == 1

    assert [line[:10] for line in handed.read_text().splitlines()] == ['{"export":'] * 2
    assert json.loads(handed.read_text().splitlines()[1])["act"] == "state"


def test_an_erasure_is_never_given_up(
    client: FlaskClient, city: City, buyer: Headers, clock: Clock, tmp_path: Path
) -> None:
    publish(city, clock)
    give(client, buyer, "credit_export")
    client.post(f"{STATEMENTS}/{issue(client, buyer)}/exports", headers=buyer)
    deliver_exports(city.database, PlatformFile(tmp_path / "p"), NANJING, clock.now)
    withdraw(client, buyer, "credit_export")
    away = PlatformFile(tmp_path)

    for hours in range(0, 8 * (ATTEMPTS_MAX + 1), 8):
        deliver_exports(city.database, away, NANJING, clock.now + timedelta(hours=hours))

    last = clock.now + timedelta(days=30)
    assert deliver_exports(city.database, PlatformFile(tmp_path / "p"), NANJING, last).sent == 1


def test_what_may_have_arrived_although_no_answer_came_is_asked_back(
    client: FlaskClient, city: City, buyer: Headers, clock: Clock, tmp_path: Path
) -> None:
    publish(city, clock)
    give(client, buyer, "credit_export")
    client.post(f"{STATEMENTS}/{issue(client, buyer)}/exports", headers=buyer)
    handed = PlatformFile(tmp_path / "p")

    class Unheard:
        def send(self, due: Due) -> bool:
            return not handed.send(due)

    deliver_exports(city.database, Unheard(), NANJING, clock.now)
    withdraw(client, buyer, "credit_export")
    city.database.write(lambda c: c.exec_driver_sql("UPDATE credit_exports SET attempts = 60 WHERE act = 'erase'"))
    for _ in range(2):  # however often it was tried in vain before
        deliver_exports(city.database, PlatformFile(tmp_path), NANJING, clock.now)
    deliver_exports(city.database, handed, NANJING, clock.now + timedelta(days=1))

    sent = [json.loads(line) for line in (tmp_path / "p").read_text().splitlines()]
    assert [one["act"] for one in sent] == ["state", "erase"]
    assert sent[1]["about"] == sent[0]["export"]


def test_an_export_that_races_with_a_withdrawal_is_before_it_or_not_at_all(
    client: FlaskClient, backend: Backend, city: City, buyer: Headers, clock: Clock
) -> None:
    publish(city, clock)
    statement = issue(client, buyer)
    app = create_app(backend, clock)
    for _ in range(ROUNDS):
        give(client, buyer, "credit_export")
        together = threading.Barrier(2)

        def export(barrier: threading.Barrier = together) -> None:
            barrier.wait()
            app.test_client().post(f"{STATEMENTS}/{statement}/exports", headers=buyer)

        racing = threading.Thread(target=export)
        racing.start()
        together.wait()
        withdraw(client, buyer, "credit_export")
        racing.join()
        open_rows = (
            "SELECT count(*) FROM credit_exports WHERE act = 'state' AND sent_at IS NULL AND cancelled_at IS NULL"
        )
        assert rows(city.database, open_rows) == [(0,)]


def test_leaving_makes_all_void_and_takes_off_what_the_platform_knew(
    client: FlaskClient, city: City, buyer: Headers, clock: Clock, tmp_path: Path
) -> None:
    publish(city, clock)
    give(client, buyer, "credit_export")
    statement = issue(client, buyer)
    client.post(f"{STATEMENTS}/{statement}/exports", headers=buyer)
    deliver_exports(city.database, PlatformFile(tmp_path / "p"), NANJING, clock.now)

    assert close(client, buyer).status_code == 200

    assert rows(city.database, "SELECT count(*) FROM passport_statements WHERE revoked_at IS NULL") == [(0,)]
    assert rows(city.database, "SELECT act FROM credit_exports ORDER BY act") == [("erase",), ("state",)]
    assert rows(city.database, "SELECT count(*) FROM credit_exports WHERE subject IS NOT NULL") == [(0,)]
    assert rows(city.database, "SELECT count(*) FROM person_keys") == [(0,)]


def test_what_a_merged_account_had_stated_and_sent_ends_with_it(
    client: FlaskClient, city: City, buyer: Headers, sign_in: SignIn, clock: Clock, tmp_path: Path
) -> None:
    """Its purchases are another account's, which may state them anew; nobody could withdraw what it had agreed to."""
    publish(city, clock)
    give(client, buyer, "credit_export")
    statement = issue(client, buyer)
    client.post(f"{STATEMENTS}/{statement}/exports", headers=buyer)
    deliver_exports(city.database, PlatformFile(tmp_path / "p"), NANJING, clock.now)
    token = buyer["Authorization"].removeprefix("Bearer ")

    merged = client.post(f"{API}/merges", json={"way": "session", "code": token}, headers=sign_in("kept"))

    assert merged.status_code == 200
    assert rows(city.database, "SELECT count(*) FROM passport_statements WHERE revoked_at IS NULL") == [(0,)]
    assert rows(city.database, "SELECT act FROM credit_exports ORDER BY act") == [("erase",), ("state",)]
    assert rows(city.database, "SELECT count(*) FROM credit_exports WHERE subject IS NOT NULL") == [(0,)]
    last = "SELECT DISTINCT ON (purpose) given FROM consent_history ORDER BY purpose, number DESC"
    assert rows(city.database, last) == [(False,), (False,)]
