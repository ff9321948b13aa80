"""Officials sign in: password, code, the first time a second factor to set up and a password of their own."""

import html
import re
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from backend.bootstrap import build
from backend.officials import passwords, slowing
from backend.officials.model import Role
from backend.settings import Settings
from backend.storage.transaction import Database
from backend.web.app import create_app
from tests.http.conftest import Clock
from tests.worlds import officials
from tests.worlds.books import rows

ONCE, OWN = "one-time-secret-7", "purple tractor lemon 42"
_HASH = passwords.hashed(ONCE)


@pytest.fixture
def li(engine_db: Database, clock: Clock) -> str:
    return officials.enter(
        engine_db, clock.now, Role.CITY_ADMINISTRATOR, login="li.na", name="李娜", password_hash=_HASH
    )


def post(client: FlaskClient, url: str, page: TestResponse, **values: str) -> TestResponse:
    """As the form on `page` would."""
    token = re.search(r'name="csrf" value="([^"]+)"', page.get_data(as_text=True))
    return client.post(url, data=values | ({"csrf": token[1]} if token else {}))


def begin(client: FlaskClient, password: str = ONCE) -> TestResponse:
    return client.post("/console/sign-in", data={"login": "li.na", "password": password, "next": "/console/officials"})


def secret_on(page: TestResponse) -> str:
    return re.search(r"<code>([A-Z2-7 ]+)</code>", page.get_data(as_text=True))[1].replace(" ", "")  # type: ignore[index]


def first_time(client: FlaskClient, clock: Clock) -> str:
    """All steps of a first sign-in; the secret of the second factor."""
    assert begin(client).headers["Location"] == "/console/sign-in/code"
    page = client.get("/console/sign-in/code")
    secret = secret_on(page)
    enrolled = post(client, "/console/sign-in/code", page, code=pyotp.TOTP(secret).at(clock.now))
    assert enrolled.headers["Location"] == "/console/sign-in/password"
    chosen = post(client, "/console/sign-in/password", client.get("/console/sign-in/password"), password=OWN, again=OWN)
    assert chosen.headers["Location"] == "/console/officials"
    return secret


def test_a_first_sign_in_sets_up_the_second_factor_and_a_password_of_ones_own(
    client: FlaskClient, li: str, clock: Clock, engine_db: Database
) -> None:
    first_time(client, clock)

    page = client.get("/console/officials").get_data(as_text=True)
    assert "李娜" in page
    assert rows(engine_db, "SELECT who, key FROM acts WHERE what = 'official-signed-in'") == [(li, li)]
    assert "南京市" in page


def test_a_later_sign_in_takes_password_and_code_and_no_code_twice(client: FlaskClient, li: str, clock: Clock) -> None:
    secret = first_time(client, clock)
    post(client, "/console/sign-out", client.get("/console/account"))
    begin(client, OWN)
    page = client.get("/console/sign-in/code")
    assert "data:image" not in page.get_data(as_text=True)

    used = post(client, "/console/sign-in/code", page, code=pyotp.TOTP(secret).at(clock.now))
    clock.forward(seconds=31)
    later = post(client, "/console/sign-in/code", page, code=pyotp.TOTP(secret).at(clock.now))

    assert used.status_code == 401
    assert later.headers["Location"] == "/console/officials"


@pytest.mark.parametrize(("login", "password"), [("li.na", "wrong"), ("nobody", ONCE), ("li.na", "")])
def test_a_wrong_name_and_a_wrong_password_are_refused_alike(
    client: FlaskClient, li: str, login: str, password: str
) -> None:
    answer = client.post("/console/sign-in", data={"login": login, "password": password})

    assert answer.status_code == 401
    assert "登录名或密码不正确" in answer.get_data(as_text=True)


def test_a_password_alone_opens_nothing(client: FlaskClient, li: str) -> None:
    begin(client)

    assert client.get("/console/officials").headers["Location"] == "/console/sign-in/code"
    assert client.get("/console/sign-in/password").headers["Location"] == "/console/sign-in/code"


def test_a_weak_password_and_the_one_time_password_are_refused(client: FlaskClient, li: str, clock: Clock) -> None:
    begin(client)
    page = client.get("/console/sign-in/code")
    post(client, "/console/sign-in/code", page, code=pyotp.TOTP(secret_on(page)).at(clock.now))
    form = client.get("/console/sign-in/password")

    answers = [
        post(client, "/console/sign-in/password", form, password=password, again=again)
        for password, again in [("short", "short"), (ONCE, ONCE), (OWN, OWN + "x"), ("li.na.li.na.1", "li.na.li.na.1")]
    ]

    assert [answer.status_code for answer in answers] == [422, 422, 422, 422]


