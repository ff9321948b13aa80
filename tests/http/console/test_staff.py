"""Staff of retailers: the city invites a shop's first manager, who invites the others; each side's door lets in its own alone."""

import re

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from werkzeug.test import TestResponse

from backend.bootstrap import Backend
from backend.officials.model import Role
from backend.storage.transaction import Database
from backend.web.app import create_app
from tests.http.conftest import Clock
from tests.http.console.test_officials import Desk, Office, once
from tests.http.console.test_sign_in import post, secret_on
from tests.worlds.settling import BIG, SMALL, open_office

OWN = "purple tractor lemon 42"


@pytest.fixture
def app(backend: Backend, clock: Clock) -> Flask:
    return create_app(backend, clock)


@pytest.fixture
def office(app: Flask, engine_db: Database, clock: Clock) -> Office:
    open_office(engine_db)
    return Office(app, engine_db, clock)


def invite(desk: Desk, login: str, side: str = "/shop", **more: str) -> TestResponse:
    return desk.post(f"{side}/staff/new", **({"login": login, "name": "林悦", "role": "clerk"} | more))


def address_of(desk: Desk, login: str, side: str = "/shop") -> str:
    return re.search(rf'<a href="([^"]+)">{login}</a>', desk.page(f"{side}/staff"))[1]  # type: ignore[index]


def signs_in(client: FlaskClient, clock: Clock, login: str, password: str) -> TestResponse:
    """The steps of a first sign-in at the shops' door."""
    begun = client.post("/shop/sign-in", data={"login": login, "password": password})
    assert begun.headers["Location"] == "/shop/sign-in/code"
    page = client.get("/shop/sign-in/code")
    code = pyotp.TOTP(secret_on(page)).at(clock.now)
    assert post(client, "/shop/sign-in/code", page, code=code).headers["Location"] == "/shop/sign-in/password"
    page = client.get("/shop/sign-in/password")
    return post(client, "/shop/sign-in/password", page, password=OWN, again=OWN)


def test_the_city_invites_a_manager_who_signs_in_at_the_shops_door_and_invites_a_clerk(
    office: Office, clock: Clock
) -> None:
    invited = invite(office.desk(Role.CITY_ADMINISTRATOR), "lin.yue", "/console", retailer=BIG)
    client = office.app.test_client()

    entered = signs_in(client, clock, "lin.yue", once(invited))

    assert entered.headers["Location"] == "/shop/"
    home = client.get("/shop/").get_data(as_text=True)
    assert BIG in home
    assert "示例店 s1" in home
    assert "示例店 s3" not in home, "another retailer's"
    given = post(client, "/shop/staff/new", client.get("/shop/staff/new"), login="he.min", name="何敏", role="clerk")
    assert once(given)
    assert office.acts()[-3:] == ["staff-added", "official-signed-in", "staff-added"]


def test_each_door_lets_in_its_own_alone(office: Office) -> None:
    manager = once(invite(office.desk(Role.CITY_ADMINISTRATOR), "lin.yue", "/console", retailer=BIG))
    officer = once(office.desk(Role.CITY_ADMINISTRATOR).add("chen.jing", Role.POLICY_AUTHOR))
    client = office.app.test_client()

    def tries(side: str, login: str, password: str) -> int:
        return client.post(f"{side}/sign-in", data={"login": login, "password": password}).status_code

    assert [tries("/console", "lin.yue", manager), tries("/shop", "chen.jing", officer)] == [401, 401]
    assert [tries("/shop", "lin.yue", manager), tries("/console", "chen.jing", officer)] == [303, 303]


def test_a_retailer_without_a_shop_in_the_city_gets_nobody(office: Office) -> None:
    answer = invite(office.desk(Role.CITY_ADMINISTRATOR), "lin.yue", "/console", retailer="无此商户")

    assert answer.status_code == 422
    assert "没有商户“无此商户”的门店" in answer.get_data(as_text=True)


def test_a_manager_changes_restores_and_ends_their_own_staff(office: Office) -> None:
    manager, clerk = (
        office.desk(role, login=login, retailer=BIG) for role, login in ((Role.SHOPKEEPER, "a1"), (Role.CLERK, "c1"))
    )
    one = address_of(manager, "c1")

    made = manager.post(f"{one}/role", role="shopkeeper", reason="升任")
    assert made.status_code == 303
    assert clerk.client.get("/shop/").status_code == 303, "signed out by a change of rights"
    manager.post(f"{one}/end", reason="离职")
    assert "已停用" in manager.page("/shop/staff")
    manager.post(f"{one}/restore", reason="返岗")
    reset = manager.post(f"{one}/reset", reason="遗失手机")

    assert once(reset)
    assert office.acts()[-4:] == ["staff-role-changed", "staff-ended", "staff-restored", "staff-reset"]


def test_nobody_of_the_staff_changes_themselves_or_another_retailers(office: Office) -> None:
    manager = office.desk(Role.SHOPKEEPER, login="a1", retailer=BIG)
    office.desk(Role.SHOPKEEPER, login="b1", retailer=SMALL)
    other = address_of(office.desk(Role.CITY_ADMINISTRATOR), "b1", "/console").replace("/console/", "/shop/")

    own = manager.post(f"{address_of(manager, 'a1')}/end", reason="离职")
    theirs = [manager.post(f"{other}/end", reason="离职"), manager.client.get(other)]

    assert own.status_code == 403
    assert [each.status_code for each in theirs] == [404, 404]
    assert ">b1<" not in manager.page("/shop/staff")


def test_a_manager_makes_no_official_and_an_official_no_clerk(office: Office) -> None:
    manager, official = office.desk(Role.SHOPKEEPER, retailer=BIG), office.desk(Role.CITY_ADMINISTRATOR)

    assert invite(manager, "x1", role="fleet").status_code == 404
    assert official.add("x2", Role.CLERK).status_code == 422
    assert once(invite(manager, "x3", retailer=SMALL))
    assert ">x3<" in manager.page("/shop/staff"), "of the manager's own retailer, whatever the form says"


@pytest.mark.parametrize(
    "wrong",
    ["roles = ARRAY['shopkeeper']", "retailer = 'x'", "retailer = 'x', roles = ARRAY['clerk', 'fleet']"],
)
def test_the_database_itself_keeps_the_two_sides_apart(office: Office, database_url: str, wrong: str) -> None:
    office.desk(Role.FLEET)
    owner = Database(database_url, role=None, pool_size=1)

    with pytest.raises(DBAPIError, match="ck_officials_staff"):
        owner.write(lambda c: c.execute(text(f"UPDATE officials SET {wrong}")))
    owner.close()
