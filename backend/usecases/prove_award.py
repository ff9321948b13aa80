"""Proof for whoever holds a receipt: its postings stand in the log that the city has signed, and where."""

from typing import NamedTuple

from sqlalchemy import Connection

from backend.checkpoints import queries
from backend.checkpoints.merkle import consistency, inclusion, rows_of
from backend.checkpoints.model import Checkpoint, canonical
from backend.kernel.amounts import OF_RESIDENTS
from backend.ledger.model import Reason
from backend.scans.model import READS_MAX
from backend.usecases.award_postings import PART_STEP

_UNITS = frozenset(unit.value for unit in OF_RESIDENTS)


class Proven(NamedTuple):
    """`content` are the bytes whose leaf is at `entry`; `path` leads from there to the checkpoint's root."""

    entry: int
    content: bytes
    path: tuple[bytes, ...]


class Proof(NamedTuple):
    """`waiting`: postings that no checkpoint covers yet; within about ten minutes one does."""

    checkpoint: Checkpoint | None
    postings: tuple[Proven, ...]
    waiting: int


def prove_award(connection: Connection, city: str, basket: str, line_no: int) -> Proof:
    """Of what the line of a basket earned its resident. Without any award both lists are empty."""
    awards = [
        found
        for found in queries.sealed(connection, city, [basket])
        if found.row.reason == Reason.AWARD.value
        and found.row.line % PART_STEP % READS_MAX == line_no
        and found.row.unit in _UNITS
    ]
    newest = next(iter(queries.checkpoints(connection, city)), None)
    size = 0 if newest is None else newest.size
    covered = [(found.entry, found.row) for found in awards if found.entry is not None and found.entry < size]
    if not covered:
        return Proof(newest, (), len(awards))
    lookup = queries.hashes(connection, city, rows_of([entry for entry, _ in covered], size))
    proven = [Proven(entry, canonical(city, row), tuple(inclusion(lookup, entry, size))) for entry, row in covered]
    return Proof(newest, tuple(proven), len(awards) - len(covered))


def prove_growth(connection: Connection, city: str, old: int, new: int) -> tuple[bytes, ...]:
    """That the log of `new` entries begins with that of `old`; 0 < old <= new <= its size."""
    lookup = queries.hashes(connection, city, rows_of([old - 1], new))
    return tuple(consistency(lookup, old, new))
