"""What a cashier may still want to know of the notices that have passed. Pure."""

from dataclasses import dataclass, replace
from enum import Enum, auto

from scanner.feedback import Notice, Signal
from scanner.snapshot.sayings import State

READS_KEPT = 8
BASKETS_KEPT = 6
HINTS_KEPT = 200
"""More lines than this, and the oldest of an open basket lose what was said of them."""


class Link(Enum):
    STARTING = auto()
    ONLINE = auto()
    OFFLINE = auto()


class Source(Enum):
    STARTING = auto()
    OPEN = auto()
    LOST = auto()
    ENDED = auto()


class Progress(Enum):
    """How far a closed basket has come."""

    KEPT = auto()
    RECORDED = auto()
    SET_ASIDE = auto()
    VOIDED = auto()


@dataclass(frozen=True, slots=True)
class PastRead:
    """`code` is None for what was refused: nothing of it was recorded."""

    at_ms: int
    code: str | None
    said_zh: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PastBasket:
    """`reads` is None for one of a former run. `claim` is as printed."""

    seq: int
    reads: int | None = None
    member: bool = False
    claim: str | None = None
    waiting: frozenset[int] = frozenset()
    """Those of its parts that have no receipt yet."""
    progress: Progress = Progress.KEPT


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence for the cashier, by the till's `mono`."""

    name: str
    text_zh: str
    text_en: str
    at_mono: int


@dataclass(frozen=True, slots=True)
class Memory:
    link: Link = Link.STARTING
    source: Source = Source.STARTING
    feed_lost: bool = False
    barred: str | None = None
    """Why the till takes nothing more: revoked, or not_admitted."""
    stopped: bool = False
    said: Said | None = None
    reads: tuple[PastRead, ...] = ()
    """Newest first, as `baskets`."""
    baskets: tuple[PastBasket, ...] = ()
    slip_due: int | None = None
    """The seq of the basket whose claim code the customer before the till should get now."""
    hints: tuple[tuple[str, str], ...] = ()
    """Of codes that were read: what the till expects of them, newest first."""


def remember(memory: Memory, notice: Notice, *, wall_ms: int, mono_ms: int) -> Memory:
    match notice.event:
        case "read":
            return _read(memory, notice, wall_ms)
        case "refused":
            said = Said("refused", notice.text_zh, notice.text_en, mono_ms)
            return replace(memory, said=said, reads=_with(memory.reads, PastRead(wall_ms, None, notice.text_zh)))
        case "basket_closed":
            return _closed(memory, notice)
        case "receipt":
            return _receipt(memory, notice)
        case _:
            return _state(memory, notice, mono_ms)


def _read(memory: Memory, notice: Notice, wall_ms: int) -> Memory:
    code, said_zh = str(notice.facts["code"]), _expected_zh(notice.facts["expected"])
    hints = ((code, said_zh), *memory.hints)[:HINTS_KEPT] if said_zh else memory.hints
    reads = _with(memory.reads, PastRead(wall_ms, code, said_zh))
    return replace(memory, said=None, slip_due=None, reads=reads, hints=hints)


def _expected_zh(expected: object) -> str:
    """What the till's snapshot says of the goods; nothing where it knows nothing."""
    assert isinstance(expected, dict)
    if expected["state"] == State.UNKNOWN:
        return ""
    return " · ".join(str(expected[part]) for part in ("product", "text_zh") if expected[part])


def _closed(memory: Memory, notice: Notice) -> Memory:
    seq, part_of, void_of = (notice.facts[name] for name in ("seq", "part_of", "void_of"))
    assert isinstance(seq, int)
    if void_of is not None:
        return replace(memory, baskets=_voided(memory.baskets, void_of), said=None, slip_due=None)
    if part_of is not None:
        parts = (replace(b, waiting=b.waiting | {seq}) if b.seq == part_of else b for b in memory.baskets)
        return replace(memory, baskets=tuple(parts))
    reads, claim = notice.facts["reads"], notice.facts["claim"]
    assert isinstance(reads, int)
    basket = PastBasket(
        seq=seq,
        reads=reads,
        member=bool(notice.facts["member"]),
        claim=None if claim is None else str(claim),
        waiting=frozenset({seq}),
    )
    return replace(memory, baskets=(basket, *memory.baskets)[:BASKETS_KEPT], said=None)


def _voided(baskets: tuple[PastBasket, ...], seq: object) -> tuple[PastBasket, ...]:
    return tuple(replace(b, progress=Progress.VOIDED, claim=None) if b.seq == seq else b for b in baskets)


def _receipt(memory: Memory, notice: Notice) -> Memory:
    """A receipt that closed nothing is a warning, and no quarantine."""
    set_aside = notice.facts["state"] == "quarantined"
    if notice.signal is Signal.WARNING and not set_aside:
        return memory
    seq = notice.facts["seq"]
    return replace(memory, baskets=tuple(_receipted(b, seq, set_aside=set_aside) for b in memory.baskets))


def _receipted(basket: PastBasket, seq: object, *, set_aside: bool) -> PastBasket:
    if seq not in basket.waiting:
        return basket
    waiting = basket.waiting - {seq}
    progress = basket.progress
    if set_aside:
        progress = Progress.SET_ASIDE
    elif not waiting and progress is Progress.KEPT:
        progress = Progress.RECORDED
    return replace(basket, waiting=waiting, progress=progress)


_LINKS = {
    "connected": Link.ONLINE,
    "sending": Link.ONLINE,
    "holding": Link.OFFLINE,
    "offline": Link.OFFLINE,
    "disconnected": Link.OFFLINE,
}
_SOURCES = {"source_open": Source.OPEN, "source_lost": Source.LOST, "source_ended": Source.ENDED}
_TOLD = frozenset({"nothing_to_close", "empty_dropped", "outbox_set_aside", "slip_not_printed"})
"""States that a cashier has to hear of once; what is not named here concerns others."""


def _state(memory: Memory, notice: Notice, mono_ms: int) -> Memory:
    name = str(notice.facts.get("state"))
    if name in _LINKS:
        return replace(memory, link=_LINKS[name])
    if name in _SOURCES:
        return replace(memory, source=_SOURCES[name])
    if name in _TOLD:
        return replace(memory, said=Said(name, notice.text_zh, notice.text_en, mono_ms))
    match name:
        case "member" | "member_repeated":
            return replace(memory, said=None, slip_due=None)
        case "slip":
            return _slip(memory, notice)
        case _:
            return _standing(memory, name)


def _standing(memory: Memory, name: str) -> Memory:
    match name:
        case "feed_lost" | "feed_open":
            return replace(memory, feed_lost=name == "feed_lost")
        case "not_admitted" | "admitted" | "revoked":
            return replace(memory, barred=None if name == "admitted" else name)
        case "stopped":
            return replace(memory, stopped=True)
        case _:
            return memory


def _slip(memory: Memory, notice: Notice) -> Memory:
    seq, claim = notice.facts["seq"], str(notice.facts["claim"])
    assert isinstance(seq, int)
    baskets = memory.baskets
    if all(basket.seq != seq for basket in baskets):
        baskets = (PastBasket(seq=seq, claim=claim), *baskets)[:BASKETS_KEPT]
    return replace(memory, baskets=baskets, slip_due=seq)


def _with(reads: tuple[PastRead, ...], read: PastRead) -> tuple[PastRead, ...]:
    return (read, *reads)[:READS_KEPT]
