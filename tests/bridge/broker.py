"""A real Mosquitto on a free port, for tests."""

import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.properties import Properties

HOST = "127.0.0.1"


def find_mosquitto() -> str | None:
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


def find_plugin() -> Path:
    return next(Path("/").glob("usr/*/*/mosquitto_dynamic_security.so"))


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        port: int = listener.getsockname()[1]
        return port


def wait_until(holds: Callable[[], object], what: str, timeout_s: float = 40.0) -> None:
    until_s = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < until_s, f"waited {timeout_s} s in vain for: {what}"
        time.sleep(0.01)


@dataclass(frozen=True, slots=True)
class Tls:
    ca: Path
    cert: Path
    key: Path


class Broker:
    """`start`, `kill` and `stop` may be repeated; the port and the stored sessions stay."""

    def __init__(self, binary: str, folder: Path, tls: Tls | None = None, access: Path | None = None) -> None:
        """`access`: the file of its dynamic security, which the broker rewrites."""
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self._binary, self._folder = binary, folder
        self._config = folder / "mosquitto.conf"
        self._config.write_text("\n".join(self._lines(tls, access)) + "\n")
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen([self._binary, "-c", str(self._config)], stdout=log, stderr=log)
        wait_until(self._answers, "Mosquitto to listen")

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None

    def forget(self) -> None:
        """Sessions and retained messages, as when its disk is lost; while it is stopped."""
        (self._folder / "mosquitto.db").unlink()

    def _lines(self, tls: Tls | None, access: Path | None) -> list[str]:
        lines = [
            f"listener {self.port} {HOST}",
            "user root",  # Mosquitto started as root drops to its own user, who cannot write the test's folder
            "persistence true",
            f"persistence_location {self._folder}/",
            "max_queued_messages 100000",
            "message_size_limit 262144",
            "log_type error",
            "log_type warning",
        ]
        if tls is None:
            return [*lines, "allow_anonymous true"]
        return [
            *lines,
            f"cafile {tls.ca}",
            f"certfile {tls.cert}",
            f"keyfile {tls.key}",
            "require_certificate true",
            "use_identity_as_username true",
            *([f"plugin {find_plugin()}", f"plugin_opt_config_file {access}"] if access else []),
        ]

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self._folder / "log").read_text()
        with socket.socket() as probe:
            return probe.connect_ex((HOST, self.port)) == 0


class MqttDouble:
    """A till's or an onlooker's client: publishes with QoS 1 and waits, keeps what it receives."""

    def __init__(self, port: int, client_id: str, subscriptions: list[str], tls: Tls | None = None) -> None:
        self.received: list[tuple[str, bytes]] = []
        self.granted: list[str] = []
        self.ended: list[str] = []
        self._subscribed = threading.Event()
        self._subscriptions = subscriptions
        self.reasons: dict[int, str] = {}
        self._client = Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=MQTTProtocolVersion.MQTTv5)
        if tls is not None:
            self._client.tls_set(str(tls.ca), str(tls.cert), str(tls.key))
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_disconnect = lambda _c, _d, _f, reason, _p: self.ended.append(str(reason))
        self._client.on_message = self._on_message
        self._client.on_publish = self._on_publish
        self._client.connect(HOST, port)
        self._client.loop_start()

    def __enter__(self) -> Self:
        assert self._subscribed.wait(20), "no SUBACK"
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def publish(
        self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False, properties: Properties | None = None
    ) -> str:
        """The broker's reason for the PUBACK."""
        info = self._client.publish(topic, payload, qos=qos, retain=retain, properties=properties)
        info.wait_for_publish(20)
        assert info.is_published()
        return self.reasons.get(info.mid, "")

    def payloads(self, topic: str) -> list[bytes]:
        return [payload for where, payload in self.received if where == topic]

    def _on_connect(self, client: Client, _data: Any, _flags: Any, _reason: Any, _properties: Any) -> None:
        client.subscribe([(topic, 1) for topic in self._subscriptions])

    def _on_subscribe(self, _client: Client, _data: Any, _mid: int, reasons: Any, _properties: Any) -> None:
        self.granted = [
            topic for topic, reason in zip(self._subscriptions, reasons, strict=True) if not reason.is_failure
        ]
        self._subscribed.set()

    def _on_message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        self.received.append((message.topic, bytes(message.payload)))

    def _on_publish(self, _client: Client, _data: Any, mid: int, reason: Any, _properties: Any) -> None:
        self.reasons[mid] = str(reason)
