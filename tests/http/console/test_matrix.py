"""The authorisation matrix, generated from the map of routes: every page of both sides, every role of both.

A route without a declaration fails here, and so does one whose declaration does not keep out whom it does not name.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from backend.bootstrap import build
from backend.officials.model import STAFF, Role, Stage
from backend.storage.transaction import Database
from backend.web.app import create_app
from backend.web.auth import OPEN_ROUTES, Access
from backend.web.console.declare import EVERYONE, Declared
from tests.conftest import copied
from tests.http.conftest import Clock, Keys, settings_of
from tests.worlds import officials

NANJING, SUZHOU, JIANGSU = "320100", "320500", "320000"
RETAILER = "苏果示例"
HOMES = ("/console", "/shop")
NOBODYS = "01a00000-0000-7000-8000-000000000000"
"""Of an object that is in no city."""
REFUSED = re.compile(r'data-code="([^"]+)"')
ROLES = [*[role for role in Role if role is not Role.PROVINCE], Role.PROVINCE]


class World(NamedTuple):
    app: Flask
    engine: Database
    clock: Clock
    desks: dict[Role, FlaskClient]


@pytest.fixture(scope="module")
def world(server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with copied(server_url, template) as url:
        backend, clock = build(settings_of(url, Keys(), tmp_path_factory.mktemp("keys"))), Clock()
        engine, app = Database(url, role="greenpoints_engine", pool_size=1), create_app(backend, clock)
        yield World(app, engine, clock, {role: _desk(app, engine, clock, role) for role in Role})
        engine.close()
        backend.close()


def _desk(app: Flask, engine: Database, clock: Clock, role: Role, city: str = NANJING) -> FlaskClient:
    at, retailer = JIANGSU if role is Role.PROVINCE else city, RETAILER if role in STAFF else None
    return officials.signed_in(app.test_client(), engine, clock.now, role, city=at, retailer=retailer)


def routes(app: Flask) -> list[tuple[Rule, str]]:
    return [
        (rule, method)
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith(HOMES)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    ]


def declared(app: Flask) -> list[tuple[Rule, str, Declared]]:
    """Every route of those who are signed in."""
    found = [
        (rule, method, getattr(app.view_functions[rule.endpoint], "declared", None)) for rule, method in routes(app)
    ]
    return [(rule, method, one) for rule, method, one in found if one is not None]


def address(rule: Rule) -> str:
    """A path that the rule takes, of an object that nobody has."""
    path = re.sub(r"<any\(([a-z_-]+)[^)]*\):\w+>", r"\1", rule.rule)
    path = re.sub(r"<uuid:\w+>", NOBODYS, path)
    path = re.sub(r"<int(\([^)]*\))?:\w+>", "1", path)
    return re.sub(r"<(?:path:)?\w+>", "nobodys", path)


def ask(client: FlaskClient, rule: Rule, method: str, **form: str) -> TestResponse:
    data = None if method == "GET" else {"csrf": client.csrf} | form  # type: ignore[attr-defined]
    return client.open(address(rule), method=method, data=data)


def code_of(answer: TestResponse) -> str | None:
    found = REFUSED.search(answer.get_data(as_text=True))
    return found and found[1]


def test_every_route_of_the_console_is_declared_or_open_with_a_reason(world: World) -> None:
    named = {f"{method} {rule.rule}": rule for rule, method in routes(world.app)}
    views = {name: world.app.view_functions[rule.endpoint] for name, rule in named.items()}
    undeclared = {name for name, view in views.items() if not hasattr(view, "declared")}

    assert {name for name in undeclared if name not in OPEN_ROUTES} == set()
    assert {view.access for name, view in views.items() if name not in undeclared} == {Access.CONSOLE}  # type: ignore[attr-defined]
    assert len(named) - len(undeclared) >= 20


def test_a_stranger_is_led_to_the_sign_in(world: World) -> None:
    stranger = world.app.test_client()
    stranger.csrf = ""  # type: ignore[attr-defined]

    for rule, method, one in declared(world.app):
        answer = ask(stranger, rule, method)
        door = f"/{one.side.value}/sign-in"
        assert (answer.status_code, answer.headers.get("Location", "").partition("?")[0]) == (303, door), rule


@pytest.mark.parametrize("role", ROLES)
def test_a_role_opens_what_is_declared_for_it_and_nothing_else(world: World, role: Role) -> None:
    client = world.desks[role]
    for rule, method, one in declared(world.app):
        if one.stage is not Stage.FULL or one.rule in ("/sign-out", "/city"):
            continue
        answer = ask(client, rule, method)
        named = f"{role} {method} {rule.rule}: {answer.status_code} {code_of(answer)}"
        if role in one.roles:
            assert answer.status_code < 500, named
            assert code_of(answer) not in ("official-role-needed", "form-not-ours"), named
        else:
            assert (answer.status_code, code_of(answer)) == (403, "official-role-needed"), named


def test_an_object_of_nobody_is_refused_by_name_not_shown(world: World) -> None:
    for rule, method, one in declared(world.app):
        if "<" not in rule.rule or one.stage is not Stage.FULL:
            continue
        role = next(each for each in ROLES if each in one.roles)
        answer = ask(world.desks[role], rule, method)
        named = f"{method} {rule.rule}: {answer.status_code} {code_of(answer)}"
        assert answer.status_code in (404, 409, 422), named
        assert code_of(answer) is not None, named


def test_no_form_is_taken_without_its_token_whatever_the_role(world: World) -> None:
    for rule, method, one in declared(world.app):
        if method == "GET" or one.stage is not Stage.FULL:
            continue
        role = next(each for each in ROLES if each in one.roles)
        answer = ask(world.desks[role], rule, method, csrf="made up")
        assert (answer.status_code, code_of(answer)) == (403, "form-not-ours"), f"{method} {rule.rule}"


def test_an_auditor_writes_nothing(world: World) -> None:
    writes = [one for _, method, one in declared(world.app) if method != "GET" and one.roles != EVERYONE]

    assert writes
    assert [one.rule for one in writes if Role.AUDITOR in one.roles] == []


def test_a_clerk_neither_writes_nor_sees_colleagues(world: World) -> None:
    """What clerks may send is of their own account alone."""
    mine = [one for _, _, one in declared(world.app) if Role.CLERK in one.roles and one.stage is Stage.FULL]
    own = {"/account/sessions/<uuid:session>/end", "/account/password", "/step-up", "/sign-out"}

    assert {one.rule for one in mine if one.method != "GET"} - own == set()
    assert "/staff" not in {one.rule for one in mine}


def test_no_page_of_one_side_is_open_to_a_role_of_the_other(world: World) -> None:
    for rule, _, one in declared(world.app):
        assert (one.roles <= STAFF) == rule.rule.startswith("/shop/"), rule
        assert (one.roles & STAFF == set()) == rule.rule.startswith("/console/"), rule
