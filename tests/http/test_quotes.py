"""Quotes over HTTP: asked, held, captured and voided by a shop's system; every refusal has its name."""

from collections.abc import Callable
from typing import Any

import jsonschema
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from backend.bootstrap import Backend
from backend.web.app import create_app
from backend.web.describe import document
from tests.http.conftest import BRIDGE_TOKEN, POS_TOKEN, Clock, bearer
from tests.http.shop import Shop
from tests.worlds import books, later
from tests.worlds.city import FRIDGE, NANJING, RICE, City, resident

QUOTES = "/api/pos/v1/quotes"
LI = resident(1)
NOWHERE = "0190d1f2-0000-7000-8000-000000000001"
Ask = Callable[..., TestResponse]


@pytest.fixture
def app(backend: Backend, clock: Clock) -> Flask:
    return create_app(backend, clock)


@pytest.fixture
def ask(client: FlaskClient, shop: Shop) -> Ask:
    assert shop.device

    def asked(*lines: dict[str, Any], key: str | None = None, **body: Any) -> TestResponse:
        usual = {"city": NANJING, "store": "s1", "lines": list(lines) or [line(FRIDGE)]}
        headers = bearer(POS_TOKEN) | ({"Idempotency-Key": key} if key else {})
        return client.post(QUOTES, json={**usual, **body}, headers=headers)

    return asked


def line(code: str, **more: Any) -> dict[str, Any]:
    return {"code": code, "sym": "EAN13", "qty": 1, "price_fen": 10_000, **more}


def act(client: FlaskClient, quote: str, verb: str, **body: Any) -> TestResponse:
    return client.post(f"{QUOTES}/{quote}/{verb}", json={"city": NANJING, **body}, headers=bearer(POS_TOKEN))


def test_a_dry_run_tells_cashier_and_customer_and_stores_nothing(ask: Ask, city: City) -> None:
    answer = ask(line(FRIDGE), line(RICE), member=city.issue_code(LI))

    told = answer.get_json()
    assert (answer.status_code, told["state"], told["quote"], told["totals"]) == (200, "dry_run", None, {"points": 20})
    assert told["lines"][0]["cashier"] == {"zh": "奖励 10 分。", "en": "Award: 10 points."}
    assert "按政策奖励 10 分" in told["lines"][0]["customer"]["zh"]
    assert told["lines"][0]["awards"][0]["words"]["zh"] == "10 分"
    assert books.count(city.database, "quotes", NANJING) == 0


def test_a_quote_is_held_looked_at_captured_and_paid_out(ask: Ask, client: FlaskClient, city: City) -> None:
    code = city.issue_code(LI)
    held = ask(line(FRIDGE), line(RICE), member=code, hold=True, key="order-0001")
    again = ask(line(FRIDGE), line(RICE), member=code, hold=True, key="order-0001")
    quote = held.get_json()["quote"]

    seen = client.get(f"{QUOTES}/{quote}?city={NANJING}", headers=bearer(POS_TOKEN))
    done = act(client, quote, "capture", lines=[{"line_no": 1, "qty": 1, "price_fen": 9_000}])

    assert (held.status_code, again.status_code, again.get_json()) == (201, 201, held.get_json())
    assert seen.get_json() == held.get_json()
    assert (done.status_code, done.get_json()["state"], done.get_json()["totals"]) == (200, "captured", {"points": 10})
    assert books.wallet(city.database, NANJING, LI) == 10
    later.assert_verified(city.database, NANJING)


