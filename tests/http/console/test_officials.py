"""Officials are added and changed by administrators: some changes by one, those that give trust by two."""

import re
from dataclasses import dataclass

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
from tests.worlds import officials

NANJING, SUZHOU, JIANGSU = "320100", "320500", "320000"
PEOPLE = "/console/officials"


@dataclass
class Desk:
    """One official at work."""

    client: FlaskClient

    def post(self, url: str, **values: object) -> TestResponse:
        return self.client.post(url, data=values | {"csrf": self.client.csrf})  # type: ignore[attr-defined]

    def add(self, login: str, *roles: Role, **more: str) -> TestResponse:
        values = {"login": login, "name": "新人", "roles": list(roles), "reason": "任命", "district": ""} | more
        return self.post(f"{PEOPLE}/new", **values)

    def page(self, url: str = PEOPLE) -> str:
        return self.client.get(url).get_data(as_text=True)


@pytest.fixture
def app(backend: Backend, clock: Clock) -> Flask:
    return create_app(backend, clock)


class Office:
    """Opens desks."""

    def __init__(self, app: Flask, database: Database, clock: Clock) -> None:
        self.app, self.database, self.clock = app, database, clock

    def desk(self, *roles: Role, city: str = NANJING, **details: str) -> Desk:
        client = self.app.test_client()
        return Desk(officials.signed_in(client, self.database, self.clock.now, *roles, city=city, **details))

    def acts(self, city: str = NANJING) -> list[str]:
        with self.database.read() as connection:
            rows = connection.execute(text("SELECT what FROM acts WHERE city = :c ORDER BY act"), {"c": city})
            return [what for (what,) in rows]


@pytest.fixture
def office(app: Flask, engine_db: Database, clock: Clock) -> Office:
    return Office(app, engine_db, clock)


def once(answer: TestResponse) -> str:
    return re.search(r'<code id="once">([^<]+)</code>', answer.get_data(as_text=True))[1]  # type: ignore[index]


def link(page: str, name: str) -> str:
    return re.search(rf'<a href="([^"]+)">{name}</a>', page)[1]  # type: ignore[index]


def test_one_administrator_adds_an_author_who_signs_in_with_the_one_time_password(office: Office) -> None:
    desk = office.desk(Role.CITY_ADMINISTRATOR)

    added = desk.add("chen.jing", Role.POLICY_AUTHOR, district="320102")

    assert added.status_code == 200
    assert "chen.jing" in desk.page()
    assert "玄武区" in desk.page()
    entered = office.app.test_client().post("/console/sign-in", data={"login": "chen.jing", "password": once(added)})
    assert entered.headers["Location"] == "/console/sign-in/code"
    assert office.acts() == ["official-added"]


def test_trust_is_given_by_two(office: Office) -> None:
    asking, agreeing = (office.desk(Role.CITY_ADMINISTRATOR) for _ in range(2))

    trusted = (Role.APPROVER, Role.FINANCE, Role.CITY_ADMINISTRATOR, Role.CASE_OFFICER)
    asked = [asking.add(f"sun.{role}", role) for role in trusted]
    change, refused, *_left = re.findall(r"/changes/([^/]+)/approve", agreeing.page())
    alone = asking.post(f"{PEOPLE}/changes/{change}/approve")
    both = agreeing.post(f"{PEOPLE}/changes/{change}/approve")
    again = agreeing.post(f"{PEOPLE}/changes/{change}/approve")
    other = agreeing.post(f"{PEOPLE}/changes/{refused}/refuse")

    assert [each.headers["Location"] for each in (*asked, other)] == [PEOPLE] * 5
    assert [alone.status_code, both.status_code, again.status_code] == [403, 200, 404]
    assert once(both)
    assert office.acts() == [*["official-change-asked"] * 4, "official-added", "official-change-refused"]


def test_the_database_itself_refuses_one_who_approves_their_own(office: Office, database_url: str) -> None:
    office.desk(Role.CITY_ADMINISTRATOR).add("sun.li", Role.APPROVER)

    with pytest.raises(DBAPIError, match="ck_official_changes_two"):
        office.database.write(
            lambda c: c.execute(
                text("UPDATE official_changes SET decided_by = asked_by, decided_at = asked_at, approved = true")
            )
        )


def test_a_reset_of_one_who_approves_takes_two_and_of_another_one(office: Office) -> None:
    desk = office.desk(Role.CITY_ADMINISTRATOR)
    office.desk(Role.APPROVER, login="trusted")
    author = office.desk(Role.POLICY_AUTHOR, login="author")

    waits = desk.post(link(desk.page(), "trusted") + "/reset", reason="遗失手机")
    done = desk.post(link(desk.page(), "author") + "/reset", reason="遗失手机")

    assert waits.headers["Location"] == PEOPLE
    assert once(done)
    assert author.client.get("/console/").status_code == 303


