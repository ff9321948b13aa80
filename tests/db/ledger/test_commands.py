"""`greenpoints ledger` as an operator types it."""

import json
from datetime import timedelta

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from backend.checkpoints import auditor
from backend.checkpoints.model import verifier_key
from backend.cli.ledger import NoCheckpoint, ledger
from backend.storage.transaction import Database
from backend.usecases.seal_ledger import LogKey, seal_ledger
from tests.db.ledger.walk import LI, PLENTY, assert_sound, held, walled
from tests.worlds.city import FRIDGE, NANJING, NOON, City, read

LONG_AGO = NOON - timedelta(days=300)
"""What was sold then is available, or lapsed, whenever this test runs; nothing of it that has an end is over before 2027."""


@pytest.fixture
def city(engine_db: Database) -> City:
    opened = walled(engine_db)
    for kind in PLENTY:
        opened.record(opened.till(kind).basket(read(FRIDGE, qty=kind), resident=LI, sold_at=LONG_AGO), now=LONG_AGO)
    return opened


def typed(url: str, *words: str) -> Result:
    result = CliRunner(env={"DATABASE_URL": url}).invoke(ledger, list(words))
    assert result.exit_code == 0, result.output
    return result


def test_what_is_due_is_settled_and_said(city: City, database_url: str) -> None:
    said = typed(database_url, "settle-due").output

    assert f"{NANJING}：到期账户" in said
    assert "退回 1 笔" in said
    assert all(not account.startswith(("pending:", "collect:")) for account in held(city))
    again = json.loads(typed(database_url, "settle-due", "--city", NANJING, "--json").output)
    assert again == {NANJING: {"accounts": 0, "released": 0, "lapsed": 0, "expired": 0, "repaid": 0}}
    assert_sound(city)


def test_the_liability_report_adds_up(city: City, database_url: str) -> None:
    (before,) = json.loads(typed(database_url, "liability", "--city", NANJING, "--json").output)
    typed(database_url, "settle-due")
    (after,) = json.loads(typed(database_url, "liability", "--city", NANJING, "--json").output)

    assert before["adds_up"]
    assert after["adds_up"]
    assert (before["issued"], before["pending"], before["to_collect"]) == (40, 10, 10)
    assert (after["issued"], after["pending"], after["lapsed"], after["to_collect"]) == (40, 0, 10, 0)
    assert after["outstanding"] + after["expired"] == 30
    assert "居民持有" in typed(database_url, "liability", "--city", NANJING).output


def test_a_checkpoint_is_printed_as_it_was_signed_or_its_absence_explained(city: City, database_url: str) -> None:
    refused = CliRunner(env={"DATABASE_URL": database_url}).invoke(ledger, ["checkpoint", "--city", NANJING])
    private = Ed25519PrivateKey.generate()
    key = LogKey(private.public_key().public_bytes_raw(), private.sign)
    seal_ledger(city.database, NANJING, NOON, key, lambda: False)

    printed = typed(database_url, "checkpoint", "--city", NANJING).output

    assert isinstance(refused.exception, NoCheckpoint)
    assert auditor.opened(printed, verifier_key(NANJING, key.public))[0] > 0
