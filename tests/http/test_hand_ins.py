"""Old units after the sale over HTTP: what a shop's system sends and reads, each refusal by its name."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from backend.scans.identity import basket_id
from tests.http.conftest import BRIDGE_TOKEN, METRICS_TOKEN, POS_TOKEN, SignIn, bearer
from tests.http.shop import BATCH, Shop, batch, open_shop
from tests.worlds import rules
from tests.worlds.city import FRIDGE, NANJING, City, read

OLD = "cc" * 16


@pytest.fixture
def sale(client: FlaskClient, shop: Shop, city: City, sign_in: SignIn) -> str:
    """A fridge bought by a member, in a city that pays for old units."""
    rule = rules.rule("old", rules.fixed(200), rules.where("trade_in_days", "<=", 30))
    doc = rules.document(rule, policy="bonus")
    scope = {"channels": ["till", "hand_in"]}
    city.publish({**doc, "scope": scope, "stacking": {"group": "old", "mode": "first"}})
    code = client.post("/api/resident/v1/member-codes", headers=sign_in()).get_json()["code"]
    client.post(
        BATCH,
        json=batch(shop.delivery(shop.message(shop.line(read(FRIDGE), member=code)))),
        headers=bearer(BRIDGE_TOKEN),
    )
    open_shop(city.database, NANJING, 2)
    return basket_id(shop.device, shop.stream, 1)


def send(client: FlaskClient, sale: str, token: str = POS_TOKEN, **changes: Any) -> TestResponse:
    usual = {
        "hand_in_id": "H-1",
        "city": NANJING,
        "store": "s1",
        "basket": sale,
        "line_no": 0,
        "trade_in": OLD,
        "trade_in_age": 9,
        "handed_in_on": "2026-11-22",
    }
    return client.post("/api/pos/v1/hand-ins", json={**usual, **changes}, headers=bearer(token))


def test_an_old_unit_is_handed_in_once(client: FlaskClient, sale: str, sign_in: SignIn) -> None:
    first, again = send(client, sale), send(client, sale)

    body = first.get_json()
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.data == again.data
    assert [(one["unit"], one["amount"], one["words"]["zh"]) for one in body["awards"]] == [("points", 200, "200 分")]
    assert body["sentence"].endswith("奖励 200 分。")
    scans = client.get("/api/resident/v1/scans", headers=sign_in()).get_json()["scans"]
    assert sorted((scan["channel"], scan["award"]["amount"]) for scan in scans) == [("hand_in", 200), ("till", 10)]


@pytest.mark.parametrize(
    ("status", "code", "changes"),
    [
        (409, "hand-in-conflict", {"trade_in": "dd" * 16}),
        (409, "hand-in-repeated", {"hand_in_id": "H-2"}),
        (404, "hand-in-sale-unknown", {"hand_in_id": "H-2", "line_no": 7}),
        (409, "hand-in-elsewhere", {"hand_in_id": "H-2", "store": "s2"}),
        (422, "hand-in-ahead", {"hand_in_id": "H-2", "handed_in_on": "2027-11-22"}),
        (422, "invalid-fields", {"trade_in": "SN-1234-ABCD-5678"}),
        (403, "forbidden", {"token": METRICS_TOKEN}),
    ],
)
def test_a_hand_in_is_refused_by_name(
    client: FlaskClient, sale: str, status: int, code: str, changes: dict[str, Any]
) -> None:
    send(client, sale)

    answer = send(client, sale, **changes)

    assert (answer.status_code, answer.get_json()["type"]) == (status, f"/problems/{code}")
