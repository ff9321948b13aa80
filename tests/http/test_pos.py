"""Tills' messages over HTTP: recorded or quarantined, answered one by one, receipts that only the backend can sign."""

import base64
import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from backend.storage.transaction import Database
from backend.usecases.revoke_device import revoke_device
from tests.http.conftest import BRIDGE_TOKEN, METRICS_TOKEN, POS_TOKEN, Clock, Keys, bearer
from tests.http.shop import BATCH, Shop, batch, open_shop, receipts_of, states
from tests.worlds.books import assert_balanced, count, decided, quarantined, rows
from tests.worlds.city import FRIDGE, NANJING, RICE, City, read

NOWHERE = "000000"
Post = Callable[..., TestResponse]


@pytest.fixture
def post(client: FlaskClient) -> Post:
    def posted(*deliveries: dict[str, object]) -> TestResponse:
        return client.post(BATCH, json=batch(*deliveries), headers=bearer(BRIDGE_TOKEN))

    return posted


def test_a_message_is_recorded_and_its_receipt_signed(post: Post, shop: Shop, city: City, keys: Keys) -> None:
    lines = [shop.line(read(FRIDGE), read(RICE)), shop.line(read(FRIDGE))]

    answer = post(shop.delivery(shop.message(*lines)))

    assert answer.status_code == 200
    (result,) = answer.get_json()["results"]
    receipts = receipts_of(result, keys.receipt.public_key())
    assert [(each.seq, str(each.state)) for each in receipts.receipts] == [(1, "recorded"), (2, "recorded")]
    assert receipts.stream == shop.stream
    assert receipts.echo_mono == 10_000
    assert [each.outcome for each in decided(city.database, NANJING)] == ["unclaimed"] * 3


def test_the_same_message_again_is_a_duplicate_and_counts_once(post: Post, shop: Shop, city: City, keys: Keys) -> None:
    delivery = shop.delivery(shop.message(shop.line(read(FRIDGE))))
    post(delivery)

    again = post(delivery)

    assert states(again.get_json()["results"], keys.receipt.public_key()) == [["duplicate"]]
    assert count(city.database, "baskets", NANJING) == 1


def test_other_content_under_the_same_number_is_quarantined_and_told_so(
    post: Post, shop: Shop, city: City, keys: Keys
) -> None:
    post(shop.delivery(shop.message(shop.line(read(FRIDGE)))))
    shop.seq = 0

    answer = post(shop.delivery(shop.message(shop.line(read(RICE)))))

    (result,) = answer.get_json()["results"]
    (receipt,) = receipts_of(result, keys.receipt.public_key()).receipts
    assert (str(receipt.state), receipt.code) == ("quarantined", "basket-conflict")
    assert quarantined(city.database, NANJING) == ["basket-conflict"]


def test_one_bad_message_holds_up_no_other(post: Post, shop: Shop, city: City, keys: Keys) -> None:
    good = shop.delivery(shop.message(shop.line(read(FRIDGE))))
    flipped = bytearray(shop.message(shop.line(read(FRIDGE))))
    flipped[70] ^= 1
    garbage = shop.delivery(bytes(range(256)))
    stranger = Shop("nj-unknown-0001")
    strange = stranger.delivery(stranger.message(stranger.line(read(FRIDGE))))
    nowhere = shop.delivery(b"\xff", topic="some/where/\x00else")

    answer = post(garbage, shop.delivery(bytes(flipped)), good, strange, nowhere)

    results = answer.get_json()["results"]
    assert answer.status_code == 200
    assert [each["code"] for each in results] == [
        "malformed",
        "bad_signature",
        None,
        "unknown_device",
        "unknown_topic",
    ]
    assert states([results[2]], keys.receipt.public_key()) == [["recorded"]]
    assert sorted(quarantined(city.database, NANJING)) == ["bad_signature", "malformed"]
    assert sorted(quarantined(city.database, NOWHERE)) == ["unknown_device", "unknown_topic"]


def test_a_quarantined_message_is_kept_byte_for_byte_and_once(post: Post, shop: Shop, city: City) -> None:
    payload = bytes(range(256)) * 3

    for _ in range(2):
        post(shop.delivery(payload))

    kept = rows(city.database, "SELECT payload FROM quarantine WHERE city = :city", city=NANJING)
    assert [bytes(each[0]) for each in kept] == [payload]


