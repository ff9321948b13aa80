"""Protocol fallback, the probe, presence, downlink: what the bridge says to the broker by itself."""

import base64
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue

import pytest

from firmware_bridge.backoff import Backoff
from firmware_bridge.connection import Connection, Event
from firmware_bridge.inbox import BYTES_MAX, Delivery, Inbox
from firmware_bridge.metrics import Metrics
from firmware_bridge.presence import Presence
from firmware_bridge.settings import AccessControl, Protocol, Settings
from firmware_bridge.subscriber import ProtocolChoice, Subscriber
from tests.bridge.backend_double import TOKEN, BackendDouble
from tests.bridge.broker import HOST, Broker, MqttDouble, wait_until
from tests.bridge.conftest import DEVICE, UP, RunningBridge, last_state, states_seen, unix_ms
from tests.bridge.old_broker import OldBroker

Start = Callable[..., RunningBridge]


@pytest.mark.parametrize("hangs_up", [False, True], ids=["return code 1", "hangs up"])
def test_a_broker_without_mqtt_5_is_served_by_3_1_1(
    start_bridge: Start, backend: BackendDouble, broker: Broker, till: MqttDouble, *, hangs_up: bool
) -> None:
    with OldBroker(broker.port, hangs_up=hangs_up) as old:
        bridge = start_bridge(broker_port=old.port).wait_ready()

        till.publish(UP, b"hello")

        wait_until(lambda: backend.payloads() == [b"hello"], "the message")
        assert old.levels == [5, 4]
        assert bridge.metric('bridge_connections_total{protocol="311"}') == 1
        bridge.stop()


def test_a_fixed_protocol_is_never_left() -> None:
    choice = ProtocolChoice(Protocol.V5)

    choice.refused_version()
    choice.hung_up()

    assert choice.current is Protocol.V5


def test_a_broker_that_once_spoke_5_is_not_downgraded_by_a_failure() -> None:
    choice = ProtocolChoice(Protocol.AUTO)

    choice.accepted()
    choice.hung_up()

    assert choice.current is Protocol.V5


def test_the_bridge_is_unready_until_its_subscription_delivers(
    mosquitto: str, tmp_path: Path, backend: BackendDouble
) -> None:
    acl = tmp_path / "deaf.acl"
    acl.write_text("topic write pos/v1/bridge/#\ntopic readwrite pos/v1/+/down/#\ntopic read pos/v1/bridge/+/state\n")
    folder = tmp_path / "broker"
    with Broker(mosquitto, folder) as broker:
        broker.stop()
        config = folder / "mosquitto.conf"
        config.write_text(config.read_text() + f"acl_file {acl}\n")
        broker.start()
        plain = {"broker_port": broker.port, "backend_url": backend.url, "token": TOKEN, "health_port": 0}
        settings = Settings(broker_access=AccessControl.NONE, **plain)
        with MqttDouble(broker.port, DEVICE, ["pos/v1/bridge/+/state"]) as onlooker:
            bridge = RunningBridge(settings)
            try:
                wait_until(lambda: bridge.metric("bridge_connected") == 1, "the connection")
                with pytest.raises(AssertionError, match="in vain"):
                    wait_until(bridge.is_ready, "readiness", timeout_s=1)
                assert states_seen(onlooker) == []
            finally:
                bridge.stop()


def test_a_bridge_says_online_after_the_probe_and_offline_at_its_end(start_bridge: Start, till: MqttDouble) -> None:
    bridge = start_bridge().wait_ready()
    wait_until(lambda: last_state(till) == "online", "online")

    bridge.stop()

    wait_until(lambda: last_state(till) == "offline", "offline")
    assert states_seen(till) == ["online", "offline"]


def test_downlink_messages_are_published_once_and_the_cursor_moves_on(
    start_bridge: Start, backend: BackendDouble, till: MqttDouble
) -> None:
    def entry(kind: str, payload: bytes, *, retain: bool = False) -> dict[str, object]:
        return {"topic": f"pos/v1/{DEVICE}/down/{kind}", "payload_b64": base64.b64encode(payload).decode(), "qos": 1,
                "retain": retain, "expiry_s": None if retain else 3600}  # fmt: skip

    backend.pages[""] = {"messages": [entry("twin", b"desired", retain=True), entry("cmd", b"blink")], "next": "2"}
    backend.pages["2"] = {"messages": [], "next": "2"}

    bridge = start_bridge().wait_ready()

    wait_until(lambda: backend.cursors.count("2") >= 2, "the cursor to have moved on")
    assert till.payloads(f"pos/v1/{DEVICE}/down/twin") == [b"desired"]
    assert till.payloads(f"pos/v1/{DEVICE}/down/cmd") == [b"blink"]
    assert backend.cursors.count("") == 1
    assert bridge.metric('bridge_downlink_messages_total{outcome="published"}') == 2


def test_a_broker_that_lost_its_retained_messages_gets_them_again(
    start_bridge: Start, backend: BackendDouble, broker: Broker
) -> None:
    topic = f"pos/v1/{DEVICE}/down/twin"
    backend.pages[""] = {"messages": [{"topic": topic, "payload_b64": "ZA==", "retain": True}], "next": "1"}
    start_bridge().wait_ready()
    wait_until(lambda: "1" in backend.cursors, "the cursor to move on")

    broker.stop()
    broker.forget()
    broker.start()

    with MqttDouble(broker.port, DEVICE, [topic]) as till:
        wait_until(lambda: till.payloads(topic), "the retained message")
        assert till.payloads(topic) == [b"d"]


