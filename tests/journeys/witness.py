"""What the tills said against what the database holds. Knows neither outbox nor wire."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from backend.storage.transaction import Database
from backend.usecases.verify_ledger import verify_ledger
from firmware_bridge.wire.claim_code import claim_sha256, normalise_claim_code
from tests.worlds import books

Events = Sequence[Mapping[str, Any]]
READS = (
    "SELECT d.basket::text, d.code_text || ' ' || d.price_fen FROM decisions d"
    " JOIN baskets b ON b.city = d.city AND b.basket = d.basket"
    " WHERE d.city = :city AND b.device = :device AND d.decision_no = 1 ORDER BY d.basket, d.line_no"
)
BASKETS = (
    "SELECT basket::text, replace(stream::text, '-', ''), seq, encode(sha256, 'hex'), part_of,"
    " encode(claim_sha256, 'hex') FROM baskets WHERE city = :city AND device = :device ORDER BY stream, seq"
)


class Recorded(NamedTuple):
    """`reads`: code and price of each. Cashiers ask a price only once, so that a read that is doubled shows."""

    stream: str
    seq: int
    sha256: str
    part_of: int | None
    claim_sha256: str | None
    reads: tuple[str, ...]


def recorded_of(database: Database, city: str, device: str) -> list[Recorded]:
    """In the order of stream and seq."""
    reads: defaultdict[str, list[str]] = defaultdict(list)
    for basket, read in books.rows(database, READS, city=city, device=device):
        reads[basket].append(read)
    rows = books.rows(database, BASKETS, city=city, device=device)
    return [Recorded(*facts, tuple(reads[basket])) for basket, *facts in rows]


def assert_nothing_lost_and_nothing_doubled(database: Database, city: str, said: Mapping[str, Events]) -> None:
    """`said`: the events of each till, by device."""
    faults = [
        f"{device}: {fault}"
        for device, events in said.items()
        for fault in faults_of(recorded_of(database, city, device), events)
    ]
    assert not faults, f"{len(faults)} lost or doubled, of which the first: {faults[:5]}"


def assert_books_are_sound(database: Database, city: str) -> None:
    assert books.quarantined(database, city) == []
    books.assert_balanced(database, city)
    (verified,) = verify_ledger(database, city)
    assert [finding for finding in verified.findings if finding.broken] == []


def faults_of(recorded: Sequence[Recorded], events: Events) -> Iterator[str]:
    """What is not as the till said, a sentence each."""
    yield from _gaps(recorded)
    yield from _unlike(recorded, events)
    yield from _misread(recorded, events)


def events_of(events: Events, name: str, state: str | None = None) -> list[Mapping[str, Any]]:
    return [each for each in events if each["event"] == name and state in {None, each.get("state")}]


def _gaps(recorded: Sequence[Recorded]) -> Iterator[str]:
    for stream in sorted({each.stream for each in recorded}):
        seqs = [each.seq for each in recorded if each.stream == stream]
        missing = sorted(set(range(1, max(seqs) + 1)) - set(seqs))
        if missing:
            yield f"a gap: baskets {missing[:5]} are lost"
        if len(seqs) != len(set(seqs)):
            yield "a number stands for two baskets: doubled"


def _unlike(recorded: Sequence[Recorded], events: Events) -> Iterator[str]:
    """Closed baskets that are not there, or whose bytes or slip are not those of the till."""
    there = {(each.stream, each.seq): each for each in recorded}
    for told in events_of(events, "basket_closed") + events_of(events, "receipt"):
        found = there.get((told["stream"], told["seq"]))
        if found is None:
            yield f"basket {told['seq']} is lost: {told['event']}"
        elif found.sha256 != told["sha256"]:
            yield f"basket {told['seq']} is recorded with other bytes: its own are lost"
        elif told.get("state") == "quarantined":
            yield f"basket {told['seq']} was quarantined: lost"
    slips = {
        each["seq"]: claim_sha256(normalise_claim_code(each["claim"])) for each in events_of(events, "state", "slip")
    }
    for each in recorded:
        if slips.get(each.seq, each.claim_sha256) != each.claim_sha256:
            yield f"the slip of basket {each.seq} claims nothing: lost"


def _misread(recorded: Sequence[Recorded], events: Events) -> Iterator[str]:
    """Beeped reads against recorded ones, basket by basket and in order. A till that is killed between the disk and the
    beep leaves one read, the last of its basket, that nobody heard.
    """
    heard, there = _heard(events), _recorded_reads(recorded)
    for basket in sorted(heard.keys() | there.keys()):
        beeped, found = heard[basket], there[basket]
        if found[: len(beeped)] != beeped:
            yield f"basket {basket} beeped {beeped}, recorded {found}: lost"
        elif len(found) > len(beeped) + 1:
            yield f"basket {basket} beeped {beeped}, recorded {found}: more than was heard"
    unheard = sum(len(there[basket]) > len(heard[basket]) for basket in there)
    restarts = len(events_of(events, "state", "started")) - 1
    if unheard > restarts:
        yield f"{unheard} reads that nobody heard in {restarts} restarts"
    often = [read for read, count in Counter(read for each in recorded for read in each.reads).items() if count > 1]
    if often:
        yield f"recorded more than once: {often[:5]} are doubled"


def _heard(events: Events) -> defaultdict[tuple[str, int], list[str]]:
    """By stream and the number of the basket's first part."""
    heard: defaultdict[tuple[str, int], list[str]] = defaultdict(list)
    for beep in events_of(events, "read"):
        heard[beep["stream"], beep["seq"]].append(f"{beep['code']} {beep['price_fen']}")
    return heard


def _recorded_reads(recorded: Sequence[Recorded]) -> defaultdict[tuple[str, int], list[str]]:
    there: defaultdict[tuple[str, int], list[str]] = defaultdict(list)
    for each in recorded:
        there[each.stream, each.part_of or each.seq] += each.reads
    return there
