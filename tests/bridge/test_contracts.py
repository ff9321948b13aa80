"""The golden files, and the laws they are examples of."""

import json
from typing import Any

import pytest

from firmware_bridge.wire import topics
from firmware_bridge.wire.bridge_state import (
    BridgeCondition,
    BridgeState,
    decode_bridge_state,
    encode_bridge_state,
)
from firmware_bridge.wire.claim_code import (
    claim_sha256,
    draw_claim_code,
    normalise_claim_code,
    show_claim_code,
)
from firmware_bridge.wire.downlinks import open_downlink
from firmware_bridge.wire.envelope import (
    PAYLOAD_BYTES_MAX,
    open_envelope,
    seal,
    sealed_size_bytes,
    signed_bytes,
)
from firmware_bridge.wire.errors import BadField, BadSignature, ClaimCodeMalformed, PayloadTooLarge, WireError
from firmware_bridge.wire.jobs import decode_job, encode_offer
from firmware_bridge.wire.leases import decode_leases
from firmware_bridge.wire.member_card import check_card
from firmware_bridge.wire.member_code import verify_member_code
from firmware_bridge.wire.messages import (
    Promise,
    basket_hash,
    decode_basket,
    decode_header,
    encode_basket,
    encode_header,
)
from firmware_bridge.wire.receipts import ReceiptState, open_receipts
from firmware_bridge.wire.snapshots import content_hash, open_snapshot
from firmware_bridge.wire.strict_json import dump_object, load_object
from firmware_bridge.wire.twin import decode_desired, decode_document, encode_desired
from tests.contracts import golden, golden_codes, golden_leases, golden_parties, golden_snapshots


def load(name: str) -> Any:
    return json.loads((golden.FOLDER / name).read_bytes())


def names_of(cases: list[dict[str, Any]]) -> list[str]:
    return [case["case"] for case in cases]


def test_the_code_makes_every_golden_file_byte_for_byte() -> None:
    built = golden.build()

    on_disk = {path.name: path.read_bytes() for path in golden.FOLDER.iterdir() if path.suffix in {".json", ".bin"}}

    assert on_disk == built


@pytest.mark.parametrize("case", load("messages.json"), ids=lambda case: case["file"])
def test_a_message_opens_to_the_described_baskets_with_a_valid_signature(case: dict[str, Any]) -> None:
    payload = (golden.FOLDER / case["file"]).read_bytes()

    envelope = open_envelope(payload)

    verify = golden_parties.verifier(golden_parties.DEVICE_SEED)
    assert verify(envelope.signature, signed_bytes(case["topic"], envelope.body))
    assert decode_header(envelope.header).dev == topics.device_of(case["topic"])
    assert [basket_hash(line) for line in envelope.lines] == [basket["sha256"] for basket in case["baskets"]]
    assert [decode_basket(line).seq for line in envelope.lines] == [b["value"]["seq"] for b in case["baskets"]]


def open_as_the_backend_does(topic: str, payload: bytes) -> None:
    envelope = open_envelope(payload)
    if not golden_parties.verifier(golden_parties.DEVICE_SEED)(envelope.signature, signed_bytes(topic, envelope.body)):
        raise BadSignature
    decode_header(envelope.header)


@pytest.mark.parametrize("case", load("refused-messages.json"), ids=lambda case: case["case"])
def test_a_mutated_message_is_refused_by_name(case: dict[str, Any]) -> None:
    with pytest.raises(WireError) as refusal:
        open_as_the_backend_does(case["topic"], bytes.fromhex(case["payload_hex"]))

    assert refusal.value.code == case["code"]


@pytest.mark.parametrize("case", load("refused-lines.json"), ids=lambda case: case["case"])
def test_a_broken_line_is_refused_by_name(case: dict[str, Any]) -> None:
    decode = decode_header if case["line"] == "header" else decode_basket

    with pytest.raises(WireError) as refusal:
        decode(bytes.fromhex(case["bytes_hex"]))

    assert refusal.value.code == case["code"]
    assert refusal.value.sentence_zh
    assert refusal.value.sentence_en


def test_a_receipt_says_what_became_of_each_basket() -> None:
    payload = (golden.FOLDER / "receipt-mixed.bin").read_bytes()

    message = open_receipts(
        topics.receipt(golden_parties.DEVICE), payload, golden_parties.verifier(golden_parties.RECEIPT_SEED)
    )

    assert [receipt.state for receipt in message.receipts] == list(ReceiptState)
    assert message.receipts[0].sha256 == basket_hash(encode_basket(golden.member_basket()))
    assert message.receipts[2].code == "other_content"


@pytest.mark.parametrize("case", load("refused-receipts.json"), ids=lambda case: case["case"])
def test_a_mutated_receipt_closes_nothing(case: dict[str, Any]) -> None:
    with pytest.raises(WireError) as refusal:
        open_receipts(
            case["topic"], bytes.fromhex(case["payload_hex"]), golden_parties.verifier(golden_parties.RECEIPT_SEED)
        )

    assert refusal.value.code == case["code"]


