"""From a claim to a receipt, by the till's own program: enrolled over HTTP, through the broker by its certificate, with new
keys, and no more once it is revoked.
"""

import secrets
from pathlib import Path

import pytest

from backend.demo.launch import program_environment
from backend.devices.enrolment.claim_code import claim_hash, claim_of
from backend.retailers.store import Store
from backend.usecases.claim_device import Slot, claim_device
from backend.usecases.open_store import open_store
from backend.usecases.revoke_device import revoke_device
from scanner.chaos import Chaos
from scanner.enrolment.enrol import enrol, rotate
from scanner.enrolment.identity import Identities
from scanner.enrolment.server import Server
from tests.journeys.town import Town, current, utc_now, wait_until
from tests.scanner.till.scene import TillProcess
from tests.worlds import books
from tests.worlds.city import FRIDGE

CITY, SHOP, DEVICE = "320500", "journey-enrolment", "journey-enrolled-1"
IN_USE = "SELECT count(*) FROM device_keys WHERE device = :d AND (retires_at IS NULL OR retires_at > now())"


@pytest.fixture
def identities(town: Town, tmp_path: Path) -> Identities:
    """Of a till that took its slot by claim."""
    town.open_city(current(), CITY)
    claim = claim_of(secrets.token_bytes(16))
    store = Store(CITY, SHOP, "示例商贸", "示例超市", "320504")
    town.owner.write(lambda c: open_store(c, store, utc_now()))
    town.owner.write(lambda c: claim_device(c, Slot(DEVICE, CITY, SHOP), claim_hash(claim), utc_now()))
    identities = Identities(tmp_path / "keys")
    enrol(identities, Server(town.address.backend_url, None), claim, "", Chaos())
    return identities


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    settings = {
        "IDENTITY_PATH": str(tmp_path / "keys"),
        "OUTBOX_PATH": str(tmp_path / "outbox.sqlite"),
        "SOURCE": "stdin",
        "CLOCK_SOURCE": "ntp",
        "RECONNECT_MAX_S": "1",
        "RESEND_MIN_S": "1",
        "BRIDGE_GRACE_S": "1",
        "BRIDGE_UP_JITTER_S": "0",
    }
    return program_environment({"ENV": "test"} | {f"GREENPOINTS_TILL_{name}": text for name, text in settings.items()})


def recorded(town: Town) -> int:
    ((count,),) = books.rows(town.owner, "SELECT count(*) FROM baskets WHERE device = :d", d=DEVICE)
    return int(count)


def in_use(town: Town) -> int:
    ((count,),) = books.rows(town.owner, IN_USE, d=DEVICE)
    return int(count)


def sell(environment: dict[str, str]) -> int:
    """One basket, to its receipt; the till's exit."""
    till = TillProcess({**environment, "GREENPOINTS_TILL_EXIT_WHEN_DONE": "true"})
    till.say({"code": FRIDGE, "sym": "EAN13", "price_fen": 10_000}, "GPFIN")
    till.end_input()
    try:
        return till.wait()
    finally:
        till.close()


def test_a_till_sells_by_its_claim_and_by_its_next_keys_until_it_is_revoked(
    town: Town, identities: Identities, environment: dict[str, str]
) -> None:
    assert sell(environment) == 0
    assert recorded(town) == 1

    rotate(identities, Server(town.address.backend_url, None), Chaos())
    assert in_use(town) == 2
    assert sell(environment) == 0
    assert (recorded(town), in_use(town)) == (2, 1)

    till = TillProcess(environment)
    try:
        till.wait_for("state", state="connected")
        town.owner.write(lambda c: revoke_device(c, DEVICE, utc_now()))
        till.wait_for("state", state="disconnected")
        till.say({"code": FRIDGE, "sym": "EAN13", "price_fen": 10_000}, "GPFIN")
        till.wait_for("state", state="subscription_refused")
        wait_until(lambda: DEVICE not in town.admitted(), "the broker to forget it")
    finally:
        till.close()
    assert recorded(town) == 2
