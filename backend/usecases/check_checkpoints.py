"""Checkpoints held against the log as it stands and against the key that signs: what the city's own pages can verify.

An auditor's program (`backend/checkpoints/auditor.py`) reads every entry, and trusts none of this.
"""

import base64
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection

from backend.checkpoints import queries
from backend.checkpoints.merkle import inclusion, node_hash, rows_of
from backend.checkpoints.model import Checkpoint

CHECKED_MAX = 20


class Checked(NamedTuple):
    """`signed`: by the city's key; None where this process has none. `stands`: its root is that of the log's entries now."""

    made: Checkpoint
    signed: bool | None
    stands: bool


def check_checkpoints(connection: Connection, city: str, key: bytes | None, before: int, limit: int) -> list[Checked]:
    """Those of fewer entries than `before`, the newest first, at most 20; each reads a few hundred hashes."""
    found = queries.checkpoints(connection, city, before=before, limit=min(limit, CHECKED_MAX))
    return [Checked(made, _is_signed(made, key), _stands(connection, city, made)) for made in found]


def _is_signed(made: Checkpoint, key: bytes | None) -> bool | None:
    if key is None:
        return None
    text, _, signature = made.note.partition("\n\n")
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(
            base64.b64decode(signature.split()[-1])[4:], f"{text}\n".encode()
        )
    except (InvalidSignature, ValueError, IndexError):
        return False
    return text.splitlines()[1:] == [str(made.size), base64.b64encode(made.root).decode()]


def _stands(connection: Connection, city: str, made: Checkpoint) -> bool:
    last = made.size - 1
    lookup = queries.hashes(connection, city, rows_of([last], made.size))
    try:
        found = lookup(0, last)
        for left in inclusion(lookup, last, made.size):  # whatever stands beside the last entry, stands left of it
            found = node_hash(left, found)
    except KeyError:  # entries are gone
        return False
    return found == made.root
