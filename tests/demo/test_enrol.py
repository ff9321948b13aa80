"""Tills of the demonstration enrol by claim over HTTPS; a state that is kept, lost or another's leaves none without a key."""

import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text
from werkzeug.serving import make_server

from backend.bootstrap import build
from backend.demo import seed
from backend.demo.broker import free_port
from backend.demo.city import PICTURE_TILL, TILLS
from backend.demo.enrol import claim_slots, enter_by_key, take_slots
from backend.demo.keys import Keyring, ensure_keys
from backend.demo.launch import Address, front_service, identity_of, identity_place
from backend.demo.supervisor import Supervisor
from backend.storage.transaction import Database
from backend.web.app import create_app
from tests.http.conftest import Keys, settings_of

NOW = datetime.now(UTC)
KEYS = "SELECT key_id FROM device_keys WHERE device = :device"


@pytest.fixture
def owner(database_url: str, tmp_path: Path) -> Iterator[Database]:
    """Of a city whose shops are open."""
    database = Database(database_url, role=None, pool_size=2)
    seed.open_shops(database, tmp_path / "token", NOW)
    yield database
    database.close()


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    return ensure_keys(tmp_path / "keys", [], NOW)


@pytest.fixture
def address(database_url: str, keyring: Keyring, tmp_path: Path) -> Iterator[Address]:
    """The application, listening without TLS."""
    settings = replace(
        settings_of(database_url, Keys(), tmp_path),
        device_ca_file=keyring.authority,
        device_ca_key_file=keyring.tls_key("ca"),
        brokers="127.0.0.1:8883",
    )
    backend = build(settings)
    web = make_server("127.0.0.1", 0, create_app(backend, lambda: datetime.now(UTC)), threaded=True)
    thread = threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    tls_port = free_port(tmp_path / "port")
    yield Address(broker_port=8883, backend_port=web.port, bridge_health_port=1, tls_port=tls_port)
    web.shutdown()
    thread.join()
    web.server_close()
    backend.close()


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    made = Supervisor(tmp_path / "logs", lambda _line: None)
    yield made
    made.stop_all()


def keys_of(owner: Database) -> list[str]:
    with owner.read() as connection:
        return list(connection.execute(text(KEYS), {"device": PICTURE_TILL.device}).scalars())


def test_tills_take_their_slots_over_https_and_are_left_alone_from_then_on(
    owner: Database, keyring: Keyring, address: Address, supervisor: Supervisor, tmp_path: Path
) -> None:
    supervisor.start(front_service(address, keyring))

    claims = claim_slots(owner, TILLS, NOW)
    take_slots(claims, supervisor, tmp_path / "tills", address, keyring)

    identity = identity_of(tmp_path / "tills", PICTURE_TILL)
    assert identity is not None
    assert identity["GREENPOINTS_TILL_BACKEND_URL"] == address.tls_url
    assert keys_of(owner) == [identity["GREENPOINTS_TILL_KEY_ID"]]
    assert not list((tmp_path / "tills").glob("*.jpg")), "a claim is not left lying about"

    assert claim_slots(owner, TILLS, NOW) == {}
    enter_by_key(owner, PICTURE_TILL, tmp_path / "tills", keyring, NOW)
    assert len(keys_of(owner)) == 1


def test_a_till_that_lost_its_identity_is_entered_by_another_key(
    owner: Database, keyring: Keyring, tmp_path: Path
) -> None:
    enter_by_key(owner, PICTURE_TILL, tmp_path / "tills", keyring, NOW)
    assert PICTURE_TILL not in claim_slots(owner, TILLS, NOW)

    shutil.rmtree(keyring.place)
    anew = ensure_keys(keyring.place, [], NOW)
    enter_by_key(owner, PICTURE_TILL, tmp_path / "tills", anew, NOW)

    assert len(keys_of(owner)) == 2
    assert anew.key_id(PICTURE_TILL.device) in keys_of(owner)


def test_an_identity_of_another_database_is_put_away(owner: Database, keyring: Keyring, tmp_path: Path) -> None:
    foreign = identity_place(tmp_path, PICTURE_TILL) / "current"
    foreign.mkdir(parents=True)
    (foreign / "till.env").write_text("GREENPOINTS_TILL_KEY_ID=feedbeef\n")

    enter_by_key(owner, PICTURE_TILL, tmp_path, keyring, NOW)

    assert identity_of(tmp_path, PICTURE_TILL) is None
    assert keys_of(owner) == [keyring.key_id(PICTURE_TILL.device)]