def test_the_token_of_a_former_step_opens_nothing(client: FlaskClient, li: str, clock: Clock) -> None:
    begin(client)
    former = client.get_cookie("greenpoints-console", path="/").value  # type: ignore[union-attr]
    page = client.get("/console/sign-in/code")
    post(client, "/console/sign-in/code", page, code=pyotp.TOTP(secret_on(page)).at(clock.now))

    client.set_cookie("greenpoints-console", former, path="/")

    assert client.get("/console/sign-in/code").status_code == 303


def test_a_session_ends_unused_after_half_an_hour_and_in_any_case_after_twelve(
    client: FlaskClient, engine_db: Database, clock: Clock
) -> None:
    officials.signed_in(client, engine_db, clock.now, Role.FINANCE)
    for _ in range(35):
        clock.forward(minutes=20)
        assert client.get("/console/account").status_code == 200
    clock.forward(minutes=25)
    over = client.get("/console/account")

    officials.signed_in(client, engine_db, clock.now, Role.FINANCE)
    clock.forward(minutes=31)
    idle = client.get("/console/account")

    assert [over.status_code, idle.status_code] == [303, 303]
    assert parse_qs(urlsplit(idle.headers["Location"]).query) == {"next": ["/console/account"]}


def test_ones_own_sessions_are_listed_and_ended(client: FlaskClient, engine_db: Database, clock: Clock) -> None:
    official = officials.enter(engine_db, clock.now, Role.FINANCE)
    here, elsewhere = (officials.session(engine_db, clock.now, official) for _ in range(2))
    client.set_cookie("greenpoints-console", here, path="/")
    page = client.get("/console/account")
    (end,) = re.findall(r'action="(/console/account/sessions/[^"]+)"', page.get_data(as_text=True))

    ended = post(client, end, page)

    assert "该处登录已结束" in client.get(ended.headers["Location"]).get_data(as_text=True)
    client.set_cookie("greenpoints-console", elsewhere, path="/")
    assert client.get("/console/account").status_code == 303


def test_a_form_of_another_site_is_refused(client: FlaskClient, engine_db: Database, clock: Clock) -> None:
    officials.signed_in(client, engine_db, clock.now, Role.FINANCE)
    good = {"csrf": client.csrf}  # type: ignore[attr-defined]

    answers = [
        client.post("/console/sign-out", data={}),
        client.post("/console/sign-out", data={"csrf": "made up"}),
        client.post("/console/sign-out", data=good, headers={"Sec-Fetch-Site": "cross-site"}),
        client.post("/console/sign-out", data=good, headers={"Origin": "https://elsewhere.example"}),
        client.post("/console/sign-in", data={}, headers={"Origin": "https://elsewhere.example"}),
    ]

    assert [answer.status_code for answer in answers] == [403] * 5
    assert "表单已失效" in answers[0].get_data(as_text=True)
    assert client.post("/console/sign-out", data=good).status_code == 303


@pytest.mark.parametrize("wanted", ["https://elsewhere.example/", "//elsewhere.example", "/m/", "/console/\\x"])
def test_a_sign_in_leads_to_pages_of_the_console_alone(client: FlaskClient, wanted: str) -> None:
    assert client.get("/console/language/en", query_string={"back": wanted}).headers["Location"] == "/console/"
    assert client.get("/console/sign-in").status_code == 200


def test_the_language_is_switched_and_kept(client: FlaskClient) -> None:
    client.get("/console/language/en")

    page = client.get("/console/sign-in").get_data(as_text=True)

    assert '<html lang="en"' in page
    assert "Password" in page
    assert client.get("/console/language/fr").status_code == 404


def fail(client: FlaskClient, address: str) -> TestResponse:
    return client.post(
        "/console/sign-in",
        data={"login": "li.na", "password": "wrong"},
        headers={"X-Forwarded-For": address},
        environ_base={"REMOTE_ADDR": "127.0.0.1"},
    )


def test_who_fails_waits_longer_and_longer_and_others_do_not(client: FlaskClient, li: str, clock: Clock) -> None:
    failed = [fail(client, "203.0.113.7") for _ in range(6)]
    clock.forward(seconds=3)
    again = [fail(client, "203.0.113.7").status_code for _ in range(2)]

    assert [each.status_code for each in failed] == [401] * 5 + [429]
    assert "请 2 秒后再试" in failed[-1].get_data(as_text=True)
    assert again == [401, 429]
    assert begin(client).status_code == 303


