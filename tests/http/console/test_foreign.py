"""The matrix's other half: real objects of Nanjing, asked for by every role in Suzhou, and by another retailer's staff."""

import io
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from backend.audit.acting import acting
from backend.audit.model import COMMAND, Actor
from backend.bootstrap import build
from backend.certificates.cache import RegistryCache
from backend.kernel.periods import civil_date, milliseconds
from backend.ledger import chart
from backend.officials.model import STAFF, Role, Side
from backend.policies.store import PolicyCache
from backend.residents.people import Home
from backend.storage.base import metadata
from backend.storage.transaction import Database
from backend.usecases.claim_missing_points import AskedMissing, ClaimMissingPoints, MissingTerms
from backend.usecases.count_scans import keep_outlooks
from backend.usecases.draft_policy import draft_policy
from backend.usecases.export_tables import run_exports
from backend.usecases.file_appeal import AskedAppeal, file_appeal
from backend.usecases.file_report import AskedReport, FileReport
from backend.usecases.pay_settlements import release_payment
from backend.web.app import create_app
from backend.web.console.declare import Declared
from tests.architecture.project import city_tables
from tests.conftest import copied
from tests.http.conftest import Clock, Keys, settings_of
from tests.http.console.test_fleet import OFFER, TILLS, furnished
from tests.http.console.test_matrix import REFUSED, ROLES, declared
from tests.http.console.test_targets import FORM as TARGET
from tests.worlds import books, officials, rules
from tests.worlds.city import FRIDGE, NANJING, SUZHOU, read, resident
from tests.worlds.sales_files import row, sheet
from tests.worlds.settling import BIG, CLOSING, DAY, MONTH, QIAN, SMALL, Office, fees, open_office

LI = resident(7)
SHARED = {"certificate", "uscc"}
"""Registries are one for all cities."""
MONTHS = {"month": MONTH, "retailer": BIG}
OF_ONES_OWN = "/shop/statements/"
"""A month and a line there are of whoever asks: another retailer reads its own, as `test_shop_statements` shows."""
NOT_YET = {"/console/policy-drafts/<uuid:draft>/progress": "there is none until a preview is asked for"}
PLAUSIBLE = {
    "reason": "越权",
    "text": "越权",
    "explanation": "越权",
    "kind": "accept",
    "ruling": "release",
    "verdict": "uphold",
    "proposal": "impose",
    "until": "2026-12-31",
    "outcome": "upheld",
    "difference": "1",
    "paid_on": "2026-12-05",
    "bank_reference": "X-1",
    "roles": "fleet",
}
"""Whatever a form asks for: what is refused is refused for its object, not for an empty field."""


@dataclass
class World:
    """What Nanjing has, by the name that routes give it: every value of `found` is of a row of Nanjing's."""

    app: Flask
    engine: Database
    owner: Database
    clock: Clock
    found: dict[str, str] = field(default_factory=dict)
    desks: dict[Role, FlaskClient] = field(default_factory=dict)

    def desk(self, role: Role, city: str = NANJING, retailer: str = BIG) -> FlaskClient:
        at, whose = "320000" if role is Role.PROVINCE else city, retailer if role in STAFF else None
        return officials.signed_in(self.app.test_client(), self.engine, self.clock.now, role, city=at, retailer=whose)

    def mine(self, role: Role) -> FlaskClient:
        if role not in self.desks:
            self.desks[role] = self.desk(role)
        return self.desks[role]

    def post(self, role: Role, path: str, **form: object) -> TestResponse:
        client = self.mine(role)
        side = Side.SHOP if role in STAFF else Side.CITY
        answer = client.post(f"/{side.value}{path}", data=form | {"csrf": client.csrf})  # type: ignore[attr-defined]
        assert answer.status_code in (200, 303), answer.get_data(as_text=True)[-1_500:]
        return answer

    def rows(self) -> dict[str, tuple[object, ...]]:
        """Of every table of cities, how much of Nanjing's there is and what it says."""
        with self.owner.read() as connection:
            return {
                name: tuple(
                    connection.execute(
                        text(
                            f"SELECT count(*), md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {name} t WHERE city = :c"
                        ),
                        {"c": NANJING},
                    ).one()
                )
                for name in sorted(city_tables() & metadata.tables.keys())
            }


