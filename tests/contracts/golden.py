"""Builds every golden file of this folder from fixed inputs.

`python -m tests.contracts.golden` writes the files that are missing and refuses to change one that is
there: a golden file is added to, never edited.
"""

import sys
from dataclasses import replace
from pathlib import Path

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from firmware_bridge.wire import topics
from firmware_bridge.wire.access import AccessChange, encode_access
from firmware_bridge.wire.claim_code import claim_sha256, draw_claim_code
from firmware_bridge.wire.downlinks import seal_downlink
from firmware_bridge.wire.envelope import open_envelope, seal, signed_bytes
from firmware_bridge.wire.jobs import UNCONFIRMED, JobReport, UpdateOffer, UpdateState, encode_offer, encode_report
from firmware_bridge.wire.messages import (
    Basket,
    Clock,
    ClockSource,
    ClosedBy,
    Header,
    Read,
    basket_hash,
    encode_basket,
    encode_header,
)
from firmware_bridge.wire.receipts import Receipt, ReceiptMessage, ReceiptState, seal_receipts
from tests.contracts import golden_codes, golden_leases, golden_snapshots, golden_twin
from tests.contracts.golden_parties import (
    BOOT,
    CITY_SEED,
    DEVICE,
    DEVICE_SEED,
    OTHER_DEVICE,
    OTHER_SEED,
    RECEIPT_SEED,
    SOLD_MS,
    STREAM,
    signer,
)

FOLDER = Path(__file__).parent


def build() -> dict[str, bytes]:
    """File name -> content."""
    files = {
        "keys.json": _pretty(_keys()),
        "topics.json": _pretty(_topics()),
        "member-codes.json": _pretty(golden_codes.member_codes()),
        "claim-codes.json": _pretty(golden_codes.claim_codes()),
        "member-cards.json": _pretty(golden_codes.member_cards()),
        "access-changes.json": _pretty(_access_changes()),
        "enrolment.json": _pretty(golden_codes.enrolment()),
        "refused-lines.json": _pretty(_refused_lines()),
    }
    messages = _messages()
    files |= {f"{name}.bin": payload for name, payload in messages.items()}
    files["messages.json"] = _pretty([_described(name, payload) for name, payload in messages.items()])
    files["refused-messages.json"] = _pretty(_refused_messages(messages["message-one-basket"]))
    receipts = _receipts()
    files |= {f"{name}.bin": payload for name, payload in receipts.items()}
    files["refused-receipts.json"] = _pretty(_refused_receipts(receipts["receipt-recorded"]))
    files["downlink-command.bin"] = _downlink()
    files["downlink-update.bin"] = seal_downlink(topics.down_job(DEVICE), encode_offer(offer()), signer(RECEIPT_SEED))
    files["job-report.json"] = encode_report(job_report())
    files["job-report-unconfirmed.json"] = encode_report(job_report_unconfirmed())
    files["refused-downlinks.json"] = _pretty(_refused_downlinks(files["downlink-command.bin"]))
    snapshots = golden_snapshots.snapshots()
    files |= {f"{name}.bin": payload for name, payload in snapshots.items()}
    files["refused-snapshots.json"] = _pretty(
        golden_snapshots.refused(snapshots["snapshot-whole"], receipts["receipt-recorded"])
    )
    files["downlink-twin.bin"] = golden_twin.desired(DEVICE, signer(RECEIPT_SEED))
    files["downlink-lease.bin"] = golden_leases.downlink(DEVICE, signer(RECEIPT_SEED))
    files["basket-promised.json"] = golden_leases.line()
    files["basket-slip.json"] = encode_basket(slip_basket())
    files["twin-documents.json"] = _pretty(golden_twin.documents())
    files["twin-windows.json"] = _pretty(golden_twin.windows())
    files["twin-reports.json"] = _pretty(golden_twin.reports())
    return files


