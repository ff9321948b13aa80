"""A till is enrolled into one shop with the key it signs by, and revoked for ever."""

import base64
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import Result
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from sqlalchemy import text

from backend.certificates.cache import RegistryCache
from backend.devices.enrolment.claim_code import claim_hash
from backend.devices.verify import Refusal
from backend.kernel.periods import milliseconds
from backend.ledger import chart
from backend.policies.store import PolicyCache
from backend.storage.transaction import Database
from backend.usecases.accept_messages import AcceptMessages, Answer, Delivery
from backend.usecases.record_baskets import RecordBaskets
from tests.db.operator.typed import Run, add_store, done, listed, refused
from tests.http.shop import Shop
from tests.worlds.city import FRIDGE, LINE_KEY, NANJING, SUZHOU, read
from tests.worlds.returning import voider

DEVICE = "nj-shop-0001"
PEM = (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
NO_KEYS = {
    "nothing": b"",
    "a word": b"k1",
    "33 bytes": bytes(33),
    "31 bytes in base64": base64.b64encode(bytes(31)),
    "a private key": Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    "a key of another kind": generate_private_key(SECP256R1()).public_key().public_bytes(*PEM),
}


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A till that is not enrolled yet; its public key lies in `k1.pub`."""
    opened = Shop(DEVICE)
    (tmp_path / "k1.pub").write_bytes(opened.key.public_key().public_bytes(*PEM))
    return opened


@pytest.fixture
def public_key(shop: Shop, tmp_path: Path) -> Path:
    return tmp_path / "k1.pub"


def enrol(run: Run, public_key: Path, **changes: str) -> Result:
    usual = {"device": DEVICE, "city": NANJING, "store": "s1", "key-id": "k1"} | changes
    options = [word for name, value in usual.items() for word in (f"--{name}", value)]
    return run("devices", "enrol", *options, "--public-key", str(public_key))


def test_a_till_is_enrolled_into_the_district_of_its_shop(run: Run, public_key: Path) -> None:
    add_store(run)

    assert done(enrol(run, public_key)) == f"设备 {DEVICE}（320100 s1）已登记，密钥 k1\n"

    (device,) = listed(run, "devices", "--city", NANJING)
    assert (device["device"], device["district"], device["state"]) == (DEVICE, "320102", "active")
    assert f"{DEVICE}  320100 s1 320102  在用" in done(run("devices", "list"))
    assert listed(run, "devices", "--city", SUZHOU) == []


def test_the_same_till_again_changes_nothing(run: Run, public_key: Path) -> None:
    add_store(run)
    enrol(run, public_key)

    again = enrol(run, public_key)

    assert "此前已登记，无需更改" in done(again)
    assert len(listed(run, "devices")) == 1


def test_a_key_may_be_handed_over_in_three_spellings(run: Run, shop: Shop, public_key: Path) -> None:
    add_store(run)
    enrol(run, public_key)
    raw = shop.key.public_key().public_bytes_raw()

    for spelling in (raw, base64.b64encode(raw) + b"\n"):
        public_key.write_bytes(spelling)
        assert "此前已登记" in done(enrol(run, public_key))


def test_a_claim_is_shown_once_as_text_and_code(run: Run) -> None:
    add_store(run)

    shown = run(
        "devices", "claim", "--device", DEVICE, "--city", NANJING, "--store", "s1", "--url", "https://points.example"
    )

    (claim,) = re.findall(r"GPE1\.[0-9A-Z]{26}", done(shown))
    assert "▀" in shown.stdout
    assert "▄" in shown.stdout
    assert claim_hash(claim)


def test_a_device_that_is_enrolled_gets_no_claim_but_may_be_replaced(run: Run, public_key: Path) -> None:
    add_store(run)
    enrol(run, public_key)
    slot = ("--city", NANJING, "--store", "s1")

    assert refused(run("devices", "claim", "--device", DEVICE, *slot)).code == "device-enrolled"
    replaced = json.loads(done(run("devices", "replace", DEVICE, "--by-device", "nj-shop-0002", "--json")))

    assert (replaced["device"], replaced["store"]) == ("nj-shop-0002", "s1")
    assert [device["state"] for device in listed(run, "devices", "--city", NANJING)] == ["revoked"]
    assert refused(run("devices", "replace", "nj-shop-0007", "--by-device", "nj-shop-0008")).code == "device-unknown"
    assert json.loads(done(run("devices", "alarms", "--city", NANJING, "--json"))) == []


def test_another_key_id_adds_a_key(run: Run, public_key: Path) -> None:
    add_store(run)
    enrol(run, public_key)
    public_key.write_bytes(bytes(32))

    assert "已增加密钥 k2" in done(enrol(run, public_key, **{"key-id": "k2"}))


@pytest.mark.parametrize("content", NO_KEYS.values(), ids=NO_KEYS.keys())
def test_a_file_without_a_public_key_is_refused(run: Run, public_key: Path, content: bytes) -> None:
    add_store(run)
    public_key.write_bytes(content)

    assert refused(enrol(run, public_key)).code == "no-public-key"
    assert listed(run, "devices") == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"device": "short"}, "device-id-malformed"),
        ({"device": "NJ-SHOP-0001"}, "device-id-malformed"),
        ({"device": "n" * 41}, "device-id-malformed"),
        ({"key-id": "K1"}, "device-id-malformed"),
        ({"store": "s9"}, "store-unknown"),
        ({"city": SUZHOU}, "store-unknown"),
    ],
)
def test_a_till_that_cannot_be_enrolled_is_refused(
    run: Run, public_key: Path, changes: dict[str, str], code: str
) -> None:
    add_store(run)

    assert refused(enrol(run, public_key, **changes)).code == code
    assert listed(run, "devices") == []


def test_a_till_never_moves(run: Run, public_key: Path) -> None:
    add_store(run)
    add_store(run, "s2")
    enrol(run, public_key)

    refusal = refused(enrol(run, public_key, store="s2"))

    assert refusal.code == "device-elsewhere"
    assert "320100 的门店 s1" in refusal.sentence_zh


def test_a_key_is_never_changed_under_its_id(run: Run, public_key: Path) -> None:
    add_store(run)
    enrol(run, public_key)
    public_key.write_bytes(bytes(32))

    assert refused(enrol(run, public_key)).code == "device-key-taken"


def test_a_key_file_that_is_not_there_is_a_wrong_use(run: Run, tmp_path: Path) -> None:
    assert enrol(run, tmp_path / "missing.pub").exit_code == 2


def test_a_revoked_till_is_revoked_for_ever(run: Run, public_key: Path) -> None:
    add_store(run)
    enrol(run, public_key)

    assert done(run("devices", "revoke", DEVICE)) == f"设备 {DEVICE} 已停用\n"
    assert done(run("devices", "revoke", DEVICE)) == f"设备 {DEVICE} 此前已停用，无需更改\n"
    assert refused(enrol(run, public_key)).code == "device-revoked"
    (device,) = listed(run, "devices")
    assert device["state"] == "revoked"


def test_a_rehearsed_revocation_revokes_nothing(run: Run, public_key: Path) -> None:
    add_store(run)
    enrol(run, public_key)

    assert done(run("devices", "revoke", DEVICE, "--dry-run")) == f"设备 {DEVICE} 将停用\n"

    (device,) = listed(run, "devices")
    assert device["state"] == "active"


def test_a_till_that_nobody_enrolled_cannot_be_revoked(run: Run) -> None:
    refusal = refused(run("devices", "revoke", DEVICE))

    assert refusal.code == "device-unknown"
    assert DEVICE in refusal.sentence_zh


def test_the_next_message_of_a_revoked_till_is_kept_and_counts_for_nothing(
    run: Run, shop: Shop, public_key: Path, engine_db: Database
) -> None:
    add_store(run)
    enrol(run, public_key)
    # One process of the backend throughout: what it remembers of the till must not outlive the revocation.
    recorder = RecordBaskets(engine_db, RegistryCache(), PolicyCache(chart.budget), line_key=LINE_KEY)
    accept = AcceptMessages(engine_db, recorder, Ed25519PrivateKey.generate().sign, voids=voider(engine_db))

    def send() -> Answer:
        now = datetime.now(UTC)
        line = shop.line(read(FRIDGE), ts=milliseconds(now))
        (answer,) = accept.accept([Delivery(shop.topic, shop.message(line), milliseconds(now))], now)
        return answer

    before = send()
    done(run("devices", "revoke", DEVICE))
    after = send()

    assert before.state == "recorded"
    assert (after.state, after.code, after.payload) == ("refused", Refusal.REVOKED_DEVICE.value, None)
    with engine_db.read() as connection:
        assert connection.scalar(text("SELECT count(*) FROM baskets")) == 1
        assert connection.execute(text("SELECT city, device, reason FROM quarantine")).all() == [
            (NANJING, DEVICE, "revoked_device")
        ]
