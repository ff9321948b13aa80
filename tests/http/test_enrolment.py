"""A new till takes its slot by claim, changes its keys, is replaced; a copy of it is noticed."""

import base64
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from backend.demo.keys import ensure_keys
from backend.devices.enrolment.claim_code import claim_hash, claim_of
from backend.retailers import store as shops
from backend.settings import Settings
from backend.usecases.claim_device import Slot, claim_device, replace_device
from backend.usecases.open_store import open_store
from backend.usecases.revoke_device import revoke_device
from backend.web import rate
from backend.web.describe import document
from tests.http.conftest import BRIDGE_TOKEN, Clock, Keys, bearer
from tests.http.new_till import KEYS, PROVISION, NewTill, b64
from tests.http.shop import BATCH, Shop, batch, states
from tests.worlds.books import assert_balanced, decided, rows
from tests.worlds.city import FRIDGE, NANJING, NOON, RICE, City, read, resident

DEVICE, OTHER = "nj-shop-0009", "nj-shop-0010"
CLAIM = claim_of(bytes(range(16)))
LATER = claim_of(bytes(range(16, 32)))
Ask = Callable[..., TestResponse]
Send = Callable[..., list[str]]


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """With an authority for tills' certificates."""
    authority = ensure_keys(tmp_path / "authority", [], NOON)
    return replace(
        settings,
        device_ca_file=authority.authority,
        device_ca_key_file=authority.tls_key("ca"),
        brokers="mq.example:8883,mq2.example:8884",
    )


@pytest.fixture
def slot(city: City) -> Slot:
    """A claim waits for a till."""
    city.database.write(lambda c: open_store(c, shops.Store(NANJING, "s9", "示例超市", "新街口店", "320102"), NOON))
    waiting = Slot(DEVICE, NANJING, "s9")
    city.database.write(lambda c: claim_device(c, waiting, claim_hash(CLAIM), NOON))
    return waiting


@pytest.fixture
def ask(client: FlaskClient, slot: Slot) -> Ask:
    def asked(till: NewTill, claim: str = CLAIM, **changes: Any) -> TestResponse:
        return client.post(PROVISION, json=till.application(claim, **changes))

    return asked


@pytest.fixture
def send(client: FlaskClient, keys: Keys) -> Send:
    """A basket by a key; what became of it, or why the message was refused."""

    def sent(till: NewTill, key_id: str, line: bytes | None = None, **header: Any) -> list[str]:
        shop = Shop(DEVICE, key=till.signing)
        message = shop.message(line or shop.line(read(FRIDGE)), key=key_id, **header)
        answer = client.post(BATCH, json=batch(shop.delivery(message)), headers=bearer(BRIDGE_TOKEN))
        (result,) = answer.get_json()["results"]
        return [result["code"]] if result["state"] == "refused" else states([result], keys.receipt.public_key())[0]

    return sent


def alarms(city: City) -> list[tuple[Any, ...]]:
    return rows(city.database, "SELECT device, kind, times FROM device_alarms ORDER BY kind")


def code(answer: TestResponse, status: int) -> str:
    assert answer.status_code == status, answer.get_data(as_text=True)
    found: str = answer.get_json()["code"]
    return found


def test_a_new_till_gets_its_certificate_and_all_that_it_has_to_believe(ask: Ask, keys: Keys, clock: Clock) -> None:
    till = NewTill()

    given = ask(till).get_json()

    assert given["device"] == DEVICE
    assert given["brokers"] == [{"host": "mq.example", "port": 8883}, {"host": "mq2.example", "port": 8884}]
    assert given["receipt_keys"] == [b64(keys.receipt.public_key().public_bytes_raw())]
    assert given["city_keys"] == [f"n1 {b64(keys.member.public_key().public_bytes_raw())}"]
    certificate = x509.load_pem_x509_certificate(given["certificate"].encode())
    (authority,) = x509.load_pem_x509_certificates(given["authority"].encode())
    assert [(name.oid, name.value) for name in certificate.subject] == [(NameOID.COMMON_NAME, DEVICE)]
    assert certificate.public_key() == till.tls.public_key()
    assert certificate.not_valid_before_utc == clock.now - timedelta(days=7)
    assert certificate.not_valid_after_utc == clock.now + timedelta(days=730)
    certificate.verify_directly_issued_by(authority)