def header(low: int = 1) -> Header:
    clock = Clock(src=ClockSource.NTP, off_ms=12, err_ms=40)
    return Header(dev=DEVICE, stream=STREAM, key="k2", boot=BOOT, sent_mono=88_123_456, low=low, clk=clock)


def member_basket(seq: int = 1201) -> Basket:
    """A refrigerator with serial and price, and two of a grocery article, by a member."""
    reads = (
        Read(sym="EAN13", code="6939400204821", aim="]E0", src="cam0", votes=3, mono=88_120_001, price_fen=899_900,
             sn="BCD-520W/0007"),
        Read(sym="EAN13", code="6901234567892", src="serial0", mono=88_121_001, qty=2, price_fen=1_580),
    )  # fmt: skip
    return _basket(seq, reads, ClosedBy.MEMBER, member=golden_codes.member_code(), cashier="c07")


def claim_basket(seq: int = 1202) -> Basket:
    """A label of Chinese text in GB18030, and a GS1 Data Matrix with its separators, without a member."""
    reads = (
        Read(sym="QRCODE", code="中国能效标识", raw="中国能效标识".encode("gb18030"), aim="]Q1", src="cam0",
             votes=4, mono=88_120_500),
        Read(sym="DATAMATRIX", code="0106901234567892\x1d21A\x00B", aim="]d2", src="cam0", votes=2, mono=88_120_900),
    )  # fmt: skip
    return _basket(seq, reads, ClosedBy.FINISH, claim_sha256=claim_sha256(draw_claim_code(bytes(range(10)))))


def slip_basket(seq: int = 1205) -> Basket:
    """A shopper without a code, with the number that the shop's own till printed on the slip."""
    reads = (Read(sym="EAN13", code="6939400204821", src="pos", mono=88_120_001, price_fen=899_900),)
    return replace(_basket(seq, reads, ClosedBy.FINISH), slip_no="S01-20261127/0042")


def void_basket(seq: int = 1203) -> Basket:
    return _basket(seq, (), ClosedBy.BUTTON, void_of=1201, cashier="c07")


def _basket(
    seq: int,
    reads: tuple[Read, ...],
    closed_by: ClosedBy,
    *,
    member: str | None = None,
    claim_sha256: str | None = None,
    cashier: str | None = None,
    void_of: int | None = None,
    part_of: int | None = None,
) -> Basket:
    return Basket(
        seq=seq,
        boot=BOOT,
        opened_mono=88_119_000,
        closed_mono=88_131_000,
        ts=SOLD_MS,
        closed_by=closed_by,
        reads=reads,
        member=member,
        claim_sha256=claim_sha256,
        cashier=cashier,
        void_of=void_of,
        part_of=part_of,
    )


def _full_basket() -> Basket:
    """The largest number of reads, continuing an earlier basket."""
    reads = tuple(Read(sym="EAN13", code="6901234567892", src="cam0", mono=88_119_000 + number) for number in range(50))
    return _basket(1204, reads, ClosedBy.TIMEOUT, part_of=1202)


def _messages() -> dict[str, bytes]:
    topic, sign = topics.baskets(DEVICE), signer(DEVICE_SEED)
    small = [encode_basket(member_basket(seq)) for seq in range(1, 21)]
    mixed = [encode_basket(basket) for basket in (member_basket(), claim_basket(), void_basket(), _full_basket())]
    later_header = b'{"v":1,"later":{"x":[1]},' + encode_header(header())[7:]
    later_line = b'{"weather":"rain",' + small[0][1:]
    return {
        "message-one-basket": seal(topic, encode_header(header(1201)), mixed[:1], sign),
        "message-mixed": seal(topic, encode_header(header(1201)), mixed, sign),
        "message-twenty-baskets": seal(topic, encode_header(header()), small, sign),
        "message-version-0": seal(topic, encode_header(header()).replace(b'"v":1', b'"v":0', 1), small[:1], sign),
        "message-unknown-fields": seal(topic, later_header, [later_line], sign),
        "message-no-last-newline": _resigned(seal(topic, encode_header(header()), small[:2], sign)[65:-1]),
    }


