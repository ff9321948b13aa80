"""Appeals over HTTP: what a resident sends and reads."""

from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.appeals.model import Verdict
from backend.certificates.cache import RegistryCache
from backend.ledger import chart
from backend.policies.store import PolicyCache
from backend.usecases.decide_appeal import DecideAppeal
from tests.http.conftest import BRIDGE_TOKEN, SignIn, bearer
from tests.http.shop import BATCH, Shop, batch
from tests.worlds.city import NANJING, NOON, City, read

API = "/api/resident/v1"


@pytest.fixture
def member(client: FlaskClient, shop: Shop, city: City, sign_in: SignIn) -> dict[str, str]:
    """Has bought something that earned nothing."""
    headers = sign_in()
    code = client.post(f"{API}/member-codes", headers=headers).get_json()["code"]
    line = shop.line(read("有机码:x"), read("2021010901402658"), member=code)
    client.post(BATCH, json=batch(shop.delivery(shop.message(line))), headers=bearer(BRIDGE_TOKEN))
    return headers


def scan_of(client: FlaskClient, headers: dict[str, str]) -> dict[str, Any]:
    scans = client.get(f"{API}/scans", headers=headers).get_json()["scans"]
    found = next(one for one in scans if one["outcome"] == "none")
    return {"basket": found["basket"], "line_no": found["line_no"]}


def test_an_appeal_is_filed_answered_and_explained(client: FlaskClient, member: dict[str, str], city: City) -> None:
    asked = {"appeal_id": str(uuid4()), "text": "包装上有认证标志。\n请核对。", **scan_of(client, member)}

    first = client.post(f"{API}/appeals", json=asked, headers=member)
    again = client.post(f"{API}/appeals", json=asked, headers=member)

    assert (first.status_code, again.status_code, again.data) == (201, 200, first.data)
    assert first.get_json()["sentence"] == "申诉已收到，将由未参与原裁定的人员在 2026-12-11 前答复。"
    decide = DecideAppeal(city.database, RegistryCache(), PolicyCache(chart.budget))
    decide.reject(NANJING, first.get_json()["appeal"], Verdict("李主任", None, "这是强制性认证。"), NOON)
    (found,) = client.get(f"{API}/appeals", headers=member).get_json()["appeals"]
    assert (found["state"], found["sentence"]) == ("rejected", "申诉未获支持：这是强制性认证。")
    assert "李主任" not in str(found)
    other = client.post(f"{API}/appeals", json={**asked, "appeal_id": str(uuid4())}, headers=member)
    assert (other.status_code, other.get_json()["code"]) == (409, "appeal-repeated")


def test_another_residents_scan_is_unknown(client: FlaskClient, member: dict[str, str], sign_in: SignIn) -> None:
    asked = {"appeal_id": str(uuid4()), "text": "是我的", **scan_of(client, member)}

    answer = client.post(f"{API}/appeals", json=asked, headers=sign_in("wang"))

    assert (answer.status_code, answer.get_json()["code"]) == (404, "appeal-unknown")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=520) | st.sampled_from(["", " ", "\x00", "a\x00b", "\u202e", "x" * 501]))
def test_no_text_makes_it_fail(client: FlaskClient, member: dict[str, str], text: str) -> None:
    asked = {"appeal_id": str(uuid4()), "text": text, **scan_of(client, member)}

    assert client.post(f"{API}/appeals", json=asked, headers=member).status_code in (201, 409, 422)
    assert client.get(f"{API}/appeals", query_string={"after": text}, headers=member).status_code == 422
