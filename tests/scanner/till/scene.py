"""A real broker, a bridge and backend played by the test, and a till as its own process."""

import base64
import getpass
import os
import queue
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from firmware_bridge.wire import topics
from firmware_bridge.wire.bridge_state import BridgeCondition, BridgeState, encode_bridge_state
from firmware_bridge.wire.envelope import open_envelope, signed_bytes
from firmware_bridge.wire.member_code import MemberCode, encode_member_code
from firmware_bridge.wire.messages import Basket, basket_hash, decode_basket, decode_header
from firmware_bridge.wire.receipts import Receipt, ReceiptMessage, ReceiptState, seal_receipts

DEVICE = "nj0001-1"
ROOT = Path(__file__).resolve().parents[3]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(condition: Callable[[], bool], timeout_s: float = 40.0) -> None:
    end_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end_s, "it did not happen in time"
        time.sleep(0.02)


class Broker:
    def __init__(self, folder: Path, port: int, extra: str = "") -> None:
        self.port = port
        self._config = folder / f"mosquitto-{port}.conf"
        self._config.write_text(
            # Started by root it would drop to a user of its own, who cannot enter a test's folder.
            f"user {getpass.getuser()}\nper_listener_settings true\npersistence false\n"
            f"listener {port} 127.0.0.1\nallow_anonymous true\n{extra}"
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        program = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin")
        assert program is not None
        self._process = subprocess.Popen([program, "-c", str(self._config)], stderr=subprocess.DEVNULL)
        wait_until(self._listens)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


@contextmanager
def old_broker(real_port: int, answer_to_v5: bytes) -> Iterator[int]:
    """Before a real broker: turns away every CONNECT of MQTT 5 as brokers do that know only 3.1.1."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_accept, args=(server, real_port, answer_to_v5), daemon=True).start()
        yield int(server.getsockname()[1])
        server.shutdown(socket.SHUT_RDWR)


def _accept(server: socket.socket, real_port: int, answer_to_v5: bytes) -> None:
    while True:
        try:
            client, _ = server.accept()
        except OSError:
            return
        first = client.recv(4096)
        level = first[first.index(b"MQTT") + 4]
        if level == 5:
            client.sendall(answer_to_v5)
            client.close()
            continue
        real = socket.create_connection(("127.0.0.1", real_port))
        real.sendall(first)
        for source, sink in ((client, real), (real, client)):
            threading.Thread(target=_pump, args=(source, sink), daemon=True).start()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with source, sink:
        try:
            while chunk := source.recv(4096):
                sink.sendall(chunk)
            sink.shutdown(socket.SHUT_RDWR)
        except OSError:
            return


needs_mosquitto = pytest.mark.skipif(
    shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin") is None,
    reason="the mosquitto program is not installed, so no real broker can be started",
)


@dataclass
class Backend:
    """Bridge and backend in one: keeps every line that came, answers with receipts when it is told to."""

    broker: Broker
    till_key: Ed25519PrivateKey
    receipt_key: Ed25519PrivateKey
    answers: bool = True
    state: ReceiptState = ReceiptState.RECORDED
    session: int = 1
    lines: list[bytes] = field(default_factory=list)
    messages: list[list[bytes]] = field(default_factory=list)
    others: queue.SimpleQueue[MQTTMessage] = field(default_factory=queue.SimpleQueue)

    def __post_init__(self) -> None:
        self._client = Client(CallbackAPIVersion.VERSION2, "bridge-test", protocol=MQTTProtocolVersion.MQTTv5)
        self._client.on_message = self._on_message
        self._ready = threading.Event()
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_connect = lambda *_: self._client.subscribe(topics.UP_FILTER, 1)
        self._client.connect("127.0.0.1", self.broker.port, clean_start=True)
        self._client.loop_start()
        assert self._ready.wait(20)

    def outlive_the_broker(self) -> None:
        """Which is killed and started anew, with nothing kept; the client comes back by itself."""
        self._ready.clear()
        self.broker.kill()

    def come_back(self) -> None:
        self.broker.start()
        assert self._ready.wait(20)
        self.come_up()

    def come_up(self, condition: BridgeCondition = BridgeCondition.ONLINE) -> None:
        self.session += 1
        state = encode_bridge_state(BridgeState(state=condition, session=self.session))
        self._client.publish(topics.bridge_state("b1"), state, 1, retain=True).wait_for_publish(20)

    def go_down(self) -> None:
        self.come_up(BridgeCondition.OFFLINE)

    def baskets(self) -> list[Basket]:
        return [decode_basket(line) for line in self.lines]

    def distinct(self) -> dict[int, set[bytes]]:
        found: dict[int, set[bytes]] = {}
        for line in list(self.lines):
            found.setdefault(decode_basket(line).seq, set()).add(line)
        return found

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        self._client.publish(topic, payload, 1, retain=retain).wait_for_publish(20)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def receipt(self, stream: str, lines: list[bytes], **changes: object) -> bytes:
        receipts = tuple(
            Receipt(
                seq=decode_basket(line).seq,
                sha256=str(changes.get("sha256", basket_hash(line))),
                state=self.state,
                code="test" if self.state is ReceiptState.QUARANTINED else None,
            )
            for line in lines
        )
        message = ReceiptMessage(stream=stream, srv_ts=time.time_ns() // 10**6, echo_mono=1, receipts=receipts)
        key = changes.get("key", self.receipt_key)
        assert isinstance(key, Ed25519PrivateKey)
        return seal_receipts(topics.receipt(DEVICE), message, key.sign)

    def _on_message(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        if message.topic != topics.baskets(DEVICE):
            self.others.put(message)
            return
        envelope = open_envelope(bytes(message.payload))
        self.till_key.public_key().verify(envelope.signature, signed_bytes(message.topic, envelope.body))
        self.lines += envelope.lines
        self.messages.append(list(envelope.lines))
        if self.answers:
            stream = decode_header(envelope.header).stream
            self._client.publish(topics.receipt(DEVICE), self.receipt(stream, list(envelope.lines)), 1)


HONEST, TRUSTING = ("scanner", "run"), ("tests.scanner.till.trusting_till",)


class TillProcess:
    """`python -m scanner run --events-json`, fed through its standard input."""

    def __init__(self, env: dict[str, str], program: tuple[str, ...] = HONEST) -> None:
        command = [sys.executable, "-m", *program, "--events-json"]
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        self.events: list[dict[str, object]] = []
        self.noise: list[bytes] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def say(self, *lines: str | dict[str, object]) -> None:
        assert self._process.stdin is not None
        text = b"".join((line.encode() if isinstance(line, str) else orjson.dumps(line)) + b"\n" for line in lines)
        self._process.stdin.write(text)
        self._process.stdin.flush()

    def end_input(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()

    def of(self, event: str, state: str | None = None) -> list[dict[str, object]]:
        return [e for e in list(self.events) if e["event"] == event and state in {None, e.get("state")}]

    def wait_for(self, event: str, count: int = 1, state: str | None = None, timeout_s: float = 40.0) -> None:
        end_s = time.monotonic() + timeout_s
        while len(self.of(event, state)) < count:
            assert time.monotonic() < end_s, f"no {count} x {event} {state}: {self.events} {self.noise}"
            time.sleep(0.02)

    def wait(self, timeout_s: float = 40.0) -> int:
        code = self._process.wait(timeout_s)
        self._reader.join(5)
        return code

    def terminate(self) -> int:
        self._process.terminate()
        return self.wait()

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._reader.join(5)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            try:
                self.events.append(orjson.loads(line))
            except orjson.JSONDecodeError:
                self.noise.append(line)


def public_base64(key: Ed25519PrivateKey) -> str:
    return base64.b64encode(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


@dataclass
class Shop:
    """Keys, files and environment of one till, on a broker of its own."""

    folder: Path
    till_key: Ed25519PrivateKey
    city_key: Ed25519PrivateKey
    receipt_key: Ed25519PrivateKey
    tills: list[TillProcess] = field(default_factory=list)

    @classmethod
    def furnish(cls, folder: Path) -> "Shop":
        till_key, city_key, receipt_key = (Ed25519PrivateKey.generate() for _ in range(3))
        shop = cls(folder, till_key, city_key, receipt_key)
        pem = shop.till_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (folder / "till.pem").touch(mode=0o600)
        (folder / "till.pem").write_bytes(pem)
        (folder / "city.keys").write_text(f"n1 {public_base64(shop.city_key)}\n")
        (folder / "receipt.key").write_text(f"{public_base64(shop.receipt_key)}\n")
        return shop

    def environment(self, port: int, **more: str) -> dict[str, str]:
        given = {
            "DEVICE_ID": DEVICE,
            "OUTBOX_PATH": str(self.folder / "outbox.sqlite"),
            "BROKER_HOST": "127.0.0.1",
            "BROKER_PORT": str(port),
            "KEY_PATH": str(self.folder / "till.pem"),
            "KEY_ID": "k1",
            "CITY_KEYS_PATH": str(self.folder / "city.keys"),
            "RECEIPT_KEY_PATH": str(self.folder / "receipt.key"),
            "SOURCE": "stdin",
            "RESEND_MIN_S": "0.3",
            "RESEND_MAX_S": "1",
            "BRIDGE_UP_JITTER_S": "0.1",
            "BRIDGE_GRACE_S": "0.3",
            "RECONNECT_MAX_S": "0.5",
            "CLOCK_SOURCE": "ntp",
            **more,
        }
        clean = {name: value for name, value in os.environ.items() if not name.startswith("GREENPOINTS_")}
        return {**clean, "ENV": "test", **{f"GREENPOINTS_TILL_{name}": value for name, value in given.items()}}

    def open_till(self, port: int, *, program: tuple[str, ...] = HONEST, **more: str) -> TillProcess:
        till = TillProcess(self.environment(port, **more), program)
        self.tills.append(till)
        return till

    def member_code(self, *, valid_s: int = 60, key: Ed25519PrivateKey | None = None, key_id: str = "n1") -> str:
        code = MemberCode(key_id=key_id, city="320100", handle=os.urandom(16), expires_s=int(time.time()) + valid_s)
        return encode_member_code(code, (key or self.city_key).sign)
