"""Merging by the API: both accounts proved, the other one's sessions end."""

from uuid import uuid4

from flask.testing import FlaskClient

from tests.http.conftest import Clock, SignIn
from tests.worlds import rules
from tests.worlds.city import FRIDGE, City

API = "/api/resident/v1"


def test_two_sessions_make_one_account(client: FlaskClient, city: City, sign_in: SignIn, clock: Clock) -> None:
    city.publish(rules.document(rules.rule("found", rules.fixed(10), rates={"M": {"P0": 10_000}}), policy="find"))
    mine, other = sign_in("wechat"), sign_in("phone")
    client.post(f"{API}/scans", json={"scan_id": str(uuid4()), "code": FRIDGE}, headers=other)
    token = other["Authorization"].removeprefix("Bearer ")

    done = client.post(f"{API}/merges", json={"way": "session", "code": token}, headers=mine)
    again = client.post(f"{API}/merges", json={"way": "session", "code": token}, headers=mine)

    assert done.status_code == 200, done.get_json()
    assert again.get_data() == done.get_data()
    assert [one["words"] for one in done.get_json()["moved"]] == ["10 分"]
    assert client.get(f"{API}/wallet", headers=mine).get_json()["points"]["amount"] == 10
    (scan,) = client.get(f"{API}/scans", headers=mine).get_json()["scans"]
    assert scan["sentence"] == "这款冰箱是一级能效，按政策奖励 10 分。"
    clock.forward(seconds=1)


def test_what_is_not_proved_is_not_merged(client: FlaskClient, city: City, sign_in: SignIn) -> None:
    mine = sign_in("wechat")

    refusals = [
        client.post(f"{API}/merges", json=body, headers=mine)
        for body in (
            {"way": "session", "code": "somebody's"},
            {"way": "session", "code": mine["Authorization"].removeprefix("Bearer ")},
            {"way": "phone", "code": "123456", "phone": "13800138000"},  # whether anybody has it is not told
            {"way": "phone", "code": "123456"},
            {"way": "development", "code": "dev:x"},
        )
    ]

    assert [(each.status_code, each.get_json()["code"]) for each in refusals] == [
        (403, "merge-not-proved"),
        (404, "nothing-to-merge"),
        (401, "phone-code-refused"),
        (422, "invalid-fields"),
        (422, "invalid-fields"),
    ]


def test_what_is_held_about_a_merged_account_is_exported_with_the_one_that_is_left(
    client: FlaskClient, city: City, sign_in: SignIn
) -> None:
    city.publish(rules.document(rules.rule("found", rules.fixed(10), rates={"M": {"P0": 10_000}}), policy="find"))
    mine, other = sign_in("wechat"), sign_in("phone")
    client.post(f"{API}/scans", json={"scan_id": str(uuid4()), "code": FRIDGE}, headers=other)
    token = other["Authorization"].removeprefix("Bearer ")
    client.post(f"{API}/merges", json={"way": "session", "code": token}, headers=mine)

    tables = client.post(f"{API}/export", headers=mine).get_json()["tables"]

    held = {one["table"]: one["rows"] for one in tables}
    assert [one["award"] for one in held["decisions"]] == [10]
    assert [one["reason"] for one in held["transfers"]] == ["award", "merge"]
    assert sorted(one["state"] for one in held["residents"]) == ["active", "closed"]
    assert len(held["resident_sessions"]) == len(held["person_directory"]) == 2


def test_a_child_that_waits_for_a_guardian_goes_on_waiting(client: FlaskClient, city: City, sign_in: SignIn) -> None:
    mine, child = sign_in("wechat"), sign_in("phone")
    client.put(f"{API}/age-band", json={"band": "under_14"}, headers=child)

    refusals = [
        client.post(f"{API}/merges", json={"way": "session", "code": token_of(other)}, headers=who)
        for who, other in ((mine, child), (child, mine))
    ]

    assert [(each.status_code, each.get_json()["code"]) for each in refusals] == [(403, "guardian-consent-needed")] * 2


def token_of(headers: dict[str, str]) -> str:
    return headers["Authorization"].removeprefix("Bearer ")
