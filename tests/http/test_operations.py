"""What those see who run the system, and laws that hold for every route."""

import base64
import re
from collections.abc import Iterator

import jsonschema
import orjson
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from backend.bootstrap import Backend
from backend.storage.transaction import Database
from backend.usecases.revoke_device import revoke_device
from backend.web.app import create_app
from backend.web.auth import OPEN_ROUTES, Access
from backend.web.describe import document
from backend.web.problems import PROBLEMS
from tests.http.conftest import BRIDGE_TOKEN, METRICS_TOKEN, Clock, Keys, SignIn, bearer
from tests.http.shop import Shop, body_for_the_till
from tests.worlds.city import FRIDGE, NOON, City, register

FAR = {"X-Forwarded-For": "203.0.113.9"}


@pytest.fixture
def app(backend: Backend, clock: Clock) -> Flask:
    return create_app(backend, clock)


def routes(app: Flask) -> Iterator[tuple[str, Rule]]:
    for rule in app.url_map.iter_rules():
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            yield f"{method} {rule.rule}", rule


def test_every_route_says_who_may_call_it_and_the_open_ones_why(app: Flask) -> None:
    accesses = {name: getattr(app.view_functions[rule.endpoint], "access", None) for name, rule in routes(app)}

    assert None not in accesses.values(), accesses
    assert {name for name, access in accesses.items() if access is Access.OPEN} == set(OPEN_ROUTES)


def test_every_guarded_route_refuses_a_stranger_before_it_reads_the_body(app: Flask) -> None:
    """But for the console's, which lead a browser to its sign-in page: tests/http/console looks at those."""
    client = app.test_client()
    for name, rule in routes(app):
        if name in OPEN_ROUTES or app.view_functions[rule.endpoint].access is Access.CONSOLE:  # type: ignore[attr-defined]
            continue
        method, path = name.split(" ")
        path = re.sub(r"<uuid:\w+>", "0" * 8 + "-0000-0000-0000-" + "0" * 12, path)
        path = re.sub(r"<int(?:\(.*?\))?:\w+>", "0", path)
        path = re.sub(r"<string\(length=(\d+)\):\w+>", lambda part: "x" * int(part[1]), path)
        answer = client.open(path, method=method, data=b"{", headers=FAR)
        assert answer.status_code == 401, name
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_the_description_is_openapi_3_1_and_says_for_each_operation_who_may_call_it(app: Flask) -> None:
    described = document(app)

    assert described["openapi"] == "3.1.0"
    operations = {
        f"{method.upper()} {path}": operation
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
        if method in ("get", "post", "delete", "put")
    }
    assert "POST /api/pos/v1/baskets:batch" in operations
    assert all("security" in each for each in operations.values())
    assert operations["POST /api/pos/v1/baskets:batch"]["security"] == [{"pos": []}]
    for each in described["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(each)


def test_problems_are_described_as_problem_documents(app: Flask) -> None:
    described = document(app)["components"]["responses"]

    assert all(set(each["content"]) == {"application/problem+json"} for each in described.values())


def test_the_documentation_page_asks_nobody_else_for_anything(client: FlaskClient) -> None:
    page = client.get("/docs")

    assert page.status_code == 200
    links = re.findall(r'(?:src|href)="([^"]+)"', page.get_data(as_text=True))
    assert links
    for link in links:
        assert link.startswith("/docs/")
        assert client.get(link).status_code == 200
    assert client.get("/docs/openapi.json").get_json()["openapi"] == "3.1.0"
    assert client.get("/docs/assets/..%2f..%2fsetup.py").status_code == 404


def test_alive_ready_and_migrated(client: FlaskClient, city: City) -> None:
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 200


def test_not_ready_while_the_schema_is_older_than_the_code(client: FlaskClient, database_url: str) -> None:
    owner = Database(database_url, role=None)
    owner.write(lambda c: c.exec_driver_sql("UPDATE alembic_version SET version_num = '0001_roles'"))
    owner.close()

    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.get_json()["code"] == "not-ready"
    assert answer.headers["Retry-After"]


def test_metrics_are_for_this_machine_and_for_a_token(client: FlaskClient, city: City) -> None:
    assert b"greenpoints_http_requests" in client.get("/metrics").get_data()
    assert client.get("/metrics", headers=FAR).status_code == 401
    assert client.get("/metrics", headers=FAR | bearer(BRIDGE_TOKEN)).status_code == 403
    assert client.get("/metrics", headers=FAR | bearer(METRICS_TOKEN)).status_code == 200


@pytest.mark.parametrize("path", ["/", "/nothing", "/api/resident/v1/scans/not-a-uuid/lines/0", "/docs/assets/x"])
def test_what_is_not_there_is_a_problem_document_too(client: FlaskClient, path: str) -> None:
    answer = client.get(path)

    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"


def test_a_wrong_method_names_the_right_ones(client: FlaskClient) -> None:
    answer = client.put("/healthz")

    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]
    assert answer.get_json()["detail"] == "该地址不支持这种请求方法。"