def test_refusals_have_their_names(ask: Ask, client: FlaskClient, city: City, clock: Clock) -> None:
    code = city.issue_code(LI)
    quote = ask(member=code, hold=True, key="order-0001").get_json()["quote"]
    late = ask(member=city.issue_code(resident(2)), hold=True, hold_minutes=1, key="order-0002").get_json()["quote"]
    void = ask(hold=True, key="order-0003").get_json()["quote"]
    beyond = act(client, quote, "capture", lines=[{"line_no": 0, "qty": 2, "price_fen": 10_000}])
    conflict = ask(line(RICE), member=code, hold=True, key="order-0001")
    act(client, quote, "capture")
    act(client, void, "void")
    clock.forward(minutes=2)

    met = [
        (beyond, 409, "capture-beyond-quote"),
        (conflict, 409, "quote-conflict"),
        (act(client, quote, "void"), 409, "quote-captured"),
        (act(client, quote, "capture", lines=[{"line_no": 0, "qty": 1, "price_fen": 1}]), 409, "capture-conflict"),
        (act(client, void, "capture"), 409, "quote-voided"),
        (act(client, late, "capture"), 409, "quote-expired"),
        (act(client, NOWHERE, "capture"), 404, "quote-unknown"),
        (act(client, "not-a-number", "capture"), 404, "not-found"),
        (ask(store="s9"), 403, "not-of-token"),
        (ask(hold=True), 422, "invalid-fields"),
        (ask(hold=True, key="short"), 422, "invalid-fields"),
    ]

    for answer, status, name in met:
        told = answer.get_json()
        assert (answer.status_code, told["code"]) == (status, name)
        assert answer.content_type == "application/problem+json"
        assert told["detail"]
        assert told["detail_en"]
    assert "第 0 行" in beyond.get_json()["detail"]
    later.assert_verified(city.database, NANJING)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"lines": []}, "/lines"),
        ({"lines": [line(FRIDGE)] * 51}, "/lines"),
        ({"lines": [{"code": ""}]}, "/lines/0/code"),
        ({"lines": [line(FRIDGE, qty=0, sn="S\0")]}, "/lines/0/qty"),
        ({"lines": [line(FRIDGE, price_fen=1.5)]}, "/lines/0/price_fen"),
        ({"lines": [line(FRIDGE, evidence={"phone": "13800138000"})]}, "/lines/0/evidence"),
        ({"hold_minutes": 61}, "/hold_minutes"),
        ({"hold": "later"}, "/hold"),
        ({"city": "320102"}, "/city"),
        ({"store": "s\0"}, "/store"),
        ({"till": "1"}, "/till"),
    ],
)
def test_a_wrong_field_is_named(ask: Ask, city: City, body: dict[str, Any], pointer: str) -> None:
    answer = ask(**body)

    assert answer.status_code == 422
    assert [fault["pointer"] for fault in answer.get_json()["errors"]] == [pointer]
    assert books.count(city.database, "quotes", NANJING) == 0


def test_a_bridge_may_not_ask(client: FlaskClient, shop: Shop) -> None:
    body = {"city": NANJING, "store": "s1", "lines": [line(FRIDGE)]}

    answer = client.post(QUOTES, json=body, headers=bearer(BRIDGE_TOKEN))

    assert (answer.status_code, answer.get_json()["code"]) == (403, "forbidden")
    assert shop.device


def test_answers_are_as_they_are_described(ask: Ask, client: FlaskClient, app: Flask, city: City) -> None:
    dry = ask(member=city.issue_code(LI))
    held = ask(member=city.issue_code(LI), hold=True, key="order-0001")
    quote = held.get_json()["quote"]
    asked = [
        ("post", QUOTES, dry),
        ("post", QUOTES, held),
        ("post", f"{QUOTES}/{{quote}}/capture", act(client, quote, "capture")),
        ("get", f"{QUOTES}/{{quote}}", client.get(f"{QUOTES}/{quote}?city={NANJING}", headers=bearer(POS_TOKEN))),
    ]
    described = document(app)

    for method, path, answer in asked:
        operation = described["paths"][path][method]
        schema = operation["responses"][str(answer.status_code)]["content"]["application/json"]["schema"]
        jsonschema.validate(answer.get_json(), {**schema, "components": described["components"]})
        assert operation["security"] == [{"shop": []}]
    header = [one for one in described["paths"][QUOTES]["post"]["parameters"] if one["in"] == "header"]
    assert [one["name"] for one in header] == ["Idempotency-Key"]


def test_what_no_column_takes_is_shown_and_kept_as_bytes(ask: Ask, client: FlaskClient, city: City) -> None:
    held = ask(line("]d2\0\x1d"), line(FRIDGE, sn="S\0 1"), cashier="c\0 7", hold=True, key="order-0001")

    done = act(client, held.get_json()["quote"], "capture")

    assert (held.status_code, done.status_code) == (201, 200)
    assert books.columns(city.database, NANJING, "d.serial, b.cashier") == [(None, "c� 7"), ("S� 1", "c� 7")]
    later.assert_verified(city.database, NANJING)
