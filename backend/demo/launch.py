"""The programs of the running system, each as it would be started by hand."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from backend.demo import front
from backend.demo.broker import is_open
from backend.demo.city import FINISH_CODE, Till
from backend.demo.keys import BRIDGE, CITY_KEY_ID, Keyring
from backend.demo.supervisor import Service

ROOT = Path(__file__).resolve().parents[2]
PROBE_TIMEOUT_S = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where the demonstration listens: loopback only."""

    broker_port: int
    backend_port: int
    bridge_health_port: int
    tls_port: int = 0
    """Of the HTTPS before the backend, for tills; 0: there is none."""

    @property
    def backend_url(self) -> str:
        return f"http://127.0.0.1:{self.backend_port}"

    @property
    def tls_url(self) -> str:
        return f"https://127.0.0.1:{self.tls_port}"


def backend_settings(url: str, keyring: Keyring, address: Address) -> dict[str, str]:
    """What the backend, its jobs worker and the command line are told; every secret is a file of the demonstration."""
    return {
        "ENV": "development",
        "DATABASE_URL": url,
        "GREENPOINTS_RECEIPT_KEY_FILE": str(keyring.signing("receipt")),
        "GREENPOINTS_MEMBER_CODE_KEY_FILE": str(keyring.signing("city")),
        "GREENPOINTS_MEMBER_CODE_KEY_ID": CITY_KEY_ID,
        "GREENPOINTS_IDENTITY_HASH_KEY_FILE": str(keyring.identity_hash),
        "GREENPOINTS_LEDGER_KEY_FILE": str(keyring.signing("ledger")),
        "GREENPOINTS_PASSPORT_KEY_FILE": str(keyring.signing("passport")),
        "GREENPOINTS_PASSPORT_ISSUER": address.backend_url,
        "GREENPOINTS_DEVICE_CA_FILE": str(keyring.authority),
        "GREENPOINTS_DEVICE_CA_KEY_FILE": str(keyring.tls_key("ca")),
        "GREENPOINTS_BROKERS": f"127.0.0.1:{address.broker_port}",
        "GREENPOINTS_DEVELOPMENT_SIGN_IN": "true",
        "GREENPOINTS_TEXT_MESSAGES": "log",
        "GREENPOINTS_SERVER_PORT": str(address.backend_port),
        "GREENPOINTS_SERVER_THREADS": "8",
    }


def backend_service(address: Address, settings: Mapping[str, str]) -> Service:
    return Service(
        name="backend",
        command=(sys.executable, "-m", "backend.web"),
        folder=ROOT,
        environment=program_environment(settings),
        ready=lambda: answers(f"{address.backend_url}/readyz"),
    )


def jobs_service(settings: Mapping[str, str]) -> Service:
    command = (sys.executable, "-m", "backend.cli", "jobs", "work")
    return Service(name="jobs", command=command, folder=ROOT, environment=program_environment(settings))


def bridge_service(address: Address, keyring: Keyring, token: Path) -> Service:
    settings = {
        "NAME": "demo",
        "BROKER_HOST": "127.0.0.1",
        "BROKER_PORT": str(address.broker_port),
        "BROKER_CA_FILE": str(keyring.authority),
        "BROKER_CERT_FILE": str(keyring.certificate(BRIDGE)),
        "BROKER_KEY_FILE": str(keyring.tls_key(BRIDGE)),
        "BACKEND_URL": address.backend_url,
        "TOKEN_FILE": str(token),
        "HEALTH_PORT": str(address.bridge_health_port),
    }
    return Service(
        name="bridge",
        command=(sys.executable, "-m", "firmware_bridge"),
        folder=ROOT,
        environment=program_environment({f"GREENPOINTS_BRIDGE_{name}": value for name, value in settings.items()}),
        ready=lambda: answers(f"http://127.0.0.1:{address.bridge_health_port}/ready"),
    )


def front_service(address: Address, keyring: Keyring) -> Service:
    return Service(
        name="front",
        command=(sys.executable, "-m", "backend.demo.front"),
        folder=ROOT,
        environment=program_environment(
            front.variables(keyring, port=address.tls_port, backend_port=address.backend_port)
        ),
        ready=lambda: is_open(address.tls_port),
    )


def till_service(till: Till, source: str, place: Path, address: Address, keyring: Keyring) -> Service:
    """`source` as the till's own setting has it. Its events are JSON lines in `<device>.events`.

    With the identity for which it enrolled, or by the keyring where it was entered by its key.
    """
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    enrolled = identity_of(place, till) is not None
    settings = {
        **(_enrolled(till, place, address) if enrolled else _entered_by_key(till, address, keyring)),
        "BROKER_HOST": "127.0.0.1",
        "BROKER_PORT": str(address.broker_port),
        "OUTBOX_PATH": str(place / f"{till.device}.sqlite"),
        "SOURCE": source,
        "FINISH_CODE": FINISH_CODE,
        "CLOCK_SOURCE": "ntp",  # the same machine, so the same clock as the server's
        "BRIDGE_UP_JITTER_S": "0",  # spreads a fleet; here it would only make people wait
    }
    return Service(
        name=till.device,
        command=(sys.executable, "-m", "scanner", "run", "--events-json"),
        folder=ROOT,
        environment=program_environment({f"GREENPOINTS_TILL_{name}": value for name, value in settings.items()}),
        output=events_path(place, till),
    )


def _enrolled(till: Till, place: Path, address: Address) -> dict[str, str]:
    return {"IDENTITY_PATH": str(identity_place(place, till)), "BACKEND_URL": address.tls_url}


def _entered_by_key(till: Till, address: Address, keyring: Keyring) -> dict[str, str]:
    return {
        "DEVICE_ID": till.device,
        "KEY_PATH": str(keyring.signing(till.device)),
        "KEY_ID": keyring.key_id(till.device),
        "CITY_KEYS_PATH": str(keyring.city_public),
        "RECEIPT_KEY_PATH": str(keyring.receipt_public),
        "BACKEND_URL": address.backend_url,
        "BROKER_CA_PATH": str(keyring.authority),
        "BROKER_CERT_PATH": str(keyring.certificate(till.device)),
        "BROKER_TLS_KEY_PATH": str(keyring.tls_key(till.device)),
    }


def identity_place(place: Path, till: Till) -> Path:
    """Where the till's own program keeps the keys that it made."""
    return place / f"{till.device}.keys"


def identity_of(place: Path, till: Till) -> dict[str, str] | None:
    """What the till was told at its enrolment; None where it is not enrolled (or its enrolment was cut short)."""
    try:
        lines = (identity_place(place, till) / "current" / "till.env").read_text().splitlines()
    except FileNotFoundError:
        return None
    return dict(line.split("=", 1) for line in lines)


def events_path(place: Path, till: Till) -> Path:
    return place / f"{till.device}.events"


def answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=PROBE_TIMEOUT_S) as response:  # noqa: S310 - our own loopback address
            return bool(response.status == 200)  # noqa: PLR2004
    except (URLError, OSError):
        return False


def program_environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Only what a program needs: no setting of the shell that started us gets in by accident."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return {**inherited, "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1", **settings}