def test_a_problems_type_explains_itself(client: FlaskClient) -> None:
    for code in PROBLEMS:
        assert client.get(f"/problems/{code}").get_json()["title"]
    assert client.get("/problems/unheard-of").status_code == 404


def test_a_request_keeps_the_callers_id(client: FlaskClient) -> None:
    assert client.get("/healthz", headers={"X-Request-Id": "abc-12345"}).headers["X-Request-Id"] == "abc-12345"
    assert client.get("/healthz", headers={"X-Request-Id": 'x"\\'}).headers["X-Request-Id"] != 'x"\\'


def test_an_unexpected_fault_tells_no_inner_thing(app: Flask) -> None:
    def fails() -> None:
        raise RuntimeError("secret of the house")

    app.view_functions = app.view_functions | {"operations.healthz": fails}
    answer = app.test_client().get("/healthz")

    assert answer.status_code == 500
    assert answer.get_json()["code"] == "internal"
    assert "secret" not in answer.get_data(as_text=True)


def test_the_public_may_ask_whether_goods_are_certified(client: FlaskClient, city: City) -> None:
    answer = client.post("/api/public/v1/labels:read", json={"text": FRIDGE}).get_json()

    assert answer["label"]["key"] == f"gtin:0{FRIDGE}"
    (certificate,) = answer["certificates"]
    assert (certificate["state"], certificate["grade"], certificate["valid_from"]) == ("valid", 1, "2024-01-01")
    assert certificate["valid_until"] is None
    assert answer["registry_imported_at"]


def test_a_withdrawn_certificate_is_shown_as_such(client: FlaskClient, city: City) -> None:
    register(
        city.database,
        {"code": "9521234000051", "product": "灯", "category": "照明", "state": "撤销", "state_from": "2026-01-01"},
    )

    answer = client.post("/api/public/v1/labels:read", json={"text": "9521234000051"}).get_json()

    assert [each["state"] for each in answer["certificates"]] == ["withdrawn"]


def test_the_public_reader_echoes_nothing_of_a_person(client: FlaskClient, city: City) -> None:
    answer = client.post("/api/public/v1/labels:read", json={"text": "11010519491231002X"})

    assert "11010519491231002" not in answer.get_data(as_text=True)
    assert answer.get_json()["label"]["warnings"][0]["code"] == "citizen_id"


