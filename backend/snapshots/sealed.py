"""A snapshot as a till takes it: `0x01 | 64-byte Ed25519 signature | head JSON, NEWLINE, zlib(lines)`. Pure.

The wire contract of `firmware_bridge.wire.snapshots`; golden files hold the two together.
"""

import zlib
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final, NamedTuple

import orjson

from backend.kernel.periods import milliseconds
from backend.snapshots.queries import Newest

VERSION: Final = 1


class Addressee(NamedTuple):
    """The till that it is for; the signature makes it good for no other."""

    device: str
    city: str
    district: str
    store: str


def seal_snapshot(
    till: Addressee,
    newest: Newest,
    after: int | None,
    changes: Sequence[tuple[str, str | None]],
    *,
    kept: timedelta,
    sign: Callable[[bytes], bytes],
) -> bytes:
    """A whole snapshot where it has a body, else the `changes` since the version `after`. A till may believe it for `kept`
    from the moment at which it was last seen to be true.
    """
    head = {
        "v": VERSION,
        "dev": till.device,
        "city": till.city,
        "district": till.district,
        "store": till.store,
        "version": newest.version,
        "after": None if newest.body is not None else after,
        "made_at": milliseconds(newest.made_at),
        "checked_at": milliseconds(newest.checked_at),
        "expires_at": milliseconds(newest.checked_at + kept),
        "lines": newest.lines,
        "sha256": newest.sha256.hex(),
    }
    payload = zlib.compress(_lines(changes)) if newest.body is None else newest.body
    body = orjson.dumps(head) + b"\n" + payload
    return b"\x01" + sign(b"pos-snapshots-v1\0" + till.device.encode() + b"\0" + body) + body


def _lines(changes: Sequence[tuple[str, str | None]]) -> bytes:
    return "".join([f"{key}\n" if line is None else f"{key}\t{line}\n" for key, line in changes]).encode()
