"""Every route of the shop systems' API x a shop of one's own and one of somebody else: a token reaches its own shops alone.

The cases are held against the application's own routes: a new one without a case fails.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from backend.bootstrap import Backend
from backend.kernel.periods import milliseconds
from backend.scans.identity import basket_id
from backend.storage.transaction import Database
from backend.usecases.issue_token import bind_token
from backend.web.app import create_app
from tests.http.conftest import BRIDGE_TOKEN, POS_TOKEN, SignIn, bearer, shops_token
from tests.http.shop import BATCH, RETAILER, Shop, batch, open_shop
from tests.worlds.books import rows
from tests.worlds.city import FRIDGE, NANJING, NOON, SUZHOU, City, read
from tests.worlds.old_tokens import issue_unbound

API = "/api/pos/v1"
THEIRS, ELSEWHERE, UNBOUND = "token-of-another-retailer", "token-of-another-city", "token-of-before"
OTHER_RETAILER = "另一超市"
LINE = {"code": FRIDGE, "sym": "EAN13", "qty": 1, "price_fen": 10_000}


class Case(NamedTuple):
    """What the shop's own system is answered, and what another retailer's is that says the very same."""

    own: int
    foreign: tuple[int, str] = (403, "not-of-token")
    body: Mapping[str, object] | None = None


CASES = {
    "POST /baskets:batch": Case(200, body={"messages": "messages"}),
    "POST /quotes": Case(200, body={"store": "store", "lines": [LINE]}),
    # Of another's quote nothing is said, not even that there is one.
    "GET /quotes/<quote>": Case(200, (404, "quote-unknown")),
    "POST /quotes/<quote>/capture": Case(200, (404, "quote-unknown"), {}),
    "POST /quotes/<quote>/void": Case(409, (404, "quote-unknown"), {}),
    "POST /claims": Case(409, body={"store": "store", "code": "AAAABBBBCCCCDDDD", "member": "none"}),
    "POST /returns": Case(
        201,
        body={
            "return_id": "R-1",
            "store": "store",
            "returned_at_ms": milliseconds(NOON),
            "lines": [{"basket": "basket", "line_no": 0, "quantity": 1}],
        },
    ),
    "POST /hand-ins": Case(
        409,
        body={
            "hand_in_id": "H-1",
            "store": "store",
            "basket": "basket",
            "line_no": 0,
            "trade_in": "cc" * 16,
            "handed_in_on": "2026-11-22",
        },
    ),
    "POST /prepayments": Case(
        409, body={"prepayment_id": "P-1", "store": "store", "lines": [{"basket": "basket", "line_no": 0}]}
    ),
    "POST /redemptions/confirm": Case(404, body={"store": "store", "code": "0000-0000", "confirm_id": "n1"}),
    "POST /vouchers/use": Case(404, body={"store": "store", "code": "0000-0000-0000-0000", "use_id": "n1"}),
}
"""A quote that was captured is not voided, a code that nobody has is found nowhere, and what has all come back takes no old
unit and no subsidy: the shop's own system is refused for what it asks, another's for who it is."""
OF_THE_TOKEN = {
    "GET /sales-files/template",
    "POST /sales-files",
    "GET /sales-files/<upload>",
    "GET /sales-files/<upload>/answers",
    "GET /statements",
    "GET /statements/<month>",
    "GET /statements/<month>/file",
    "POST /statements/<month>/confirm",
    "POST /statements/<month>/lines/<line_no>/dispute",
}
"""They name no shop and no city: what they reach is the token's own, as `test_statements` and `test_sales_files` show."""


@dataclass
class World:
    client: FlaskClient
    city: City
    ids: dict[str, Any] = field(default_factory=dict)

    def ask(self, route: str, token: str, **changes: object) -> TestResponse:
        method, _, path = route.partition(" ")
        path = re.sub(r"<(\w+)>", lambda found: str(self.ids[found[1]]), path)
        body = CASES[route].body
        if body is None:
            return self.client.open(f"{API}{path}?city={NANJING}", method=method, headers=bearer(token))
        cityless = {} if "messages" in body else {"city": NANJING}
        return self.client.open(
            API + path, method=method, json={**cityless, **self.filled(body), **changes}, headers=bearer(token)
        )

    def filled(self, value: Any) -> Any:
        match value:
            case Mapping():
                return {name: self.filled(one) for name, one in value.items()}
            case list():
                return [self.filled(one) for one in value]
        return self.ids.get(value, value) if isinstance(value, str) else value


@pytest.fixture
def world(client: FlaskClient, shop: Shop, city: City, sign_in: SignIn, database_url: str) -> World:
    """A shop that sold a fridge and holds a quote, and the systems of those whose shop it is not."""
    database = city.database
    shops_token(database, THEIRS, OTHER_RETAILER)
    shops_token(database, ELSEWHERE, RETAILER, SUZHOU)
    issue_unbound(database_url, UNBOUND)
    code = client.post("/api/resident/v1/member-codes", headers=sign_in()).get_json()["code"]
    message = shop.delivery(shop.message(shop.line(read(FRIDGE), member=code)))
    client.post(BATCH, json=batch(message), headers=bearer(BRIDGE_TOKEN))
    ids = {"store": "s1", "basket": basket_id(shop.device, shop.stream, 1), "messages": [message]}
    held = client.post(
        f"{API}/quotes",
        json={"city": NANJING, "store": "s1", "lines": [LINE], "hold": True},
        headers=bearer(POS_TOKEN) | {"Idempotency-Key": "a-quote-of-its-own"},
    )
    assert held.status_code == 201, held.get_data(as_text=True)
    return World(client, city, {**ids, "quote": held.get_json()["quote"]})


