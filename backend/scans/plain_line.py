"""The line of a basket as tills usually write it, read in one go by a compiled schema, in three fifths of the time.

It takes nothing that reading field by field (`lines`) would refuse or read in another way, and leaves to that whatever is
not plain: other fields, another order or spacing, texts to be cleaned, promises, voids.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated

import msgspec

from backend.scans.identity import SEQ_MAX
from backend.scans.lent import Promised
from backend.scans.line_limits import (
    AIM,
    BOOT,
    CLOSED_BY,
    CODE_BYTES_MAX,
    MEMBER_CODE_MAX,
    MONO_MS_MAX,
    PRICE_FEN_MAX,
    QUANTITY_MAX,
    SHA256,
    TEXT_MAX,
    UNIX_MS_MAX,
    WORD,
)
from backend.scans.model import READS_MAX, Read
from backend.scans.slips import SLIP_NO, canonical

WORDS_KEPT = 1_024


class Stated(msgspec.Struct, frozen=True, gc=False):
    """What a line states, every field checked."""

    seq: int
    boot: str
    opened_mono_ms: int
    closed_mono_ms: int
    ts_ms: int
    closed_by: str
    member_code: str | None
    claim_sha256: bytes | None
    cashier: str | None
    void_of: int | None
    part_of: int | None
    reads: list[Read]
    promised: Sequence[Promised]
    slip_no: str | None


_Mono = Annotated[int, msgspec.Meta(ge=0, le=MONO_MS_MAX)]
_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=TEXT_MAX)]


class _PlainRead(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """In the order in which tills write it, as `_PlainLine` is: written again it gives the same bytes."""

    sym: str
    code: Annotated[str, msgspec.Meta(min_length=1, max_length=CODE_BYTES_MAX)]
    raw: None
    aim: str | None
    src: str
    votes: int
    mono: int
    qty: Annotated[int, msgspec.Meta(ge=1, le=QUANTITY_MAX)]
    price_fen: Annotated[int, msgspec.Meta(ge=0, le=PRICE_FEN_MAX)] | None
    sn: _Text | None


class _PlainLine(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    seq: Annotated[int, msgspec.Meta(ge=1, le=SEQ_MAX)]
    boot: str
    opened_mono: _Mono
    closed_mono: _Mono
    ts: Annotated[int, msgspec.Meta(ge=0, le=UNIX_MS_MAX)]
    closed_by: str
    member: Annotated[str, msgspec.Meta(min_length=1, max_length=MEMBER_CODE_MAX)] | None
    claim_sha256: str | None
    cashier: _Text | None
    void_of: None
    part_of: Annotated[int, msgspec.Meta(ge=1, le=SEQ_MAX)] | None
    reads: Annotated[list[_PlainRead], msgspec.Meta(min_length=1, max_length=READS_MAX)]
    slip_no: str | msgspec.UnsetType = msgspec.UNSET


_decode = msgspec.json.Decoder(_PlainLine).decode
_encode = msgspec.json.Encoder().encode


class _NotPlain(Exception):
    pass


def plain_line(line: bytes) -> Stated | None:
    """What `line` states; None where it is not plain, whatever that means for it."""
    try:
        sent = _decode(line)
        # Nothing stands twice in bytes that are written again alike.
        if _encode(sent) != line:
            return None
        return _stated(sent)
    except (msgspec.MsgspecError, ValueError, _NotPlain):
        return None


def _stated(sent: _PlainLine) -> Stated:
    member, claim, cashier, slip_no = sent.member, sent.claim_sha256, sent.cashier, sent.slip_no
    if not (_is_boot(sent.boot) and sent.closed_by in CLOSED_BY and sent.opened_mono <= sent.closed_mono):
        raise _NotPlain
    if not (member is None or (_is_clean(member) and " " not in member)):
        raise _NotPlain
    if not ((cashier is None or _is_clean(cashier)) and (claim is None or SHA256.fullmatch(claim))):
        raise _NotPlain
    return Stated(
        sent.seq,
        sent.boot,
        sent.opened_mono,
        sent.closed_mono,
        sent.ts,
        sent.closed_by,
        member,
        None if claim is None else bytes.fromhex(claim),
        cashier,
        None,
        sent.part_of,
        [_read(read) for read in sent.reads],
        (),
        None if slip_no is msgspec.UNSET else _slip_no(slip_no),
    )


def _read(sent: _PlainRead) -> Read:
    text, serial = sent.code, sent.sn
    code, carrier = text.encode(), _carrier(sent.sym, sent.aim)
    if carrier is None or len(code) > CODE_BYTES_MAX or not (serial is None or _is_clean(serial)):
        raise _NotPlain
    symbology, aim = carrier
    return Read(code, text, symbology, aim, sent.qty, sent.price_fen, serial)


def _slip_no(given: str) -> str:
    if SLIP_NO.fullmatch(given) is None:
        raise _NotPlain
    return canonical(given)


def _is_clean(text: str) -> bool:
    return text.isascii() and text.isprintable()


@lru_cache(WORDS_KEPT)
def _is_boot(text: str) -> bool:
    return BOOT.fullmatch(text) is not None


@lru_cache(WORDS_KEPT)
def _carrier(symbology: str, aim: str | None) -> tuple[str, str | None] | None:
    """The two words where they are a carrier's, as they were first seen: such a word has been hashed, and is compared at once."""
    named = WORD.fullmatch(symbology) is not None and (aim is None or AIM.fullmatch(aim) is not None)
    return (symbology, aim) if named else None
