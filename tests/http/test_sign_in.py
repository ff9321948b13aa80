"""Signing in through the API: by WeChat and by phone, with sessions that end, are listed and can be ended."""

import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from backend.bootstrap import Backend, build
from backend.resident_settings import TextMessages
from backend.residents.session_life import LONGEST
from backend.settings import Settings
from backend.web.app import create_app
from tests.http.conftest import Clock, SignIn, bearer
from tests.worlds import books, wechat
from tests.worlds.city import NANJING, SUZHOU, City
from tests.worlds.wechat import APPID, SECRET, WechatServer

API = "/api/resident/v1"
PHONE = "13800138000"


@pytest.fixture
def server() -> Iterator[WechatServer]:
    with wechat.serving() as serving:
        yield serving


@pytest.fixture
def settings(settings: Settings, server: WechatServer) -> Settings:
    secret = settings.receipt_key_file.with_name("wechat")
    secret.write_text(SECRET)
    return replace(
        settings,
        wechat_appid=APPID,
        wechat_secret_file=secret,
        wechat_url=server.url,
        text_messages=TextMessages.LOG,
    )


def by_wechat(client: FlaskClient, server: WechatServer, openid: str, city: str = NANJING) -> TestResponse:
    return client.post(f"{API}/sessions", json={"code": server.login(openid), "city": city, "device": "小米 14"})


def ask_code(client: FlaskClient, phone: str = PHONE) -> str:
    """The code that the message held."""
    with capture_logs() as logged:
        answer = client.post(f"{API}/phone-codes", json={"phone": phone})
    assert answer.status_code == 202, answer.get_data(as_text=True)
    (sent,) = [entry for entry in logged if entry["event"] == "text_message"]
    found = re.search(r"\d{6}", sent["text"])
    assert found is not None
    return found[0]


def by_phone(client: FlaskClient, code: str, phone: str = PHONE) -> TestResponse:
    return client.post(f"{API}/sessions", json={"way": "phone", "phone": phone, "code": code, "city": NANJING})


def token_of(answer: TestResponse) -> dict[str, str]:
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return bearer(answer.get_json()["token"])