def test_downlinks_reach_the_bridge_once_they_are_settled(
    client: FlaskClient, shop: Shop, city: City, clock: Clock, keys: Keys
) -> None:
    city.database.write(lambda c: revoke_device(c, shop.device, clock.now))
    asked = {"headers": bearer(BRIDGE_TOKEN)}
    assert client.get("/api/bridge/v1/downlink", **asked).get_json() == {"messages": [], "next": None}  # type: ignore[arg-type]
    clock.forward(seconds=3)

    page = client.get("/api/bridge/v1/downlink", **asked).get_json()  # type: ignore[arg-type]

    _admission, notice, access = page["messages"]
    assert notice["topic"] == f"pos/v1/{shop.device}/down/cmd"
    assert 0 < notice["expiry_s"] < 3_600
    assert orjson.loads(body_for_the_till(notice, keys.receipt.public_key()))["cmd"] == "revoked"
    assert access["topic"] == "bridge/v1/access"
    assert orjson.loads(base64.b64decode(access["payload_b64"])) == {"v": 1, "dev": shop.device, "admitted": False}
    rest = client.get("/api/bridge/v1/downlink", query_string={"after": page["next"]}, **asked)  # type: ignore[arg-type]
    assert rest.get_json()["messages"] == []


def test_bridges_are_told_of_every_active_device_and_of_no_other(client: FlaskClient, shop: Shop, city: City) -> None:
    asked = {"headers": bearer(BRIDGE_TOKEN)}
    active = client.get("/api/bridge/v1/devices", **asked).get_json()  # type: ignore[arg-type]
    city.database.write(lambda c: revoke_device(c, shop.device, NOON))

    assert active == {"devices": [shop.device], "next": None}
    assert client.get("/api/bridge/v1/devices", **asked).get_json()["devices"] == []  # type: ignore[arg-type]


@pytest.mark.parametrize("query", [{"limit": "0"}, {"limit": "501"}, {"limit": "x"}, {"after": "x"}, {"befor": "1"}])
def test_a_wrong_parameter_is_named(client: FlaskClient, city: City, query: dict[str, str]) -> None:
    answer = client.get("/api/bridge/v1/downlink", query_string=query, headers=bearer(BRIDGE_TOKEN))

    assert answer.status_code == 422
    assert answer.get_json()["errors"][0]["pointer"] == f"query:/{next(iter(query))}"


def test_answers_are_as_they_are_described(client: FlaskClient, app: Flask, city: City, sign_in: SignIn) -> None:
    headers = sign_in()
    scanned = client.post(
        "/api/resident/v1/scans",
        json={"scan_id": "0190d1f2-0000-7000-8000-000000000001", "code": FRIDGE},
        headers=headers,
    )
    line = f"/api/resident/v1/scans/{scanned.get_json()['basket']}/lines/0"
    asked = [
        ("post", "/api/resident/v1/scans", scanned),
        ("get", "/api/resident/v1/scans", client.get("/api/resident/v1/scans", headers=headers)),
        ("get", "/api/resident/v1/balances", client.get("/api/resident/v1/balances", headers=headers)),
        ("get", "/api/resident/v1/expiries", client.get("/api/resident/v1/expiries", headers=headers)),
        ("post", "/api/resident/v1/collect", client.post("/api/resident/v1/collect", json={}, headers=headers)),
        ("get", "/api/resident/v1/scans/{basket}/lines/{line_no}", client.get(line, headers=headers)),
        ("post", "/api/resident/v1/member-codes", client.post("/api/resident/v1/member-codes", headers=headers)),
        (
            "post",
            "/api/public/v1/labels:read",
            client.post("/api/public/v1/labels:read", json={"text": FRIDGE}),
        ),
        (
            "get",
            "/api/bridge/v1/downlink",
            client.get("/api/bridge/v1/downlink", headers=bearer(BRIDGE_TOKEN)),
        ),
        ("get", "/api/bridge/v1/devices", client.get("/api/bridge/v1/devices", headers=bearer(BRIDGE_TOKEN))),
    ]
    described = document(app)
    for method, path, answer in asked:
        responses = described["paths"][path][method]["responses"]
        schema = responses[str(answer.status_code)]["content"]["application/json"]["schema"]
        whole = {**schema, "components": described["components"]}
        jsonschema.validate(answer.get_json(), whole)
        assert "additionalProperties" not in schema, path
