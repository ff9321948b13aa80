"""What a resident sees of points that wait, are to be collected, and end."""

from flask.testing import FlaskClient

from backend.storage.transaction import Database
from tests.http.conftest import Clock, SignIn
from tests.worlds import rules
from tests.worlds.city import FRIDGE, City

API = "/api/resident/v1"
PHONE = {"M": {"P0": 10_000}}


def paying(city: City, policy: str, scheme_code: str, **terms: object) -> None:
    """A policy that pays a phone's scan of one product."""
    ten = rules.rule("ten", rules.fixed(10), rules.where("grade", "=", int(scheme_code)), rates=PHONE)
    city.publish(rules.document(ten, policy=policy) | terms)


def test_balances_tell_apart_and_every_end_is_listed(
    client: FlaskClient, city: City, engine_db: Database, sign_in: SignIn, clock: Clock
) -> None:
    paying(city, "a-year", "1", pending={"days": 7}, expiry={"months": 12})
    paying(city, "a-forest", "2", pending={"collect_hours": 72}, expiry={"on": "2026-12-31"})
    headers = sign_in()
    for place, code in enumerate((FRIDGE, "9521234000020")):
        body = {"scan_id": f"0190d1f2-0000-7000-8000-{place:012d}", "code": code}
        assert client.post(f"{API}/scans", json=body, headers=headers).status_code == 201

    (points, *_) = client.get(f"{API}/balances", headers=headers).get_json()["balances"]
    assert (points["amount"], points["owed"]["amount"]) == (0, 0)
    assert [(one["amount"], one["available_at"]) for one in points["pending"]] == [(10, "2026-11-29T16:00:00+00:00")]
    assert [(one["amount"], one["collect_by"]) for one in points["to_collect"]] == [(10, "2026-11-25T04:00:00+00:00")]

    first = client.get(f"{API}/expiries?limit=1", headers=headers).get_json()
    rest = client.get(f"{API}/expiries?limit=1&after={first['next']}", headers=headers).get_json()
    assert [(one["state"], one["last_day"]) for one in first["expiries"] + rest["expiries"]] == [
        ("to_collect", "2026-12-31"),
        ("pending", "2027-11-30"),
    ]
    assert rest["next"] is None

    collected = client.post(f"{API}/collect", json={}, headers=headers)
    assert [one["amount"] for one in collected.get_json()["collected"]] == [10]
    assert client.post(f"{API}/collect", json={}, headers=headers).get_json()["collected"] == []
    (points, *_) = client.get(f"{API}/balances", headers=headers).get_json()["balances"]
    assert (points["amount"], points["to_collect"]) == (10, [])


def test_a_place_that_is_none_of_ours_is_refused(client: FlaskClient, city: City, sign_in: SignIn) -> None:
    answer = client.get(f"{API}/expiries?after=x", headers=sign_in())

    assert answer.status_code == 422
    assert answer.get_json()["errors"][0]["pointer"] == "query:/after"