def test_an_attacker_with_many_addresses_does_not_lock_out_the_officials_own_browser(
    client: FlaskClient, li: str, engine_db: Database, clock: Clock
) -> None:
    secret = first_time(client, clock)
    post(client, "/console/sign-out", client.get("/console/account"))
    stranger = client.application.test_client()
    attack = slowing.Try(slowing.key_of(bytes(32), "strangers", "li.na"), slowing.STRANGERS._replace(free=1_000))
    for _ in range(
        60
    ):  # from sixty addresses; each password that is looked at takes its time, so they are counted alone
        engine_db.write(lambda c: slowing.take(c, [attack], clock.now))
    elsewhere = stranger.post("/console/sign-in", data={"login": "li.na", "password": OWN})

    begin(client, OWN)
    clock.forward(seconds=31)
    page = client.get("/console/sign-in/code")
    at_home = post(client, "/console/sign-in/code", page, code=pyotp.TOTP(secret).at(clock.now))

    assert elsewhere.status_code == 429
    assert at_home.headers["Location"] == "/console/officials"


def test_codes_are_not_guessed(client: FlaskClient, li: str, clock: Clock) -> None:
    begin(client)
    page = client.get("/console/sign-in/code")
    right = pyotp.TOTP(secret_on(page)).at(clock.now)

    guesses = [post(client, "/console/sign-in/code", page, code=f"{each:06d}").status_code for each in range(6)]
    late = post(client, "/console/sign-in/code", page, code=right)

    assert guesses == [401] * 5 + [429]
    assert late.status_code == 429


def test_a_code_is_shown_where_development_is_on_and_nowhere_else(
    client: FlaskClient, li: str, settings: Settings, clock: Clock
) -> None:
    begin(client)
    page = client.get("/console/sign-in/code")
    shown = re.search(r'id="shown">([0-9]{6})<', page.get_data(as_text=True))
    assert shown is not None
    assert post(client, "/console/sign-in/code", page, code=shown[1]).status_code == 303

    serious = build(replace(settings, development_sign_in=False))
    other = create_app(serious, clock).test_client()
    begin(other)

    assert 'id="shown"' not in other.get("/console/sign-in/code").get_data(as_text=True)
    serious.close()


def test_a_changed_password_ends_the_other_sessions(
    client: FlaskClient, li: str, engine_db: Database, clock: Clock
) -> None:
    first_time(client, clock)
    elsewhere = client.application.test_client()
    elsewhere.set_cookie("greenpoints-console", officials.session(engine_db, clock.now, li), path="/")
    form = client.get("/console/account/password")
    other = "another tractor lemon 42"

    same = post(client, "/console/account/password", form, password=OWN, again=OWN)
    differs = post(client, "/console/account/password", form, password=other, again=OWN)
    changed = post(client, "/console/account/password", form, password=other, again=other)

    assert [same.status_code, differs.status_code, changed.status_code] == [422, 422, 303]
    assert client.get("/console/account").status_code == 200
    assert elsewhere.get("/console/account").status_code == 303
    assert begin(elsewhere, OWN).status_code == 401


def test_a_page_that_is_not_there_is_said_in_words(client: FlaskClient) -> None:
    answer = client.get("/console/nowhere")

    assert (answer.status_code, answer.content_type) == (404, "text/html; charset=utf-8")
    assert "没有找到" in answer.get_data(as_text=True)


def test_htmx_is_answered_with_the_part_alone(client: FlaskClient, engine_db: Database, clock: Clock) -> None:
    officials.signed_in(client, engine_db, clock.now, Role.FLEET)
    part = {"HX-Request": "true", "HX-Request-Type": "partial"}

    page, refused = client.get("/console/account", headers=part), client.get("/console/officials", headers=part)
    clock.forward(hours=13)
    over = client.get("/console/account", headers=part)

    assert "王敏" in page.get_data(as_text=True)
    assert "<html" not in page.get_data(as_text=True) + refused.get_data(as_text=True)
    assert (refused.status_code, refused.headers["HX-Retarget"]) == (403, "#problem")
    assert (over.status_code, over.headers["HX-Redirect"]) == (204, "/console/sign-in?next=%2Fconsole%2Faccount")