def _resigned(body: bytes) -> bytes:
    return b"\x01" + signer(DEVICE_SEED)(signed_bytes(topics.baskets(DEVICE), body)) + body


def _described(name: str, payload: bytes) -> dict[str, object]:
    envelope = open_envelope(payload)
    return {
        "file": f"{name}.bin",
        "topic": topics.baskets(DEVICE),
        "header": orjson.loads(envelope.header),
        "baskets": [{"sha256": basket_hash(line), "value": orjson.loads(line)} for line in envelope.lines],
    }


def _refused_messages(good: bytes) -> list[dict[str, object]]:
    topic = topics.baskets(DEVICE)
    flipped = good[:-20] + bytes([good[-20] ^ 1]) + good[-19:]
    body = good[65:]
    line = body.split(b"\n")[1]
    head = body.split(b"\n")[0]
    cases = [
        ("empty", topic, b"", "payload_too_short"),
        ("shorter than a signature", topic, good[:64], "payload_too_short"),
        ("format byte 2", topic, b"\x02" + good[1:], "unknown_format"),
        ("binary garbage", topic, bytes(range(255, -1, -1)) * 3, "unknown_format"),
        ("one bit of a basket flipped", topic, flipped, "bad_signature"),
        ("signature of another message", topic, good[:1] + bytes(64) + good[65:], "bad_signature"),
        ("replayed to another device's topic", topics.baskets(OTHER_DEVICE), good, "bad_signature"),
        ("replayed to another topic of the device", topics.res(DEVICE), good, "bad_signature"),
        ("header only", topic, _resigned(head + b"\n"), "wrong_basket_count"),
        ("21 baskets", topic, _resigned(head + b"\n" + (b"{}\n" * 21)), "wrong_basket_count"),
        ("an empty line between", topic, _resigned(head + b"\n\n" + line + b"\n"), "line_broken"),
    ]
    return [
        {"case": case, "topic": where, "payload_hex": payload.hex(), "code": code}
        for case, where, payload, code in cases
    ]


