"""Two hundred tills on one machine, by the till's own parts: a day's backlog all at once while bridge and broker are killed,
then trade at a steady pace. Every basket is counted in the database; the memory of broker and bridge is watched.
"""

import os
import random
import secrets
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Barrier, Event
from pathlib import Path
from statistics import median

import psycopg

from backend.demo.broker import broker_service, free_port
from backend.demo.keys import Keyring, ensure_keys
from backend.demo.launch import Address, backend_service, backend_settings, bridge_service
from backend.demo.run import BROKER_ACCESS
from backend.demo.supervisor import Supervisor
from firmware_bridge.wire import topics
from scanner import keys
from scanner.admission import Admission
from scanner.chaos import Chaos
from scanner.clock import SystemClock, judge
from scanner.downlinks import Downlinks
from scanner.feedback import Notice
from scanner.outbox import Limits, Outbox
from scanner.outbox_file import STREAM_BYTES, open_outbox
from scanner.receipts import ReceiptDesk
from scanner.settings import Settings, read_settings
from scanner.snapshot.teller import Silent
from scanner.sources.model import CodeSeen, FinishSeen
from scanner.till import Till
from scanner.uplink import Uplink
from scanner.vitals import Vitals
from tests.bench import city, http_batches, transport
from tests.bench.ground import Ground, Place
from tests.bench.report import Ratio, say
from tests.scanner.till.counter import online

TILLS = 200
PROCESSES = 4
BACKLOG = 15
"""Baskets that each till holds when the fleet comes up at once."""
STEADY_S = 60
PAUSE_S = 4.0
"""Between two baskets of a till, in the mean."""
DRAIN_WITHIN_S = 240.0
KILLED = ((1.0, "bridge"), (4.0, "mosquitto"), (8.0, "bridge"))
"""Seconds after the fleet came up."""
FLAT = 1.10
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class OneTill:
    """What a till is made of, without its camera."""

    till: Till
    uplink: Uplink
    outbox: Outbox
    clock: SystemClock

    def sell(self, number: int) -> None:
        """A basket of two goods, for nobody that is known: it closes with a claim code."""
        for offset in (0, 1):
            code = city.gtin((number * 2 + offset) % city.PRODUCTS)
            self.till.take(CodeSeen(code=code, symbology="EAN13", mono_ms=self.clock.mono_ms(), src="load"))
        self.till.take(FinishSeen())


@dataclass(frozen=True, slots=True)
class Signals:
    """Between the load's processes and the measurement: the fleet comes up; trade begins; trade is over."""

    up: Barrier
    trade: Event
    over: Event


def fleet_memory_growth(ground: Ground, _alternations: int) -> Ratio:
    """Memory of broker and bridge at the end of steady trade, by that at its beginning: the worse of the two."""
    place = ground.place()
    names = [http_batches.device_of(number) for number in range(TILLS)]
    keyring = ensure_keys(ground.home / "keyring", names, datetime.now(UTC))
    transport.enrol(place, keyring, TILLS)
    (ground.home / "token").write_text(transport.TOKEN)
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
        growth = _run(ground, place, keyring, address, supervisor)
    finally:
        supervisor.stop_all()
    place.verify()
    return Ratio("fleet_memory_growth", growth, bar=FLAT, at_most=True)


def _run(ground: Ground, place: Place, keyring: Keyring, address: Address, supervisor: Supervisor) -> float:
    context = get_context("fork")
    signals = Signals(context.Barrier(PROCESSES + 1), context.Event(), context.Event())
    shares = [range(first, TILLS, PROCESSES) for first in range(PROCESSES)]
    sold = context.Queue()
    work = partial(_load, ground.home, keyring, address.broker_port, signals)
    loads = [context.Process(target=lambda share=share: sold.put(work(share))) for share in shares]
    for load in loads:
        load.start()
    signals.up.wait(DRAIN_WITHIN_S)
    began = time.monotonic()
    for after_s, name in KILLED:
        time.sleep(max(0.0, began + after_s - time.monotonic()))
        _kill(supervisor, name)
    drained_s = _until_recorded(place, TILLS * BACKLOG, began, supervisor, loads)
    say(
        f"  {TILLS} 台终端的 {TILLS * BACKLOG} 单积压在 {drained_s:.0f} 秒内收齐 / backlog recorded, {len(KILLED)} kills"
    )
    signals.trade.set()
    memory = _watch(supervisor)
    signals.over.set()
    total = sum(sold.get(timeout=DRAIN_WITHIN_S) for _ in loads)
    for load in loads:
        load.join()
    _count(place, total)
    return _told(memory)


def _load(home: Path, keyring: Keyring, port: int, signals: Signals, share: range) -> int:
    """Some tills of the fleet in one process; how many baskets they closed, all of them receipted at the end."""
    tills = [_till(home, keyring, port, number) for number in share]
    sold = 0
    for one in tills:
        for _ in range(BACKLOG):
            sold += 1
            one.sell(sold)
    signals.up.wait(DRAIN_WITHIN_S)
    for one in tills:
        one.uplink.start()
    signals.trade.wait()
    sold += _trade(tills, signals.over, random.Random(share.start))
    _drain(tills)
    return sold


def _trade(tills: list[OneTill], over: Event, draw: random.Random) -> int:
    sold = 0
    due = [(time.monotonic() + PAUSE_S * draw.random(), one) for one in tills]
    while not over.is_set():
        now = time.monotonic()
        for place, (at, one) in enumerate(due):
            if at <= now:
                sold += 1
                one.sell(sold)
                due[place] = (at + PAUSE_S * (0.5 + draw.random()), one)
        time.sleep(0.02)
    return sold


