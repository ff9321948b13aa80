"""A piece that the till's reader and the shop's own till both report is one piece. Pure.

Of each article a basket holds as many pieces as the one of the two saw that saw more, and every line of the shop's till
with its price: a line takes in what readers read of the same article, before it or after it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from firmware_bridge.wire.messages import Read
from scanner.sources.text import UNKNOWN_SYMBOLOGY

SHOP: Final = "pos"
"""The source of a read that the shop's till reported."""
_RETAIL_LENGTHS: Final = frozenset({8, 12, 13, 14})


@dataclass(frozen=True, slots=True)
class KeptRead:
    """A read with its size as JSON on the wire, at most."""

    read: Read
    size_bytes: int
    shown: int = 0
    """Of the pieces of a line of the shop's till: how many the till's own reader has seen."""


def join(reads: Sequence[KeptRead], new: KeptRead) -> tuple[KeptRead, ...]:
    """`reads` with `new` beside them or in one of them."""
    return _with_line(reads, new) if new.read.src == SHOP else _with_read(reads, new)


def article(code: str) -> str:
    """GS1 General Specifications 3.3.2: a GTIN of 8, 12 or 13 digits is the one of 14 with zeros before it."""
    return code.zfill(14) if len(code) in _RETAIL_LENGTHS and code.isascii() and code.isdigit() else code


def _with_read(reads: Sequence[KeptRead], new: KeptRead) -> tuple[KeptRead, ...]:
    for number, kept in enumerate(reads):
        if kept.read.src == SHOP and kept.shown < kept.read.qty and _same(kept.read, new.read):
            known = replace(kept, shown=kept.shown + 1)
            return (*reads[:number], known, *reads[number + 1 :])
    return (*reads, new)


def _with_line(reads: Sequence[KeptRead], line: KeptRead) -> tuple[KeptRead, ...]:
    taken: list[KeptRead] = []
    rest: list[KeptRead] = []
    for kept in reads:
        fits = kept.read.src != SHOP and kept.read.price_fen is None and _same(kept.read, line.read)
        room = line.read.qty - sum(read.read.qty for read in taken)
        (taken if fits and kept.read.qty <= room else rest).append(kept)
    if not taken:
        return (*reads, line)
    shown = sum(kept.read.qty for kept in taken)
    # What a size bounds is a message: the sum of both is bound enough.
    size_bytes = line.size_bytes + taken[0].size_bytes
    return (*rest, KeptRead(_evidence(line.read, taken[0].read), size_bytes, shown))


def _evidence(line: Read, read: Read) -> Read:
    """The shop's line, with how a reader saw the label where the line does not say."""
    if line.sym != UNKNOWN_SYMBOLOGY:
        return line
    return replace(line, sym=read.sym, code=read.code, aim=read.aim, raw=read.raw, votes=read.votes)


def _same(one: Read, other: Read) -> bool:
    return article(one.code) == article(other.code) and (one.sn == other.sn or None in {one.sn, other.sn})