def test_a_revoked_till_is_refused_at_once_and_its_baskets_are_kept(post: Post, shop: Shop, city: City) -> None:
    post(shop.delivery(shop.message(shop.line(read(FRIDGE)))))
    city.database.write(lambda c: revoke_device(c, shop.device, Clock().now))

    answer = post(shop.delivery(shop.message(shop.line(read(FRIDGE)))))

    assert answer.get_json()["results"][0]["code"] == "revoked_device"
    assert quarantined(city.database, NANJING) == ["revoked_device"]
    assert count(city.database, "baskets", NANJING) == 1


def test_a_message_replayed_to_another_tills_topic_is_refused(
    post: Post, shop: Shop, city: City, engine_db: Database
) -> None:
    other = open_shop(engine_db, NANJING, 2)
    message = shop.message(shop.line(read(FRIDGE)))

    answer = post(shop.delivery(message, topic=other.topic))

    assert answer.get_json()["results"][0]["state"] == "refused"
    assert count(city.database, "baskets", NANJING) == 0


def test_51_reads_are_a_malformed_basket_of_which_its_till_is_told(
    post: Post, shop: Shop, city: City, keys: Keys
) -> None:
    line = shop.line(*[read(FRIDGE)] * 51)

    answer = post(shop.delivery(shop.message(line, shop.line(read(FRIDGE)))))

    assert states(answer.get_json()["results"], keys.receipt.public_key()) == [["quarantined", "recorded"]]
    assert quarantined(city.database, NANJING) == ["malformed-basket"]


@pytest.mark.parametrize("off_days", [-365, 365])
def test_a_clock_a_year_off_is_recorded_and_held(off_days: int, post: Post, shop: Shop, city: City, keys: Keys) -> None:
    line = shop.line(read(FRIDGE), ts=shop.sold_at_ms + off_days * 86_400_000)

    answer = post(shop.delivery(shop.message(line)))

    assert states(answer.get_json()["results"], keys.receipt.public_key()) == [["recorded"]]
    (only,) = decided(city.database, NANJING)
    assert (only.outcome, only.reason) == ("held", "clock_uncertain")


@pytest.mark.parametrize("off_days", [-365, 365])
def test_a_clock_a_year_off_that_knows_it_is_decided_like_any(
    off_days: int, post: Post, shop: Shop, city: City, keys: Keys
) -> None:
    off_ms = off_days * 86_400_000
    line = shop.line(read(FRIDGE), ts=shop.sold_at_ms + off_ms)

    answer = post(shop.delivery(shop.message(line, clk={"src": "srv", "off_ms": -off_ms, "err_ms": 50})))

    assert states(answer.get_json()["results"], keys.receipt.public_key()) == [["recorded"]]
    (only,) = decided(city.database, NANJING)
    assert only.reason != "clock_uncertain"


def test_a_label_of_2_kib_of_control_characters_is_recorded(post: Post, shop: Shop, city: City, keys: Keys) -> None:
    raw = base64.b64encode(bytes(range(32)) * 64).decode()

    answer = post(shop.delivery(shop.message(shop.line(read("?", raw=raw, sym="QRCODE")))))

    assert states(answer.get_json()["results"], keys.receipt.public_key()) == [["recorded"]]
    (only,) = decided(city.database, NANJING)
    assert only.outcome in ("none", "held")
    assert_balanced(city.database, NANJING)


@pytest.mark.parametrize("kind", ["health", "twin", "job", "res"])
def test_reports_are_kept_as_the_latest_of_their_kind(post: Post, shop: Shop, city: City, kind: str) -> None:
    topic = f"pos/v1/{shop.device}/up/{kind}"

    for session in (1, 2):
        answer = post(shop.delivery(f'{{"online":true,"session":{session}}}'.encode(), topic=topic))

    assert answer.get_json()["results"][0]["state"] == "recorded"
    kept = rows(city.database, "SELECT kind, report FROM device_reports WHERE city = :city", city=NANJING)
    assert kept == [(kind, '{"online":true,"session":2}')]


@pytest.mark.parametrize(
    "payload", [b"{}", b'{"online":1,"session":1}', b'{"online":true,"session":-1}', b"[]", b"\xff"]
)
def test_what_is_neither_birth_nor_death_is_quarantined(post: Post, shop: Shop, city: City, payload: bytes) -> None:
    answer = post(shop.delivery(payload, topic=f"pos/v1/{shop.device}/up/state"))

    assert answer.get_json()["results"][0]["code"] == "malformed"
    assert count(city.database, "device_presence", NANJING) == 0