def test_its_first_basket_counts_and_every_bridge_lets_it_in(ask: Ask, send: Send, city: City) -> None:
    till = NewTill()
    key_id = ask(till).get_json()["key_id"]

    assert send(till, key_id) == ["recorded"]
    told = rows(city.database, "SELECT convert_from(payload, 'UTF8') FROM downlinks WHERE topic = 'bridge/v1/access'")
    assert told == [(f'{{"v":1,"dev":"{DEVICE}","admitted":true}}',)]


def test_the_same_till_gets_the_same_answer_again_however_late(ask: Ask, clock: Clock) -> None:
    till = NewTill()
    first = ask(till).get_json()
    clock.forward(days=3)

    again = ask(till).get_json()

    assert again == first


def test_a_claim_that_was_taken_is_no_good_for_other_keys_and_people_are_alarmed(ask: Ask, city: City) -> None:
    ask(NewTill())
    thief = NewTill()

    assert code(ask(thief), 409) == "enrolment-claim-used"
    assert code(ask(thief), 409) == "enrolment-claim-used"

    assert alarms(city) == [(DEVICE, "claim_reused", 2)]
    assert rows(city.database, "SELECT count(*) FROM device_keys") == [(1,)]


def test_a_claim_ends_after_a_day_and_when_another_takes_its_place(
    ask: Ask, city: City, slot: Slot, clock: Clock
) -> None:
    city.database.write(lambda c: claim_device(c, slot, claim_hash(LATER), NOON))

    assert code(ask(NewTill(), CLAIM), 404) == "enrolment-claim-unknown"
    clock.forward(hours=24)
    assert code(ask(NewTill(), LATER), 410) == "enrolment-claim-expired"


def test_a_claim_that_nobody_issued_is_unknown_and_one_that_is_misspelt_is_told_so(ask: Ask) -> None:
    assert code(ask(NewTill(), claim_of(bytes(16))), 404) == "enrolment-claim-unknown"
    assert code(ask(NewTill(), CLAIM[:-1]), 422) == "enrolment-claim-malformed"


@pytest.mark.parametrize("typed", [CLAIM.lower(), CLAIM.removeprefix("GPE1."), f"{CLAIM[:9]}-{CLAIM[9:]}"])
def test_a_claim_may_be_typed_as_people_type(ask: Ask, typed: str) -> None:
    assert ask(NewTill(), typed).get_json()["device"] == DEVICE


def test_whoever_does_not_hold_the_keys_gets_nothing(ask: Ask, city: City) -> None:
    till, other = NewTill(), NewTill()

    assert code(ask(till, proof=b64(bytes(64))), 422) == "possession-not-proved"
    assert code(ask(till, sign_pub=other.public()), 422) == "possession-not-proved"
    for tls in (rsa.generate_private_key(65_537, 2_048), ec.generate_private_key(ec.SECP384R1())):
        assert code(ask(NewTill(tls=tls)), 422) == "certificate-request-refused"
    csr = till.csr()
    spoilt = csr[:-60] + ("A" if csr[-60] != "A" else "B") + csr[-59:]
    proof = till.signing.sign(b"pos-provision-v1\0" + CLAIM.encode() + b"\0" + spoilt.encode())
    assert code(ask(till, csr=spoilt, proof=b64(proof)), 422) == "certificate-request-refused"

    assert rows(city.database, "SELECT count(*) FROM device_directory") == [(0,)]


def test_a_serial_number_that_no_board_has_is_refused_by_its_field(ask: Ask) -> None:
    answer = ask(NewTill(), hw_serial="\0")

    assert code(answer, 422) == "invalid-fields"
    assert answer.get_json()["errors"][0]["pointer"] == "/hw_serial"


def test_a_till_that_was_revoked_is_not_told_its_answer_again(ask: Ask, city: City) -> None:
    till = NewTill()
    ask(till)
    city.database.write(lambda c: revoke_device(c, DEVICE, NOON))

    assert code(ask(till), 403) == "device-revoked"


def test_a_replacement_ends_the_old_till_and_lets_the_new_one_in(ask: Ask, send: Send, city: City) -> None:
    old, new = NewTill(), NewTill()
    old_key = ask(old).get_json()["key_id"]

    city.database.write(lambda c: replace_device(c, DEVICE, OTHER, claim_hash(LATER), NOON))

    assert send(old, old_key) == ["revoked_device"]
    assert ask(new, LATER).get_json()["device"] == OTHER
    assert rows(city.database, "SELECT store FROM device_directory WHERE device = :d", d=OTHER) == [("s9",)]


