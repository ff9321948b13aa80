"""Every route of the resident API x an object of one's own and one of somebody else: nothing of another is seen or changed.

The cases are held against the application's own routes: a new one without a case fails.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from backend.kernel.ids import new_id
from backend.residents.cards.number import drawn, secret_of
from backend.residents.consents.texts import GUARDIAN
from backend.residents.identities import identity_hash
from backend.settings import Settings
from backend.storage.transaction import Database
from backend.usecases.issue_card import DrawnCard, issue_card
from tests.http.conftest import BRIDGE_TOKEN, Clock, SignIn, bearer
from tests.http.shop import Shop
from tests.http.test_consents import API, declare, give
from tests.http.test_leaving import deliver
from tests.http.test_passport import grown_up, publish
from tests.worlds.books import rows
from tests.worlds.city import FRIDGE, NANJING, NOON, City, read
from tests.worlds.redeeming import POINT, open_counter

Headers = dict[str, str]


class Case(NamedTuple):
    """Of a route that names an object, in its path or its body: what its owner is answered, and what anybody else is."""

    own: int
    foreign: int
    body: Mapping[str, object] | None = None


OF_OBJECTS = {
    "GET /scans/<basket>/lines/<line_no>": Case(200, 404),
    "GET /scans/<basket>/lines/<line_no>/proof": Case(200, 404),
    "POST /appeals": Case(409, 404, {"appeal_id": "new", "basket": "basket", "line_no": 0, "text": "有误"}),
    "POST /reports": Case(201, 404, {"report_id": "new", "basket": "basket", "line_no": 0, "text": "标签是假的"}),
    "POST /missing-points/<claim>/review": Case(409, 404, {"text": "小票在手"}),
    "GET /redemptions/<redemption>": Case(200, 404),
    "POST /redemptions/<redemption>/confirm": Case(200, 404, {}),
    "POST /redemptions/<redemption>/cancel": Case(409, 404, {}),
    "GET /passport/statements/<statement>": Case(200, 404),
    "POST /passport/statements/<statement>/presentations": Case(
        201, 404, {"recipient": "图书馆", "purpose": "benefit"}
    ),
    "POST /passport/statements/<statement>/exports": Case(202, 404),
    "DELETE /passport/statements/<statement>": Case(204, 404),
    "POST /cards/<card>/block": Case(204, 404),
    "DELETE /wards/<ward>": Case(204, 404),
    "DELETE /sessions/<name>": Case(204, 404),
}
"""An appeal against what was awarded in full, a second end of a redemption, or a review of what is not answered yet
is refused for what it is: 409, not 404."""
OF_ONESELF: dict[str, Mapping[str, object] | None] = {
    "GET /access-log": None,
    "GET /account/closing": None,
    "POST /account/closing": {"told_sha256": "0" * 64},
    "PUT /age-band": {"band": "adult"},
    "GET /adjustments": None,
    "POST /age-verifications": None,
    "GET /appeals": None,
    "GET /balances": None,
    "POST /caps:read": {},
    "GET /cards": None,
    "GET /catalogue": None,
    "POST /claims": {"code": "AAAABBBBCCCCDDDD"},
    "POST /collect": {},
    "GET /consent-history": None,
    "GET /consents": None,
    "PUT /consents/<purpose>": {"text_sha256": "0" * 64},
    "DELETE /consents/<purpose>": None,
    "GET /expiries": None,
    "POST /export": None,
    "POST /guardian-codes": None,
    "POST /identities": {"way": "phone", "phone": "13800138000", "code": "000000"},
    "POST /member-codes": None,
    "POST /merges": {"way": "session", "code": "nobodys"},
    "POST /missing-points": {
        "claim_id": "wish",
        "store": "s1",
        "bought_on": "2026-11-22",
        "slip_no": "A-1",
        "amount_fen": 100,
    },
    "GET /missing-points": None,
    "GET /reports": None,
    "GET /notices": None,
    "POST /notices": {"code": "of-wechat"},
    "DELETE /notices": None,
    "GET /passport": None,
    "POST /passport/statements": {"at_least": 1},
    "POST /photos:read": None,
    "POST /qr": {"text": "x"},
    "POST /redemptions": {"redemption_id": "wish", "entry": POINT, "pieces": 1},
    "GET /redemptions": None,
    "POST /scans": {"scan_id": "scan", "code": FRIDGE, "symbology": "EAN_13"},
    "GET /scans": None,
    "GET /sessions": None,
    "DELETE /sessions/current": None,
    "GET /wallet": None,
    "GET /wards": None,
    "POST /wards": {"code": "AAAAABBBBB", "text_sha256": GUARDIAN.sha256.hex()},
}
"""They name no object: all that they reach is whoever asks, even where an id is sent that another chose before."""
OPEN = {"POST /sessions", "POST /phone-codes"}


@dataclass
class World:
    """`owner` has one object of each kind, known by `ids`; `stranger` has rights of every kind, and none of these."""

    client: FlaskClient
    owner: Headers
    stranger: Headers
    ids: dict[str, str] = field(default_factory=dict)

    def ask(self, route: str, headers: Headers, body: Mapping[str, object] | None = None) -> TestResponse:
        method, _, path = route.partition(" ")
        path = re.sub(r"<(\w+)>", lambda found: self.ids[found[1]], path)
        sent = None if body is None else {name: self.ids.get(str(value), value) for name, value in body.items()}
        return self.client.open(API + path, method=method, json=sent, headers=headers)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    key = settings.receipt_key_file.with_name("passport")
    key.write_bytes(Ed25519PrivateKey.generate().private_bytes_raw())
    return replace(settings, passport_key_file=key)


@pytest.fixture
def world(client: FlaskClient, city: City, sign_in: SignIn, shop: Shop, clock: Clock) -> World:
    publish(city, clock)
    open_counter(city.database)
    world = World(client, sign_in("owner"), sign_in("stranger"))
    for headers in (world.owner, world.stranger):
        grown_up(client, city, headers, clock)
        for purpose in ("notices", "credit_passport", "credit_export"):
            assert give(client, headers, purpose).status_code == 200
        code = client.post(f"{API}/member-codes", headers=headers).get_json()["code"]
        deliver(client, shop, shop.line(read(FRIDGE), member=code))
    world.ids = {
        **_objects(world),
        "name": _session_elsewhere(client, sign_in),
        "ward": _ward(client, world.owner, sign_in),
        "card": _card(city),
    }
    return world


def _objects(world: World) -> dict[str, str]:
    ask, scan, wish = world.ask, str(uuid4()), str(uuid4())
    world.ids = {"scan": scan, "wish": wish}
    assert ask("POST /scans", world.owner, OF_ONESELF["POST /scans"]).status_code == 201
    held = ask("POST /redemptions", world.owner, OF_ONESELF["POST /redemptions"]).get_json()
    claim = ask("POST /missing-points", world.owner, OF_ONESELF["POST /missing-points"]).get_json()
    statement = ask("POST /passport/statements", world.owner, {"at_least": 1}).get_json()["statement"]
    awarded = [one for one in ask("GET /scans", world.owner).get_json()["scans"] if one["award"]]
    return {
        "new": str(uuid4()),
        "scan": scan,
        "wish": wish,
        "redemption": held["redemption"],
        "claim": claim["claim"],
        "statement": statement,
        "basket": awarded[-1]["basket"],
        "line_no": "0",
        "purpose": "statistics",
    }


def _card(city: City) -> str:
    card, number = new_id(), drawn(NANJING, bytes(range(16)))
    new = DrawnCard(card, number, secret_of(bytes(range(16))), new_id())
    owner = identity_hash(bytes(32), "dev:owner")
    city.database.write(lambda connection: issue_card(connection, new, owner, bytes(32), "tests", NOON))
    return card


def _session_elsewhere(client: FlaskClient, sign_in: SignIn) -> str:
    sessions = client.get(f"{API}/sessions", headers=sign_in("owner")).get_json()["sessions"]
    return next(str(one["session"]) for one in sessions if not one["current"])


def _ward(client: FlaskClient, guardian: Headers, sign_in: SignIn) -> str:
    child = sign_in("child")
    declare(client, child, "under_14")
    code = client.post(f"{API}/guardian-codes", headers=child).get_json()["code"]
    taken = client.post(f"{API}/wards", json={"code": code, "text_sha256": GUARDIAN.sha256.hex()}, headers=guardian)
    return str(taken.get_json()["ward"])


def routes(client: FlaskClient) -> Iterator[str]:
    for rule in client.application.url_map.iter_rules():
        if rule.rule.startswith(API):
            path = re.sub(r"<[^>]*?(\w+)>", r"<\1>", rule.rule.removeprefix(API))
            yield from (f"{method} {path}" for method in (rule.methods or set()) - {"HEAD", "OPTIONS"})


def test_every_route_has_a_case(client: FlaskClient) -> None:
    assert {*OF_OBJECTS, *OF_ONESELF, *OPEN} == set(routes(client))


def of(database: Database, resident: str) -> list[str]:
    """Every row of every table that names a resident."""
    tables = rows(database, "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
    naming = (f"SELECT t::text FROM \"{name}\" t WHERE t::text LIKE '%%{resident}%%' ORDER BY 1" for (name,) in tables)
    return [str(row) for statement in naming for (row,) in rows(database, statement)]


def test_of_anothers_objects_nothing_is_seen_or_changed_and_of_ones_own_all(world: World, city: City) -> None:
    me = rows(city.database, f"SELECT resident::text FROM baskets WHERE basket = '{world.ids['basket']}'")[0][0]
    before = of(city.database, me)
    assert len(before) > 10

    foreign = {route: world.ask(route, world.stranger, case.body) for route, case in OF_OBJECTS.items()}
    mine = {route: world.ask(route, world.stranger, body) for route, body in OF_ONESELF.items() if route != LAST}
    services = {route: world.ask(route, bearer(BRIDGE_TOKEN)) for route in (*OF_OBJECTS, *OF_ONESELF)}

    assert {route: found.status_code for route, found in foreign.items()} == {
        route: case.foreign for route, case in OF_OBJECTS.items()
    }
    assert {found.status_code for found in services.values()} == {401}
    hidden = {
        me,
        *(
            one
            for name, one in world.ids.items()
            if name in ("basket", "redemption", "claim", "card", "statement", "name", "ward")
        ),
    }
    told = {route: found.get_data(as_text=True) for route, found in {**foreign, **mine}.items()}
    assert [(route, one) for route, text in told.items() for one in hidden if one in text] == []
    assert max(found.status_code for found in mine.values()) < 500
    assert of(city.database, me) == before
    assert {route: world.ask(route, world.owner, case.body).status_code for route, case in OF_OBJECTS.items()} == {
        route: case.own for route, case in OF_OBJECTS.items()
    }


LAST = "DELETE /sessions/current"
"""Ends the stranger's own session."""
