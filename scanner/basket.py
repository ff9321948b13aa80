"""The reads of one customer at one till: what opens, joins and closes a basket. Pure.

A basket may be open with any number of reads up to OPEN_READS_MAX; closing cuts it into wire baskets of at most 50
reads that fit a message, all with the same member or claim, the later ones `part_of` the first. So a member code that
is shown last still covers the whole shopping.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum, auto

from firmware_bridge.wire.messages import READS_MAX, Basket, ClosedBy, encode_basket
from scanner.errors import TillRefusal
from scanner.join import KeptRead, join

OPEN_READS_MAX = 1_000
PART_BYTES_MAX = 56_000
"""Of the reads of one part as JSON; leaves room in 64 KiB for signature, header and the basket's own fields."""


class BasketTooLong(TillRefusal):
    code = "basket_too_long"
    text_zh = "本单已有 {reads_max} 次读码，请先结单。"
    text_en = "This basket has {reads_max} reads; finish it first."


class VoidWhileOpen(TillRefusal):
    code = "void_while_open"
    text_zh = "当前单尚未结束，请先结单再作废上一单。"
    text_en = "A basket is open; finish it before voiding the last one."


class AnotherIsLast(TillRefusal):
    code = "another_is_last"
    text_zh = "第 {seq} 单已不是上一单，没有作废。"
    text_en = "Basket {seq} is the last one no more; nothing was voided."


class NothingToVoid(TillRefusal):
    code = "nothing_to_void"
    text_zh = "没有可作废的上一单。"
    text_en = "There is no last basket to void."


@dataclass(frozen=True, slots=True)
class Moment:
    """`mono`: ms since boot; `ts`: Unix ms by the till's own clock."""

    mono: int
    ts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenBasket:
    boot: str
    opened_mono: int
    last: Moment
    """Of the latest read or member code: when the timeout counts from, and when an interrupted basket ended."""
    member: str | None = None
    cashier: str | None = None
    slip_no: str | None = None
    reads: tuple[KeptRead, ...] = ()

    def __post_init__(self) -> None:
        assert len(self.reads) <= OPEN_READS_MAX
        assert self.opened_mono <= self.last.mono


@dataclass(frozen=True, slots=True)
class LabelRead:
    read: KeptRead
    at: Moment


@dataclass(frozen=True, slots=True)
class MemberShown:
    """A member code that was verified."""

    member: str
    at: Moment


@dataclass(frozen=True, slots=True)
class CashierNamed:
    cashier: str


@dataclass(frozen=True, slots=True)
class SlipNumbered:
    """The shop's till said which sale this is."""

    slip_no: str
    at: Moment


@dataclass(frozen=True, slots=True)
class CloseAsked:
    by: ClosedBy
    at: Moment


@dataclass(frozen=True, slots=True)
class TimePassed:
    at: Moment


Event = LabelRead | MemberShown | CashierNamed | SlipNumbered | CloseAsked | TimePassed


@dataclass(frozen=True, slots=True)
class Closing:
    basket: OpenBasket
    by: ClosedBy
    at: Moment

    def __post_init__(self) -> None:
        assert self.basket.reads


class Note(StrEnum):
    """What a step did beside its reads, for the cashier."""

    MEMBER_ATTACHED = auto()
    MEMBER_ALREADY_THERE = auto()
    NOTHING_TO_CLOSE = auto()
    EMPTY_BASKET_DROPPED = auto()


@dataclass(frozen=True, slots=True)
class Step:
    """The basket that is open afterwards, and the one that this event closed."""

    open: OpenBasket | None
    closing: Closing | None = None
    note: Note | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    boot: str
    timeout_ms: int
    cashier: str | None = field(default=None)
    """Who is at the till: stands in each basket that opens."""


def step(current: OpenBasket | None, event: Event, rules: Rules) -> Step:
    """What `event` makes of the open basket. Raises BasketTooLong."""
    match event:
        case LabelRead():
            return _read(current, event, rules)
        case MemberShown():
            return _member(current, event, rules)
        case CashierNamed():
            return Step(current and replace(current, cashier=event.cashier))
        case SlipNumbered():
            return _slip(current, event, rules)
        case CloseAsked():
            return _close(current, event.by, event.at)
        case TimePassed():
            if current is None or event.at.mono - current.last.mono < rules.timeout_ms:
                return Step(current)
            return _close(current, ClosedBy.TIMEOUT, event.at)