def test_without_an_authority_nobody_is_enrolled_online(ask: Ask, client: FlaskClient) -> None:
    parts: Any = client.application.extensions["greenpoints"]
    object.__setattr__(parts.provision_device, "_issuer", None)

    assert code(ask(NewTill()), 501) == "enrolment-off"


def test_too_many_requests_are_told_to_wait(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate, "REQUESTS_MAX", 2)
    till = NewTill()
    ask(till), ask(till)

    answer = ask(till)

    assert code(answer, 429) == "too-many-requests"
    assert int(answer.headers["Retry-After"]) > 0


def test_both_keys_are_good_until_the_new_one_was_used(ask: Ask, send: Send, client: FlaskClient, city: City) -> None:
    old, new = NewTill(), NewTill()
    old_id = ask(old).get_json()["key_id"]
    given = client.post(KEYS, json=new.rotation(DEVICE, old_id, old.signing)).get_json()
    shop = Shop(DEVICE)

    assert send(old, old_id, shop.line(read(FRIDGE))) == ["recorded"]
    assert client.post(KEYS, json=new.rotation(DEVICE, old_id, old.signing)).get_json() == given
    assert send(new, given["key_id"], shop.line(read(FRIDGE))) == ["recorded"]

    assert send(old, old_id, shop.line(read(FRIDGE))) == ["unknown_key"]
    assert send(new, given["key_id"], shop.line(read(FRIDGE))) == ["recorded"]
    assert x509.load_pem_x509_certificate(given["certificate"].encode()).public_key() == new.tls.public_key()


def test_a_key_that_was_superseded_ends_after_thirty_days_at_the_latest(
    ask: Ask, send: Send, client: FlaskClient, clock: Clock
) -> None:
    old, new = NewTill(), NewTill()
    old_id = ask(old).get_json()["key_id"]
    client.post(KEYS, json=new.rotation(DEVICE, old_id, old.signing))

    clock.forward(days=29)
    assert send(old, old_id) == ["recorded"]
    clock.forward(days=1)
    assert send(old, old_id) == ["unknown_key"]


def test_people_are_alarmed_when_keys_are_changed_long_before_the_time(
    ask: Ask, client: FlaskClient, city: City, clock: Clock
) -> None:
    """A till changes them after two thirds of its certificate's life of two years and a week, not before."""
    till, thief = NewTill(), NewTill()
    key_id = ask(till).get_json()["key_id"]
    clock.forward(days=482)
    assert client.post(KEYS, json=thief.rotation(DEVICE, key_id, till.signing)).status_code == 200
    assert alarms(city) == [(DEVICE, "early_rotation", 1)]

    clock.forward(days=2)
    assert client.post(KEYS, json=NewTill().rotation(DEVICE, key_id, till.signing)).status_code == 200
    assert alarms(city) == [(DEVICE, "early_rotation", 1)]


def test_people_are_alarmed_when_a_key_that_has_ended_still_signs(
    ask: Ask, send: Send, client: FlaskClient, city: City, clock: Clock
) -> None:
    """The till whose keys a thief has changed goes on as ever; so shows it, and not what was under way."""
    till, thief = NewTill(), NewTill()
    old_id = ask(till).get_json()["key_id"]
    clock.forward(days=600)
    new_id = client.post(KEYS, json=thief.rotation(DEVICE, old_id, till.signing)).get_json()["key_id"]
    assert send(thief, new_id) == ["recorded"]

    assert send(till, old_id) == ["unknown_key"]
    clock.forward(days=1, minutes=11)  # a bridge may hold a message for a day
    assert send(thief, old_id) == ["unknown_key"]  # not signed by the key that it names
    assert send(till, "k9") == ["unknown_key"]
    assert alarms(city) == []
    assert send(till, old_id) == ["unknown_key"]

    assert rows(city.database, "SELECT device, kind, subject FROM device_alarms") == [(DEVICE, "retired_key", old_id)]


