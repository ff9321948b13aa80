import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest

from firmware_bridge.bridge import Bridge
from firmware_bridge.settings import Settings
from firmware_bridge.wire.bridge_state import BridgeCondition
from tests.bridge.backend_double import TOKEN, BackendDouble
from tests.bridge.broker import Broker, MqttDouble, find_mosquitto, free_port, wait_until

DEVICE = "nj-0042-3"
UP = f"pos/v1/{DEVICE}/up/baskets"
DOWN = f"pos/v1/{DEVICE}/down/receipt"


def unix_ms() -> int:
    return time.time_ns() // 1_000_000


class RunningBridge:
    """The bridge in this process."""

    def __init__(self, settings: Settings) -> None:
        self.bridge = Bridge(settings, unix_ms)
        self.bridge.start()
        self._stopped = False

    def get(self, path: str) -> tuple[int, str]:
        return http_get(self.bridge.health_port, path)

    def is_ready(self) -> bool:
        return self.get("/ready")[0] == 200

    def wait_ready(self) -> "RunningBridge":
        wait_until(self.is_ready, "the bridge to be ready")
        return self

    def metric(self, line: str) -> float:
        """Of a metric line's beginning, such as `bridge_acks_total{outcome="sent"}`."""
        found = [text for text in self.get("/metrics")[1].splitlines() if text.startswith(line + " ")]
        return float(found[0].rsplit(" ", 1)[1]) if found else 0.0

    def stop(self) -> None:
        if not self._stopped:
            self._stopped = True
            self.bridge.stop()
            assert not self.bridge.failed.is_set()


def http_get(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


class BridgeProcess:
    """`python -m firmware_bridge` as a child."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self.health_port = free_port()
        self._environment = environment | {"GREENPOINTS_BRIDGE_HEALTH_PORT": str(self.health_port)}
        self.log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "firmware_bridge"], env=self._environment, stdout=output, stderr=output
            )

    def wait_ready(self) -> "BridgeProcess":
        wait_until(self._is_ready, "the bridge process to be ready")
        return self

    def _is_ready(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        try:
            return http_get(self.health_port, "/ready")[0] == 200
        except (OSError, HTTPException):  # an answer that was cut off is none
            return False

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)


@pytest.fixture(scope="session")
def mosquitto() -> str:
    path = find_mosquitto()
    if path is None:
        pytest.skip("Mosquitto is not installed (Debian: apt-get install mosquitto); tests with a broker cannot run")
    return path


@pytest.fixture
def broker(mosquitto: str, tmp_path: Path) -> Iterator[Broker]:
    """Without TLS, anonymous, sessions on disk."""
    with Broker(mosquitto, tmp_path / "broker") as running:
        yield running


@pytest.fixture
def backend() -> Iterator[BackendDouble]:
    with BackendDouble() as running:
        yield running


@pytest.fixture
def start_bridge(broker: Broker, backend: BackendDouble) -> Iterator[Callable[..., RunningBridge]]:
    """Starts bridges on this broker and backend; keyword arguments replace settings."""
    with ExitStack() as stack:

        def start(**changes: Any) -> RunningBridge:
            values: dict[str, Any] = {
                "broker_port": broker.port,
                "backend_url": backend.url,
                "token": TOKEN,
                "retry_wait_s_max": 1,
                "downlink_poll_s": 1,
                "drain_s": 2,
                "health_port": 0,
                "broker_access": "none",
            }
            running = RunningBridge(Settings(**(values | changes)))
            stack.callback(running.stop)
            return running

        yield start


@pytest.fixture
def start_process(broker: Broker, backend: BackendDouble, tmp_path: Path) -> Iterator[Callable[..., BridgeProcess]]:
    """Starts bridge processes; keyword arguments are further variables, without the prefix."""
    with ExitStack() as stack:

        def start(**changes: str) -> BridgeProcess:
            values = {
                "BROKER_PORT": str(broker.port),
                "BACKEND_URL": backend.url,
                "TOKEN": TOKEN,
                "RETRY_WAIT_S_MAX": "1",
                "DRAIN_S": "5",
                "BROKER_ACCESS": "none",
            } | changes
            environment = {f"GREENPOINTS_BRIDGE_{name}": value for name, value in values.items()}
            running = BridgeProcess(environment | {"ENV": "test"}, tmp_path / "bridge.log")
            stack.callback(running.kill)
            return running

        yield start


@pytest.fixture
def till(broker: Broker) -> Iterator[MqttDouble]:
    """A till that also watches the bridges' states."""
    with MqttDouble(broker.port, DEVICE, [f"pos/v1/{DEVICE}/down/#", "pos/v1/bridge/+/state"]) as running:
        yield running


def states_seen(till: MqttDouble, name: str = "a1") -> list[str]:
    from firmware_bridge.wire.bridge_state import decode_bridge_state

    return [decode_bridge_state(payload).state for payload in till.payloads(f"pos/v1/bridge/{name}/state")]


def last_state(till: MqttDouble, name: str = "a1") -> BridgeCondition | None:
    seen = states_seen(till, name)
    return BridgeCondition(seen[-1]) if seen else None
