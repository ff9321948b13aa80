"""Decisions taken again from what was stored, of one city: all of them, those since a moment, or a sample."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import NamedTuple, Protocol

from sqlalchemy import Connection

from backend.kernel.findings import Finding
from backend.kernel.periods import milliseconds
from backend.ledger import chart
from backend.policies.queries import published
from backend.policies.store import load_versions
from backend.scans.replay import EVERY, count_decided
from backend.scans.verify import awards_replay
from backend.storage.stream import snapshot

Told = Callable[[int, int], None]
"""(decisions looked at, decisions to look at)"""


class Reads(Protocol):
    def read(self) -> AbstractContextManager[Connection]: ...


class Wanted(NamedTuple):
    """`sample`: about how many decisions, as whole baskets spread over all; `turn` chooses others each time."""

    since: datetime | None = None
    sample: int | None = None
    turn: int = 0


def replay_decisions(
    database: Reads, city: str, wanted: Wanted, told: Told = lambda _done, _total: None, *, lines_max: int | None = None
) -> Finding:
    """I8 of the wanted decisions of `city`; `lines_max`: of how many newest baskets the signed bytes are held against them."""
    with database.read() as connection:
        snapshot(connection)
        policies = load_versions(connection, city, chart.budget)
        published_at_ms = {one.version: milliseconds(one.published_at) for one in published(connection, city)}
        chosen = EVERY._replace(since=wanted.since)
        total = count_decided(connection, city, chosen)
        if wanted.sample is not None and wanted.sample < total:
            every = total // wanted.sample
            chosen = chosen._replace(every=every, turn=wanted.turn % every)
            total = count_decided(connection, city, chosen)
        return awards_replay(
            connection, city, policies, published_at_ms, chosen, lines_max, lambda done: told(done, total)
        )