def test_a_receipt_signed_by_a_till_closes_nothing() -> None:
    payload = (golden.FOLDER / "receipt-recorded.bin").read_bytes()

    with pytest.raises(BadSignature):
        open_receipts(
            topics.receipt(golden_parties.DEVICE), payload, golden_parties.verifier(golden_parties.DEVICE_SEED)
        )


def test_a_downlink_is_opened_by_the_till_that_it_was_signed_for() -> None:
    payload = (golden.FOLDER / "downlink-command.bin").read_bytes()

    body = open_downlink(
        topics.down_cmd(golden_parties.DEVICE), payload, golden_parties.verifier(golden_parties.RECEIPT_SEED)
    )

    assert json.loads(body) == {"v": 1, "cmd": "revoked", "at": golden_parties.SOLD_MS}


def test_an_offered_update_is_what_the_backend_signed() -> None:
    payload = (golden.FOLDER / "downlink-update.bin").read_bytes()

    body = open_downlink(
        topics.down_job(golden_parties.DEVICE), payload, golden_parties.verifier(golden_parties.RECEIPT_SEED)
    )

    assert decode_job(body) == golden.offer()


@pytest.mark.parametrize(
    "change",
    [
        {"v": None},
        {"job": "os_bundle"},
        {"rollout": "1"},
        {"target": "../root.json"},
        {"target": "a/../../b"},
        {"target": "/etc/passwd"},
        {"version": "1.3rc1"},
        {"hardware": []},
        {"hardware": ["PI 4"]},
        {"hardware": "pi4"},
        {"min_version": None},
    ],
)
def test_an_offer_that_is_not_one_is_refused(change: dict[str, object]) -> None:
    fields = {**load_object(encode_offer(golden.offer())), **change}

    with pytest.raises(BadField):
        decode_job(dump_object(fields))


@pytest.mark.parametrize("case", load("refused-downlinks.json"), ids=lambda case: case["case"])
def test_a_downlink_that_is_not_the_servers_is_believed_by_no_till(case: dict[str, Any]) -> None:
    with pytest.raises(WireError) as refusal:
        open_downlink(
            case["topic"], bytes.fromhex(case["payload_hex"]), golden_parties.verifier(golden_parties.RECEIPT_SEED)
        )

    assert refusal.value.code == case["code"]


def test_desired_settings_are_the_exact_bytes_that_were_hashed() -> None:
    payload = (golden.FOLDER / "downlink-twin.bin").read_bytes()

    body = open_downlink(
        topics.down_twin(golden_parties.DEVICE), payload, golden_parties.verifier(golden_parties.RECEIPT_SEED)
    )
    twin = decode_desired(body)

    assert twin.version == 7
    assert decode_document(twin) == {"basket_timeout_s": 90, "finish_code": "GPEND"}


@pytest.mark.parametrize("case", load("member-cards.json"), ids=lambda case: case["case"])
def test_a_card_is_recognised_without_a_network(case: dict[str, Any]) -> None:
    refused = None
    try:
        check_card(case["text"])
    except WireError as refusal:
        refused = refusal.code

    assert refused == case["code"]


def test_leases_are_what_the_backend_signed_and_a_basket_says_what_was_promised() -> None:
    payload = (golden.FOLDER / "downlink-lease.bin").read_bytes()

    body = open_downlink(
        topics.down_lease(golden_parties.DEVICE), payload, golden_parties.verifier(golden_parties.RECEIPT_SEED)
    )
    basket = decode_basket((golden.FOLDER / "basket-promised.json").read_bytes())

    assert decode_leases(body) == golden_leases.MESSAGE
    assert [read.promised for read in basket.reads] == [(Promise(golden_leases.LEASE.lease, 20),), ()]


@pytest.mark.parametrize(
    "promised",
    [
        {},
        [7],
        [{"lease": golden_leases.LEASE.lease}],
        [{"lease": golden_leases.LEASE.lease, "amount": 0}],
        [{"lease": "x", "amount": 1}],
        [{"lease": golden_leases.LEASE.lease, "amount": 1}] * 2,
        [{"lease": f"01980000-0000-7000-8000-{n:012x}", "amount": 1} for n in range(17)],
    ],
)
def test_a_promise_that_is_none_is_refused_by_till_and_server(promised: object) -> None:
    fields = load_object((golden.FOLDER / "basket-promised.json").read_bytes())
    fields["reads"][0]["promised"] = promised  # type: ignore[index]  # JSON

    with pytest.raises(BadField):
        decode_basket(dump_object(fields))


