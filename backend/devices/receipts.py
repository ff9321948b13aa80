"""The backend's answer to a till's message: what became of each basket, signed so that nobody between can forge it."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import orjson

FORMAT = b"\x01"


class Receipt(NamedTuple):
    """`sha256` of the basket's line in lower-case hex; a till closes a row only when seq and sha256 are its own."""

    seq: int
    sha256: str
    state: str
    code: str | None


def receipt_topic(device: str) -> str:
    return f"pos/v1/{device}/down/receipt"


def seal_receipts(
    topic: str,
    receipts: Sequence[Receipt],
    sign: Callable[[bytes], bytes],
    *,
    stream: str,
    srv_ts_ms: int,
    echo_mono_ms: int,
) -> bytes:
    """The message for `topic`. `echo_mono_ms` is the answered header's own sending time."""
    body = orjson.dumps(
        {
            "v": 1,
            "stream": stream,
            "srv_ts": srv_ts_ms,
            "echo_mono": echo_mono_ms,
            "receipts": [
                {"seq": seq, "sha256": sha256, "state": state, "code": code} for seq, sha256, state, code in receipts
            ],
        }
    )
    return FORMAT + sign(b"pos-receipts-v1\0" + topic.encode() + b"\0" + body) + body
