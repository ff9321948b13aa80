"""One client address may not wear out what anyone may call; others go on meanwhile."""

from dataclasses import replace
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from backend.bootstrap import build
from backend.environment import SettingsRefused
from backend.ledger import chart
from backend.policies.store import PolicyCache
from backend.settings import Settings, load
from backend.usecases.make_snapshot import MakeSnapshot
from backend.web.app import create_app
from backend.web.bounded import BOUNDS, Bounds
from backend.web.rate import Bounded
from tests.http.conftest import Clock, SignIn
from tests.http.shop import Shop
from tests.worlds.city import NANJING, NOON, City

ROUTES = {
    Bounded.SIGN_IN: "/api/resident/v1/sessions",
    Bounded.PHONE_CODE: "/api/resident/v1/phone-codes",
    Bounded.WHOLE_SNAPSHOT: "/api/public/v1/tills/{device}/snapshot",
}
CLIENT, OTHER = "198.51.100.1", "198.51.100.2"


def ask(client: FlaskClient, what: Bounded, *, peer: str = "127.0.0.1", forwarded: str = "") -> TestResponse:
    """What costs the server least: nobody has signed in by WeChat here, and no text is sent."""
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    where = ROUTES[what].format(device="nj-shop-0001")
    if what is Bounded.WHOLE_SNAPSHOT:
        return client.get(where, headers=headers, environ_base={"REMOTE_ADDR": peer})
    body = {"code": "x", "city": NANJING} if what is Bounded.SIGN_IN else {"phone": "13800138000"}
    return client.post(where, json=body, headers=headers, environ_base={"REMOTE_ADDR": peer})


def stopped_clock(client: FlaskClient) -> Bounds:
    held: Bounds = client.application.extensions[BOUNDS]
    held.clock_s = lambda: 0.0
    return held


@pytest.mark.parametrize("what", ROUTES)
def test_an_address_that_asks_too_often_is_told_when_to_come_again(
    client: FlaskClient, city: City, shop: Shop, what: Bounded
) -> None:
    MakeSnapshot(city.database, PolicyCache(chart.budget)).make(NANJING, NOON)
    held = stopped_clock(client)
    for _ in range(what.value.at_once - 1):
        held.clients.enter(what, CLIENT, 0.0)
    last = ask(client, what, forwarded=CLIENT)

    refused = ask(client, what, forwarded=CLIENT)

    assert last.status_code != 429
    assert (refused.status_code, refused.get_json()["code"]) == (429, "too-many-from-address")
    assert 1 <= int(refused.headers["Retry-After"]) <= what.value.every_s + 1
    assert refused.get_json()["detail"].startswith("您所在网络的请求过于频繁")
    assert ask(client, what, forwarded=OTHER).status_code != 429
    assert ask(client, what).status_code != 429


def test_slips_of_others_are_not_tried_out_from_one_address(client: FlaskClient, city: City, sign_in: SignIn) -> None:
    stopped_clock(client)
    slip = {"store": "s9", "bought_on": "2026-11-22", "slip_no": "1", "amount_fen": 1}
    headers = [sign_in(f"person-{number}") for number in range(2)]

    asked = [
        client.post(
            "/api/resident/v1/missing-points",
            json={"claim_id": str(uuid4()), **slip},
            headers=headers[number % 2],
            environ_base={"REMOTE_ADDR": CLIENT},
        ).status_code
        for number in range(Bounded.MISSING_POINTS.value.at_once + 1)
    ]

    assert asked == [404] * Bounded.MISSING_POINTS.value.at_once + [429]


def test_a_header_of_a_stranger_makes_nobody_else_of_him(client: FlaskClient, city: City) -> None:
    stopped_clock(client)
    for number in range(Bounded.PHONE_CODE.value.at_once):
        ask(client, Bounded.PHONE_CODE, peer=CLIENT, forwarded=f"203.0.113.{number}")

    assert ask(client, Bounded.PHONE_CODE, peer=CLIENT, forwarded="203.0.113.99").status_code == 429


def test_a_proxy_that_is_named_is_believed_and_one_that_is_not_is_told_of_once(
    settings: Settings, clock: Clock, city: City
) -> None:
    parts = build(replace(settings, trusted_proxies="203.0.113.0/24"))
    behind = create_app(parts, clock).test_client()

    with capture_logs() as logs:
        for number in range(Bounded.PHONE_CODE.value.at_once + 1):
            assert ask(behind, Bounded.PHONE_CODE, peer="203.0.113.9", forwarded=f"192.0.2.{number}").status_code != 429
        for _ in range(2):
            ask(behind, Bounded.PHONE_CODE, peer="192.0.2.200", forwarded=CLIENT)

    parts.close()
    warnings = [line for line in logs if line["event"] == "proxy_not_trusted"]
    assert warnings == [
        {"event": "proxy_not_trusted", "log_level": "warning", "setting": "GREENPOINTS_TRUSTED_PROXIES"}
    ]


def test_proxies_that_are_no_addresses_are_refused_at_the_start() -> None:
    with pytest.raises(SettingsRefused) as refused:
        load({"GREENPOINTS_TRUSTED_PROXIES": "10.0.0.0/8, proxy.example"})

    assert "proxy.example" not in refused.value.faults["GREENPOINTS_TRUSTED_PROXIES"]
