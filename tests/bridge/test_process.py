"""The whole process: killed, restarted, told to end."""

import signal
from collections.abc import Callable
from itertools import pairwise

import pytest

from firmware_bridge.chaos import ChaosPoint
from tests.bridge.backend_double import BackendDouble, receipt_for
from tests.bridge.broker import MqttDouble, wait_until
from tests.bridge.conftest import DOWN, UP, BridgeProcess, last_state

Start = Callable[..., BridgeProcess]


def numbered(count: int) -> list[bytes]:
    return [b"message %d" % number for number in range(count)]


def test_a_process_killed_amid_a_batch_gets_every_unacknowledged_message_again(
    start_process: Start, backend: BackendDouble, till: MqttDouble
) -> None:
    first = start_process().wait_ready()
    backend.gate.clear()
    for payload in numbered(50):
        till.publish(UP, payload)
    wait_until(lambda: backend.requests, "the request to arrive")

    first.kill()
    backend.recorded.clear()
    backend.verdicts.statuses = [500]  # the answer nobody waits for any more
    backend.gate.set()
    wait_until(lambda: last_state(till) == "offline", "the will")
    start_process()

    wait_until(lambda: len(till.payloads(DOWN)) == 50, "all receipts")
    assert backend.payloads() == numbered(50)


@pytest.mark.parametrize("point", list(ChaosPoint))
def test_a_process_that_dies_at_a_named_point_loses_nothing(
    start_process: Start, backend: BackendDouble, till: MqttDouble, point: ChaosPoint
) -> None:
    first = start_process(CHAOS_POINT=point).wait_ready()

    for payload in numbered(10):
        till.publish(UP, payload)

    assert first.process.wait(30) == -signal.SIGKILL
    assert len(backend.recorded) >= (point is not ChaosPoint.BEFORE_REQUEST), "it died of the probe"
    start_process()
    wait_until(lambda: set(till.payloads(DOWN)) == {receipt_for(payload) for payload in numbered(10)}, "the receipts")
    assert set(backend.payloads()) == set(numbered(10))


@pytest.mark.parametrize("protocol", ["5", "311"])
def test_messages_of_the_time_without_a_bridge_wait_in_the_session(
    start_process: Start, backend: BackendDouble, till: MqttDouble, protocol: str
) -> None:
    first = start_process(PROTOCOL=protocol).wait_ready()
    first.process.send_signal(signal.SIGTERM)
    assert first.process.wait(30) == 0

    for payload in numbered(300):
        till.publish(UP, payload)
    start_process(PROTOCOL=protocol)

    wait_until(lambda: len(backend.recorded) >= 300, "all messages")
    assert backend.payloads() == numbered(300)


def test_sigterm_finishes_the_batch_says_offline_and_exits_0(
    start_process: Start, backend: BackendDouble, till: MqttDouble
) -> None:
    process = start_process().wait_ready()
    backend.gate.clear()
    for payload in numbered(20):
        till.publish(UP, payload)
    wait_until(lambda: backend.requests, "the request to arrive")

    process.process.send_signal(signal.SIGTERM)
    backend.gate.set()

    assert process.process.wait(30) == 0, process.log.read_text()
    assert backend.payloads() == numbered(20)
    wait_until(lambda: till.payloads(DOWN) == [receipt_for(payload) for payload in numbered(20)], "the receipts")
    assert last_state(till) == "offline"
    start_process().wait_ready()
    assert backend.payloads() == numbered(20), "acknowledged before the end, so not given again"


def test_sigterm_while_the_backend_is_away_ends_in_time_and_keeps_the_messages(
    start_process: Start, backend: BackendDouble, till: MqttDouble
) -> None:
    process = start_process(DRAIN_S="1").wait_ready()
    backend.verdicts.statuses = [503] * 1_000
    till.publish(UP, b"kept")
    wait_until(lambda: last_state(till) == "degraded", "degraded")

    process.process.send_signal(signal.SIGTERM)

    assert process.process.wait(30) == 0
    backend.verdicts.statuses = []
    start_process()
    wait_until(lambda: backend.payloads() == [b"kept"], "the message")


def test_refused_settings_are_listed_together_and_end_with_2(start_process: Start) -> None:
    process = start_process(BROKER_PORT="x", NAME="up", BRIDGE_TYPO="1")

    assert process.process.wait(30) == 2
    named = [name for name in ("BROKER_PORT", "NAME", "BRIDGE_TYPO") if name in process.log.read_text()]
    assert named == ["BROKER_PORT", "NAME", "BRIDGE_TYPO"]


def test_log_lines_are_json_without_payload_or_token(
    start_process: Start, backend: BackendDouble, till: MqttDouble
) -> None:
    import json

    process = start_process().wait_ready()
    till.publish(UP, b"a secret payload")
    wait_until(lambda: till.payloads(DOWN), "the receipt")
    process.process.send_signal(signal.SIGTERM)
    process.process.wait(30)

    lines = [json.loads(line) for line in process.log.read_text().splitlines()]

    assert {line["event"] for line in lines} >= {"bridge_started", "connected", "batch", "bridge_stopped"}
    assert all(earlier["timestamp"] <= later["timestamp"] for earlier, later in pairwise(lines))
    assert "secret" not in process.log.read_text()
    assert "a-token" not in process.log.read_text()
    assert backend.payloads() == [b"a secret payload"]
