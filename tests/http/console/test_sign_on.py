"""Officials sign in by their city's own sign-on: its word replaces the password, never the second factor."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pyotp
import pytest
from flask.testing import FlaskClient
from joserfc.jwk import ECKey
from sqlalchemy import text
from werkzeug.test import TestResponse

from backend.bootstrap import build
from backend.officials import passwords
from backend.officials.model import Role
from backend.settings import Settings
from backend.sign_on_file import ProvidersRefused, providers_in
from backend.storage.transaction import Database
from backend.web.app import create_app
from tests.http.conftest import Clock
from tests.http.console.test_sign_in import begin, post, secret_on
from tests.worlds import identity_provider, officials
from tests.worlds.identity_provider import CLIENT, SECRET, IdentityProvider

BACK = "http://localhost/console/sign-on/320100/back"
ONCE = "one-time-secret-7"


@pytest.fixture
def provider(clock: Clock) -> Iterator[IdentityProvider]:
    with identity_provider.serving(BACK, clock.now) as serving:
        yield serving


def entry(provider: IdentityProvider) -> dict[str, str]:
    return {
        "city": "320100",
        "name": "南京市统一身份认证",
        "issuer": provider.url,
        "client_id": CLIENT,
        "client_secret_file": "secret",
        "redirect_url": BACK,
        "login_claim": "preferred_username",
    }


@pytest.fixture
def browser(settings: Settings, provider: IdentityProvider, tmp_path: Path, clock: Clock) -> Iterator[FlaskClient]:
    (tmp_path / "secret").write_text(SECRET)
    (tmp_path / "sign-on.json").write_text(json.dumps([entry(provider)]))
    backend = build(replace(settings, sign_on_file=tmp_path / "sign-on.json"))
    yield create_app(backend, clock).test_client()
    backend.close()


@pytest.fixture
def li(engine_db: Database, clock: Clock) -> str:
    hashed = passwords.hashed(ONCE)
    return officials.enter(engine_db, clock.now, Role.FLEET, login="li.na", name="李娜", password_hash=hashed)


def sign_on(browser: FlaskClient) -> TestResponse:
    """Out to the provider and back, as a browser goes."""
    out = browser.get("/console/sign-on/320100?next=/console/account")
    assert out.status_code == 303
    return browser.get(come_back(out.headers["Location"]))


def come_back(address: str) -> str:
    parts = urlsplit(httpx.get(address, trust_env=False).headers["Location"])
    return f"{parts.path}?{parts.query}"


def finish(browser: FlaskClient, clock: Clock) -> TestResponse:
    page = browser.get("/console/sign-in/code")
    return post(browser, "/console/sign-in/code", page, code=pyotp.TOTP(secret_on(page)).at(clock.now))


def test_the_citys_word_and_a_second_factor_let_an_official_in(browser: FlaskClient, li: str, clock: Clock) -> None:
    assert "用南京市统一身份认证登录" in browser.get("/console/sign-in").get_data(as_text=True)

    answer = sign_on(browser)

    assert answer.status_code == 200
    assert 'content="0; url=/console/sign-in/code"' in answer.get_data(as_text=True)
    assert browser.get("/console/account").headers["Location"] == "/console/sign-in/code"
    assert finish(browser, clock).headers["Location"] == "/console/account"
    assert "李娜" in browser.get("/console/account").get_data(as_text=True)
    form = browser.get("/console/account/password")
    chosen = "purple tractor lemon 42"
    assert post(browser, "/console/account/password", form, password=chosen, again=chosen).status_code == 409


def test_who_came_by_the_sign_on_is_bound_to_it_and_has_no_password_any_more(
    browser: FlaskClient, li: str, provider: IdentityProvider
) -> None:
    sign_on(browser)

    provider.subject = "s-2002"
    another = sign_on(browser)

    assert begin(browser, ONCE).status_code == 401
    assert another.status_code == 403


WRONG: list[dict[str, Any]] = [
    {"iss": "https://elsewhere.example"},
    {"aud": "another-client"},
    {"aud": ["another-client", CLIENT], "azp": "another-client"},
    {"nonce": "of another sign-in"},
    {"nonce": None},
    {"exp": 1},
    {"sub": None},
    {"preferred_username": None},
]


def test_a_token_that_is_not_for_this_sign_in_lets_nobody_in(
    browser: FlaskClient, li: str, provider: IdentityProvider
) -> None:
    answers = []
    for provider.claims in WRONG:
        answers.append(sign_on(browser).status_code)

    assert answers == [401] * len(WRONG)
    assert browser.get_cookie("greenpoints-console", path="/") is None


def test_a_token_that_another_signed_is_refused_and_a_new_key_of_the_provider_is_found(
    browser: FlaskClient, li: str, provider: IdentityProvider
) -> None:
    assert sign_on(browser).status_code == 200
    provider.key = ECKey.generate_key("P-256", auto_kid=True)
    forged = sign_on(browser).status_code
    provider.published.append(provider.key)

    assert [forged, sign_on(browser).status_code] == [401, 200]
    provider.claims = {"exp": int((provider.now - timedelta(seconds=50)).timestamp())}
    assert sign_on(browser).status_code == 200  # within a minute of drift


def test_a_code_and_a_state_are_good_for_the_browser_that_set_out(browser: FlaskClient, li: str) -> None:
    there = come_back(browser.get("/console/sign-on/320100").headers["Location"])
    stranger = browser.application.test_client()

    stolen = stranger.get(there)
    first = browser.get(there)
    again = browser.get(there)

    assert [stolen.status_code, first.status_code, again.status_code] == [401, 200, 401]


def test_whom_we_do_not_know_is_not_let_in(
    browser: FlaskClient, li: str, provider: IdentityProvider, engine_db: Database, clock: Clock
) -> None:
    officials.enter(engine_db, clock.now, Role.FLEET, city="320500", login="suzhous")
    provider.login = "nobody"
    unknown = sign_on(browser)
    provider.login = "suzhous"
    foreign = sign_on(browser)
    engine_db.write(lambda c: c.execute(text("UPDATE officials SET disabled_at = added_at WHERE login = 'li.na'")))
    provider.login = "li.na"
    disabled = sign_on(browser)

    assert [unknown.status_code, foreign.status_code, disabled.status_code] == [403] * 3


def test_a_provider_that_is_away_is_said_so(browser: FlaskClient, li: str, provider: IdentityProvider) -> None:
    provider.is_away = True
    before = browser.get("/console/sign-on/320100")
    provider.is_away = False
    address = browser.get("/console/sign-on/320100").headers["Location"]
    there = come_back(address)
    provider.is_away = True

    assert [before.status_code, browser.get(there).status_code] == [503, 503]
    assert browser.get("/console/sign-on/320500").status_code == 404


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"issuer": "http://elsewhere.example"}, "issuer must be https"),
        ({"client_secret_file": "nothing"}, "client_secret_file cannot be read"),
        ({"more": "x"}, "needs the texts"),
        ({"name": ""}, "needs the texts"),
    ],
)
def test_a_wrong_file_says_where(tmp_path: Path, change: dict[str, str], said: str) -> None:
    provider = IdentityProvider(BACK, Clock().now, url="https://id.example")
    (tmp_path / "secret").write_text(SECRET)
    (tmp_path / "sign-on.json").write_text(json.dumps([entry(provider) | change]))

    with pytest.raises(ProvidersRefused, match=said):
        providers_in(tmp_path / "sign-on.json")