def test_what_was_filled_in_waits_behind_the_fresh_code_and_is_sent_with_it(
    client: FlaskClient, li: str, clock: Clock
) -> None:
    secret = first_time(client, clock)
    page = client.get("/console/officials/new")
    clock.forward(minutes=11)
    sent = {"login": "zhao.jun", "name": "赵军", "roles": "fleet", "reason": "任命：“新”入职"}

    asked = post(client, "/console/officials/new", page, **sent)
    wrong = client.post("/console/step-up", data=hidden_on(asked) | {"code": "000000"})
    form = hidden_on(wrong) | {"code": pyotp.TOTP(secret).at(clock.now)}
    right = client.post("/console/step-up", data=form)
    done = client.post(right.headers["Location"], data=form)  # as a browser does: 307 keeps the method and the form

    assert right.status_code == 307
    assert asked.status_code == 403
    assert hidden_on(asked).items() >= sent.items()
    assert hidden_on(asked)["onto"] == "/console/officials/new"
    assert "zhao.jun" in done.get_data(as_text=True)
    assert "zhao.jun" in client.get("/console/officials").get_data(as_text=True)


def test_a_form_that_is_sent_after_the_session_ended_waits_until_one_is_signed_in_again(
    client: FlaskClient, li: str, clock: Clock
) -> None:
    secret = first_time(client, clock)
    page = client.get("/console/officials/new")
    stale = hidden_on(page)["csrf"]
    clock.forward(minutes=31)
    sent = {"login": "zhao.jun", "name": "赵军", "roles": "fleet", "reason": "任命：“新”入职", "csrf": stale}
    ours, elsewhere = {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "cross-site"}

    over = client.post("/console/officials/new", data=sent, headers=ours)
    begin(client, OWN)
    post(client, "/console/sign-in/code", client.get("/console/sign-in/code"), code=pyotp.TOTP(secret).at(clock.now))
    foreign = client.post("/console/officials/new", data=hidden_on(over), headers=elsewhere)
    asked = client.post("/console/officials/new", data=hidden_on(over), headers=ours)
    done = client.post("/console/officials/new", data=hidden_on(asked), headers=ours)

    assert (over.status_code, foreign.status_code, asked.status_code, done.status_code) == (401, 403, 403, 200)
    assert hidden_on(over) | {"csrf": stale} == hidden_on(asked) | {"csrf": stale} == sent
    assert "zhao.jun" not in foreign.get_data(as_text=True)
    assert "zhao.jun" in client.get("/console/officials").get_data(as_text=True)


def test_nothing_large_and_no_password_is_read_of_whoever_has_no_session(client: FlaskClient, li: str) -> None:
    ours = {"Sec-Fetch-Site": "same-origin"}

    large = client.post("/console/officials/new", data={"name": "x" * 300_000}, headers=ours)
    secret = client.post("/console/account/password", data={"password": OWN, "again": OWN}, headers=ours)

    assert [one.status_code for one in (large, secret)] == [303, 303]


def test_no_link_of_another_language_leads_away_from_a_form_that_waits(
    client: FlaskClient, li: str, clock: Clock
) -> None:
    first_time(client, clock)
    page = client.get("/console/officials/new")
    clock.forward(minutes=11)

    asked = post(client, "/console/officials/new", page, login="zhao.jun", name="赵军")
    wrong = client.post("/console/step-up", data=hidden_on(asked) | {"code": "000000"})

    assert "/console/language/" in client.get("/console/step-up").get_data(as_text=True)
    assert hidden_on(wrong).items() >= {"login": "zhao.jun"}.items()
    assert "/console/language/" not in asked.get_data(as_text=True) + wrong.get_data(as_text=True)


def test_an_address_of_two_lines_leads_to_the_first_page_and_an_origin_that_is_none_is_refused(
    client: FlaskClient, li: str
) -> None:
    led = client.get("/console/language/en", query_string={"back": "/console/account\r\nX-Made: up"})
    sent = client.post("/console/sign-in", data={"login": "li.na", "password": ONCE}, headers={"Origin": "http://["})

    assert (led.status_code, led.headers["Location"]) == (303, "/console/")
    assert sent.status_code == 403


def test_a_password_never_waits_in_a_page(client: FlaskClient, li: str, clock: Clock) -> None:
    first_time(client, clock)
    page = client.get("/console/account/password")
    clock.forward(minutes=11)

    asked = post(client, "/console/account/password", page, password="another tractor 43", again="another tractor 43")

    assert asked.status_code == 303
    assert asked.headers["Location"].startswith("/console/step-up")


def hidden_on(page: TestResponse) -> dict[str, str]:
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page.get_data(as_text=True))
    return {name: html.unescape(value) for name, value in found}
