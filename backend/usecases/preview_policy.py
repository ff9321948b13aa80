"""A draft beside the version in force, over the stored history of a city: what it would have cost, whom it would have served."""

import hashlib
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from typing import Any, NamedTuple

from backend.kernel.periods import milliseconds
from backend.ledger import chart
from backend.policies.preview import Sold, Version, sides
from backend.policies.preview_parts import Compared, totals_of
from backend.policies.store import load_versions
from backend.scans.past_sales import Window, count_sales, past_sales
from backend.storage.stream import snapshot
from backend.storage.transaction import Database
from backend.usecases.publish_policy import load_sound

Told = Callable[[int, int], None]
"""(sales decided, sales to decide)"""


class Place(NamedTuple):
    """Where the history is read, by each process on a connection of its own."""

    url: str
    role: str


def preview_policy(
    place: Place, window: Window, text: str, *, parts: int, told: Told = lambda _done, _total: None
) -> dict[str, Any]:
    """What the preview of document `text` says; stores nothing. The same inputs give the same `sha256`, whatever `parts`.

    `parts`: processes side by side. Raises PolicyRefused.
    """
    draft = load_sound(text)
    with closing(Database(place.url, role=place.role, pool_size=1)) as database, database.read() as connection:
        snapshot(connection)
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
        partial(_stored, place, window),
        parts=parts,
        told=lambda done: told(done, total),
    )
    told(totals.sales, total)
    return totals.result(draft, facts, seed=zlib.crc32(digest.encode()))


def _stored(place: Place, window: Window, part: int, parts: int) -> Iterator[list[Sold]]:
    with closing(Database(place.url, role=place.role, pool_size=1)) as database, database.read() as connection:
        snapshot(connection)
        yield from past_sales(connection, window, part, parts)
