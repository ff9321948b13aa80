"""A basket that a shop's system asks about before it is paid: what would be awarded, held for it until it is paid. Pure.

The quote's id is that of the basket it becomes; the moment of sale of that basket is the moment of the quote, so that
policy version, certificates and civil periods of caps are those that were promised.
"""

import hashlib
from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from backend.kernel.errors import DomainError
from backend.scans.explain import DecidedScan
from backend.scans.identity import basket_id
from backend.scans.model import Basket, Channel, ClockQuality, Read

HOLD_MINUTES = 15
HOLD_MINUTES_MAX = 60
KEY_CHARS_MIN, KEY_CHARS_MAX = 8, 200
_SEQ = 1


class QuoteState(StrEnum):
    DRY = "dry_run"
    HELD = "held"
    CAPTURED = "captured"
    VOIDED = "voided"
    EXPIRED = "expired"


class QuoteIdentity(NamedTuple):
    """`basket` is the quote's public id and that of the basket it becomes; `stream` the reference of what is reserved."""

    basket: str
    device: str
    stream: str
    seq: int


class FinalLine(NamedTuple):
    """What was paid for of one quoted line: pieces, and the price of them all in fen."""

    line_no: int
    quantity: int
    price_fen: int | None


class QuotedCounter(NamedTuple):
    """What a counter held before the quote, and what the quote took of it."""

    person: str
    period: str
    cap: str
    used_before: int
    taken: int


class QuoteUnknown(DomainError):
    code = "quote-unknown"
    text_zh = "没有这个预留单号。"
    text_en = "There is no quote of this number."


class QuoteConflict(DomainError):
    code = "quote-conflict"
    text_zh = "同一 Idempotency-Key 已用于内容不同的询价，请换用新的编号。"
    text_en = "This Idempotency-Key stands for a quote with other content; take a new one."


class QuoteExpired(DomainError):
    code = "quote-expired"
    text_zh = "预留已于 {expired_at_zh} 到期并退回，请重新询价。"
    text_en = "The reservation ended at {expired_at} and was given back: ask for a new quote."


class QuoteVoided(DomainError):
    code = "quote-voided"
    text_zh = "预留已撤销，请重新询价。"
    text_en = "The reservation was voided: ask for a new quote."


class QuoteCaptured(DomainError):
    code = "quote-captured"
    text_zh = "该单已结算入账，不能撤销；请按退货办理。"
    text_en = "This quote was captured and cannot be voided: use a return."


class CaptureConflict(DomainError):
    code = "capture-conflict"
    text_zh = "该单已按不同内容结算；如有变动请按退货办理。"
    text_en = "This quote was captured with other content: use a return for what has changed."


class CaptureBeyondQuote(DomainError):
    code = "capture-beyond-quote"
    text_zh = "第 {lines} 行超出询价时的商品、件数或单价；请重新询价。"
    text_en = "Lines {lines} go beyond the goods, pieces or prices that were quoted: ask for a new quote."


def identity_of(service: str, city: str, key: str) -> QuoteIdentity:
    """One idempotency key of one service in one city is one quote, whoever asks when."""
    stream = hashlib.sha256(f"quote\0{service}\0{city}\0{key}".encode()).hexdigest()[:32]
    device = f"q-{service}"
    return QuoteIdentity(basket_id(device, stream, _SEQ), device, stream, _SEQ)


def basket_to_be(
    identity: QuoteIdentity, reads: Sequence[Read], line: bytes | None, store: str, district: str, quoted_at_ms: int
) -> Basket:
    """A shop's own system speaks for its till: online, with the server's clock."""
    prices = [read.price_fen for read in reads if read.price_fen is not None]
    return Basket(
        basket=identity.basket,
        device=identity.device,
        stream=identity.stream,
        seq=identity.seq,
        sha256=hashlib.sha256(line or b"").digest(),
        line=line,
        channel=Channel.TILL.value,
        store=store,
        district=district,
        resident=None,
        claim_sha256=None,
        closed_by=None,
        cashier=None,
        void_of=None,
        part_of=None,
        sold_at_ms=quoted_at_ms,
        clock_quality=ClockQuality.SERVER.value,
        clock_held=False,
        online=True,
        received_at_ms=quoted_at_ms,
        reads=list(reads),
        receipt_fen=sum(prices) if prices else None,
    )


def checked_lines(scans: Sequence[DecidedScan], final: Sequence[FinalLine] | None) -> list[FinalLine]:
    """The lines that were paid for, in their order; None pays for all that was quoted.

    Raises CaptureBeyondQuote naming every line that was not quoted, or with more pieces, or at a higher price a piece.
    """
    quoted = {scan.decision.line_no: as_quoted(scan) for scan in scans}
    if final is None:
        return list(quoted.values())
    seen: set[int] = set()
    beyond = []
    for line in final:
        if line.line_no in seen or not _within(line, quoted.get(line.line_no)):
            beyond.append(line.line_no)
        seen.add(line.line_no)
    if beyond:
        raise CaptureBeyondQuote(lines=", ".join(str(number) for number in sorted(set(beyond))))
    return sorted(final)


def as_quoted(scan: DecidedScan) -> FinalLine:
    d = scan.decision
    return FinalLine(d.line_no, d.quantity, d.price_fen)


def _within(line: FinalLine, quoted: FinalLine | None) -> bool:
    if quoted is None or line.quantity > quoted.quantity or (line.price_fen is None) != (quoted.price_fen is None):
        return False
    if line.price_fen is None or quoted.price_fen is None:
        return True
    return line.price_fen * quoted.quantity <= quoted.price_fen * line.quantity