def test_only_a_key_in_use_vouches_for_the_next(ask: Ask, client: FlaskClient, city: City) -> None:
    till, new = NewTill(), NewTill()
    key_id = ask(till).get_json()["key_id"]
    forged = new.rotation(DEVICE, key_id, new.signing)
    of_another = new.rotation(DEVICE, key_id, till.signing) | {"device": OTHER}

    assert code(client.post(KEYS, json=forged), 401) == "rotation-not-vouched"
    assert code(client.post(KEYS, json=of_another), 401) == "rotation-not-vouched"
    city.database.write(lambda c: revoke_device(c, DEVICE, NOON))
    assert code(client.post(KEYS, json=new.rotation(DEVICE, key_id, till.signing)), 403) == "device-revoked"


def test_a_till_that_never_uses_its_new_keys_gets_only_so_many(ask: Ask, client: FlaskClient) -> None:
    till = NewTill()
    key_id = ask(till).get_json()["key_id"]

    answers = [client.post(KEYS, json=NewTill().rotation(DEVICE, key_id, till.signing)) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 409]
    assert code(answers[3], 409) == "device-keys-too-many"


def test_two_copies_of_a_till_earn_once_and_people_are_alarmed(ask: Ask, send: Send, city: City) -> None:
    """One outbox on two cards: both number on from where they were copied."""
    till = NewTill()
    key_id = ask(till).get_json()["key_id"]
    here, there = Shop(DEVICE), Shop(DEVICE)
    members = [city.issue_code(resident(number)) for number in (1, 2)]

    first = send(till, key_id, here.line(read(FRIDGE), member=members[0]), boot="b1")
    second = send(till, key_id, there.line(read(RICE), member=members[1], boot="b2"), boot="b2")
    again = send(till, key_id, here.line(read(FRIDGE)), boot="b1")

    assert (first, second, again) == (["recorded"], ["quarantined"], ["recorded"])
    assert len([one for one in decided(city.database, NANJING) if one.award]) == 1
    assert_balanced(city.database, NANJING)
    assert alarms(city) == [(DEVICE, "stream_conflict", 1)]


def test_a_copy_of_a_till_is_noticed_when_it_comes_online(ask: Ask, client: FlaskClient, city: City) -> None:
    ask(NewTill())
    shop = Shop(DEVICE)

    def born(session: int, boot: str) -> None:
        report = f'{{"v":1,"online":true,"session":{session},"boot":"{boot}","stream":"{shop.stream}"}}'.encode()
        delivery = shop.delivery(report, topic=f"pos/v1/{DEVICE}/up/state")
        assert client.post(BATCH, json=batch(delivery), headers=bearer(BRIDGE_TOKEN)).status_code == 200

    # Restarted programs and machines, births told again and late.
    for session, boot in ((10, "b1"), (20, "b1"), (30, "b2"), (20, "b1"), (40, "b2"), (35, "b2"), (30, "b2")):
        born(session, boot)
    assert alarms(city) == []

    for session, boot in ((50, "b9"), (60, "b2"), (60, "b2")):
        born(session, boot)
    assert alarms(city) == [(DEVICE, "stream_in_two_places", 1)]

    born(70, "b9")
    assert alarms(city) == [(DEVICE, "stream_in_two_places", 2)]

    born(80, "x" * 10_000)
    assert alarms(city) == [(DEVICE, "stream_in_two_places", 2)]


def test_answers_of_enrolment_are_as_they_are_described(ask: Ask, client: FlaskClient) -> None:
    till = NewTill()
    given = ask(till)
    rotated = client.post(KEYS, json=NewTill().rotation(DEVICE, given.get_json()["key_id"], till.signing))
    described = document(client.application)

    assert (given.status_code, rotated.status_code) == (200, 200)
    for path, answer in ((PROVISION, given), (KEYS, rotated)):
        schema = described["paths"][path]["post"]["responses"]["200"]["content"]["application/json"]["schema"]
        jsonschema.validate(answer.get_json(), {**schema, "components": described["components"]})


def test_the_claim_and_its_till_are_nowhere_in_the_clear(ask: Ask, city: City) -> None:
    ask(NewTill())

    stored = rows(city.database, "SELECT device_claims::text FROM device_claims")

    assert not re.search(CLAIM.removeprefix("GPE1."), str(stored))
    assert base64.b16encode(claim_hash(CLAIM)).decode().lower() in str(stored)
