"""A draft beside the version in force, over the stored history of a city: what it would have cost, whom it would have served."""

import hashlib
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, time, timedelta
from functools import partial
from typing import Any, NamedTuple

from backend.kernel.periods import CHINA, milliseconds
from backend.ledger import chart
from backend.policies.preview import Side, Sold, Version, sides
from backend.policies.preview_parts import Compared, totals_of
from backend.policies.preview_totals import canonical
from backend.policies.store import load_versions, policy_revision
from backend.policies.watch import Of
from backend.scans.past_sales import Window, count_sales, past_sales
from backend.storage.stream import snapshot
from backend.storage.transaction import Database
from backend.usecases.publish_policy import load_sound

MONTHS = 12
SALES_A_PART = 20_000
"""Fewer are decided sooner than another process starts."""
_DAYS_A_MONTH = 30.4375

Told = Callable[[int, int], None]
"""(sales decided, sales to decide)"""


class Place(NamedTuple):
    """Where the history is read, by each process on a connection of its own."""

    url: str
    role: str


class Previewed(NamedTuple):
    """What a preview says, its `sha256` beside it, and the city's policies that it knew."""

    said: dict[str, Any]
    text_sha256: str
    policy_revision: int

    @property
    def sha256(self) -> str:
        digest: str = self.said["sha256"]
        return digest

    @property
    def result(self) -> str:
        """The text that `sha256` is of."""
        return canonical({name: fact for name, fact in self.said.items() if name != "sha256"}).decode()


def last_months(city: str, now: datetime, months: int = MONTHS) -> Window:
    """The sales of the last months until now, in whole civil days."""
    today = datetime.combine(now.astimezone(CHINA).date(), time(), CHINA)
    return Window(city, today - timedelta(days=round(months * _DAYS_A_MONTH)), today + timedelta(days=1), now)


def preview_policy(
    place: Place,
    window: Window,
    text: str,
    *,
    parts: int,
    told: Told = lambda _done, _total: None,
    sales_a_part: int = SALES_A_PART,
) -> Previewed:
    """What the preview of document `text` says; stores nothing. The same inputs give the same `sha256`, whatever `parts`.

    `parts`: processes side by side, at most one for each `sales_a_part`. Raises PolicyRefused.
    """
    draft = load_sound(text)
    with closing(Database(place.url, role=place.role, pool_size=1)) as database, database.read() as connection:
        snapshot(connection)
        revision = policy_revision(connection, window.city)
        versions = [
            Version(one.version, one.policy, one.from_ms, one.until_ms, one.suspended)
            for one in load_versions(connection, window.city, chart.budget)
        ]
        total = count_sales(connection, window)
    bounds = milliseconds(window.begin), milliseconds(window.end)
    in_force, drafted = sides(versions, draft, bounds, milliseconds(window.known))
    digest = hashlib.sha256(text.encode()).hexdigest()
    current = next((one for one in in_force if one.policy.policy == draft.policy), None)
    facts = {
        "city": window.city,
        "policy": draft.policy,
        "draft": digest,
        "in_force": current.version if current else None,
        "from": window.begin.isoformat(),
        "until": window.end.isoformat(),
    }
    totals = totals_of(
        Compared(in_force, drafted, draft),
        partial(_stored, place, window, _watches_prices(in_force, drafted)),
        parts=min(parts, max(total // sales_a_part, 1)),
        told=lambda done: told(done, total),
    )
    told(totals.sales, total)
    return Previewed(totals.result(draft, facts, seed=zlib.crc32(digest.encode())), digest, revision)


def _watches_prices(*both: Side) -> bool:
    return any(watch.of is Of.PRICE for side in both for version in side for watch in version.policy.watches)


def _stored(place: Place, window: Window, priced: bool, part: int, parts: int) -> Iterator[list[Sold]]:  # noqa: FBT001
    with closing(Database(place.url, role=place.role, pool_size=1)) as database, database.read() as connection:
        snapshot(connection)
        yield from past_sales(connection, window, part, parts, priced=priced)