def _read(current: OpenBasket | None, event: LabelRead, rules: Rules) -> Step:
    basket = current or _opened(event.at, rules)
    if len(basket.reads) == OPEN_READS_MAX:
        raise BasketTooLong(reads_max=OPEN_READS_MAX)
    reads = join(basket.reads, event.read)
    return Step(replace(basket, reads=reads, last=_later(basket.last, event.at)))


def _member(current: OpenBasket | None, event: MemberShown, rules: Rules) -> Step:
    if current is not None and current.member == event.member:
        return Step(current, note=Note.MEMBER_ALREADY_THERE)
    if current is None or current.member is None:
        basket = current or _opened(event.at, rules)
        attached = replace(basket, member=event.member, last=_later(basket.last, event.at))
        return Step(attached, note=Note.MEMBER_ATTACHED)
    # The next customer's code ends the shopping of the one before.
    ended = _close(current, ClosedBy.MEMBER, event.at)
    opened = replace(_opened(event.at, rules), member=event.member)
    return Step(opened, closing=ended.closing, note=Note.MEMBER_ATTACHED)


def _slip(current: OpenBasket | None, event: SlipNumbered, rules: Rules) -> Step:
    if current is not None and current.slip_no == event.slip_no:
        return Step(current)
    if current is None or current.slip_no is None or not current.reads:
        basket = current or _opened(event.at, rules)
        return Step(replace(basket, slip_no=event.slip_no, last=_later(basket.last, event.at)))
    # The number of the next sale ends the one before, whose own end was never told.
    opened = replace(_opened(event.at, rules), slip_no=event.slip_no)
    return replace(_close(current, ClosedBy.FINISH, event.at), open=opened)


def _close(current: OpenBasket | None, by: ClosedBy, at: Moment) -> Step:
    if current is None:
        return Step(None, note=Note.NOTHING_TO_CLOSE)
    if not current.reads:
        return Step(None, note=Note.EMPTY_BASKET_DROPPED)
    return Step(None, closing=Closing(current, by, at))


def _opened(at: Moment, rules: Rules) -> OpenBasket:
    return OpenBasket(boot=rules.boot, opened_mono=at.mono, last=at, cashier=rules.cashier)


def _later(before: Moment, now: Moment) -> Moment:
    """`mono` never falls in a basket, even when a source stamps its reads a little late."""
    return now if now.mono >= before.mono else Moment(before.mono, now.ts)


def interrupted(basket: OpenBasket) -> Step:
    """How a basket ends that was found open at start: with its last read, in the boot that knew its clock."""
    return _close(basket, ClosedBy.INTERRUPTED, basket.last)


def lines(closing: Closing, first_seq: int, claim_sha256: str | None) -> list[bytes]:
    """The wire lines of a closed basket, numbered from `first_seq`; made once, stored, never made again."""
    parts = list(_parts(closing.basket.reads))
    return [
        encode_basket(
            Basket(
                seq=first_seq + number,
                boot=closing.basket.boot,
                opened_mono=closing.basket.opened_mono,
                closed_mono=closing.at.mono,
                ts=closing.at.ts,
                closed_by=closing.by,
                member=closing.basket.member,
                claim_sha256=claim_sha256,
                cashier=closing.basket.cashier,
                part_of=None if number == 0 else first_seq,
                slip_no=closing.basket.slip_no,
                reads=tuple(kept.read for kept in part),
            )
        )
        for number, part in enumerate(parts)
    ]


def void_lines(voided: Sequence[int], first_seq: int, rules: Rules, at: Moment) -> list[bytes]:
    """One line without reads for each part of the basket that is voided."""
    return [
        encode_basket(
            Basket(
                seq=first_seq + number,
                boot=rules.boot,
                opened_mono=at.mono,
                closed_mono=at.mono,
                ts=at.ts,
                closed_by=ClosedBy.FINISH,
                cashier=rules.cashier,
                void_of=seq,
                reads=(),
            )
        )
        for number, seq in enumerate(voided)
    ]


def self_test_line(seq: int, rules: Rules, at: Moment) -> bytes:
    """A basket that sold nothing and takes back itself: recorded and receipted as any other, it can never earn or cost."""
    (line,) = void_lines((seq,), seq, rules, at)
    return line


def _parts(reads: Sequence[KeptRead]) -> Iterator[list[KeptRead]]:
    part: list[KeptRead] = []
    size_bytes = 0
    for kept in reads:
        if part and (len(part) == READS_MAX or size_bytes + kept.size_bytes > PART_BYTES_MAX):
            yield part
            part, size_bytes = [], 0
        part.append(kept)
        size_bytes += kept.size_bytes
    yield part
