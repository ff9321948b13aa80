"""The bridge between a real Mosquitto and the HTTP contract."""

from collections.abc import Callable

import pytest

from tests.bridge.backend_double import BackendDouble, receipt_for
from tests.bridge.broker import Broker, MqttDouble, wait_until
from tests.bridge.conftest import DEVICE, DOWN, UP, RunningBridge, last_state, states_seen
from tests.contracts import golden

Start = Callable[..., RunningBridge]
MESSAGE = (golden.FOLDER / "message-one-basket.bin").read_bytes()


def numbered(count: int, start: int = 0) -> list[bytes]:
    return [MESSAGE + b" %d" % number for number in range(start, start + count)]


def test_a_receipt_goes_back_unopened_and_only_then_is_the_message_acknowledged(
    start_bridge: Start, backend: BackendDouble, till: MqttDouble
) -> None:
    bridge = start_bridge().wait_ready()

    till.publish(UP, MESSAGE)

    wait_until(lambda: till.payloads(DOWN), "the receipt")
    assert till.payloads(DOWN) == [receipt_for(MESSAGE)]
    assert backend.recorded == [(UP, MESSAGE)]
    wait_until(lambda: bridge.metric('bridge_acks_total{outcome="sent"}') == 2, "the probe and the message acked")


def test_nothing_is_acknowledged_before_the_backend_has_answered(
    start_bridge: Start, backend: BackendDouble, till: MqttDouble
) -> None:
    bridge = start_bridge().wait_ready()
    wait_until(lambda: bridge.metric('bridge_acks_total{outcome="sent"}') == 1, "the probe to be acked")
    backend.gate.clear()

    for payload in numbered(5):
        till.publish(UP, payload)

    wait_until(lambda: backend.requests, "the request to arrive")
    assert bridge.metric('bridge_acks_total{outcome="sent"}') == 1
    assert till.payloads(DOWN) == []
    backend.gate.set()
    wait_until(lambda: len(till.payloads(DOWN)) == 5, "all receipts")


def test_a_storm_of_503_delivers_every_message_once_and_in_order(
    start_bridge: Start, backend: BackendDouble, till: MqttDouble
) -> None:
    bridge = start_bridge().wait_ready()
    backend.verdicts.statuses = [503, 500, 502, 503]
    payloads = numbered(300)

    for payload in payloads:
        till.publish(UP, payload)

    wait_until(lambda: len(backend.recorded) >= 300, "all messages")
    assert backend.payloads() == payloads
    wait_until(lambda: till.payloads(DOWN) == [receipt_for(payload) for payload in payloads], "receipts in order")
    wait_until(lambda: last_state(till) == "online", "to be online again")
    assert states_seen(till)[-3:] == ["online", "degraded", "online"]
    assert bridge.metric("bridge_degraded") == 0


def test_a_refused_token_is_loud_and_nothing_is_dropped(
    start_bridge: Start, backend: BackendDouble, till: MqttDouble
) -> None:
    bridge = start_bridge().wait_ready()
    backend.verdicts.statuses = [401, 403, 404]

    till.publish(UP, MESSAGE)

    wait_until(lambda: bridge.get("/ready")[0] == 503, "to say that it is not ready")
    wait_until(lambda: backend.payloads() == [MESSAGE], "the message after the operator mended it")
    assert bridge.metric('bridge_batches_total{outcome="refused"}') == 3
    assert bridge.metric('bridge_acks_total{outcome="connection_gone"}') == 0


def test_an_answer_of_the_wrong_length_acknowledges_nothing(
    start_bridge: Start, backend: BackendDouble, till: MqttDouble
) -> None:
    bridge = start_bridge().wait_ready()
    backend.verdicts.body = b'{"results":[]}'

    till.publish(UP, MESSAGE)
    wait_until(lambda: bridge.metric('bridge_batches_total{outcome="unavailable"}') >= 2, "two refused answers")
    assert till.payloads(DOWN) == []

    backend.verdicts.body = None
    wait_until(lambda: till.payloads(DOWN), "the receipt")


def test_the_backend_away_and_back_loses_nothing(start_bridge: Start, backend: BackendDouble, till: MqttDouble) -> None:
    start_bridge(backend_url="http://127.0.0.1:9").wait_ready().stop()

    for payload in numbered(30):
        till.publish(UP, payload)

    unreachable = start_bridge(backend_url="http://127.0.0.1:9")
    wait_until(lambda: last_state(till) == "degraded", "to say degraded")
    unreachable.stop()
    start_bridge()
    wait_until(lambda: len(backend.payloads()) >= 30, "all thirty")
    assert backend.payloads() == numbered(30)