def _drain(tills: list[OneTill]) -> None:
    deadline = time.monotonic() + DRAIN_WITHIN_S
    while any(one.outbox.fill().baskets for one in tills):
        assert time.monotonic() < deadline, "an outbox did not drain"
        time.sleep(0.1)
    assert not any(one.outbox.fill().rejected for one in tills)
    for one in tills:
        one.uplink.stop()


def _till(home: Path, keyring: Keyring, port: int, number: int) -> OneTill:
    settings = _settings(home, keyring, port, http_batches.device_of(number))
    clock, chaos = SystemClock(), Chaos()
    limits = Limits(baskets_max=settings.outbox_baskets_max, size_max_bytes=settings.outbox_size_max_bytes)
    stream = secrets.token_bytes(STREAM_BYTES)
    outbox = open_outbox(settings.outbox_path, limits, random_stream=stream, now_ts=clock.wall_ms()).outbox
    verify = keys.receipt_verifier(settings.receipt_key_path)
    desk = ReceiptDesk(settings.device_id, outbox, verify, clock, _quiet, chaos)
    uplink = Uplink(
        settings,
        outbox,
        desk,
        Downlinks(verify, {topics.down_cmd(settings.device_id): lambda _body: None}, _quiet),
        keys.signing_key(settings.key_path),
        clock,
        _quiet,
        random.SystemRandom().random,
        chaos,
        firmware="load",
        vitals=Vitals(None),
        admission=Admission(outbox, settings.device_id, _quiet, grace_s=settings.refused_grace_s),
    )
    judged = partial(judge, settings.clock_source, clock, None)
    cities = keys.city_keys(settings.city_keys_path)
    parts = (settings, outbox, cities, clock, judged, _Quiet(), uplink.wake, chaos, Silent())
    return OneTill(Till(*parts, leases=online(outbox, clock)), uplink, outbox, clock)


def _settings(home: Path, keyring: Keyring, port: int, device: str) -> Settings:
    values = {
        "DEVICE_ID": device,
        "OUTBOX_PATH": str(home / "outboxes" / f"{device}.sqlite"),
        "KEY_PATH": str(keyring.signing(device)),
        "KEY_ID": "k1",
        "CITY_KEYS_PATH": str(keyring.city_public),
        "RECEIPT_KEY_PATH": str(keyring.receipt_public),
        "BROKER_HOST": "127.0.0.1",
        "BROKER_PORT": str(port),
        "BROKER_CA_PATH": str(keyring.authority),
        "BROKER_CERT_PATH": str(keyring.certificate(device)),
        "BROKER_TLS_KEY_PATH": str(keyring.tls_key(device)),
        "SOURCE": "stdin",
        "CLOCK_SOURCE": "ntp",
        "BRIDGE_UP_JITTER_S": "3",
        "OUTBOX_BASKETS_MAX": "1000",
    }
    os.environ.update({f"GREENPOINTS_TILL_{name}": value for name, value in values.items()})
    return read_settings()


class _Quiet:
    def show(self, notice: Notice) -> None:
        """Two hundred tills beep for nobody."""


def _quiet(notice: Notice) -> None:
    """The same, for the uplink."""


def _kill(supervisor: Supervisor, name: str) -> None:
    leader = supervisor.pid(name)
    assert leader is not None
    os.killpg(leader, signal.SIGKILL)
    time.sleep(0.1)
    supervisor.watch()


def _until_recorded(
    place: Place, baskets: int, began: float, supervisor: Supervisor, loads: Sequence[BaseProcess]
) -> float:
    while _recorded(place)[0] < baskets:
        assert all(load.is_alive() for load in loads), "a process of the load has died"
        assert time.monotonic() - began < DRAIN_WITHIN_S, f"{_recorded(place)[0]} of {baskets} recorded"
        supervisor.watch()
        time.sleep(0.5)
    return time.monotonic() - began


def _recorded(place: Place) -> tuple[int, int]:
    """Baskets of the fleet, and what was put in quarantine."""
    with psycopg.connect(place.url) as connection:
        row = connection.execute("SELECT (SELECT count(*) FROM baskets), (SELECT count(*) FROM quarantine)").fetchone()
    assert row is not None
    return row


def _watch(supervisor: Supervisor) -> dict[str, list[int]]:
    """Resident memory, in bytes, once a second of steady trade."""
    memory: dict[str, list[int]] = {"mosquitto": [], "bridge": []}
    for _ in range(STEADY_S):
        time.sleep(1)
        for name, seen in memory.items():
            seen.append(_rss(supervisor.pid(name)))
    return memory


def _rss(pid: int | None) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE


def _count(place: Place, sold: int) -> None:
    """Raises AssertionError unless each basket that a till closed is recorded exactly once."""
    with psycopg.connect(place.url) as connection:
        row = connection.execute(
            "SELECT count(*), count(DISTINCT (device, stream, seq)), count(DISTINCT device) FROM baskets"
        ).fetchone()
    assert row == (sold, sold, TILLS), f"{row} of {sold} baskets"
    assert _recorded(place)[1] == 0
    say(f"  {sold} 单，丢失 0，重复 0，隔离 0 / baskets: 0 lost, 0 doubled, 0 quarantined")


def _told(memory: dict[str, list[int]]) -> float:
    third = STEADY_S // 3
    growths = []
    for name, seen in memory.items():
        first, last = median(seen[:third]), median(seen[-third:])
        growths.append(last / first)
        say(f"  {name}: {first / 2**20:.1f} MiB → {last / 2**20:.1f} MiB, most {max(seen) / 2**20:.1f} MiB")
    return max(growths)