def test_a_batch_over_its_reads_is_asked_to_be_split_and_records_nothing(post: Post, shop: Shop, city: City) -> None:
    lines = [shop.line(*[read(FRIDGE)] * 50) for _ in range(11)]

    answer = post(*[shop.delivery(shop.message(line)) for line in lines])

    assert answer.status_code == 413
    assert answer.get_json()["code"] == "batch-too-large"
    assert count(city.database, "baskets", NANJING) == 0


def test_a_body_over_its_bytes_is_refused_by_name(client: FlaskClient, city: City) -> None:
    answer = client.post(
        BATCH, data=b"{" + b" " * 1_048_576 + b"}", content_type="application/json", headers=bearer(BRIDGE_TOKEN)
    )

    assert answer.status_code == 413
    assert answer.get_json()["code"] == "body-too-large"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"{", "malformed-json"),
        (b"[]", "malformed-json"),
        (b'{"messages":[],"messages":[]}', "malformed-json"),
        (b'{"messages":NaN}', "malformed-json"),
        (b"\xff\xfe", "malformed-json"),
        (b"", "malformed-json"),
        (b"[" * 100_000, "malformed-json"),
        (b'{"messages":[{}]}', "invalid-fields"),
        (b'{"messages":[{"topic":1,"payload_b64":"","received_at_ms":0}]}', "invalid-fields"),
        (b'{"messages":[{"topic":"t","payload_b64":"%","received_at_ms":0}]}', "invalid-fields"),
        (b'{"messages":[{"topic":"t","payload_b64":"","received_at_ms":true}]}', "invalid-fields"),
        (b'{"messages":[{"topic":"t","payload_b64":"","received_at_ms":1.5}]}', "invalid-fields"),
    ],
)
def test_a_body_that_is_none_is_refused_by_name(client: FlaskClient, city: City, data: bytes, code: str) -> None:
    answer = client.post(BATCH, data=data, content_type="application/json", headers=bearer(BRIDGE_TOKEN))

    assert answer.status_code == (400 if code == "malformed-json" else 422)
    assert answer.get_json()["code"] == code
    assert answer.content_type == "application/problem+json"


def test_another_content_type_is_415(client: FlaskClient, city: City) -> None:
    answer = client.post(BATCH, data=b"{}", content_type="text/plain", headers=bearer(BRIDGE_TOKEN))

    assert answer.status_code == 415


def test_an_empty_batch_is_answered_empty(post: Post, city: City) -> None:
    assert post().get_json() == {"results": []}


@pytest.mark.parametrize(
    ("token", "status"), [(None, 401), ("nobody's", 401), (METRICS_TOKEN, 403), (POS_TOKEN, 200), (BRIDGE_TOKEN, 200)]
)
def test_only_bridges_and_shop_systems_may_hand_messages_on(
    client: FlaskClient, city: City, token: str | None, status: int
) -> None:
    answer = client.post(BATCH, json=batch(), headers=bearer(token) if token else {})

    assert answer.status_code == status


@pytest.mark.parametrize(("token", "proof"), [(BRIDGE_TOKEN, "P3"), (POS_TOKEN, "P2")])
def test_only_a_bridge_is_believed_about_when_a_message_came(
    client: FlaskClient, shop: Shop, city: City, clock: Clock, token: str, proof: str
) -> None:
    delivery = shop.delivery(shop.message(shop.line(read(FRIDGE))))
    clock.forward(hours=1)

    client.post(BATCH, json=batch(delivery), headers=bearer(token))

    assert rows(city.database, "SELECT proof FROM decisions WHERE city = :city", city=NANJING) == [(proof,)]


def test_a_bridge_hands_on_messages_and_speaks_for_no_shop(client: FlaskClient, city: City) -> None:
    """Whatever it says of a sale is signed by a till: it may take nothing back, hand nothing in and claim nothing."""
    rules = [rule for rule in client.application.url_map.iter_rules() if rule.rule.startswith("/api/pos/v1/")]
    asked = {(method, rule.rule) for rule in rules for method in rule.methods or () if method in ("GET", "POST")}

    opened = {
        route
        for method, route in asked
        if client.open(path(route), method=method, json={}, headers=bearer(BRIDGE_TOKEN)).status_code != 403
    }

    assert opened == {BATCH}


def path(route: str) -> str:
    known = re.sub(r"<int:[^>]+>", "1", re.sub(r"<[^>]+:month>", "2026-11", route))
    return re.sub(r"<[^>]+>", "0198c0de-0000-7000-8000-000000000000", known)