def test_who_is_disabled_is_out_at_once_and_stays_out(office: Office) -> None:
    desk, finance = office.desk(Role.CITY_ADMINISTRATOR), office.desk(Role.FINANCE, login="payer")

    desk.post(link(desk.page(), "payer") + "/disable", reason="调离")

    assert finance.client.get("/console/").status_code == 303
    assert "已停用" in desk.page()
    assert office.acts() == ["official-disabled"]


def test_nobody_changes_their_own_account(office: Office) -> None:
    desk = office.desk(Role.CITY_ADMINISTRATOR, login="self")
    own = link(desk.page(), "self")

    answers = [
        desk.post(f"{own}/roles", roles=[Role.FLEET], reason="x"),
        desk.post(f"{own}/disable", reason="x"),
        desk.post(f"{own}/reset", reason="x"),
    ]

    assert [answer.status_code for answer in answers] == [403] * 3


CANNOT_BE: list[tuple[str, list[Role], dict[str, str], str]] = [
    ("A B", [Role.FLEET], {}, "登录名为 2 至 64 个小写字母"),
    ("ok.name", [], {}, "至少一个角色"),
    ("ok.name", [Role.AUDITOR, Role.FLEET], {}, "审计只读"),
    ("ok.name", [Role.CITY_ADMINISTRATOR, Role.APPROVER], {}, "管理员不兼任复核"),
    ("ok.name", [Role.PROVINCE], {}, "省级角色只属于省级账户"),
    ("ok.name", [Role.CITY_ADMINISTRATOR], {"district": "320102"}, "都管全市"),
    ("ok.name", [Role.FINANCE, Role.FLEET], {"district": "320102"}, "都管全市"),
    ("ok.name", [Role.FLEET], {"district": "320505"}, "不是本市的区县"),
    ("ok.name", [Role.FLEET], {"reason": ""}, "请写明理由"),
    ("taken", [Role.FLEET], {}, "已有人使用"),
]


def test_what_cannot_be_is_said_at_its_field(office: Office) -> None:
    office.desk(Role.FLEET, city=SUZHOU, login="taken")
    desk = office.desk(Role.CITY_ADMINISTRATOR)

    for login, roles, more, said in CANNOT_BE:
        answer = desk.add(login, *roles, **more)

        assert answer.status_code in (409, 422)
        assert said in answer.get_data(as_text=True)


def test_rights_ask_for_a_code_given_within_ten_minutes(office: Office, clock: Clock) -> None:
    desk = office.desk(Role.CITY_ADMINISTRATOR)
    clock.forward(minutes=11)

    answer = desk.client.get(f"{PEOPLE}/new")
    posted = desk.add("late.one", Role.FLEET)

    assert answer.headers["Location"] == "/console/step-up?next=%2Fconsole%2Fofficials%2Fnew"
    assert (posted.status_code, "六位动态码" in posted.get_data(as_text=True)) == (403, True)
    assert "late.one" not in desk.page()


def test_an_official_of_another_city_is_not_there(office: Office) -> None:
    other = office.desk(Role.CITY_ADMINISTRATOR, city=SUZHOU)
    office.desk(Role.FLEET, login="nanjings")
    url = link(office.desk(Role.CITY_ADMINISTRATOR).page(), "nanjings")

    answers = [
        other.client.get(url),
        *(other.post(f"{url}/{act}", reason="x") for act in ("roles", "reset", "disable")),
    ]

    assert [answer.status_code for answer in answers] == [404] * 4
    assert "nanjings" not in other.page()


def test_the_province_opens_a_second_city_and_looks_at_it(office: Office) -> None:
    desk = office.desk(Role.PROVINCE, city=JIANGSU)

    opened = desk.post("/console/cities", city=SUZHOU, login="admin.sz", name="苏管")
    looked = desk.post("/console/city", city=SUZHOU)
    abroad = desk.post("/console/city", city="310100")
    again = desk.post("/console/cities", city=SUZHOU, login="admin.s2", name="苏管")
    elsewhere = desk.post("/console/cities", city="330100", login="admin.hz", name="杭管")

    assert once(opened)
    assert looked.status_code == 303
    assert "admin.sz" in desk.page()
    assert [abroad.status_code, again.status_code, elsewhere.status_code] == [404, 409, 422]
    assert office.acts(SUZHOU) == ["official-added"]
