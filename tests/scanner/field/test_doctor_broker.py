"""What the doctor finds at the broker: real ones, one that hangs up, and none."""

import gc
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from firmware_bridge.wire.bridge_state import BridgeCondition, BridgeState
from scanner.doctor import broker as broker_check
from scanner.doctor.model import Verdict
from scanner.settings import Settings
from scanner.transport import Reason
from tests.scanner.field.test_doctor import authority, settings_of, verdicts
from tests.scanner.till.scene import DEVICE, Backend, Broker, Shop, free_port, needs_mosquitto
from tests.scanner.till.test_mtls import Authority, listener, tls_files

__all__ = ["authority", "settings_of"]


@needs_mosquitto
def test_a_broker_that_takes_what_a_till_says(
    settings_of: Callable[..., Settings], shop: Shop, backend: Backend
) -> None:
    found = list(broker_check.examine(settings_of(backend.broker.port)))

    assert verdicts(found) == dict.fromkeys(("broker", "access", "bridges"), Verdict.OK)
    assert "b1" in found[-1].text_zh


@needs_mosquitto
# paho leaves its socket to the garbage collector when the handshake fails.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
def test_a_stranger_s_certificate_and_an_authority_that_is_not_the_brokers(
    settings_of: Callable[..., Settings], new_broker: Callable[..., Broker], authority: Path, tmp_path: Path
) -> None:
    port = free_port()
    (authority / "acl").write_text(f"user {DEVICE}\ntopic write pos/v1/{DEVICE}/up/#\n")
    new_broker(extra=listener(authority, port))
    stranger = settings_of(port, PROTOCOL="5", **tls_files(authority, "nj0001-2"))
    refused = list(broker_check.examine(stranger))
    (tmp_path / "other").mkdir()
    Authority(tmp_path / "other")
    wrong_ca = {**tls_files(authority, DEVICE), "BROKER_CA_PATH": str(tmp_path / "other" / "ca.crt")}
    distrusted = list(broker_check.examine(settings_of(port, **wrong_ca)))

    assert verdicts(refused)["access"] is Verdict.WRONG
    assert verdicts(distrusted) == {"broker": Verdict.WRONG}
    assert "不能信任" in distrusted[0].text_zh
    gc.collect()


def test_a_broker_out_of_reach_is_named_with_its_address(settings_of: Callable[..., Settings]) -> None:
    port = free_port()

    (finding,) = broker_check.examine(settings_of(port))

    assert finding.verdict is Verdict.WRONG
    assert f"127.0.0.1:{port}" in finding.text_zh


def test_a_broker_that_hangs_up_is_not_taken_for_a_network_that_is_down(settings_of: Callable[..., Settings]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up() -> None:
            while True:
                try:
                    server.accept()[0].close()
                except OSError:
                    return

        threading.Thread(target=hang_up, daemon=True).start()
        (finding,) = broker_check.examine(settings_of(server.getsockname()[1], PROTOCOL="5"))
        server.shutdown(socket.SHUT_RDWR)

    assert finding.verdict is Verdict.WRONG
    assert "挂断" in finding.text_zh


@pytest.mark.parametrize(
    ("granted", "reason", "verdict"),
    [
        (True, 0, Verdict.OK),
        (True, Reason.NOT_AUTHORIZED, Verdict.WRONG),
        (False, 0, Verdict.WRONG),
        (True, Reason.NO_MATCHING_SUBSCRIBERS, Verdict.WARN),
        (True, None, Verdict.WARN),
    ],
)
def test_a_refusal_by_access_rules_is_told_from_an_absent_bridge(
    *, granted: bool, reason: int | None, verdict: Verdict
) -> None:
    visit = broker_check.Visit(connected=True, granted=granted, publish_reason=reason)

    assert broker_check.judge_access(visit).verdict is verdict


def test_bridges_that_are_all_offline_are_a_warning() -> None:
    down = {"a1": BridgeState(state=BridgeCondition.OFFLINE, session=1)}

    assert broker_check.judge_bridges(down).verdict is Verdict.WARN
    assert broker_check.judge_bridges({}).verdict is Verdict.WARN
