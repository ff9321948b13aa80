"""What the tills said against what the database holds. Knows neither outbox nor wire."""

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from backend.storage.transaction import Database
from backend.usecases.verify_ledger import verify_ledger
from firmware_bridge.wire.claim_code import claim_sha256, normalise_claim_code
from tests.journeys.cashiers import EventLog
from tests.worlds import books


class Recorded(NamedTuple):
    seq: int
    sha256: str
    part_of: int | None
    claim_sha256: str | None
    codes: tuple[str, ...]


def recorded_of(database: Database, city: str, device: str) -> dict[str, list[Recorded]]:
    """By stream, in the order of seq."""
    codes: defaultdict[str, list[str]] = defaultdict(list)
    for basket, code in books.rows(
        database,
        "SELECT d.basket::text, d.code_text FROM decisions d JOIN baskets b ON b.city = d.city AND b.basket = d.basket"
        " WHERE d.city = :city AND b.device = :device AND d.decision_no = 1 ORDER BY d.basket, d.line_no",
        city=city,
        device=device,
    ):
        codes[basket].append(code)
    found: defaultdict[str, list[Recorded]] = defaultdict(list)
    for basket, stream, *facts in books.rows(
        database,
        "SELECT basket::text, replace(stream::text, '-', ''), seq, encode(sha256, 'hex'), part_of,"
        " encode(claim_sha256, 'hex') FROM baskets WHERE city = :city AND device = :device ORDER BY stream, seq",
        city=city,
        device=device,
    ):
        found[stream].append(Recorded(*facts, tuple(codes[basket])))
    return found


def assert_nothing_lost_and_nothing_doubled(database: Database, city: str, logs: dict[str, EventLog]) -> None:
    faults = [fault for device, log in logs.items() for fault in _faults(database, city, device, log)]
    assert not faults, f"{len(faults)} lost or doubled, of which the first: {faults[:5]}"


def assert_books_are_sound(database: Database, city: str) -> None:
    assert books.quarantined(database, city) == []
    books.assert_balanced(database, city)
    (verified,) = verify_ledger(database, city)
    assert [finding for finding in verified.findings if finding.broken] == []


def assert_outboxes_empty(outboxes: Sequence[Path]) -> None:
    for outbox in outboxes:
        with sqlite3.connect(outbox) as connection:
            held = [connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in _TABLES]
        connection.close()
        assert held == [0] * len(_TABLES), f"{outbox.name} still holds {dict(zip(_TABLES, held, strict=True))}"


_TABLES = ("baskets", "rejected", "open_basket", "open_reads")


def _faults(database: Database, city: str, device: str, log: EventLog) -> Iterator[str]:
    recorded = recorded_of(database, city, device)
    streams = {each["stream"] for each in log.of("read")}
    if streams - recorded.keys():
        yield f"{device}: nothing of a whole outbox is recorded"
    lives = len(log.of("state", "started"))
    for stream in sorted(streams & recorded.keys()):
        found = recorded[stream]
        yield from _gaps(device, found)
        yield from _unlike(device, found, log, stream)
        yield from _misread(device, found, log, stream, unheard_max=lives - 1)


def _gaps(device: str, found: Sequence[Recorded]) -> Iterator[str]:
    seqs = [each.seq for each in found]
    missing = sorted(set(range(1, max(seqs) + 1)) - set(seqs))
    if missing or len(seqs) != len(set(seqs)):
        yield f"{device}: recorded {len(seqs)} baskets of {max(seqs)}, lost {missing[:5]}"


def _unlike(device: str, found: Sequence[Recorded], log: EventLog, stream: str) -> Iterator[str]:
    """Closed baskets that are not there, or whose bytes, reads or slip are not those of the till."""
    by_seq = {each.seq: each for each in found}
    reads = Counter({each.seq: 0 for each in found})
    for each in found:
        reads[each.part_of or each.seq] += len(each.codes)
    slips = {each["seq"]: each["claim"] for each in log.of("state", "slip")}
    for closed in log.of("basket_closed") + log.of("receipt"):
        there = by_seq.get(closed["seq"])
        if closed["stream"] != stream:
            continue
        if there is None:
            yield f"{device}: basket {closed['seq']} was {closed['event']} and is lost"
        elif there.sha256 != closed["sha256"] or closed.get("state", "recorded") not in {"recorded", "duplicate"}:
            yield f"{device}: basket {closed['seq']} is recorded with other bytes, {closed}"
        elif closed.get("reads", reads[closed["seq"]]) != reads[closed["seq"]] and closed.get("part_of") is None:
            yield f"{device}: basket {closed['seq']} is recorded with {reads[closed['seq']]} reads, not {closed}"
        elif closed["seq"] in slips and there.claim_sha256 != claim_sha256(normalise_claim_code(slips[closed["seq"]])):
            yield f"{device}: the slip of basket {closed['seq']} claims nothing"


def _misread(device: str, found: Sequence[Recorded], log: EventLog, stream: str, *, unheard_max: int) -> Iterator[str]:
    """Beeped reads against recorded ones, basket by basket and in order. A till that is killed between the disk and the
    beep leaves one read, the last of its basket, that nobody heard.
    """
    heard: defaultdict[int, list[str]] = defaultdict(list)
    for beep in log.of("read"):
        if beep["stream"] == stream:
            heard[beep["seq"]].append(beep["code"])
    there: defaultdict[int, list[str]] = defaultdict(list)
    for each in found:
        there[each.part_of or each.seq] += each.codes
    unheard = 0
    for seq in sorted(heard.keys() | there.keys()):
        surplus = len(there[seq]) - len(heard[seq])
        unheard += surplus > 0
        if there[seq][: len(heard[seq])] != heard[seq] or surplus > 1:
            yield f"{device}: basket {seq} beeped {heard[seq]}, recorded {there[seq]}: lost or doubled"
    if unheard > unheard_max:
        yield f"{device}: {unheard} reads that nobody heard in {unheard_max} restarts: doubled"


def counted(logs: Sequence[EventLog]) -> Counter[str]:
    """For the report: what the tills said, by kind."""
    return Counter(str(event["event"]) for log in logs for event in log.events)


def members_share(logs: Sequence[EventLog]) -> float:
    closed: list[dict[str, Any]] = [event for log in logs for event in log.of("basket_closed")]
    return sum(event["member"] for event in closed) / len(closed)
