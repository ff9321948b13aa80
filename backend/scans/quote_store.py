"""Quotes in the database: opened, found, settled once, and what they hold besides money."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.policies.limits import CounterKey
from backend.scans import store
from backend.scans.explain import DecidedScan
from backend.scans.quotes import QuotedCounter, QuoteState, QuoteUnknown
from backend.scans.replay import CHOSEN, FACTS, Chosen, scan_of
from backend.storage.columns import ids, numbers, unquoted, words
from backend.storage.stream import streamed
from backend.storage.transaction import Sent, hot

OPEN = """
INSERT INTO quotes (city, basket, device, stream, service, request_sha256, line, channel, store, district, resident, cashier,
                    versions, sold_at, expires_at, state)
VALUES (%(city)s, %(basket)s, %(device)s, %(stream)s, %(service)s, %(request_sha256)s, %(line)s, 'till', %(store)s,
        %(district)s, %(resident)s, %(cashier)s, %(versions)s, %(sold_at)s, %(expires_at)s, 'held')
ON CONFLICT DO NOTHING"""

FIND = """
SELECT basket::text, device, stream::text, service, request_sha256, line, store, district, resident::text, cashier, versions,
       sold_at, expires_at, state, settled_at, capture_sha256
FROM quotes WHERE city = %(city)s AND basket = %(basket)s"""

LOCK = FIND + " FOR UPDATE"

SETTLE = """
UPDATE quotes SET state = %(state)s, settled_at = %(now)s, capture_sha256 = %(capture_sha256)s
WHERE city = %(city)s AND basket = %(basket)s AND state = 'held'"""

OVERDUE = """
SELECT basket::text FROM quotes WHERE city = %(city)s AND state = 'held' AND expires_at <= %(now)s
ORDER BY expires_at, quotes.basket LIMIT %(limit)s"""

SAVE_COUNTERS = """
INSERT INTO quote_counters (city, basket, person, period, cap, used_before, taken)
SELECT %(city)s, %(basket)s, unnest(%(persons)s::uuid[]), unnest(%(periods)s::text[]), unnest(%(caps)s::text[]),
       unnest(%(before)s::bigint[]), unnest(%(taken)s::bigint[])"""

COUNTERS = """
SELECT person::text, period, cap, used_before, taken FROM quote_counters WHERE city = %(city)s AND basket = %(basket)s"""

CHANGE_COUNTERS = """
UPDATE cap_counters c SET used = c.used + t.added, version = c.version + 1
FROM unnest(%(persons)s::uuid[], %(periods)s::text[], %(caps)s::text[], %(added)s::bigint[]) t(person, period, cap, added)
WHERE c.city = %(city)s AND c.person = ANY(%(persons)s::uuid[]) AND c.person = t.person AND c.period = t.period
  AND c.cap = t.cap"""

UNITS = """
SELECT key, line_no FROM unit_claims
WHERE key = ANY(%(keys)s::text[]) AND city = %(city)s AND basket = %(basket)s"""

FREE_UNITS = """
DELETE FROM unit_claims WHERE key = ANY(%(keys)s::text[]) AND city = %(city)s AND basket = %(basket)s"""

DECIDE = store.DECIDE.replace("INTO decisions", "INTO quoted_decisions")
ADD_AWARDS = store.ADD_AWARDS.replace("INTO further_awards", "INTO quoted_awards")

QUOTED_FACTS = (
    FACTS.replace("FROM decisions", "FROM quoted_decisions")
    .replace("JOIN baskets", "JOIN quotes")
    .replace("FROM further_awards", "FROM quoted_awards")
    .replace("b.claimed_elsewhere", "false")
)
QUOTED = QUOTED_FACTS + " AND d.basket = %(basket)s::uuid ORDER BY d.line_no"
CAPTURED = FACTS + " AND d.basket = %(basket)s::uuid AND d.decision_no = 1 ORDER BY d.line_no"
EACH_QUOTED = QUOTED_FACTS + CHOSEN


class QuoteRow(NamedTuple):
    """One row of `quotes`; `versions` are those of the policies in force at the moment of the quote."""

    basket: str
    device: str
    stream: str
    service: str
    request_sha256: bytes
    line: bytes | None
    store: str
    district: str
    resident: str | None
    cashier: str | None
    versions: tuple[str, ...]
    sold_at: datetime
    expires_at: datetime
    state: str
    settled_at: datetime | None = None
    capture_sha256: bytes | None = None


def open_quote(connection: Connection, city: str, row: QuoteRow) -> bool:
    """False when a quote of this id is there; waits for one that is just being opened."""
    given = {**row._asdict(), "versions": json.dumps(row.versions), "city": city}
    return hot(connection, OPEN, given).rowcount == 1


def find(connection: Connection, city: str, basket: str, *, locked: bool = False) -> QuoteRow:
    """Raises QuoteUnknown. `locked`: nobody else settles it before COMMIT."""
    row = hot(connection, LOCK if locked else FIND, {"city": city, "basket": basket}).fetchone()
    if row is None:
        raise QuoteUnknown
    found = QuoteRow(*row)
    return found._replace(
        request_sha256=bytes(found.request_sha256),
        line=None if found.line is None else bytes(found.line),
        versions=tuple(json.loads(row[10])),
        capture_sha256=None if found.capture_sha256 is None else bytes(found.capture_sha256),
    )


def settle(
    connection: Connection,
    city: str,
    basket: str,
    state: QuoteState,
    now: datetime,
    capture_sha256: bytes | None = None,
) -> None:
    """Ends what is held; the caller has locked the row and seen that it is held."""
    given = {"city": city, "basket": basket, "state": state.value, "now": now, "capture_sha256": capture_sha256}
    if hot(connection, SETTLE, given).rowcount != 1:
        raise ValueError("only what is held is settled")


def overdue(connection: Connection, city: str, now: datetime, *, limit: int) -> list[str]:
    return [basket for (basket,) in hot(connection, OVERDUE, {"city": city, "now": now, "limit": limit})]


def save_counters(connection: Connection, city: str, basket: str, counters: Sequence[QuotedCounter]) -> None:
    persons, periods, caps, before, taken = zip(*counters, strict=True)
    given = {
        "city": city,
        "basket": basket,
        "persons": ids(persons),
        "periods": unquoted(periods),
        "caps": words(caps),
        "before": numbers(before),
        "taken": numbers(taken),
    }
    hot(connection, SAVE_COUNTERS, given)


def counters_of(connection: Connection, city: str, basket: str) -> dict[CounterKey, QuotedCounter]:
    found = [QuotedCounter(*row) for row in hot(connection, COUNTERS, {"city": city, "basket": basket})]
    return {(one.person, one.period, one.cap): one for one in found}


def change_counters(connection: Connection, city: str, added: Mapping[CounterKey, int]) -> Sent:
    """Adds to counters that are locked, or takes from them; incomplete when one is missing."""
    keys = sorted(key for key, amount in added.items() if amount)
    persons, periods, caps = zip(*keys, strict=True) if keys else ((), (), ())
    given = {
        "city": city,
        "persons": ids(persons),
        "periods": unquoted(periods),
        "caps": words(caps),
        "added": numbers([added[key] for key in keys]),
    }
    return Sent(hot(connection, CHANGE_COUNTERS, given), len(keys))


def units_of(connection: Connection, city: str, basket: str, keys: Iterable[str]) -> dict[str, int]:
    """Those of `keys` that the quote, or the basket, has claimed, with the line of each."""
    found = hot(connection, UNITS, {"city": city, "basket": basket, "keys": words(sorted(set(keys)))})
    return dict(found.fetchall())


def free_units(connection: Connection, city: str, basket: str, keys: Iterable[str]) -> None:
    """Unit labels that a quote claimed and that were not sold after all may earn again."""
    hot(connection, FREE_UNITS, {"city": city, "basket": basket, "keys": words(sorted(keys))})


def quoted(connection: Connection, city: str, basket: str) -> list[DecidedScan]:
    """The lines of a quote as they were decided, in their order."""
    return [scan_of(row) for row in hot(connection, QUOTED, {"city": city, "basket": basket})]


def captured(connection: Connection, city: str, basket: str) -> list[DecidedScan]:
    """The lines that were recorded when it was captured."""
    return [scan_of(row) for row in hot(connection, CAPTURED, {"city": city, "basket": basket})]


def each_quoted(connection: Connection, city: str, chosen: Chosen) -> Iterator[DecidedScan]:
    """The chosen lines of all quotes of `city`, whatever became of them; in slices."""
    for row in streamed(connection, EACH_QUOTED, {"city": city, **chosen._asdict()}):
        yield scan_of(row)
