"""A whole installation for tests, each program as its own process: PostgreSQL that is durable, the server, and for those
who ask, Mosquitto with mTLS and the shipped access rules, the bridge, tills.
"""

import os
import secrets
import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path

from backend.demo.broker import ACCESS_FILE, broker_service, free_port, is_open
from backend.demo.city import Store as Shop
from backend.demo.city import Till
from backend.demo.keys import Keyring, ensure_keys
from backend.demo.launch import (
    Address,
    answers,
    backend_service,
    backend_settings,
    bridge_service,
    till_service,
)
from backend.demo.supervisor import Service, Supervisor
from backend.retailers.store import Store
from backend.storage.children import write_private
from backend.storage.cluster import prepare_home
from backend.storage.embedded import EmbeddedPostgres
from backend.storage.migrate import upgrade
from backend.storage.transaction import Database
from backend.usecases.enrol_device import Enrolment, enrol_device
from backend.usecases.issue_token import issue_token
from backend.usecases.open_store import open_store
from tests.bridge.access import admitted
from tests.worlds import rules
from tests.worlds.city import City, register

PORTS = 12_000
PORT_FILES = ("port", "broker.port", "backend.port", "bridge.port")
BROKER, BACKEND, BRIDGE = "mosquitto", "backend", "bridge"
YEAR = timedelta(days=365)


def utc_now() -> datetime:
    return datetime.now(UTC)


def wait_until(holds: Callable[[], object], what: str, within_s: float = 60.0) -> None:
    end_s = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end_s, f"waited {within_s:.0f} s in vain for: {what}"
        time.sleep(0.02)


def current(*rules_given: rules.Doc, **more: object) -> rules.Doc:
    """A policy document that is in force now, whenever the tests run."""
    starts, ends = (moment.isoformat(timespec="seconds") for moment in (utc_now() - YEAR, utc_now() + YEAR))
    return rules.document(*rules_given, starts=starts, ends=ends, **more)  # type: ignore[arg-type]  # as document has them


class Reviver(Supervisor):
    """Starts again what has died, however often: here dying is the point."""

    def watch(self) -> None:
        self._restarts.clear()
        super().watch()

    def next_life(self, service: Service) -> None:
        """What stands in for `service.name` when it has died the next time."""
        self._running[service.name] = (service, self._running[service.name][1])

    def dead(self) -> list[str]:
        """What `watch` would start again."""
        return [
            name
            for name, (service, process) in self._running.items()
            if process.poll() is not None and not (service.finite and process.poll() == 0)
        ]

    def kill(self, name: str) -> None:
        """The program with everything it has started, as when its machine loses it."""
        pid = self.pid(name)
        assert pid is not None
        os.killpg(pid, signal.SIGKILL)
        self._running[name][1].wait(10)

    def children(self, name: str) -> list[int]:
        return children_of(self.pid(name))


def children_of(pid: int | None) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


