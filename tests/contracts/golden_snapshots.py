"""A till's offline snapshot, whole and as a difference, and what is none."""

import hashlib
import zlib

import orjson

from tests.contracts.golden_parties import (
    CITY,
    DEVICE,
    DEVICE_SEED,
    NOW_S,
    OTHER_DEVICE,
    RECEIPT_SEED,
    signer,
)

SNAPSHOT_LINES = {
    "g:06939400204821": '["冰箱","4f1d0c2b9a77",1798732800000]',
    "g:09521234000044": '["有机大米","90ab12cd34ef",9007199254740991]',
    "k:4f1d0c2b9a77": '[1798732800000,{"":[{"points":15},{"points":30},{"points":15},{"points":30}],"320104":[{},{},{},{}]}]',
    "k:90ab12cd34ef": '[1798732800000,{"":[{},{"points":"price"},{},{"fen":"later"}]}]',
    "p:320104": '["320104"]',
}
"""In the order of their keys. The difference before them added the rice, changed the refrigerator, and lost a line."""


def snapshots() -> dict[str, bytes]:
    whole = [f"{key}\t{line}\n" for key, line in SNAPSHOT_LINES.items()]
    return {
        "snapshot-whole": _snapshot(whole, None),
        "snapshot-difference": _snapshot([*whole[:2], "g:06901234567892\n", whole[3]], 1_789_999_000),
    }


def _snapshot(lines: list[str], after: int | None, **changes: object) -> bytes:
    content = "".join(f"{key}\t{line}\n" for key, line in SNAPSHOT_LINES.items()).encode()
    head = {
        "v": 1,
        "dev": DEVICE,
        "city": CITY,
        "district": "320104",
        "store": "nj-0042",
        "version": NOW_S,
        "after": after,
        "made_at": NOW_S * 1000,
        "checked_at": NOW_S * 1000 + 60_000,
        "expires_at": NOW_S * 1000 + 86_460_000,
        "lines": len(SNAPSHOT_LINES),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    # Stored, not compressed: the same bytes by every release of zlib.
    return _signed_snapshot(orjson.dumps(head | changes) + b"\n" + zlib.compress("".join(lines).encode(), 0))


def _signed_snapshot(body: bytes, seed: bytes = RECEIPT_SEED) -> bytes:
    return b"\x01" + signer(seed)(b"pos-snapshots-v1\0" + DEVICE.encode() + b"\0" + body) + body


def refused(good: bytes, receipt: bytes) -> list[dict[str, object]]:
    head = good[65:].partition(b"\n")[0]
    cases = [
        ("one bit flipped", DEVICE, good[:-10] + bytes([good[-10] ^ 1]) + good[-9:], "bad_signature"),
        ("for another till", OTHER_DEVICE, good, "bad_signature"),
        ("signed by a till", DEVICE, _signed_snapshot(good[65:], DEVICE_SEED), "bad_signature"),
        ("a receipt in its place", DEVICE, receipt, "bad_signature"),
        ("cut short", DEVICE, good[:60], "payload_too_short"),
        ("format byte 2", DEVICE, b"\x02" + good[1:], "unknown_format"),
        ("version 2", DEVICE, _snapshot([], None, v=2), "unknown_version"),
        ("no number", DEVICE, _snapshot([], None, version=0), "bad_field"),
        ("a hash in upper case", DEVICE, _snapshot([], None, sha256="A" * 64), "bad_field"),
        ("without lines", DEVICE, _signed_snapshot(head), "bad_field"),
        ("lines that end early", DEVICE, _signed_snapshot(good[65:-8]), "bad_field"),
        ("a line without its end", DEVICE, _snapshot(["g:06901234567892"], 1), "bad_field"),
    ]
    return [
        {"case": case, "device": device, "payload_hex": payload.hex(), "code": code}
        for case, device, payload, code in cases
    ]
