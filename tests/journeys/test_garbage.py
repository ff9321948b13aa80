"""Garbage on every topic, through the real broker and by a till's own certificate: each is refused by name and kept, and
the shop goes on.
"""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from threading import Event

import pytest

from backend.kernel.ids import NO_CITY
from backend.kernel.periods import milliseconds
from backend.usecases.revoke_device import revoke_device
from tests.bridge.broker import MqttDouble, Tls
from tests.http.shop import Shop
from tests.journeys.town import BACKEND, BRIDGE, BROKER, Town, current, till_of, utc_now, wait_until
from tests.worlds import books
from tests.worlds.city import FRIDGE, read

CITY = "320200"
TOPICS = ("baskets", "health", "state", "twin", "job", "res")
GOOD, REVOKED, STRANGER = 8, 9, 10
MEGABYTE = 2**20
KEPT = "SELECT reason, payload FROM quarantine WHERE city = :city AND payload_sha256 = :hash"
LONGEST_FORWARDED = 200_000
"""Bytes: three times what a till may send, and still below the broker's own limit."""


@dataclass
class Line:
    """A till's own connection: its certificate, its signing key."""

    shop: Shop
    key_id: str
    mqtt: MqttDouble

    def publish(self, kind: str, payload: bytes) -> None:
        self.mqtt.publish(f"pos/v1/{self.shop.device}/up/{kind}", payload)

    def message(self) -> bytes:
        return self.shop.message(self.shop.line(read(FRIDGE)), key=self.key_id)

    def receipts(self) -> int:
        return len(self.mqtt.payloads(f"pos/v1/{self.shop.device}/down/receipt"))


@pytest.fixture(scope="module")
def enrolled(town: Town) -> Town:
    town.open_city(current(), CITY)
    devices = {till_of(number).device for number in (GOOD, REVOKED)}
    for number in (GOOD, REVOKED):
        town.enrol(till_of(number), CITY)
    wait_until(lambda: devices <= town.admitted(), "the broker to let them in")
    return town


def connect(town: Town, number: int, client_id: str = "") -> MqttDouble:
    device, keys = till_of(number).device, town.keyring
    tls = Tls(keys.authority, keys.certificate(device), keys.tls_key(device))
    return MqttDouble(town.address.broker_port, client_id or device, [f"pos/v1/{device}/down/#"], tls)


def line_of(town: Town, number: int, mqtt: MqttDouble) -> Line:
    device, keys = till_of(number).device, town.keyring
    shop = Shop(device, keys.load_signing(device), secrets.token_hex(16), sold_at_ms=milliseconds(utc_now()))
    return Line(shop, keys.key_id(device), mqtt)


@pytest.fixture
def good(enrolled: Town) -> Iterator[Line]:
    """An enrolled till; afterwards its next good basket still gets its receipt, from the programs that ran before."""
    programs = {name: enrolled.programs.pid(name) for name in (BROKER, BRIDGE, BACKEND)}
    with connect(enrolled, GOOD) as mqtt:
        line = line_of(enrolled, GOOD, mqtt)
        yield line
        before = line.receipts()
        line.publish("baskets", line.message())
        wait_until(lambda: line.receipts() > before, "the receipt of a good basket")
    assert enrolled.is_healthy()
    assert {name: enrolled.programs.pid(name) for name in programs} == programs
    assert enrolled.programs.dead() == []


def assert_kept(town: Town, payload: bytes, reason: str, city: str = CITY) -> None:
    """Waits until the bytes are in quarantine; they are there once, under that reason."""

    def kept() -> list[tuple[str, bytes]]:
        return books.rows(town.owner, KEPT, city=city, hash=sha256(payload).digest())

    wait_until(kept, f"{len(payload)} bytes in quarantine")
    assert kept() == [(reason, payload)]


@pytest.mark.parametrize("kind", TOPICS)
def test_binary_garbage_is_kept_as_malformed(enrolled: Town, good: Line, kind: str) -> None:
    for payload in (secrets.token_bytes(300), b"\x01" + secrets.token_bytes(3_000), bytes(range(256)) + kind.encode()):
        good.publish(kind, payload)
        assert_kept(enrolled, payload, "malformed")