def told(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["code"]


def kept(database: Database) -> list[tuple[Any, ...]]:
    """All that the routes could add to or change."""
    tables = ("transfers", "baskets", "decisions", "returns", "hand_ins", "quarantine", "quotes")
    counts = ", ".join(f"(SELECT count(*) FROM {table} WHERE city = :city)" for table in tables)
    return rows(
        database, f"SELECT {counts}, (SELECT string_agg(state, ',') FROM quotes WHERE city = :city)", city=NANJING
    )


def test_every_route_has_its_case(client: FlaskClient) -> None:
    served = {
        f"{method} {re.sub('<[^>]+:', '<', rule.rule.removeprefix(API))}"
        for rule in client.application.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith(f"{API}/")
    }

    assert served == CASES.keys() | OF_THE_TOKEN
    assert not CASES.keys() & OF_THE_TOKEN


def test_a_token_reaches_the_shops_of_its_own_retailer_and_city_alone(world: World) -> None:
    before = kept(world.city.database)

    another = {route: told(world.ask(route, THEIRS)) for route in CASES}
    another_city = {route: told(world.ask(route, ELSEWHERE)) for route in CASES}
    nobodys = {route: told(world.ask(route, UNBOUND)) for route in CASES}
    after = kept(world.city.database)
    own = {route: world.ask(route, POS_TOKEN).status_code for route in CASES}

    assert another == {route: case.foreign for route, case in CASES.items()}
    assert another_city == dict.fromkeys(CASES, (403, "not-of-token"))
    assert nobodys == dict.fromkeys(CASES, (403, "token-unbound"))
    assert after == before
    assert own == {route: case.own for route, case in CASES.items()}


def test_what_names_no_shop_is_of_the_tokens_own_retailer(world: World) -> None:
    def asked(route: str, token: str) -> TestResponse:
        method, _, path = route.partition(" ")
        filled = path.replace("<month>", "2026-11").replace("<line_no>", "1").replace("<upload>", str(UUID(int=1)))
        return world.client.open(API + filled, method=method, json={"reason": "x"}, headers=bearer(token))

    nobodys = {told(asked(route, UNBOUND)) for route in OF_THE_TOKEN}
    whose = [asked("GET /statements", token).get_json()["retailer"] for token in (POS_TOKEN, THEIRS)]

    assert nobodys == {(403, "token-unbound")}
    assert whose == [RETAILER, OTHER_RETAILER]


def test_a_shop_that_is_not_there_is_refused_as_another_retailers_is(world: World) -> None:
    named = [route for route, case in CASES.items() if case.body and "store" in case.body]

    said = [
        {**world.ask(route, POS_TOKEN, store=store).get_json(), "instance": None}
        for route in named
        for store in ("s404", f"head-{THEIRS}")
    ]

    assert len(named) > 4
    assert said[0]["code"] == "not-of-token"
    assert said == [said[0]] * len(said)


def test_a_system_hands_on_messages_of_its_own_tills_and_a_bridge_of_all(client: FlaskClient, city: City) -> None:
    own, foreign = open_shop(city.database, NANJING), open_shop(city.database, NANJING, 2, OTHER_RETAILER)
    stranger = Shop("nj-shop-0099")
    of_each = [shop.delivery(shop.message(shop.line(read(FRIDGE)))) for shop in (own, foreign, stranger)]

    def sent(token: str, *messages: dict[str, Any]) -> TestResponse:
        return client.post(BATCH, json=batch(*messages), headers=bearer(token))

    mixed = sent(POS_TOKEN, *of_each)
    assert told(mixed) == (403, "not-of-token")
    assert rows(city.database, "SELECT count(*) FROM baskets WHERE city = :city", city=NANJING) == [(0,)]
    answered = sent(POS_TOKEN, of_each[0], of_each[2]).get_json()["results"]
    assert [(one["state"], one["code"]) for one in answered] == [("recorded", None), ("refused", "unknown_device")]
    assert [one["state"] for one in sent(BRIDGE_TOKEN, *of_each).get_json()["results"]] == [
        "recorded",
        "recorded",
        "refused",
    ]


def test_a_token_of_before_says_how_it_is_bound_and_then_works(world: World, backend: Backend) -> None:
    refusal = world.ask("POST /quotes", UNBOUND).get_json()
    assert f"greenpoints tokens bind --name {UNBOUND}" in refusal["detail"]

    world.city.database.write(lambda c: bind_token(c, name=UNBOUND, retailer=(NANJING, RETAILER), now=NOON))

    # Another process, which does not remember the token as it was.
    world.client = create_app(backend, lambda: NOON).test_client()
    assert world.ask("POST /quotes", UNBOUND).status_code == 200