@pytest.fixture(scope="module")
def world(server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with copied(server_url, template) as url, built(url, tmp_path_factory.mktemp("keys")) as made:
        yield made


def _two_sales(office: Office) -> None:
    office.sell(4)
    office.sell(5, "s3", person=resident(2))


@contextmanager
def built(url: str, keys: Path, sell: Callable[[Office], None] = _two_sales) -> Iterator[World]:
    """In an empty database: what Nanjing sells before November is closed, and one object of each kind."""
    backend, clock = build(settings_of(url, Keys(), keys)), Clock(CLOSING)
    engine, owner = Database(url, role="greenpoints_engine", pool_size=3), Database(url, role=None, pool_size=2)
    made = World(create_app(backend, clock), engine, owner, clock)
    with acting(Actor("command:tests", COMMAND)):
        _cases(made, _money(made, sell))
        _policies(made)
    _targets(made)
    _people(made)
    _fleet(made)
    _registry(made)
    yield made
    engine.close()
    owner.close()
    backend.close()


def _money(world: World, sell: Callable[[Office], None]) -> Office:
    watch = {"cap": "velocity", "per": ["person"], "period": "day", "limit": 1, "counts": "awards", "partial": False}
    caps = [{**rules.cap("day", "day", 100_000), "unit": "points"}, {**watch, "beyond": "hold"}]
    budgets = [{"unit": unit, "amount": 10**12} for unit in ("points", "fee")]
    office = open_office(world.engine, fees(caps=caps, budgets=budgets))
    sell(office)
    office.close()
    world.found["payment"] = payment = office.prepare(CLOSING + 6 * DAY).payment
    release_payment(world.engine, NANJING, payment, QIAN, CLOSING + 6 * DAY)
    wanted = {"of": "resident", "whose": resident(1), "unit": "points", "cause": "goodwill", "ticket": "T-1"}
    world.post(Role.FINANCE, "/adjustments/new", **wanted, amount="5000", explanation="停机补偿")
    world.found["adjustment"] = _first(world, Role.FINANCE, "/adjustments", r"/adjustments/([0-9a-f-]{36})") or _only(
        world, "adjustments", "adjustment"
    )
    world.post(Role.FINANCE, "/exports", kind="statements", first="2026-11-01", last="2026-12-31")
    run_exports(world.engine, NANJING, lambda: CLOSING, lambda: False)
    world.found["export"] = _only(world, "exports", "export")
    assert keep_outlooks(world.engine, NANJING, CLOSING)
    world.found["unit"] = "points"
    return office


def _cases(world: World, office: Office) -> None:
    baskets = []
    for _ in range(3):
        office.sold += 1
        arrival = office.city.till(office.sold).basket(read(FRIDGE), resident=LI)
        office.city.record(arrival, now=CLOSING)
        baskets.append(arrival.basket.basket)
    world.found["basket"], refused = baskets[1], baskets[2]
    world.post(Role.CASE_OFFICER, f"/cases/holds/{refused}/0", ruling="refuse", reason="小票不清")
    asked = AskedAppeal(NANJING, LI, str(uuid4()), refused, 0, "小票已补")
    world.found["appeal"] = file_appeal(world.engine, asked, 15, CLOSING).appeal.appeal
    missed = AskedMissing(NANJING, str(uuid4()), "s1", civil_date(milliseconds(CLOSING)), "S01-1", 900)
    claiming = ClaimMissingPoints(world.engine, RegistryCache(), PolicyCache(chart.budget), MissingTerms(90, 15))
    world.found["claim"] = claiming.claim(missed, Home(NANJING, LI), CLOSING).claim.claim
    report = AskedReport(NANJING, LI, "1", "标志是贴上去的。", store="s1", label=FRIDGE)
    world.found["report"] = FileReport(world.engine, None).file(report, CLOSING).report.report
    notice = {"store": "s1", "basis": "本市办法第十二条", "reason": "三次抽查不符", "reply_days": "5"}
    opened = world.post(Role.CASE_OFFICER, "/cases/suspensions", **notice)
    world.found["suspension"] = opened.headers["Location"].rpartition("/")[2]


def _policies(world: World) -> None:
    document = json.dumps(rules.document(policy="blue"))
    made = world.engine.write(lambda c: draft_policy(c, NANJING, document, by="tests", now=CLOSING))
    world.found |= {"policy": "green", "number": "1", "draft": made.draft}
    ((world.found["act"],),) = books.rows(
        world.engine, "SELECT act::text FROM acts WHERE key = :draft", draft=made.draft
    )


def _targets(world: World) -> None:
    opened = world.post(Role.POLICY_AUTHOR, "/targets", **TARGET)
    world.found["target"] = opened.headers["Location"].rpartition("/")[2]


def _fleet(world: World) -> None:
    furnished(world.engine, CLOSING, BIG)
    offered = world.post(Role.FLEET, "/updates/new", **OFFER)
    world.found |= {"device": TILLS[0], "rollout": offered.headers["Location"].rpartition("/")[2]}


def _people(world: World) -> None:
    world.found["staff"] = officials.enter(world.engine, CLOSING, Role.CLERK, login="bigs", retailer=BIG)
    world.found["official"] = officials.enter(world.engine, CLOSING, Role.FLEET, login="nanjings")
    world.post(
        Role.CITY_ADMINISTRATOR, "/officials/new", login="sun.li", name="孙立", roles=["approver"], reason="任命"
    )
    world.found["change"] = _only(world, "official_changes", "change")
    with world.owner.read() as connection:
        asked = "SELECT session::text FROM official_sessions WHERE city = :c LIMIT 1"
        world.found["session"] = connection.execute(text(asked), {"c": NANJING}).scalar_one()


def _registry(world: World) -> None:
    role = next(
        role
        for one in declared(world.app)
        for role in ROLES
        if one[2].rule == "/registry/imports" and one[1] == "POST" and role in one[2].roles
    )
    file = (io.BytesIO("证书编号,产品名称\n1,茶\n".encode()), "a.csv")
    opened = world.post(role, "/registry/imports", source="公示系统", file=file)
    world.found["upload"] = opened.headers["Location"].rpartition("/")[2]
    sent = world.post(Role.SHOPKEEPER, "/uploads", file=(io.BytesIO(sheet(row("A1"))), "sales.csv"))
    world.found["file"] = sent.headers["Location"].rpartition("/")[2]


def _first(world: World, role: Role, path: str, pattern: str) -> str | None:
    found = re.search(pattern, world.mine(role).get(f"/console{path}").get_data(as_text=True))
    return found and found[1]


def _only(world: World, table: str, column: str) -> str:
    with world.owner.read() as connection:
        return str(
            connection.execute(text(f"SELECT {column}::text FROM {table} WHERE city = :c"), {"c": NANJING}).scalar_one()
        )


def of_objects(world: World) -> list[tuple[Rule, str, Declared, list[str]]]:
    """Routes of objects that are a city's, with the addresses of Nanjing's: one for each act that the rule takes."""
    return [
        (rule, method, one, paths)
        for rule, method, one in declared(world.app)
        if (paths := addresses(rule, world.found))
    ]


def addresses(rule: Rule, found: dict[str, str]) -> list[str]:
    names = set(re.findall(r"<(?:[^:>]+:)?(\w+)>", rule.rule))
    if not names or names & SHARED:
        return []
    choices = re.search(r"<any\(([^)]*)\):\w+>", rule.rule)
    forms = (
        [re.sub(r"<any\([^>]*>", one.strip(), rule.rule) for one in choices[1].split(",")] if choices else [rule.rule]
    )
    values = found | MONTHS | {"line_no": "1" if "month" in names else "0"}
    unmade = names - values.keys() - ({choices[0].rpartition(":")[2].rstrip(">")} if choices else set())
    assert not unmade, f"{rule.rule}: make one of {unmade} in this world, so that it is tried from another city"
    return [re.sub(r"<(?:[^:>]+:)?(\w+)>", lambda part: values[part[1]], form) for form in forms]


def test_every_object_of_a_route_is_made_here(world: World) -> None:
    """A new kind of object is added to this world, so that it is tried from another city."""
    assert len(of_objects(world)) > 20


def test_nanjing_itself_sees_its_objects(world: World) -> None:
    for rule, method, one, paths in of_objects(world):
        if method != "GET" or rule.rule in NOT_YET:
            continue
        shown = [
            world.mine(role).get(paths[0]).status_code
            for role in ROLES
            if role in one.roles and role is not Role.PROVINCE
        ]
        assert 200 in shown, (rule.rule, shown)


@pytest.mark.parametrize("city", [SUZHOU])
def test_no_role_of_another_city_sees_or_moves_them(world: World, city: str) -> None:
    before = world.rows()
    for role in ROLES:
        kept_out(world, role, world.desk(role, city))

    after = world.rows()
    assert {name for name in before if before[name] != after[name]} == set()


def test_no_staff_of_another_retailer_of_the_city_sees_or_moves_them(world: World) -> None:
    desks = {role: world.desk(role, retailer=SMALL) for role in sorted(STAFF)}
    before = world.rows()
    for role, desk in desks.items():
        kept_out(world, role, desk, but=OF_ONES_OWN)

    after = world.rows()
    assert {name for name in before if before[name] != after[name]} == set()


def kept_out(world: World, role: Role, desk: FlaskClient, but: str = "none") -> None:
    for rule, method, one, paths in of_objects(world):
        if rule.rule.startswith(but):
            continue
        if role not in one.roles:
            continue  # kept out by the role already, which the matrix tries
        for path in paths:
            data = None if method == "GET" else PLAUSIBLE | {"csrf": desk.csrf}  # type: ignore[attr-defined]
            answer = desk.open(path, method=method, data=data)
            said = REFUSED.search(answer.get_data(as_text=True))
            named = f"{role} {method} {path}: {answer.status_code} {said and said[1]}"
            assert answer.status_code in (403, 404, 409, 422), named