@pytest.mark.parametrize("kind", TOPICS)
def test_a_message_of_many_times_the_allowed_size_is_kept_too(enrolled: Town, good: Line, kind: str) -> None:
    payload = secrets.token_bytes(LONGEST_FORWARDED)

    good.publish(kind, payload)

    assert_kept(enrolled, payload, "too_large" if kind == "baskets" else "malformed")


def test_a_megabyte_is_not_even_taken_by_the_broker(enrolled: Town, good: Line) -> None:
    for kind in TOPICS:
        payload, cut_off = secrets.token_bytes(MEGABYTE), Event()
        with connect(enrolled, GOOD, "beside-it") as beside:
            beside._client.on_disconnect = lambda *_, told=cut_off: told.set()
            beside._client.publish(f"pos/v1/{till_of(GOOD).device}/up/{kind}", payload, qos=1)

            assert cut_off.wait(10), "the broker went on with a till that sends a megabyte"
        assert books.rows(enrolled.owner, KEPT, city=CITY, hash=sha256(payload).digest()) == []


def test_empty_payloads_are_kept_once(enrolled: Town, good: Line) -> None:
    for kind in TOPICS:
        good.publish(kind, b"")

    assert_kept(enrolled, b"", "malformed")


def test_json_that_nests_without_end_is_kept_as_malformed(enrolled: Town, good: Line) -> None:
    for kind in TOPICS[1:]:
        payload = b'{"%s":' % kind.encode() + b"[" * 300 + b"]" * 300 + b"}"
        good.publish(kind, payload)
        assert_kept(enrolled, payload, "malformed")


def test_a_wrong_signature_is_kept_under_its_name(enrolled: Town, good: Line) -> None:
    flipped = bytearray(good.message())
    flipped[40] ^= 1

    good.publish("baskets", bytes(flipped))

    assert_kept(enrolled, bytes(flipped), "bad_signature")


def test_a_message_signed_for_another_topic_is_kept_under_its_name(enrolled: Town, good: Line) -> None:
    payload = good.shop.message(good.shop.line(read(FRIDGE)), key=good.key_id, topic="pos/v1/another-till/up/baskets")

    good.publish("baskets", payload)

    assert_kept(enrolled, payload, "bad_signature")


def test_a_topic_that_no_till_has_is_kept_under_its_name(enrolled: Town, good: Line) -> None:
    for kind in ("none", "baskets/deeper", "积分", "x" * 60_000):
        payload = secrets.token_bytes(20)
        good.publish(kind, payload)
        assert_kept(enrolled, payload, "unknown_topic", NO_CITY)


def test_a_till_that_is_revoked_loses_its_connection_and_nothing_of_it_is_taken(enrolled: Town, good: Line) -> None:
    device = till_of(REVOKED).device
    with connect(enrolled, REVOKED) as mqtt:
        line = line_of(enrolled, REVOKED, mqtt)
        line.publish("baskets", line.message())
        wait_until(lambda: line.receipts() == 1, "a receipt before it is revoked")
        last = line.message()

        enrolled.owner.write(lambda c: revoke_device(c, device, utc_now()))

        line.publish("baskets", last)
        assert_kept(enrolled, last, "revoked_device")
        wait_until(lambda: mqtt.ended, "the broker to end the connection")
        wait_until(lambda: device not in enrolled.admitted(), "the broker to forget it")
    with connect(enrolled, REVOKED) as again:
        assert again.granted == []
        assert again.publish(f"pos/v1/{device}/up/baskets", last).startswith("Not authorized")
    assert books.rows(enrolled.owner, "SELECT count(*) FROM baskets WHERE device = :d", d=device) == [(1,)]


def test_a_certificate_that_nobody_enrolled_opens_nothing(enrolled: Town, good: Line) -> None:
    with connect(enrolled, STRANGER) as mqtt:
        line = line_of(enrolled, STRANGER, mqtt)

        refused = mqtt.publish(f"pos/v1/{line.shop.device}/up/baskets", line.message())

        assert mqtt.granted == []
        assert refused.startswith("Not authorized")