def test_garbage_and_oversized_messages_pass_unchanged_on_every_topic(
    start_bridge: Start, backend: BackendDouble, till: MqttDouble
) -> None:
    bridge = start_bridge().wait_ready()
    garbage = [b"", b"\x00\xff" * 100, b"{", bytes(range(256)), b"x" * 200_000, b'"sym"' * 1_000]
    sent = [
        (f"pos/v1/{DEVICE}/up/{kind}", payload)
        for kind in ("baskets", "health", "twin", "job", "res", "nonsense/deeper")
        for payload in garbage
    ]

    for topic, payload in sent:
        till.publish(topic, payload)

    wait_until(lambda: len(backend.recorded) >= len(sent), "every message")
    assert backend.recorded == sent
    baskets = [receipt_for(payload) for topic, payload in sent if topic == UP]
    wait_until(lambda: till.payloads(DOWN) == baskets, "receipts for what was recorded, none for the refused")
    wait_until(lambda: bridge.metric('bridge_acks_total{outcome="sent"}') == len(sent) + 1, "refused ones acked too")


def test_a_413_splits_the_batch_and_keeps_the_order(
    start_bridge: Start, backend: BackendDouble, till: MqttDouble
) -> None:
    backend.verdicts.messages_max = 3
    start_bridge(batch_wait_ms=200).wait_ready()
    payloads = numbered(40)

    for payload in payloads:
        till.publish(UP, payload)

    wait_until(lambda: len(backend.recorded) >= 40, "all messages")
    assert backend.payloads() == payloads
    assert max(backend.requests) > 3


def test_one_message_that_no_batch_can_hold_does_not_stop_the_others(
    start_bridge: Start, backend: BackendDouble, till: MqttDouble
) -> None:
    backend.verdicts.reads_max = 4
    bridge = start_bridge(batch_wait_ms=200).wait_ready()

    for payload in (MESSAGE, b'"sym"' * 5, MESSAGE + b"2"):
        till.publish(UP, payload)

    wait_until(lambda: len(backend.recorded) == 2, "the other two")
    assert backend.payloads() == [MESSAGE, MESSAGE + b"2"]
    assert bridge.metric("bridge_unrecordable_total") == 1


def test_batches_stay_within_the_agreed_reads(start_bridge: Start, backend: BackendDouble, till: MqttDouble) -> None:
    start_bridge(batch_reads=10, batch_wait_ms=500).wait_ready()

    for payload in numbered(20):  # two reads each
        till.publish(UP, payload)

    wait_until(lambda: len(backend.recorded) == 20, "all messages")
    assert max(backend.requests) == 5


def test_a_broker_that_was_restarted_is_rejoined_and_nothing_is_lost(
    start_bridge: Start, backend: BackendDouble, broker: Broker
) -> None:
    bridge = start_bridge().wait_ready()
    backend.gate.clear()
    with MqttDouble(broker.port, DEVICE, [DOWN]) as till:
        for payload in numbered(10):
            till.publish(UP, payload)
    wait_until(lambda: backend.requests, "the request to arrive")

    broker.stop()
    broker.start()
    backend.gate.set()

    wait_until(lambda: bridge.metric('bridge_acks_total{outcome="sent"}') >= 11, "the redelivered acked, and the probe")
    bridge.wait_ready()
    assert set(backend.payloads()) == set(numbered(10))
    assert bridge.metric('bridge_acks_total{outcome="connection_gone"}') > 0


def test_two_bridges_share_the_messages(start_bridge: Start, backend: BackendDouble, till: MqttDouble) -> None:
    bridges = [start_bridge(name=name, share_group="a-group-of-this-test") for name in ("a1", "a2")]
    for bridge in bridges:
        bridge.wait_ready()

    for payload in numbered(60):
        till.publish(UP, payload)

    wait_until(lambda: len(backend.recorded) >= 60, "all messages")
    assert sorted(backend.payloads()) == sorted(numbered(60))
    assert all(bridge.metric('bridge_results_total{state="recorded"}') > 0 for bridge in bridges)
    assert [last_state(till, name) for name in ("a1", "a2")] == ["online", "online"]


@pytest.mark.parametrize("protocol", ["5", "311"])
def test_both_protocols_deliver(start_bridge: Start, backend: BackendDouble, till: MqttDouble, protocol: str) -> None:
    from firmware_bridge.settings import Protocol

    bridge = start_bridge(protocol=Protocol(protocol)).wait_ready()

    for payload in numbered(100):
        till.publish(UP, payload)

    wait_until(lambda: backend.payloads() == numbered(100), "all messages in order")
    assert bridge.metric(f'bridge_connections_total{{protocol="{protocol}"}}') == 1