@pytest.mark.parametrize(
    "case", load("twin-documents.json") + load("twin-windows.json"), ids=lambda case: case["document"]
)
def test_a_till_takes_the_settings_that_it_may_have(case: dict[str, Any]) -> None:
    twin = decode_desired(encode_desired(1, case["document"].encode()))
    taken = True

    try:
        decode_document(twin)
    except WireError:
        taken = False

    assert taken == case["good"]


@pytest.mark.parametrize("case", load("member-codes.json"), ids=lambda case: case["case"])
def test_a_member_code_is_believed_only_in_its_time_and_from_its_city(case: dict[str, Any]) -> None:
    keys = {"n1": golden_parties.verifier(golden_parties.CITY_SEED)}
    refused_with = None

    try:
        verify_member_code(case["text"], now_s=case["now_s"], keys=keys, city=case["city"])
    except WireError as refusal:
        refused_with = refusal.code

    assert refused_with == case["code"]


def test_a_till_with_an_uncertain_clock_widens_both_ends() -> None:
    keys = {"n1": golden_parties.verifier(golden_parties.CITY_SEED)}
    text = golden_codes.member_code(expires_s=golden_parties.NOW_S + 60)

    for now_s in (golden_parties.NOW_S - 60 - 300, golden_parties.NOW_S + 359):
        code = verify_member_code(text, now_s=now_s, keys=keys, clock_slack_s=300)
        assert code.handle == bytes(range(16))


def test_a_claim_code_survives_printing_and_typing() -> None:
    cases = load("claim-codes.json")

    for drawn in cases["drawn"]:
        assert draw_claim_code(bytes.fromhex(drawn["random_hex"])) == drawn["code"]
        assert normalise_claim_code(show_claim_code(drawn["code"]).lower()) == drawn["code"]
        assert claim_sha256(drawn["code"]) == drawn["claim_sha256"]
    for typed, meant in cases["typed"]:
        assert normalise_claim_code(typed) == meant
    for refused in cases["refused"]:
        with pytest.raises(ClaimCodeMalformed):
            normalise_claim_code(refused)


def test_topics_name_their_device_and_refuse_what_is_none() -> None:
    cases = load("topics.json")

    for topic in cases["topics"].values():
        assert topics.device_of(topic) == cases["device"]
    for device in cases["refused_device_ids"]:
        with pytest.raises(WireError):
            topics.baskets(device)
    for topic in cases["refused_topics"]:
        with pytest.raises(WireError):
            topics.device_of(topic)


@pytest.mark.parametrize("name", ["up", "down", "", "a/b", "+", "a" * 41])
def test_a_bridge_whose_name_would_meet_the_tills_filter_is_refused(name: str) -> None:
    with pytest.raises(WireError):
        topics.bridge_state(name)


def test_a_bridge_state_is_read_as_written() -> None:
    for condition in BridgeCondition:
        state = BridgeState(state=condition, session=7)
        assert decode_bridge_state(encode_bridge_state(state)) == state
        assert topics.bridge_of(topics.bridge_state("a1")) == "a1"


def test_a_message_over_the_limit_is_not_sealed() -> None:
    line = encode_basket(golden.member_basket())
    padded = line[:-1] + b',"note":"' + b"x" * PAYLOAD_BYTES_MAX + b'"}'
    head = encode_header(golden.header(1201))

    with pytest.raises(PayloadTooLarge):
        seal(topics.baskets(golden_parties.DEVICE), head, [padded], golden_parties.signer(golden_parties.DEVICE_SEED))
    assert sealed_size_bytes(head, [line]) == len((golden.FOLDER / "message-one-basket.bin").read_bytes())


def test_a_snapshot_is_the_tills_it_was_made_for_and_whole_by_its_hash() -> None:
    message = open_snapshot(golden_parties.DEVICE, (golden.FOLDER / "snapshot-whole.bin").read_bytes(), _server())

    assert (message.head.after, message.head.district, message.head.lines) == (None, "320104", 5)
    assert dict(message.lines) == golden_snapshots.SNAPSHOT_LINES
    assert content_hash(golden_snapshots.SNAPSHOT_LINES.items()) == message.head.sha256


def test_a_difference_names_the_version_before_and_what_is_gone() -> None:
    message = open_snapshot(golden_parties.DEVICE, (golden.FOLDER / "snapshot-difference.bin").read_bytes(), _server())

    assert message.head.after == 1_789_999_000
    assert [key for key, line in message.lines if line is None] == ["g:06901234567892"]


@pytest.mark.parametrize("case", load("refused-snapshots.json"), ids=lambda case: case["case"])
def test_a_mutated_snapshot_is_refused_by_name(case: dict[str, Any]) -> None:
    with pytest.raises(WireError) as refusal:
        open_snapshot(case["device"], bytes.fromhex(case["payload_hex"]), _server())

    assert refusal.value.code == case["code"]


def _server() -> Any:
    return golden_parties.verifier(golden_parties.RECEIPT_SEED)
