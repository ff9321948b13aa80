"""A till as a process on a real broker, whose settings are changed from afar."""

import signal
from pathlib import Path

import orjson
import pytest
from paho.mqtt.client import MQTTMessage

from firmware_bridge.wire import topics
from firmware_bridge.wire.downlinks import seal_downlink
from firmware_bridge.wire.twin import TwinStatus, decode_desired, encode_desired
from scanner.chaos import Chaos
from scanner.twin.file import TwinFile
from scanner.twin.state import TwinState
from tests.scanner.till.scene import DEVICE, Backend, Shop, TillProcess, needs_mosquitto, wait_until

pytestmark = needs_mosquitto

TOPIC = topics.down_twin(DEVICE)
GPEND = b'{"finish_code":"GPEND"}'


class Office:
    """The server's side of the twin: desires, and hears what is reported."""

    def __init__(self, backend: Backend, shop: Shop) -> None:
        self._backend = backend
        self._sign = shop.receipt_key.sign
        self.heard: list[dict[str, object]] = []
        self.health: list[dict[str, object]] = []

    def desire(self, version: int, document: bytes) -> None:
        self.say(encode_desired(version, document))

    def say(self, body: bytes) -> None:
        payload = seal_downlink(TOPIC, body, self._sign)
        self._backend.publish(TOPIC, payload, retain=True)

    def hear(self, **expected: object) -> None:
        """Waits for a report of all that is expected."""

        def came() -> bool:
            self._listen()
            return any(expected.items() <= said.items() for said in self.heard)

        wait_until(came)

    def hear_health(self, every_s: int) -> None:
        def came() -> bool:
            self._listen()
            return any(said["every_s"] == every_s for said in self.health)

        wait_until(came)

    def _listen(self) -> None:
        while not self._backend.others.empty():
            message: MQTTMessage = self._backend.others.get()
            kept = {topics.twin(DEVICE): self.heard, topics.health(DEVICE): self.health}.get(message.topic)
            if kept is not None:
                kept.append(orjson.loads(message.payload))


@pytest.fixture
def office(backend: Backend, shop: Shop) -> Office:
    return Office(backend, shop)


def open_till(shop: Shop, backend: Backend, **more: str) -> TillProcess:
    return shop.open_till(backend.broker.port, **{"TWIN_TRIAL_S": "0.3", **more})


def test_desired_settings_are_tried_kept_and_reported(shop: Shop, backend: Backend, office: Office) -> None:
    """From a till whose file was broken: the broker still keeps what is desired."""
    (shop.folder / "outbox.sqlite.twin").write_bytes(b"\xff")
    office.desire(1, b'{"finish_code":"GPEND","health_interval_s":7}')

    till = open_till(shop, backend, HEALTH_INTERVAL_S="3600")

    office.hear(version=1, applied_version=1, status="trial")
    office.hear(version=1, applied_version=1, status="applied")
    office.hear_health(7)
    till.say("a1", "GPEND")
    till.wait_for("receipt")
    (notice,) = till.of("state", "twin_set_aside")
    assert Path(str(notice["path"])).read_bytes() == b"\xff"


def test_an_open_basket_ends_by_the_rules_it_began_under(shop: Shop, backend: Backend, office: Office) -> None:
    till = open_till(shop, backend)
    till.say("a1")
    till.wait_for("read")

    office.desire(1, GPEND)
    till.wait_for("state", state="connected")
    till.say("GPEND", "GPFIN")
    till.wait_for("basket_closed")
    office.hear(version=1, status="applied")
    till.say("a2", "GPEND")
    till.wait_for("basket_closed", 2)

    codes = [str(read["code"]) for read in till.of("read")]
    assert codes == ["a1", "GPEND", "a2"]


def test_poison_of_every_kind_stops_neither_the_till_nor_its_baskets(
    shop: Shop, backend: Backend, office: Office
) -> None:
    till = open_till(shop, backend)
    office.desire(1, GPEND)
    office.hear(version=1, status="applied")
    before = (shop.folder / "outbox.sqlite").stat().st_ino

    for body in (b"\xff" * 60_000, b"{", b"{}\n{}", b'{"v":9,"version":2,"sha256":""}\n{}', b'{"version":"2"}\n'):
        office.say(body)
    backend.publish(TOPIC, b"forged")
    backend.publish(TOPIC, b"")
    office.desire(2, b'{"finish_code":7}')
    office.desire(3, b'{"finish_code":"GPVOID"}')
    office.desire(4, b'{"outbox_path":"/dev/null"}')

    office.hear(version=2, applied_version=1, status="rejected", error="bad_field finish_code")
    office.hear(version=3, applied_version=1, status="rejected", error="same_codes")
    office.hear(version=4, applied_version=1, status="rejected", error="bad_field outbox_path")
    till.say("a1", "GPEND")
    till.wait_for("receipt")
    assert len(till.of("state", "twin_unusable")) == 5
    assert till.terminate() == 0
    assert (shop.folder / "outbox.sqlite").stat().st_ino == before


def test_an_older_message_of_a_broker_that_fell_back_is_ignored(shop: Shop, backend: Backend, office: Office) -> None:
    open_till(shop, backend)
    office.desire(5, GPEND)
    office.hear(version=5, status="applied")

    office.desire(4, b"{}")
    office.desire(6, GPEND)

    office.hear(version=6, applied_version=6, status="applied")
    assert {said["version"] for said in office.heard} == {0, 5, 6}
    assert [said["status"] for said in office.heard if said["version"] == 6] == ["applied"]


def test_a_till_that_is_not_well_goes_back_by_itself(shop: Shop, backend: Backend, office: Office) -> None:
    till = open_till(shop, backend, TWIN_TRIAL_S="1", RECONNECT_MAX_S="0.2")
    office.desire(1, GPEND)
    office.hear(version=1, status="trial")

    backend.outlive_the_broker()
    till.wait_for("state", state="twin_reverted")
    till.say("a1", "GPFIN")
    till.wait_for("basket_closed")
    backend.come_back()

    office.hear(version=1, applied_version=0, status="reverted", error="offline")
    assert office.heard[-1]["status"] == "reverted"


@pytest.mark.parametrize(
    ("point", "hit", "status", "applied"),
    [
        ("twin_written", 1, "applied", 2),
        ("twin_applied", 1, "reverted", 1),
        ("twin_applied", 2, "applied", 2),
    ],
)
def test_a_till_killed_at_any_step_comes_back_whole(
    shop: Shop, backend: Backend, office: Office, point: str, hit: int, status: str, applied: int
) -> None:
    """Before the rename nothing has happened and the retained message comes again; within the trial it is over; once the
    end of the trial is on disk, it counts.
    """
    good = decode_desired(encode_desired(1, b"{}"))
    TwinFile(shop.folder / "outbox.sqlite.twin", Chaos()).save(TwinState(1, TwinStatus.APPLIED, good=good))
    doomed = open_till(shop, backend, CHAOS_POINT=point, CHAOS_HIT=str(hit))
    doomed.say("a1", "GPFIN")
    doomed.wait_for("basket_closed")
    office.desire(2, GPEND)
    assert doomed.wait() == -signal.SIGKILL

    office.heard.clear()
    after = open_till(shop, backend)

    office.hear(version=2, applied_version=applied, status=status)
    after.say("a2", "GPEND" if applied == 2 else "GPFIN")
    wait_until(lambda: len(backend.distinct()) == 2)
    recorded = {basket.seq: [read.code for read in basket.reads] for basket in backend.baskets()}
    assert recorded == {1: ["a1"], 2: ["a2"]}
