"""The golden files, and the laws they are examples of."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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
    Basket,
    ClosedBy,
    Promise,
    Read,
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
from tests.contracts import golden, golden_leases


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

    verify = golden.verifier(golden.DEVICE_SEED)
    assert verify(envelope.signature, signed_bytes(case["topic"], envelope.body))
    assert decode_header(envelope.header).dev == topics.device_of(case["topic"])
    assert [basket_hash(line) for line in envelope.lines] == [basket["sha256"] for basket in case["baskets"]]
    assert [decode_basket(line).seq for line in envelope.lines] == [b["value"]["seq"] for b in case["baskets"]]


def open_as_the_backend_does(topic: str, payload: bytes) -> None:
    envelope = open_envelope(payload)
    if not golden.verifier(golden.DEVICE_SEED)(envelope.signature, signed_bytes(topic, envelope.body)):
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

    message = open_receipts(topics.receipt(golden.DEVICE), payload, golden.verifier(golden.RECEIPT_SEED))

    assert [receipt.state for receipt in message.receipts] == list(ReceiptState)
    assert message.receipts[0].sha256 == basket_hash(encode_basket(golden.member_basket()))
    assert message.receipts[2].code == "other_content"


@pytest.mark.parametrize("case", load("refused-receipts.json"), ids=lambda case: case["case"])
def test_a_mutated_receipt_closes_nothing(case: dict[str, Any]) -> None:
    with pytest.raises(WireError) as refusal:
        open_receipts(case["topic"], bytes.fromhex(case["payload_hex"]), golden.verifier(golden.RECEIPT_SEED))

    assert refusal.value.code == case["code"]


def test_a_receipt_signed_by_a_till_closes_nothing() -> None:
    payload = (golden.FOLDER / "receipt-recorded.bin").read_bytes()

    with pytest.raises(BadSignature):
        open_receipts(topics.receipt(golden.DEVICE), payload, golden.verifier(golden.DEVICE_SEED))


def test_a_downlink_is_opened_by_the_till_that_it_was_signed_for() -> None:
    payload = (golden.FOLDER / "downlink-command.bin").read_bytes()

    body = open_downlink(topics.down_cmd(golden.DEVICE), payload, golden.verifier(golden.RECEIPT_SEED))

    assert json.loads(body) == {"v": 1, "cmd": "revoked", "at": golden.SOLD_MS}


def test_an_offered_update_is_what_the_backend_signed() -> None:
    payload = (golden.FOLDER / "downlink-update.bin").read_bytes()

    body = open_downlink(topics.down_job(golden.DEVICE), payload, golden.verifier(golden.RECEIPT_SEED))

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
        open_downlink(case["topic"], bytes.fromhex(case["payload_hex"]), golden.verifier(golden.RECEIPT_SEED))

    assert refusal.value.code == case["code"]


def test_desired_settings_are_the_exact_bytes_that_were_hashed() -> None:
    payload = (golden.FOLDER / "downlink-twin.bin").read_bytes()

    body = open_downlink(topics.down_twin(golden.DEVICE), payload, golden.verifier(golden.RECEIPT_SEED))
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

    body = open_downlink(topics.down_lease(golden.DEVICE), payload, golden.verifier(golden.RECEIPT_SEED))
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
    keys = {"n1": golden.verifier(golden.CITY_SEED)}
    refused_with = None

    try:
        verify_member_code(case["text"], now_s=case["now_s"], keys=keys, city=case["city"])
    except WireError as refusal:
        refused_with = refusal.code

    assert refused_with == case["code"]


def test_a_till_with_an_uncertain_clock_widens_both_ends() -> None:
    keys = {"n1": golden.verifier(golden.CITY_SEED)}
    text = golden.member_code(expires_s=golden.NOW_S + 60)

    for now_s in (golden.NOW_S - 60 - 300, golden.NOW_S + 359):
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
        seal(topics.baskets(golden.DEVICE), head, [padded], golden.signer(golden.DEVICE_SEED))
    assert sealed_size_bytes(head, [line]) == len((golden.FOLDER / "message-one-basket.bin").read_bytes())


# The machine that runs the tests may be slow; the laws are not about time.
lawful = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
TEXT = st.text('a0 {}":\\,\x00\x1d\x7fé标🌱', max_size=8)
CODES = st.text(st.characters(exclude_categories=["Cs"]), max_size=680)
NUMBERS = st.integers(0, 2**53)
READS = st.builds(
    Read,
    sym=st.sampled_from(["EAN13", "QRCODE", "DATAMATRIX"]),
    code=CODES,
    src=st.just("cam0"),
    mono=NUMBERS,
    raw=st.none() | st.binary(max_size=2048),
    votes=st.integers(0, 1_000_000),
    qty=st.integers(1, 9_999),
    price_fen=st.none() | st.integers(0, 10**10),
    sn=st.none() | TEXT.filter(bool),
)
BASKETS = st.builds(
    Basket,
    seq=st.integers(1, 2**63 - 1),
    boot=st.uuids().map(str),
    opened_mono=NUMBERS,
    closed_mono=NUMBERS,
    ts=st.integers(0, 10**14),
    closed_by=st.sampled_from(ClosedBy),
    reads=st.lists(READS, min_size=1, max_size=4).map(tuple),
    void_of=st.none() | st.integers(1, 2**63 - 1),
)


@lawful
@given(BASKETS)
def test_a_basket_is_read_as_written_and_takes_one_line(basket: Basket) -> None:
    line = encode_basket(basket)

    assert decode_basket(line) == basket
    assert b"\n" not in line


@lawful
@given(st.lists(st.binary(min_size=1, max_size=40).filter(lambda line: b"\n" not in line), min_size=2, max_size=21))
def test_an_envelope_gives_back_the_exact_lines(lines: list[bytes]) -> None:
    payload = seal("t", lines[0], lines[1:], lambda _: bytes(64))

    opened = open_envelope(payload)

    assert (opened.header, *opened.lines) == tuple(lines)


@lawful
@given(st.binary(max_size=300) | st.binary(max_size=200).map(lambda tail: b"\x01" + bytes(64) + tail))
def test_random_bytes_are_refused_by_name(payload: bytes) -> None:
    with pytest.raises(WireError) as refusal:
        decode_header(open_envelope(payload).header)

    assert refusal.value.code


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@lawful
@given(st.dictionaries(st.sampled_from(["seq", "reads", "boot", "ts", "closed_by", "void_of"]), JSON))
def test_random_json_is_refused_by_name(value: dict[str, Any]) -> None:
    line = json.dumps(value, ensure_ascii=False).encode()

    with pytest.raises(WireError) as refusal:
        decode_basket(line)

    assert refusal.value.sentence_en


@lawful
@given(st.dictionaries(TEXT, JSON, min_size=1))
def test_a_key_written_twice_is_refused_wherever_it_stands(value: dict[str, Any]) -> None:
    inner = json.dumps(value, ensure_ascii=False)
    key = json.dumps(next(iter(value)), ensure_ascii=False)
    doubled = f'{{"a":[{{"b":{inner[:-1]},{key}:0}}}}]}}'.encode()

    with pytest.raises(WireError) as refusal:
        load_object(doubled)

    assert refusal.value.code == "duplicate_key"


def test_a_snapshot_is_the_tills_it_was_made_for_and_whole_by_its_hash() -> None:
    message = open_snapshot(golden.DEVICE, (golden.FOLDER / "snapshot-whole.bin").read_bytes(), _server())

    assert (message.head.after, message.head.district, message.head.lines) == (None, "320104", 5)
    assert dict(message.lines) == golden.SNAPSHOT_LINES
    assert content_hash(golden.SNAPSHOT_LINES.items()) == message.head.sha256


def test_a_difference_names_the_version_before_and_what_is_gone() -> None:
    message = open_snapshot(golden.DEVICE, (golden.FOLDER / "snapshot-difference.bin").read_bytes(), _server())

    assert message.head.after == 1_789_999_000
    assert [key for key, line in message.lines if line is None] == ["g:06901234567892"]


@pytest.mark.parametrize("case", load("refused-snapshots.json"), ids=lambda case: case["case"])
def test_a_mutated_snapshot_is_refused_by_name(case: dict[str, Any]) -> None:
    with pytest.raises(WireError) as refusal:
        open_snapshot(case["device"], bytes.fromhex(case["payload_hex"]), _server())

    assert refusal.value.code == case["code"]


def _server() -> Any:
    return golden.verifier(golden.RECEIPT_SEED)
