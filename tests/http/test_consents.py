"""The consent centre: purposes apart, giving and withdrawing alike, children and their guardians."""

from threading import Thread
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from backend.residents.consents import store
from backend.residents.consents.counter_code import code_hash
from backend.residents.consents.texts import GUARDIAN, TEXTS
from backend.residents.people import Home
from backend.residents.standing import AgeBand
from backend.storage.transaction import Database
from backend.usecases.change_consent import verify_age
from tests.http.conftest import Clock, SignIn
from tests.worlds.books import rows
from tests.worlds.city import NANJING, City
from tests.worlds.people import People

API = "/api/resident/v1"
Headers = dict[str, str]


def purposes(client: FlaskClient, headers: Headers) -> dict[str, dict[str, object]]:
    found = client.get(f"{API}/consents", headers=headers).get_json()["purposes"]
    return {one["purpose"]: one for one in found}


def give(client: FlaskClient, headers: Headers, purpose: str) -> TestResponse:
    text = purposes(client, headers)[purpose]["text"]
    sha256 = text["sha256"] if isinstance(text, dict) else "0" * 64
    return client.put(f"{API}/consents/{purpose}", json={"text_sha256": sha256}, headers=headers)


def withdraw(client: FlaskClient, headers: Headers, purpose: str) -> TestResponse:
    return client.delete(f"{API}/consents/{purpose}", headers=headers)


def declare(client: FlaskClient, headers: Headers, band: str) -> TestResponse:
    return client.put(f"{API}/age-band", json={"band": band}, headers=headers)


