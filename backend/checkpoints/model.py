"""What is sealed, and how a checkpoint is written down. Pure.

A checkpoint is a signed note of C2SP (tlog-checkpoint, signed-note): origin, number of entries, root; then the signature.
"""

import base64
import hashlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import orjson

ALGORITHM = b"\x01"
"""Ed25519, as C2SP's signed-note numbers it."""
GENESIS = bytes(32)
"""What the first entry is chained to."""


class Posted(NamedTuple):
    """One transfer of the ledger as it is sealed. `reference`, `step`, `line` name it."""

    reference: str
    step: int
    line: int
    reason: str
    unit: str
    source: str
    destination: str
    amount: int
    recorded_at: datetime


class Entered(NamedTuple):
    """What gets an entry. An act is named by its id as `reference`, with step and line 0; `content` is what is hashed."""

    act: bool
    reference: str
    step: int
    line: int
    recorded_at: datetime
    content: bytes


class Checkpoint(NamedTuple):
    """`size`: entries of the log that `root` covers. `note` is what was signed, with its signature."""

    size: int
    root: bytes
    note: str
    made_at: datetime


def canonical(city: str, row: Posted) -> bytes:
    """The bytes that are hashed for a transfer: a JSON array without spaces, UTF-8, the moment in UTC to the microsecond."""
    return orjson.dumps([city, *row[:-1], _moment(row.recorded_at)])


def canonical_act(city: str, act: str, told: Sequence[str | None], at: datetime) -> bytes:
    """The same for an act; `told` are its columns as they stand, in the order of the table."""
    return orjson.dumps([city, "act", act, *told, _moment(at)])


def chained(before: bytes, leaf: bytes) -> bytes:
    """Every entry is bound to all before it, whatever the order in which the rows are read."""
    return hashlib.sha256(before + leaf).digest()


def origin(city: str) -> str:
    """The name of a city's log, and of the key that signs it."""
    return f"greenpoints/{city}/ledger"


def seal(city: str, size: int, root: bytes, key: bytes, sign: Callable[[bytes], bytes]) -> str:
    """The signed note. `key` is the public half of what signs, 32 bytes."""
    name = origin(city)
    text = f"{name}\n{size}\n{base64.b64encode(root).decode()}\n"
    signature = base64.b64encode(key_id(name, key) + sign(text.encode())).decode()
    return f"{text}\n— {name} {signature}\n"


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def key_id(name: str, key: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + ALGORITHM + key).digest()[:4]


def verifier_key(city: str, key: bytes) -> str:
    """By what an auditor checks the notes: name, id and public key as C2SP writes them."""
    name = origin(city)
    return f"{name}+{key_id(name, key).hex()}+{base64.b64encode(ALGORITHM + key).decode()}"
