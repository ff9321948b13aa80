"""The broker lets in whom the backend has: change by change, and as a whole whenever the two may have parted."""

import base64
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from queue import SimpleQueue
from typing import Any, cast

import orjson
import pytest
from paho.mqtt.client import Client

from firmware_bridge.control import ControlLine, NotAnswered
from firmware_bridge.wire import topics
from firmware_bridge.wire.access import AccessChange, encode_access
from tests.bridge.access import access_file, admitted
from tests.bridge.backend_double import BackendDouble, receipt_for
from tests.bridge.broker import Broker, MqttDouble, wait_until
from tests.bridge.certificates import Authority
from tests.bridge.conftest import DEVICE, DOWN, UP, RunningBridge
from tests.bridge.test_access_rules import OTHER, settings

REVOKED = "nj-0042-9"
COMMAND = f"pos/v1/{DEVICE}/down/cmd"
PLAIN = {"qos": 1, "retain": False, "expiry_s": 60}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def access(tmp_path: Path) -> Path:
    return access_file(tmp_path / "broker", REVOKED)


@pytest.fixture
def guarded(mosquitto: str, tmp_path: Path, authority: Authority, access: Path) -> Iterator[Broker]:
    with Broker(mosquitto, tmp_path / "broker", authority.issue("localhost"), access) as broker:
        yield broker


@pytest.fixture
def keeper(guarded: Broker, backend: BackendDouble, authority: Authority) -> Iterator[Callable[..., RunningBridge]]:
    with ExitStack() as stack:

        def start(**changes: Any) -> RunningBridge:
            usual = {"broker_access": "dynamic-security", "downlink_poll_s": 1}
            running = RunningBridge(settings(guarded, backend, authority, **(usual | changes)))
            stack.callback(running.stop)
            wait_until(lambda: running.metric("bridge_access_in_step") == 1, "the broker to be in step")
            return running

        yield start


def listed(backend: BackendDouble, change: AccessChange) -> None:
    """The backend's list ends in `change`."""
    entry = {"topic": topics.ACCESS, "payload_b64": base64.b64encode(encode_access(change)).decode()}
    number = str(len(backend.pages) + 1)
    page = {"messages": [entry | PLAIN], "next": number}
    backend.pages["" if number == "1" else str(len(backend.pages))] = page


@pytest.mark.parametrize("protocol", ["5", "311"])
def test_a_bridge_that_starts_admits_every_active_device_and_no_other(
    keeper: Callable[..., RunningBridge], backend: BackendDouble, access: Path, protocol: str
) -> None:
    backend.active = [DEVICE, OTHER, "nj-0042-5", "nj-0042-6"]

    keeper(protocol=protocol)

    assert admitted(access) == set(backend.active)


def test_a_device_of_the_list_is_let_in_and_one_that_is_revoked_loses_its_open_connection(
    guarded: Broker, backend: BackendDouble, keeper: Callable[..., RunningBridge], authority: Authority
) -> None:
    keeper().wait_ready()
    listed(backend, AccessChange(device=DEVICE, admitted=True))
    wait_until(lambda: backend.cursors[-1:] == ["1"], "the first change")
    with MqttDouble(guarded.port, DEVICE, [f"pos/v1/{DEVICE}/down/#"], authority.issue(DEVICE)) as till:
        till.publish(UP, b"basket")
        wait_until(lambda: till.payloads(DOWN) == [receipt_for(b"basket")], "the receipt")

        listed(backend, AccessChange(device=DEVICE, admitted=False))

        wait_until(lambda: till.ended, "the broker to end the connection")
        wait_until(lambda: backend.cursors[-1:] == ["2"], "the second change")
    with MqttDouble(guarded.port, DEVICE, [f"pos/v1/{DEVICE}/down/#"], authority.issue(DEVICE)) as again:
        assert again.publish(UP, b"another").startswith("Not authorized")
        assert again.granted == []
    assert backend.payloads() == [b"basket"]


def test_a_till_gets_what_was_sent_before_its_revocation(
    guarded: Broker, backend: BackendDouble, keeper: Callable[..., RunningBridge], authority: Authority
) -> None:
    backend.active = [DEVICE]
    keeper().wait_ready()
    with MqttDouble(guarded.port, DEVICE, [f"pos/v1/{DEVICE}/down/#"], authority.issue(DEVICE)) as till:
        listed(backend, AccessChange(device=DEVICE, admitted=False))
        command = {"topic": COMMAND, "payload_b64": base64.b64encode(bytes(20_000)).decode()}
        page = backend.pages[""]
        backend.pages[""] = page | {"messages": [command | PLAIN] * 20 + page["messages"]}

        wait_until(lambda: till.ended, "the broker to end the connection")

        assert len(till.payloads(COMMAND)) == 20


def test_a_broker_that_lost_its_file_gets_every_device_again(
    guarded: Broker, backend: BackendDouble, keeper: Callable[..., RunningBridge], access: Path
) -> None:
    backend.active = [DEVICE]
    keeper()
    assert admitted(access) == {DEVICE}

    guarded.stop()
    access_file(access.parent)
    guarded.start()

    wait_until(lambda: admitted(access) == {DEVICE}, "the device in the new file")


def test_a_broker_without_the_plugin_gets_its_messages_all_the_same(
    broker: Broker, backend: BackendDouble, start_bridge: Callable[..., RunningBridge], till: MqttDouble,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("firmware_bridge.control.ANSWER_WAIT_S", 0.2)
    listed(backend, AccessChange(device=DEVICE, admitted=True))
    backend.pages[""]["messages"] *= 10
    backend.pages[""]["messages"].append({"topic": COMMAND, "payload_b64": "e30="} | PLAIN)

    bridge = start_bridge(broker_access="dynamic-security").wait_ready()

    wait_until(lambda: till.payloads(COMMAND) == [b"{}"], "the message behind the changes")
    assert bridge.metric("bridge_access_in_step") == 0
    assert bridge.metric('bridge_access_changes_total{outcome="not_answered"}') < 5


class Saying(ControlLine):
    """A broker that answers every command with the same words."""

    def __init__(self, said: object) -> None:
        self._said = said
        self._client = cast("Client", self)
        self._heard = SimpleQueue()

    alive = True

    def publish(self, *_given: object, **_more: object) -> None:
        self._heard.put(orjson.dumps(self._said))


@pytest.mark.parametrize(
    "said",
    [
        [],
        {"responses": None},
        {"responses": [None, None]},
        {"responses": ["listClients", "listRoles"]},
        {"responses": [{}, {}]},
        {"responses": [{"data": {}}, {"data": {}}]},
        {"responses": [{"data": {"clients": None}}, {"data": {"roles": []}}]},
        {"responses": [{"data": {"clients": []}}, {"data": {"roles": [{"rolename": "till-a"}]}}]},
    ],
)
def test_a_broker_that_lists_in_another_way_has_not_answered(said: object) -> None:
    with pytest.raises(NotAnswered):
        Saying(said).listed()
