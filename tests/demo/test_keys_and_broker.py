"""The demonstration's authority and its Mosquitto, by real TLS connections."""

import shutil
import socket
import ssl
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from backend.demo.broker import ACCESS_FILE, PROGRAM_PATH, broker_service, free_port
from backend.demo.keys import BRIDGE, Keyring, ensure_keys
from backend.demo.supervisor import Supervisor

TILL = "nj-market-01"
ACCESS = Path(__file__).resolve().parents[2] / "firmware_bridge" / "dynamic-security.json"
NOW = datetime.now(UTC)
needs_mosquitto = pytest.mark.skipif(
    shutil.which("mosquitto", path=PROGRAM_PATH) is None, reason="mosquitto is not installed"
)


@pytest.fixture
def keyring(home: Path) -> Keyring:
    return ensure_keys(home / "keys", [TILL], NOW)


@pytest.fixture
def broker_port(home: Path, keyring: Keyring) -> Iterator[int]:
    port = free_port(home / "broker.port")
    supervisor = Supervisor(home / "logs", lambda _line: None)
    supervisor.start(broker_service(home / "broker", keyring, ACCESS, port))
    yield port
    supervisor.stop_all()


def _handshake(port: int, keyring: Keyring, name: str | None) -> bytes:
    """CONNACK's first byte and reason, MQTT 3.1.1."""
    context = ssl.create_default_context(cafile=keyring.authority)
    if name is not None:
        context.load_cert_chain(keyring.certificate(name), keyring.tls_key(name))
    connect = bytes.fromhex("10 0e 0004 4d515454 04 02 003c 0002 7431")
    with (
        socket.create_connection(("127.0.0.1", port), timeout=5) as raw,
        context.wrap_socket(raw, server_hostname="127.0.0.1") as secured,
    ):
        secured.sendall(connect)
        return secured.recv(4)


@needs_mosquitto
@pytest.mark.parametrize("name", [TILL, BRIDGE])
def test_the_broker_takes_a_certificate_of_its_authority(broker_port: int, keyring: Keyring, name: str) -> None:
    assert _handshake(broker_port, keyring, name) == bytes.fromhex("20020000")


@needs_mosquitto
def test_rules_that_a_power_cut_left_empty_begin_anew_and_others_are_kept(home: Path, keyring: Keyring) -> None:
    rules = home / "broker" / ACCESS_FILE
    broker_service(home / "broker", keyring, ACCESS, 1)
    rules.write_bytes(b"")
    broker_service(home / "broker", keyring, ACCESS, 1)
    assert rules.read_bytes() == ACCESS.read_bytes()

    rules.write_text('{"clients": []}')
    broker_service(home / "broker", keyring, ACCESS, 1)
    assert rules.read_text() == '{"clients": []}'


@needs_mosquitto
def test_the_broker_takes_nobody_without_a_certificate(broker_port: int, keyring: Keyring) -> None:
    with pytest.raises((ssl.SSLError, ConnectionError)):
        _handshake(broker_port, keyring, None)


@needs_mosquitto
def test_the_broker_refuses_a_certificate_of_another_authority(broker_port: int, keyring: Keyring, home: Path) -> None:
    stranger = ensure_keys(home / "stranger", [TILL], NOW)
    shutil.copy(keyring.authority, stranger.authority)

    with pytest.raises((ssl.SSLError, ConnectionError)):
        _handshake(broker_port, stranger, TILL)


def test_a_second_run_keeps_every_key(home: Path, keyring: Keyring) -> None:
    before = {path.name: path.read_bytes() for path in keyring.place.iterdir()}

    ensure_keys(home / "keys", [TILL], NOW + timedelta(days=300))

    assert {path.name: path.read_bytes() for path in keyring.place.iterdir()} == before


def test_certificates_near_their_end_are_issued_anew_and_signing_keys_stay(home: Path, keyring: Keyring) -> None:
    signing, certificate = keyring.signing(TILL).read_bytes(), keyring.certificate(TILL).read_bytes()

    ensure_keys(home / "keys", [TILL], NOW + timedelta(days=710))

    assert keyring.signing(TILL).read_bytes() == signing
    assert keyring.certificate(TILL).read_bytes() != certificate


def test_certificates_hold_a_week_before_they_were_made(keyring: Keyring) -> None:
    certificate = x509.load_pem_x509_certificate(keyring.certificate(TILL).read_bytes())

    assert certificate.not_valid_before_utc < NOW - timedelta(days=6)


def test_only_the_owner_may_read_a_key(keyring: Keyring) -> None:
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in keyring.place.iterdir()}

    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(keyring.place.stat().st_mode) == 0o700