def problem_of(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["code"]


def test_one_wechat_account_is_one_resident_with_the_home_it_first_chose(
    client: FlaskClient, city: City, server: WechatServer
) -> None:
    first = by_wechat(client, server, "oABC-1").get_json()
    again = by_wechat(client, server, "oABC-1", SUZHOU).get_json()
    another = by_wechat(client, server, "oABC-2").get_json()

    assert (again["resident"], again["city"]) == (first["resident"], NANJING)
    assert another["resident"] != first["resident"]


def test_no_outside_identity_is_stored(client: FlaskClient, city: City, server: WechatServer) -> None:
    by_wechat(client, server, "oCANARY-1")
    by_phone(client, ask_code(client))

    for table in ("residents", "person_directory", "resident_sessions", "phone_codes"):
        held = str(books.rows(city.database, f"SELECT t::text FROM {table} t"))
        assert not any(word in held for word in ("oCANARY-1", PHONE, "tiihtNczf5v6AKRyjwEUhQ")), table


def test_wechats_refusals_are_told_in_one_sentence(client: FlaskClient, city: City, server: WechatServer) -> None:
    server.errcodes["risky"] = 40226

    used = client.post(f"{API}/sessions", json={"code": "nobodys", "city": NANJING})
    risky = client.post(f"{API}/sessions", json={"code": "risky", "city": NANJING})
    server.mood = "broken"
    away = client.post(f"{API}/sessions", json={"code": "x", "city": NANJING})

    assert [problem_of(each) for each in (used, risky, away)] == [
        (401, "wechat-code-refused"),
        (403, "wechat-person-blocked"),
        (503, "wechat-away"),
    ]


def test_a_phone_signs_in_by_the_code_that_was_sent_to_it_once(client: FlaskClient, city: City) -> None:
    code = ask_code(client)

    first = by_phone(client, code, "+86 138-0013-8000")

    assert first.status_code == 201
    assert problem_of(by_phone(client, code)) == (401, "phone-code-refused")


def test_five_wrong_tries_spoil_a_code(client: FlaskClient, city: City) -> None:
    code = ask_code(client)
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"

    tries = [problem_of(by_phone(client, wrong)) for _ in range(5)]

    assert tries == [(401, "phone-code-refused")] * 5
    assert problem_of(by_phone(client, code)) == (401, "phone-code-refused")


def test_a_code_is_good_for_five_minutes(client: FlaskClient, city: City, clock: Clock) -> None:
    code = ask_code(client)
    clock.forward(minutes=5)

    assert problem_of(by_phone(client, code)) == (401, "phone-code-refused")


def test_a_phone_gets_one_code_a_minute_and_five_a_day(client: FlaskClient, city: City, clock: Clock) -> None:
    ask_code(client)
    soon = client.post(f"{API}/phone-codes", json={"phone": PHONE})
    for _ in range(4):
        clock.forward(seconds=60)
        ask_code(client)
    clock.forward(seconds=60)
    sixth = client.post(f"{API}/phone-codes", json={"phone": PHONE})
    clock.forward(days=1)

    assert problem_of(soon) == (429, "phone-code-too-soon")
    assert "60" in soon.get_json()["detail"]
    assert (soon.headers["Retry-After"], int(sixth.headers["Retry-After"]) > 3_600) == ("60", True)
    assert problem_of(sixth) == (429, "phone-codes-used-up")
    assert ask_code(client)


def test_of_racers_with_one_code_one_gets_in(backend: Backend, client: FlaskClient, city: City, clock: Clock) -> None:
    code, answers = ask_code(client), []
    app = create_app(backend, clock)

    def race() -> None:
        answers.append(by_phone(app.test_client(), code).status_code)

    racers = [threading.Thread(target=race) for _ in range(8)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()

    assert sorted(answers) == [201] + [401] * 7


@pytest.mark.parametrize("phone", ["12345678901", "+8521380013800", "1380013800x", "１３８００１３８０００"])
def test_what_is_no_mobile_number_is_told_so(client: FlaskClient, city: City, phone: str) -> None:
    assert problem_of(client.post(f"{API}/phone-codes", json={"phone": phone})) == (422, "phone-malformed")


@pytest.mark.parametrize(
    "body",
    [{"way": "phone", "code": "123456"}, {"way": "wechat", "code": "x", "phone": PHONE}, {"way": "sms", "code": "x"}],
)
def test_a_sign_in_that_cannot_be_meant_names_the_field(client: FlaskClient, city: City, body: dict[str, str]) -> None:
    answer = client.post(f"{API}/sessions", json={"city": NANJING, **body})

    assert problem_of(answer) == (422, "invalid-fields")


def test_a_way_that_is_not_set_up_is_closed(settings: Settings, city: City, clock: Clock) -> None:
    closed = replace(settings, wechat_appid=None, wechat_secret_file=None, text_messages=TextMessages.OFF)
    parts = build(closed)
    client = create_app(parts, clock).test_client()

    wechat_ = client.post(f"{API}/sessions", json={"code": "x", "city": NANJING})
    phone = client.post(f"{API}/phone-codes", json={"phone": PHONE})
    parts.close()

    assert problem_of(wechat_) == problem_of(phone) == (403, "sign-in-way-closed")


def test_a_session_in_use_goes_on_and_an_unused_one_ends(
    client: FlaskClient, city: City, server: WechatServer, clock: Clock
) -> None:
    headers = token_of(by_wechat(client, server, "oABC-1"))

    for _ in range(4):
        clock.forward(minutes=100)
        assert client.get(f"{API}/balances", headers=headers).status_code == 200
    clock.forward(hours=2)

    assert client.get(f"{API}/balances", headers=headers).status_code == 401


def test_no_session_lasts_longer_than_thirty_days(client: FlaskClient, city: City, clock: Clock) -> None:
    headers = token_of(by_phone(client, ask_code(client)))

    for _ in range(5):
        clock.forward(days=6, hours=-1)
        assert client.get(f"{API}/balances", headers=headers).status_code == 200
    clock.now += LONGEST - timedelta(days=30) + timedelta(hours=5)

    assert client.get(f"{API}/balances", headers=headers).status_code == 401


def test_a_resident_sees_where_they_are_signed_in_and_ends_it_there(
    client: FlaskClient, city: City, server: WechatServer
) -> None:
    here, there = (token_of(by_wechat(client, server, "oABC-1")) for _ in range(2))
    listed = client.get(f"{API}/sessions", headers=here).get_json()["sessions"]
    (other,) = [one["session"] for one in listed if not one["current"]]

    ended = client.delete(f"{API}/sessions/{other}", headers=here)

    assert {one["device"] for one in listed} == {"小米 14"}
    assert ended.status_code == 204
    assert client.get(f"{API}/sessions", headers=there).status_code == 401
    assert len(client.get(f"{API}/sessions", headers=here).get_json()["sessions"]) == 1


def test_nobody_ends_anothers_session(client: FlaskClient, city: City, server: WechatServer, sign_in: SignIn) -> None:
    opened = by_wechat(client, server, "oABC-1")

    answer = client.delete(f"{API}/sessions/{opened.get_json()['session']}", headers=sign_in("li"))

    assert problem_of(answer) == (404, "not-found")
    assert client.get(f"{API}/sessions", headers=token_of(opened)).status_code == 200


def test_a_phone_bound_in_the_mini_program_opens_the_same_account(
    client: FlaskClient, city: City, server: WechatServer
) -> None:
    opened = by_wechat(client, server, "oABC-1")
    body = {"way": "wechat_phone", "code": server.share_phone(PHONE)}

    bound = client.post(f"{API}/identities", json=body, headers=token_of(opened))

    assert bound.status_code == 204
    assert by_phone(client, ask_code(client)).get_json()["resident"] == opened.get_json()["resident"]


def test_an_identity_of_another_account_cannot_be_bound(
    client: FlaskClient, city: City, server: WechatServer, clock: Clock
) -> None:
    by_phone(client, ask_code(client))
    headers = token_of(by_wechat(client, server, "oABC-1"))
    clock.forward(seconds=60)

    answer = client.post(
        f"{API}/identities", json={"way": "phone", "phone": PHONE, "code": ask_code(client)}, headers=headers
    )

    assert problem_of(answer) == (409, "identity-of-another")


def test_a_device_name_with_a_sign_that_no_text_can_hold_is_refused_by_its_field(client: FlaskClient) -> None:
    asked = {"way": "development", "code": "dev:zhang", "city": NANJING, "device": "红米\x00"}

    answer = client.post("/api/resident/v1/sessions", json=asked)

    assert (answer.status_code, [one["pointer"] for one in answer.get_json()["errors"]]) == (422, ["/device"])
