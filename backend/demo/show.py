"""The show: sales at both tills and scans by phone, each decision printed as it is recorded and held to what is due."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import text

from backend.demo.city import CITY, PICTURE_TILL, VIDEO_TILL, Expected, Goods, Sale
from backend.demo.decided import Decided, decided_since
from backend.demo.table import Table, TableLine
from backend.kernel.periods import CHINA
from backend.labels.parse import parse
from backend.storage.transaction import Database

SHOW_WITHIN_S = 90.0
POLL_S = 0.25
PHONE = "手机扫码 phone"
_TILL_NAMES = {till.device: till.name_zh for till in (PICTURE_TILL, VIDEO_TILL)}
_SPENT = text("SELECT key FROM unit_claims WHERE key = ANY(:keys)")


@dataclass
class Watch:
    """Prints what was decided since `since`, each read once, and keeps it for the comparison."""

    database: Database
    table: Table
    since: datetime
    seen: dict[tuple[str, int], Decided] = field(default_factory=dict)

    def look(self) -> None:
        for decided in decided_since(self.database, CITY, self.since):
            key = decided.decision.basket, decided.decision.line_no
            if key in self.seen:
                continue
            self.seen[key] = decided
            self.table.line(
                TableLine(
                    decided.recorded_at.astimezone(CHINA).strftime("%H:%M:%S"),
                    _TILL_NAMES.get(decided.device, PHONE),
                    decided.label_words,
                    decided.certificate_words,
                    decided.decision.award,
                    decided.decision.outcome,
                    decided.why.zh,
                    decided.why.en,
                )
            )

    def of(self, device: str) -> list[Decided]:
        """What the device read in this run, in the order of sale."""
        found = [decided for decided in self.seen.values() if decided.device == device and not decided.left_over]
        return sorted(found, key=lambda decided: (decided.seq, decided.decision.line_no))


def wait_for_tills(
    watch: Watch, due: Mapping[str, int], keep_alive: Callable[[], None], *, within_s: float = SHOW_WITHIN_S
) -> None:
    """Until every till's reads are recorded, or time is up; `due` counts reads by device."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        keep_alive()
        watch.look()
        if all(len(watch.of(device)) >= count for device, count in due.items()):
            return
        time.sleep(POLL_S)


def spent_labels(database: Database, goods: Sequence[Goods]) -> frozenset[str]:
    """Of labels that name one unit, those that earlier runs have awarded."""
    keys = [key for key in map(label_key, goods) if key is not None]
    with database.read() as connection:
        return frozenset(row[0] for row in connection.execute(_SPENT, {"keys": keys}))


def label_key(goods: Goods) -> str | None:
    if goods.symbology == "GS1_DATAMATRIX":
        return parse(goods.code.replace("(", "").replace(")", ""), aim="]d2").key
    return parse(goods.code).key


def differences(till: str, due: Sequence[Goods], decided: Sequence[Decided], spent: frozenset[str]) -> Iterator[str]:
    """What is not as it must be, a sentence each."""
    if len(due) != len(decided):
        yield f"{till}: 应记录 {len(due)} 次读码，实际 {len(decided)} 次 / {len(due)} reads due, {len(decided)} recorded"
        return
    for goods, found in zip(due, decided, strict=True):
        wanted = _due_now(goods, spent)
        decision = found.decision
        given = Expected(decision.outcome, decision.reason, decision.award, wanted.once)
        if given != wanted:
            yield f"{till} {goods.caption}: 应为 {_words(wanted)}，实为 {_words(given)} / differs from what is due"


def phone_differences(
    due: Sequence[Goods], answers: Sequence[Mapping[str, Any]], decided: Sequence[Decided]
) -> Iterator[str]:
    """What a phone was told, and what was recorded of it, against what is due."""
    yield from differences(PHONE, due, decided, frozenset())
    for goods, answer in zip(due, answers, strict=True):
        award = answer["award"]["amount"] if answer["award"] else 0
        told = Expected(answer["outcome"], answer["reason"], award)
        if told != goods.expected:
            yield f"{PHONE} {goods.caption}: 应答 {_words(told)} / the phone was told something else"


def goods_of(sales: Sequence[Sale]) -> list[Goods]:
    return [goods for sale in sales for goods in sale.goods]


def refusals(events: Path, since_byte: int) -> Iterator[str]:
    """What a till refused by itself, in its own words: such reads never reach the city."""
    with events.open("rb") as file:
        file.seek(since_byte)
        for line in file:
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if event.get("event") == "refused":
                yield f"{event.get('text_zh', '')} {event.get('text_en', '')}"


def _due_now(goods: Goods, spent: frozenset[str]) -> Expected:
    if goods.expected.once and label_key(goods) in spent:
        return Expected("none", "unit_already_awarded", 0, once=True)
    return goods.expected


def _words(expected: Expected) -> str:
    return f"{expected.outcome}/{expected.reason} {expected.award}"