@dataclass
class Town:
    home: Path
    postgres: EmbeddedPostgres
    programs: Reviver
    keyring: Keyring
    address: Address
    owner: Database
    token: str
    services: dict[str, Service] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)

    @classmethod
    def found(cls, home: Path, devices: Iterable[str]) -> "Town":
        """PostgreSQL as a real installation runs it, migrated; nobody lives here yet and only PostgreSQL runs."""
        prepare_home(home)
        _choose_ports(home)
        postgres = EmbeddedPostgres(home)
        postgres.start()
        upgrade(postgres.url())
        said: list[str] = []
        address = Address(
            broker_port=free_port(home / "broker.port"),
            backend_port=free_port(home / "backend.port"),
            bridge_health_port=free_port(home / "bridge.port"),
        )
        owner = Database(postgres.url(), role=None, pool_size=4)
        keyring = ensure_keys(home / "keys", list(devices), utc_now())
        town = cls(home, postgres, Reviver(home / "logs", said.append), keyring, address, owner, "", said=said)
        town.token = town._issue_token()
        register(owner, now=utc_now())
        return town

    def open_city(self, doc: rules.Doc, code: str) -> City:
        city = City(self.owner, code)
        city.publish(doc, utc_now())
        return city

    def enrol(self, till: Till, city: str) -> None:
        """The till's shop and the till with its key; its files are in the keyring."""
        shop, key = till.store, (self.keyring.key_id(till.device), self.keyring.public_raw(till.device))
        store = Store(city, shop.store, shop.retailer, shop.name_zh, f"{city[:4]}04")
        self.owner.write(lambda c: open_store(c, store, utc_now()))
        self.owner.write(lambda c: enrol_device(c, Enrolment(till.device, city, shop.store, *key), utc_now()))

    def admitted(self) -> set[str]:
        """Devices that the broker lets in, by the file that it keeps."""
        return admitted(self.home / "broker" / ACCESS_FILE)

    def run_server(self) -> None:
        settings = backend_settings(self.postgres.url(), self.keyring, self.address)
        self._run(backend_service(self.address, settings))

    def run_transport(self) -> None:
        access = Path(str(files("firmware_bridge") / "dynamic-security.json"))
        self._run(broker_service(self.home / "broker", self.keyring, access, self.address.broker_port))
        bridge = bridge_service(self.address, self.keyring, self.home / "bridge.token")
        self._run(in_test(bridge, GREENPOINTS_BRIDGE_RETRY_WAIT_S_MAX="1", GREENPOINTS_BRIDGE_DOWNLINK_POLL_S="1"))

    def till(self, till: Till, place: Path, **settings: str) -> Service:
        """Not started. Times are shortened, laws are not."""
        quick = {
            "RESEND_MIN_S": "1",
            "RESEND_MAX_S": "4",
            "RECONNECT_MAX_S": "1",
            "BRIDGE_GRACE_S": "1",
            **settings,
        }
        service = till_service(till, "stdin", place, self.address, self.keyring)
        return in_test(service, **{f"GREENPOINTS_TILL_{name}": value for name, value in quick.items()})

    def mend(self) -> None:
        """Starts again what has died, without waiting for it to be ready; PostgreSQL first, for it alone is waited for."""
        if not self.postgres.is_running():
            before = self.postgres.port
            self.postgres.start()
            assert self.postgres.port == before, "PostgreSQL had to take another port: the server cannot know it"
        self.programs.watch()

    def wait_ready(self, within_s: float = 60.0) -> None:
        def ready() -> bool:
            self.mend()
            return all(service.ready is None or service.ready() for service in self.services.values())

        wait_until(ready, f"{', '.join(self.services)} to be ready", within_s)

    def is_healthy(self) -> bool:
        return answers(f"{self.address.backend_url}/readyz") and answers(
            f"http://127.0.0.1:{self.address.bridge_health_port}/ready"
        )

    def close(self) -> None:
        self.owner.close()
        self.programs.stop_all()
        self.postgres.stop()

    def _run(self, service: Service) -> None:
        self.services[service.name] = service
        self.programs.start(service)

    def _issue_token(self) -> str:
        token = secrets.token_urlsafe(32)
        write_private(self.home / "bridge.token", token)
        self.owner.write(lambda c: issue_token(c, token, service="bridge", name="journey", now=utc_now()))
        return token


def _choose_ports(home: Path) -> None:
    """Where programs remember theirs: below those that the kernel gives to clients, for while a program is down no
    connection to it may take its port. Each test process begins at a place of its own.
    """
    clients_from = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    first = max(1_024, clients_from - PORTS) + os.getpid() * len(PORT_FILES) % PORTS
    free = (port for port in range(first, 2**16) if not is_open(port))
    for name, port in zip(PORT_FILES, free, strict=False):
        (home / name).write_text(f"{port}\n")


def in_test(service: Service, **environment: str) -> Service:
    """`service` where ENV is test, so that it heeds chaos points."""
    return replace(service, environment={**service.environment, "ENV": "test", **environment})


def till_of(number: int) -> Till:
    shop = Shop(f"journey-{number}", "示例商贸", f"示例超市 {number} 店", "320104")
    return Till(f"journey-till-{number}", shop, f"{number} 号台")