def test_an_impossible_downlink_topic_does_not_stop_what_stands_behind_it(
    start_bridge: Start, backend: BackendDouble, till: MqttDouble
) -> None:
    good = {"topic": f"pos/v1/{DEVICE}/down/cmd", "payload_b64": base64.b64encode(b"revoked").decode()}
    backend.pages[""] = {"messages": [{"topic": "pos/v1/+/down/cmd", "payload_b64": ""}, good], "next": "1"}

    bridge = start_bridge().wait_ready()

    wait_until(lambda: till.payloads(f"pos/v1/{DEVICE}/down/cmd") == [b"revoked"], "the other message")
    wait_until(lambda: "1" in backend.cursors, "the cursor to move on")
    assert bridge.metric('bridge_downlink_messages_total{outcome="never_sendable"}') == 1


def test_a_downlink_message_is_offered_again_until_the_broker_takes_it(
    start_bridge: Start, backend: BackendDouble, broker: Broker
) -> None:
    bridge = start_bridge().wait_ready()
    broker.stop()
    backend.pages[""] = {
        "messages": [{"topic": f"pos/v1/{DEVICE}/down/twin", "payload_b64": "ZA==", "retain": True}],
        "next": "1",
    }
    broker.start()
    bridge.wait_ready()

    wait_until(lambda: "1" in backend.cursors, "the cursor to move on")
    with MqttDouble(broker.port, DEVICE, [f"pos/v1/{DEVICE}/down/twin"]) as till:
        wait_until(lambda: till.payloads(f"pos/v1/{DEVICE}/down/twin"), "the retained message")
        assert till.payloads(f"pos/v1/{DEVICE}/down/twin") == [b"d"]


def test_the_health_page_says_what_lives(start_bridge: Start) -> None:
    bridge = start_bridge().wait_ready()

    assert bridge.get("/health")[0] == 200
    assert '"state":"online"' in bridge.get("/ready")[1]
    assert bridge.get("/elsewhere")[0] == 404
    assert bridge.metric("bridge_subscription_proven") == 1


def delivery(generation: int, qos: int = 1, payload: bytes = b"x") -> Delivery:
    return Delivery(
        topic=UP, payload=payload, received_at_ms=0, received_mono_s=0, mid=1, qos=qos, generation=generation
    )


def test_a_message_of_an_older_connection_cannot_be_acknowledged_on_a_newer_one(broker: Broker) -> None:
    settings = Settings(broker_port=broker.port, backend_url="http://127.0.0.1:9", token=TOKEN)
    events: SimpleQueue[Event] = SimpleQueue()
    newer = Connection(settings, Protocol.V5, 2, Inbox(10), events, unix_ms)

    with pytest.raises(AssertionError):
        newer.ack(delivery(generation=1))


class LiveDouble:
    generation = 2

    def __init__(self) -> None:
        self.acked: list[Delivery] = []

    def ack(self, delivery: Delivery) -> bool:
        self.acked.append(delivery)
        return True


def test_the_subscriber_passes_over_acknowledgements_of_an_older_connection() -> None:
    settings = Settings(backend_url="http://127.0.0.1:9", token=TOKEN)
    metrics = Metrics()
    presence = Presence("a1", metrics)
    subscriber = Subscriber(settings, Inbox(10), presence, metrics, Backoff(1, lambda: 0.0), unix_ms)
    live = subscriber._live = LiveDouble()  # type: ignore[assignment]

    for generation, qos in ((1, 1), (2, 1), (2, 0)):
        subscriber.ack(delivery(generation, qos))

    assert live.acked == [delivery(2)]


def test_a_full_inbox_gives_up_best_effort_messages_first() -> None:
    inbox = Inbox(messages_max=4)

    taken = [inbox.offer(delivery(1, qos=qos)) for qos in (1, 0, 0, 1, 1, 1)]

    assert taken == [True, True, False, True, True, False]


def test_an_inbox_is_bounded_in_bytes_too() -> None:
    inbox = Inbox(messages_max=1_000)
    large = b"x" * (BYTES_MAX // 4)

    assert [inbox.offer(delivery(1, payload=large)) for _ in range(6)] == [True] * 4 + [False] * 2
    assert inbox.take(0) is not None
    assert inbox.offer(delivery(1))


def test_an_inbox_is_settled_when_all_that_was_taken_is_finished() -> None:
    inbox = Inbox(messages_max=10)
    inbox.offer(delivery(1))

    assert not inbox.is_settled()
    inbox.take(0)
    assert not inbox.is_settled()
    inbox.finished(1)
    assert inbox.is_settled()
    assert inbox.take(0) is None


def test_more_than_the_inbox_holds_comes_again_in_order(
    start_bridge: Start, backend: BackendDouble, till: MqttDouble
) -> None:
    bridge = start_bridge(inbox_messages=10, batch_reads=5).wait_ready()
    backend.gate.clear()
    payloads = [b"%d" % number for number in range(60)]
    for payload in payloads:
        till.publish(UP, payload)
    live = bridge.bridge._subscriber._live
    wait_until(lambda: live is not None and live.overflowed, "a message passed over")

    backend.gate.set()

    wait_until(lambda: set(backend.payloads()) == set(payloads), "all messages")
    assert list(dict.fromkeys(backend.payloads())) == payloads
    assert bridge.metric("bridge_inbox_overflows_total") >= 1


def test_an_unreachable_broker_is_tried_again(start_bridge: Start, broker: Broker, till: MqttDouble) -> None:
    broker.stop()
    bridge = start_bridge()
    wait_until(lambda: bridge.get("/ready")[0] == 503, "to be unready")

    broker.start()

    bridge.wait_ready()
    assert HOST == "127.0.0.1"
    wait_until(lambda: last_state(till) == "online", "online")
