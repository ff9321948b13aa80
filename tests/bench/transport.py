"""Till to receipt through MQTT: broker with mTLS, bridge, backend and PostgreSQL as they run in a city.

Each till keeps a fixed number of messages without a receipt, so no queue can grow: what is reported is sustained.
"""

import os
import subprocess
import threading
import time
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from statistics import median

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from backend.demo.broker import broker_service, free_port
from backend.demo.keys import Keyring, ensure_keys
from backend.demo.launch import Address, backend_service, backend_settings, bridge_service
from backend.demo.run import BROKER_ACCESS
from backend.demo.supervisor import Supervisor
from backend.retailers.store import Store
from backend.storage.transaction import Database
from backend.usecases.enrol_device import Enrolment, enrol_device
from backend.usecases.issue_token import issue_token
from backend.usecases.open_store import open_store
from tests.bench import city, http_batches
from tests.bench.ground import Ground, Place
from tests.bench.report import Ratio, say

TILLS = 4
MESSAGES = 60
BASKETS_A_MESSAGE = 20
READS_A_BASKET = 2
UNRECEIPTED_MAX = 6
WITHIN_S = 120.0
TOKEN = "token-of-the-bridge"
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
PROGRAMS = ("mosquitto", "backend", "bridge")


def mqtt_scans_per_s(ground: Ground, alternations: int) -> Ratio:
    place = ground.place()
    keyring = ensure_keys(ground.home / "keyring", [http_batches.device_of(n) for n in range(TILLS)], datetime.now(UTC))
    enrol(place, keyring, TILLS)
    (ground.home / "token").write_text(TOKEN)
    address = Address(
        broker_port=free_port(ground.home / "broker.port"),
        backend_port=free_port(ground.home / "backend.port"),
        bridge_health_port=free_port(ground.home / "bridge.port"),
    )
    supervisor = Supervisor(ground.home / "logs", say)
    try:
        supervisor.start(broker_service(ground.home / "broker", keyring, BROKER_ACCESS, address.broker_port))
        supervisor.start(backend_service(address, backend_settings(place.url, keyring, address)))
        supervisor.start(bridge_service(address, keyring, ground.home / "token"))
        rates = [_run(ground, place, keyring, address, supervisor) for _ in range(alternations + 1)][1:]
    finally:
        supervisor.stop_all()
    place.verify()
    return Ratio("mqtt_scans_per_s", median(rates))


def enrol(place: Place, keyring: Keyring, tills: int) -> None:
    database = Database(place.url, role=None, pool_size=1)
    store = Store(city.CITY, "s1", "基准", "基准门店", "320102")
    database.write(lambda c: open_store(c, store, place.sold_at))
    for number in range(tills):
        device = http_batches.device_of(number)
        enrolment = Enrolment(device, city.CITY, "s1", "k1", keyring.public_raw(device))
        database.write(lambda c, e=enrolment: enrol_device(c, e, place.sold_at))  # type: ignore[misc]
    database.write(lambda c: issue_token(c, TOKEN, service="bridge", name="load", now=place.sold_at))
    database.close()


def _run(ground: Ground, place: Place, keyring: Keyring, address: Address, supervisor: Supervisor) -> float:
    count = MESSAGES * BASKETS_A_MESSAGE
    first = place.take(TILLS * count)
    arguments = [
        (keyring, address.broker_port, till, _signed(place, keyring, till, first + till * count))
        for till in range(TILLS)
    ]
    watched = {name: supervisor.pid(name) for name in PROGRAMS} | {"PostgreSQL": ground.server.pid}
    before = {name: _cpu_s(pid) for name, pid in watched.items() if pid}
    with get_context("fork").Pool(TILLS) as pool:
        runs = pool.starmap(_till, arguments, chunksize=1)
    scans = TILLS * count * READS_A_BASKET
    wall_s = max(end for _, end, _ in runs) - min(start for start, _, _ in runs)
    costs = ", ".join(f"{name} {(_cpu_s(watched[name] or 0) - cpu) / scans * 1e6:.0f}" for name, cpu in before.items())
    slowest_ms = max(slowest for _, _, slowest in runs) * 1000
    say(f"  {scans / wall_s:7.0f} scans/s; slowest receipt {slowest_ms:.0f} ms; CPU µs a scan: {costs}")
    return scans / wall_s


def _signed(place: Place, keyring: Keyring, till: int, first: int) -> list[bytes]:
    lines = city.basket_lines(first, MESSAGES * BASKETS_A_MESSAGE, place.sold_at, first)
    key = keyring.load_signing(http_batches.device_of(till))
    return [
        http_batches.sealed(till, key, lines[at : at + BASKETS_A_MESSAGE])
        for at in range(0, len(lines), BASKETS_A_MESSAGE)
    ]


def _till(keyring: Keyring, port: int, till: int, messages: list[bytes]) -> tuple[float, float, float]:
    """Publishes all, at most UNRECEIPTED_MAX ahead of the receipts. When it began, when it ended, the slowest receipt."""
    device = http_batches.device_of(till)
    room, done, subscribed = threading.Semaphore(UNRECEIPTED_MAX), threading.Event(), threading.Event()
    sent_at: list[float] = []
    waits: list[float] = []

    def received(_client: Client, _data: object, message: MQTTMessage) -> None:
        waits.append(time.monotonic() - sent_at[len(waits)])
        assert message.payload.count(b'"state":"recorded"') == BASKETS_A_MESSAGE, message.payload[:200]
        room.release()
        if len(waits) == len(messages):
            done.set()

    client = Client(CallbackAPIVersion.VERSION2, client_id=device, protocol=MQTTProtocolVersion.MQTTv5)
    client.tls_set(str(keyring.authority), str(keyring.certificate(device)), str(keyring.tls_key(device)))
    client.on_message = received
    client.on_subscribe = lambda *_: subscribed.set()
    client.connect("127.0.0.1", port)
    client.loop_start()
    client.subscribe(f"pos/v1/{device}/down/receipt", qos=1)
    assert subscribed.wait(WITHIN_S)
    began = time.monotonic()
    for message in messages:
        assert room.acquire(timeout=WITHIN_S), "no receipt came"
        sent_at.append(time.monotonic())
        client.publish(f"pos/v1/{device}/up/baskets", message, qos=1)
    assert done.wait(WITHIN_S), f"{len(waits)} receipts of {len(messages)}"
    ended = time.monotonic()
    client.disconnect()
    client.loop_stop()
    return began, ended, max(waits)


def _cpu_s(leader: int) -> float:
    """CPU seconds of a program and of all that it started."""
    children = subprocess.run(["pgrep", "-P", str(leader)], capture_output=True, text=True, check=False).stdout.split()
    try:
        fields = Path(f"/proc/{leader}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND + sum(_cpu_s(int(child)) for child in children)