def _refused_lines() -> list[dict[str, object]]:
    head, line = encode_header(header()), encode_basket(member_basket())
    read = encode_basket(claim_basket()).split(b'"reads":[')[1].split(b"},")[0] + b"}"
    cases = [
        ("header", "version 2", head.replace(b'"v":1', b'"v":2'), "unknown_version"),
        ("header", "version 1 written as true", head.replace(b'"v":1', b'"v":true'), "bad_field"),
        ("header", "dev twice", head.replace(b'"v":1', b'"dev":"nj-0042-9","v":1'), "duplicate_key"),
        ("header", "dev of a bridge", head.replace(b'"nj-0042-3"', b'"bridge-01"'), "bad_field"),
        ("header", "stream in upper case", head.replace(b'"9f3c', b'"9F3C'), "bad_field"),
        ("header", "no clock", head.replace(b'"clk"', b'"klc"'), "bad_field"),
        ("header", "clock source gps", head.replace(b'"ntp"', b'"gps"'), "bad_field"),
        ("header", "not JSON", head[:-1], "not_json"),
        ("header", "a list", b"[" + head + b"]", "not_json"),
        ("header", "a number of 5,000 digits", b'{"x":' + b"1" * 5000 + b"," + head[1:], "not_json"),
        ("header", "21 levels deep", b'{"x":' + b"[" * 21 + b"]" * 21 + b"," + head[1:], "not_json"),
        ("basket", "seq 0", line.replace(b'"seq":1201', b'"seq":0'), "bad_field"),
        ("basket", "seq as text", line.replace(b'"seq":1201', b'"seq":"1201"'), "bad_field"),
        ("basket", "seq with a fraction", line.replace(b'"seq":1201', b'"seq":1201.0'), "bad_field"),
        ("basket", "seq twice", line[:-1] + b',"seq":1201}', "duplicate_key"),
        ("basket", "qty twice in a read", line.replace(b'"qty":2', b'"qty":1,"qty":2'), "duplicate_key"),
        ("basket", "no reads and not a void", line[: line.index(b'"reads"')] + b'"reads":[]}', "wrong_read_count"),
        ("basket", "51 reads", line[: line.index(b'"reads"')] + b'"reads":[' + b",".join([read] * 51) + b"]}",
         "wrong_read_count"),
        ("basket", "qty 0", line.replace(b'"qty":2', b'"qty":0'), "bad_field"),
        ("basket", "qty 10000", line.replace(b'"qty":2', b'"qty":10000'), "bad_field"),
        ("basket", "price below zero", line.replace(b"899900", b"-899900"), "bad_field"),
        ("basket", "price of 10^10 + 1 fen", line.replace(b"899900", b"10000000001"), "bad_field"),
        ("basket", "price NaN", line.replace(b"899900", b"NaN"), "not_json"),
        ("basket", "a code of 2,049 bytes", line.replace(b"6939400204821", b"6" * 2049), "bad_field"),
        ("basket", "a code of 683 characters, 2,049 bytes", line.replace(b"6939400204821", "标".encode() * 683),
         "bad_field"),
        ("basket", "raw is not base64", line.replace(b'"raw":null', b'"raw":"*"', 1), "bad_field"),
        ("basket", "closed by nobody", line.replace(b'"closed_by":"member"', b'"closed_by":"nobody"'), "bad_field"),
        ("basket", "a lone surrogate", line.replace(b'"c07"', b'"\\ud800"'), "not_json"),
        ("basket", "invalid UTF-8", line.replace(b'"c07"', b'"\xff"'), "not_json"),
        ("basket", "a cashier of 33 characters", line.replace(b'"c07"', b'"' + b"c" * 33 + b'"'), "bad_field"),
    ]  # fmt: skip
    return [{"line": kind, "case": case, "bytes_hex": bytes_.hex(), "code": code} for kind, case, bytes_, code in cases]


def _receipts() -> dict[str, bytes]:
    topic, sign = topics.receipt(DEVICE), signer(RECEIPT_SEED)
    hashes = [basket_hash(encode_basket(basket)) for basket in (member_basket(), claim_basket(), void_basket())]
    recorded = Receipt(seq=1201, sha256=hashes[0], state=ReceiptState.RECORDED)
    mixed = (
        recorded,
        Receipt(seq=1202, sha256=hashes[1], state=ReceiptState.DUPLICATE),
        Receipt(seq=1203, sha256=hashes[2], state=ReceiptState.QUARANTINED, code="other_content"),
    )
    return {
        f"receipt-{name}": seal_receipts(
            topic,
            ReceiptMessage(stream=STREAM, srv_ts=SOLD_MS + 15, echo_mono=88_123_456, receipts=receipts),
            sign,
        )
        for name, receipts in (("recorded", (recorded,)), ("mixed", mixed))
    }


def _refused_receipts(good: bytes) -> list[dict[str, object]]:
    topic = topics.receipt(DEVICE)
    cases = [
        ("one bit flipped", topic, good[:-10] + bytes([good[-10] ^ 1]) + good[-9:], "bad_signature"),
        ("for another device", topics.receipt(OTHER_DEVICE), good, "bad_signature"),
        ("cut short", topic, good[:60], "payload_too_short"),
        ("format byte 0", topic, b"\x00" + good[1:], "unknown_format"),
    ]
    return [
        {"case": case, "topic": where, "payload_hex": payload.hex(), "code": code}
        for case, where, payload, code in cases
    ]


def offer() -> UpdateOffer:
    return UpdateOffer(
        rollout="01980000-0000-7000-8000-000000000001",
        target="till-1.3.0.tar",
        version="1.3.0",
        hardware=("pi4", "pi5"),
        min_version="1.0",
    )


