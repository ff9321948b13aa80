"""Decisions held against the bytes that the till signed, or the phone sent: the facts stored are those that were read. Pure."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from backend.kernel.strict_json import NotStrictJson
from backend.scans.lines import MalformedBasket, reads_of, shown_text
from backend.scans.model import Read


class DecidedRead(NamedTuple):
    """What a decision says of its read, in the order of the columns."""

    line_no: int
    decision_no: int
    code: bytes | None
    code_text: str | None
    symbology: str | None
    quantity: int
    price_fen: int | None
    serial: str | None
    returned: int = 0
    """Pieces that came back before it was taken: it counts what was left, at that part of the price, rounded down."""


class Deviation(NamedTuple):
    """Where a decision says otherwise, by the names of its facts: what they say belongs in no log."""

    line_no: int | None
    decision_no: int | None
    found: str


def deviations(line: bytes, decided: Sequence[DecidedRead]) -> Iterator[Deviation]:
    """Of one basket whose line is kept; `decided` holds all its decisions."""
    try:
        reads = reads_of(line)
    except (MalformedBasket, NotStrictJson):
        yield Deviation(None, None, "its bytes hold no basket")
        return
    firsts = {one.line_no for one in decided if one.decision_no == 1}
    if firsts != set(range(len(reads))):
        yield Deviation(None, None, f"{len(reads)} reads were signed, {len(firsts)} are decided")
    for one in decided:
        wrong = _wrong(one, reads[one.line_no]) if one.line_no < len(reads) else []
        if wrong:
            yield Deviation(one.line_no, one.decision_no, f"not as it was signed: {', '.join(wrong)}")


def _wrong(decided: DecidedRead, read: Read) -> list[str]:
    text, left = shown_text(read), read.quantity - decided.returned
    expected = {
        "code": None if text == read.text else read.code,
        "code_text": text,
        "symbology": read.symbology,
        "quantity": left,
        "price_fen": None if read.price_fen is None else read.price_fen * left // read.quantity,
        "serial": read.serial,
    }
    return [name for name, value in expected.items() if getattr(decided, name) != value]
