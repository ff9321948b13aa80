"""The programs of the running system, each as it would be started by hand."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

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

    @property
    def backend_url(self) -> str:
        return f"http://127.0.0.1:{self.backend_port}"


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


def till_service(till: Till, source: str, place: Path, address: Address, keyring: Keyring) -> Service:
    """`source` as the till's own setting has it. Its events are JSON lines in `<device>.events`."""
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings = {
        "DEVICE_ID": till.device,
        "OUTBOX_PATH": str(place / f"{till.device}.sqlite"),
        "KEY_PATH": str(keyring.signing(till.device)),
        "KEY_ID": keyring.key_id(till.device),
        "CITY_KEYS_PATH": str(keyring.city_public),
        "RECEIPT_KEY_PATH": str(keyring.receipt_public),
        "BACKEND_URL": address.backend_url,
        "BROKER_HOST": "127.0.0.1",
        "BROKER_PORT": str(address.broker_port),
        "BROKER_CA_PATH": str(keyring.authority),
        "BROKER_CERT_PATH": str(keyring.certificate(till.device)),
        "BROKER_TLS_KEY_PATH": str(keyring.tls_key(till.device)),
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
