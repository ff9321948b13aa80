"""Returns over HTTP: what a shop's system sends and reads, each refusal by its name."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from backend.kernel.periods import milliseconds
from backend.scans.identity import basket_id
from tests.http.conftest import BRIDGE_TOKEN, METRICS_TOKEN, POS_TOKEN, Clock, SignIn, bearer
from tests.http.shop import BATCH, Shop, batch, open_shop
from tests.worlds.books import count
from tests.worlds.city import FRIDGE, NANJING, NOON, RICE, City, read
from tests.worlds.later import assert_sound

RETURNS = "/api/pos/v1/returns"
Send = Callable[..., TestResponse]


@pytest.fixture
def send(client: FlaskClient) -> Send:
    def sent(*lines: dict[str, Any], token: str = POS_TOKEN, **changes: Any) -> TestResponse:
        usual = {"return_id": "T-1", "city": NANJING, "store": "s1", "returned_at_ms": milliseconds(NOON)}
        return client.post(RETURNS, json={**usual, "lines": list(lines), **changes}, headers=bearer(token))

    return sent


@pytest.fixture
def sold(client: FlaskClient, shop: Shop, city: City, sign_in: SignIn) -> dict[str, Any]:
    """Three fridges and a bag of rice, bought by a member; the first line as a return names it."""
    code = client.post("/api/resident/v1/member-codes", headers=sign_in()).get_json()["code"]
    line = shop.line(read(FRIDGE, qty=3), read(RICE), member=code)
    client.post(BATCH, json=batch(shop.delivery(shop.message(line))), headers=bearer(BRIDGE_TOKEN))
    open_shop(city.database, NANJING, 2)
    return {"basket": basket_id(shop.device, shop.stream, 1), "line_no": 0, "quantity": 1}


def test_goods_come_back(send: Send, sold: dict[str, Any], city: City) -> None:
    answer = send(sold, {**sold, "line_no": 1})

    assert answer.status_code == 201
    body = answer.get_json()
    assert [(line["state"], line["left"], line["sentence"]) for line in body["lines"]] == [
        ("taken_back", 2, "已退 1 件：从账户扣回 3 分。"),
        ("taken_back", 0, "已退 1 件：从账户扣回 10 分。"),
    ]
    assert body["lines"][0]["sentence_en"] == "1 piece came back. Taken back: 3 points from the account."
    assert body["lines"][0]["taken_back"] == [
        {"unit": "points", "amount": 3, "words": "3 分", "words_en": "3 points", "source": "balance"}
    ]
    assert_sound(city.database, NANJING)


def test_the_same_return_again_answers_byte_for_byte(send: Send, sold: dict[str, Any], clock: Clock) -> None:
    first = send(sold)
    clock.forward(hours=1)

    again = send(sold)

    assert (again.status_code, again.data) == (200, first.data)


def test_a_sale_may_be_named_by_its_till(send: Send, sold: dict[str, Any], shop: Shop) -> None:
    named = {"device": shop.device, "stream": shop.stream, "seq": 1, "line_no": 0, "quantity": 3}

    answer = send(named)

    assert answer.get_json()["lines"][0]["basket"] == sold["basket"]


@pytest.mark.parametrize(
    ("status", "code", "line", "changes"),
    [
        (404, "sale-unknown", {"basket": "01900000-0000-7000-8000-000000000abc"}, {}),
        (404, "sale-unknown", {"line_no": 5}, {}),
        (409, "sold-elsewhere", {}, {"store": "s2"}),
        (409, "returned-too-much", {"quantity": 4}, {}),
        (422, "return-before-sale", {}, {"returned_at_ms": milliseconds(NOON) - 60_000}),
        (422, "return-ahead", {}, {"returned_at_ms": milliseconds(NOON) + 301_000}),
        (422, "invalid-fields", {"quantity": 0}, {}),
        (422, "invalid-fields", {"basket": None}, {}),
        (422, "invalid-fields", {"seq": 1}, {}),
        (422, "invalid-fields", {}, {"reason": "because"}),
        (422, "invalid-fields", {}, {"return_id": "退 1"}),
    ],
)
def test_each_refusal_has_its_name_and_leaves_nothing(
    send: Send, sold: dict[str, Any], city: City, status: int, code: str, line: dict[str, Any], changes: dict[str, Any]
) -> None:
    answer = send({**sold, **line}, **changes)

    assert (answer.status_code, answer.get_json()["code"]) == (status, code), answer.get_json()
    assert answer.content_type == "application/problem+json"
    assert count(city.database, "returns", NANJING) == 0


def test_other_content_under_the_same_number_is_refused(send: Send, sold: dict[str, Any]) -> None:
    send(sold)

    answer = send({**sold, "quantity": 2})

    assert (answer.status_code, answer.get_json()["code"]) == (409, "return-conflict")


def test_a_line_is_named_once(send: Send, sold: dict[str, Any]) -> None:
    answer = send(sold, sold)

    assert answer.status_code == 422
    assert answer.get_json()["errors"][0]["pointer"] == "/lines"


def test_no_lines_and_too_many_are_refused(send: Send, sold: dict[str, Any]) -> None:
    assert send().status_code == 422
    assert send(*[{**sold, "line_no": number % 50} for number in range(51)]).status_code == 422


def test_who_may_not_return(send: Send, sold: dict[str, Any], client: FlaskClient) -> None:
    assert client.post(RETURNS, json={}).status_code == 401
    assert send(sold, token=METRICS_TOKEN).status_code == 403


def test_a_till_voids_its_sale_at_once(client: FlaskClient, shop: Shop, sold: dict[str, Any], city: City) -> None:
    assert sold["line_no"] == 0
    void = shop.delivery(shop.message(shop.line(void_of=1)))

    for _ in range(2):
        assert client.post(BATCH, json=batch(void), headers=bearer(BRIDGE_TOKEN)).status_code == 200

    assert count(city.database, "returns", NANJING) == 2
    assert count(city.database, "open_voids", NANJING) == 0
    assert_sound(city.database, NANJING)


def test_the_resident_reads_what_was_taken_back(
    client: FlaskClient, send: Send, sold: dict[str, Any], sign_in: SignIn
) -> None:
    send(sold)
    send({**sold, "quantity": 2}, return_id="T-2")

    scans = client.get("/api/resident/v1/scans", headers=sign_in()).get_json()["scans"]
    explained = client.get(f"/api/resident/v1/scans/{sold['basket']}/lines/0", headers=sign_in()).get_json()

    by_line = {scan["line_no"]: scan["returned"] for scan in scans}
    assert by_line[1] is None
    assert by_line[0]["quantity"] == 3
    assert by_line[0]["sentence"] == "已退 3 件：从账户扣回 10 分。"
    assert [(each["amount"], each["source"]) for each in by_line[0]["taken_back"]] == [(10, "balance")]
    assert explained["scan"]["returned"] == by_line[0]