def job_report() -> JobReport:
    return JobReport(
        rollout=offer().rollout, state=UpdateState.ROLLED_BACK, version="1.2.0", reason="no_health_in_time"
    )


def job_report_unconfirmed() -> JobReport:
    return JobReport(rollout=offer().rollout, state=UpdateState.STAGED, version="1.2.0", reason=UNCONFIRMED)


def _downlink() -> bytes:
    return seal_downlink(topics.down_cmd(DEVICE), b'{"v":1,"cmd":"revoked","at":1790000000123}', signer(RECEIPT_SEED))


def _refused_downlinks(good: bytes) -> list[dict[str, object]]:
    topic = topics.down_cmd(DEVICE)
    receipt = _receipts()["receipt-recorded"]
    cases = [
        ("one bit flipped", topic, good[:-10] + bytes([good[-10] ^ 1]) + good[-9:], "bad_signature"),
        ("for another device", topics.down_cmd(OTHER_DEVICE), good, "bad_signature"),
        ("moved to another topic of the device", topics.down_job(DEVICE), good, "bad_signature"),
        ("a receipt in its place", topics.receipt(DEVICE), receipt, "bad_signature"),
        ("signed by a till", topic, seal_downlink(topic, good[65:], signer(DEVICE_SEED)), "bad_signature"),
        ("without a body", topic, good[:65], "payload_too_short"),
        ("format byte 0", topic, b"\x00" + good[1:], "unknown_format"),
    ]
    return [
        {"case": case, "topic": where, "payload_hex": payload.hex(), "code": code}
        for case, where, payload, code in cases
    ]


def _keys() -> dict[str, object]:
    seeds = {"device": DEVICE_SEED, "other_device": OTHER_SEED, "receipt": RECEIPT_SEED, "city": CITY_SEED}
    ids = {"device": "k2", "other_device": "k1", "receipt": "r1", "city": "n1"}
    return {
        name: {
            "key_id": ids[name],
            "private_hex": seed.hex(),
            "public_hex": Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw().hex(),
        }
        for name, seed in seeds.items()
    }


def _topics() -> dict[str, object]:
    builders = (topics.baskets, topics.health, topics.state, topics.twin, topics.job, topics.res,
                topics.receipt, topics.down_twin, topics.down_job, topics.down_cmd)  # fmt: skip
    return {
        "device": DEVICE,
        "topics": {builder.__name__: builder(DEVICE) for builder in builders},
        "bridge_state": {"name": "a1", "topic": topics.bridge_state("a1")},
        "up_filter": topics.UP_FILTER,
        "shared_up_filter": topics.shared_up_filter("bridge"),
        "refused_device_ids": ["", "short-1", "a" * 41, "Upper-001", "nj/0042/3", "nj+0042-3", "nj#0042-3",
                               "bridge", "bridge-01", "nj-0042-3\n", "南京一号店收银台"],
        "refused_topics": ["", "pos/v1", "pos/v2/nj-0042-3/up/baskets", "pos/v1/nj-0042-3/baskets",
                           "pos/v1/nj-0042-3/up/", "x/pos/v1/nj-0042-3/up/baskets", "pos/v1/bridge/a1/state"],
    }  # fmt: skip


def _access_changes() -> list[dict[str, object]]:
    changes = [AccessChange(device=DEVICE, admitted=True), AccessChange(device=OTHER_DEVICE, admitted=False)]
    return [
        {"topic": topics.ACCESS, "dev": each.device, "admitted": each.admitted, "payload": encode_access(each).decode()}
        for each in changes
    ]


def _pretty(value: object) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2) + b"\n"


def main() -> int:
    changed = []
    for name, content in build().items():
        path = FOLDER / name
        if not path.exists():
            path.write_bytes(content)
            print("written", name)
        elif path.read_bytes() != content:
            changed.append(name)
    for name in changed:
        print("REFUSED: the code no longer makes", name, file=sys.stderr)
    return 1 if changed else 0


if __name__ == "__main__":
    raise SystemExit(main())