def problem_of(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["code"]


def given_now(client: FlaskClient, headers: Headers) -> set[str]:
    return {name for name, one in purposes(client, headers).items() if one["given"] and one["optional"]}


def test_every_purpose_stands_apart_and_nothing_optional_is_given_at_first(
    client: FlaskClient, city: City, sign_in: SignIn
) -> None:
    found = purposes(client, sign_in())

    assert [(name, one["optional"], one["given"]) for name, one in found.items()] == [
        ("basic_service", False, True),
        ("notices", True, False),
        ("statistics", True, False),
        ("credit_passport", True, False),
        ("credit_export", True, False),
    ]


def test_one_call_gives_and_one_call_withdraws_and_both_stay_in_the_history(
    client: FlaskClient, city: City, sign_in: SignIn
) -> None:
    headers = sign_in()
    give(client, headers, "notices")
    give(client, headers, "notices")
    before = given_now(client, headers)

    withdraw(client, headers, "notices")
    withdraw(client, headers, "notices")

    changes = client.get(f"{API}/consent-history", headers=headers).get_json()["changes"]
    assert (before, given_now(client, headers)) == ({"notices"}, set())
    assert [(one["number"], one["purpose"], one["given"]) for one in changes] == [
        (2, "notices", False),
        (1, "notices", True),
    ]
    shown = client.get(f"/api/public/v1/consent-texts/{changes[0]['text_sha256']}?city={NANJING}").get_json()
    assert shown["text"] == TEXTS["notices"].zh  # type: ignore[index]  # a StrEnum is its text
    stored = rows(city.database, "SELECT purpose, version, text_zh FROM consent_texts")
    assert stored == [("notices", 1, TEXTS["notices"].zh)]  # type: ignore[index]


def test_another_text_than_that_in_force_is_not_agreed_to(client: FlaskClient, city: City, sign_in: SignIn) -> None:
    answer = client.put(f"{API}/consents/notices", json={"text_sha256": "ab" * 32}, headers=sign_in())

    assert problem_of(answer) == (409, "consent-text-changed")


PINNED = {
    "basic_service": (1, "aaade9412f4a"),
    "notices": (1, "0da91b976714"),
    "statistics": (1, "2742734f7180"),
    "credit_passport": (1, "d850064c57e2"),
    "guardian": (1, "368bbb292626"),
}


def test_the_texts_have_not_changed_under_their_version() -> None:
    assert {text.purpose: (text.version, text.sha256.hex()[:12]) for text in (*TEXTS.values(), GUARDIAN)} == PINNED


def test_the_service_works_with_every_optional_purpose_withdrawn(
    client: FlaskClient, city: City, sign_in: SignIn
) -> None:
    headers = sign_in()

    refused = withdraw(client, headers, "basic_service")
    code = client.post(f"{API}/member-codes", headers=headers)

    assert problem_of(refused) == (409, "basic-service-needed")
    assert code.status_code == 201


def test_credit_is_for_adults_and_an_older_band_takes_a_counter(
    client: FlaskClient, city: City, sign_in: SignIn
) -> None:
    nobody, teenager, adult = sign_in("a"), sign_in("b"), sign_in("c")
    declare(client, teenager, "14_to_17")
    declare(client, adult, "adult")

    found = [problem_of(give(client, one, "credit_passport")) for one in (nobody, teenager)]

    assert found == [(403, "adults-only")] * 2
    assert problem_of(declare(client, teenager, "adult")) == (409, "age-band-needs-proof")
    assert give(client, adult, "credit_passport").status_code == 200


def test_an_official_who_saw_a_document_raises_the_band(
    client: FlaskClient, city: City, sign_in: SignIn, clock: Clock
) -> None:
    headers = sign_in()
    declare(client, headers, "14_to_17")
    code = client.post(f"{API}/age-verifications", headers=headers).get_json()["code"]

    city.database.write(lambda c: verify_age(c, NANJING, code_hash(code.lower()), AgeBand.ADULT, clock.now))

    age = client.get(f"{API}/consents", headers=headers).get_json()["age"]
    assert age == {"band": "adult", "basis": "verified", "waits_for_guardian": False}


def test_a_younger_band_ends_the_consents_about_credit(client: FlaskClient, city: City, sign_in: SignIn) -> None:
    headers = sign_in()
    declare(client, headers, "adult")
    give(client, headers, "credit_passport")

    declare(client, headers, "14_to_17")

    changes = client.get(f"{API}/consent-history", headers=headers).get_json()["changes"]
    assert given_now(client, headers) == set()
    assert (changes[0]["given"], changes[0]["given_by"]) == (False, "age")


@pytest.fixture
def child(client: FlaskClient, sign_in: SignIn) -> Headers:
    headers = sign_in("child")
    assert declare(client, headers, "under_14").get_json()["waits_for_guardian"]
    return headers


@pytest.fixture
def guardian(client: FlaskClient, sign_in: SignIn) -> Headers:
    headers = sign_in("guardian")
    declare(client, headers, "adult")
    return headers


def take_ward(client: FlaskClient, guardian: Headers, code: str) -> TestResponse:
    body = {"code": code, "text_sha256": GUARDIAN.sha256.hex()}
    return client.post(f"{API}/wards", json=body, headers=guardian)


def test_a_child_waits_until_a_guardian_agrees_and_again_when_it_is_withdrawn(
    client: FlaskClient, city: City, child: Headers, guardian: Headers
) -> None:
    code = client.post(f"{API}/guardian-codes", headers=child).get_json()["code"]
    waiting = problem_of(give(client, child, "notices"))

    ward = take_ward(client, guardian, code).get_json()["ward"]

    assert waiting == (403, "guardian-consent-needed")
    assert give(client, child, "notices").status_code == 200
    assert [one["ward"] for one in client.get(f"{API}/wards", headers=guardian).get_json()["wards"]] == [ward]
    assert client.delete(f"{API}/wards/{ward}", headers=child).status_code == 404
    assert client.delete(f"{API}/wards/{ward}", headers=guardian).status_code == 204
    assert client.get(f"{API}/consents", headers=child).get_json()["age"]["waits_for_guardian"]
    assert given_now(client, child) == set()


def test_a_child_waits_again_when_its_guardian_has_left(
    client: FlaskClient, engine_db: Database, child: Headers, guardian: Headers
) -> None:
    code = client.post(f"{API}/guardian-codes", headers=child).get_json()["code"]
    assert take_ward(client, guardian, code).status_code == 201
    ((home, who),) = rows(engine_db, "SELECT guardian_city, guardian::text FROM guardian_consents")

    People(engine_db).leave(Home(str(home), str(who)))

    assert client.get(f"{API}/consents", headers=child).get_json()["age"]["waits_for_guardian"]


def test_a_child_waits_again_when_its_guardian_turns_out_to_be_no_adult(
    client: FlaskClient, city: City, child: Headers, guardian: Headers
) -> None:
    code = client.post(f"{API}/guardian-codes", headers=child).get_json()["code"]
    assert take_ward(client, guardian, code).status_code == 201
    assert give(client, child, "notices").status_code == 200

    declare(client, guardian, "14_to_17")

    assert client.get(f"{API}/consents", headers=child).get_json()["age"]["waits_for_guardian"]
    assert given_now(client, child) == set()
    assert client.get(f"{API}/wards", headers=guardian).get_json()["wards"] == []


def test_a_guardian_who_turns_out_to_be_no_adult_at_that_moment_agrees_for_nobody(
    client: FlaskClient, city: City, child: Headers, guardian: Headers, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = client.post(f"{API}/guardian-codes", headers=child).get_json()["code"]
    younger = Thread(target=lambda: declare(client.application.test_client(), guardian, "14_to_17"))
    as_ever = store.take_code

    def meanwhile(*asked: Any) -> str | None:
        younger.start()
        younger.join(1)
        return as_ever(*asked)

    monkeypatch.setattr(store, "take_code", meanwhile)
    take_ward(client, guardian, code)
    younger.join()

    assert client.get(f"{API}/consents", headers=child).get_json()["age"]["waits_for_guardian"]
    assert client.get(f"{API}/wards", headers=guardian).get_json()["wards"] == []


def test_a_guardian_code_is_good_once_for_ten_minutes_and_only_for_an_adult(
    client: FlaskClient, city: City, child: Headers, guardian: Headers, sign_in: SignIn, clock: Clock
) -> None:
    code = client.post(f"{API}/guardian-codes", headers=child).get_json()["code"]

    assert problem_of(take_ward(client, sign_in("nobody"), code)) == (403, "adults-only")
    assert problem_of(take_ward(client, guardian, "ABC")) == (422, "counter-code-malformed")
    assert take_ward(client, guardian, code).status_code == 201
    assert problem_of(take_ward(client, guardian, code)) == (404, "counter-code-unknown")
    late = client.post(f"{API}/guardian-codes", headers=child).get_json()["code"]
    clock.forward(minutes=11)
    assert problem_of(take_ward(client, guardian, late)) == (404, "counter-code-unknown")
    assert problem_of(client.post(f"{API}/guardian-codes", headers=guardian)) == (409, "guardian-not-needed")


ACTS = st.lists(
    st.tuples(st.booleans(), st.sampled_from(["notices", "statistics", "credit_passport"])), min_size=1, max_size=8
)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=ACTS)
def test_the_last_word_on_each_purpose_is_in_force(
    client: FlaskClient, city: City, sign_in: SignIn, acts: list[tuple[bool, str]]
) -> None:
    headers = sign_in(f"p{abs(hash(tuple(acts))) % 10**9}")
    declare(client, headers, "adult")
    expected = given_now(client, headers)

    for gives, purpose in acts:
        assert (give if gives else withdraw)(client, headers, purpose).status_code == 200
        expected = expected | {purpose} if gives else expected - {purpose}

    assert given_now(client, headers) == expected
