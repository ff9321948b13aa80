"""Numbers that a till gave to baskets that never came: it numbers them one after another, and none twice.

What came and could not be counted is no hole: it is in quarantine. A hole that fills, however late, is forgotten.
"""

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.scans.identity import basket_id
from backend.scans.lines import sequence_of
from backend.storage.columns import numbers, words
from backend.storage.transaction import hot

STREAMS_MAX = 1_000
HOLES_MAX = 100
"""Of one till's numbers."""
LONG_HOLE = 10_000
"""A hole of more numbers is told as one: nobody asks which of them are in quarantine."""
REFUSED_MAX = 1_000
SHOWN_MAX = 50

# Of what was sold lately and came some time ago.
SUSPECT = """
SELECT device, stream::text, min(seq), max(seq) FROM baskets
WHERE city = %(city)s AND sold_at >= %(since)s AND received_at <= %(before)s AND channel = 'till'
GROUP BY device, stream HAVING max(seq) - min(seq) + 1 > count(*) LIMIT %(limit)s"""

KNOWN = """
SELECT device, stream::text, min(first_seq) - 1, max(last_seq) + 1 FROM basket_gaps
WHERE city = %(city)s GROUP BY device, stream LIMIT %(limit)s"""

# The baskets of one till lie together in the key.
HOLES = """
SELECT before + 1, seq - 1 FROM (
  SELECT seq, lag(seq) OVER (ORDER BY seq) AS before FROM baskets
  WHERE city = %(city)s AND basket >= %(first)s::uuid AND basket <= %(last)s::uuid) x
WHERE seq > before + 1 ORDER BY seq LIMIT %(limit)s"""

REFUSED = """
SELECT payload FROM quarantine
WHERE city = %(city)s AND device = %(device)s ORDER BY quarantine.entry DESC LIMIT %(limit)s"""

FORGET = """
DELETE FROM basket_gaps WHERE city = %(city)s AND device = %(device)s AND stream = %(stream)s::uuid
  AND NOT (first_seq, last_seq) IN (SELECT unnest(%(firsts)s::bigint[]), unnest(%(lasts)s::bigint[]))"""

KEEP = """
INSERT INTO basket_gaps (city, device, stream, first_seq, last_seq, found_at)
SELECT %(city)s, %(device)s, %(stream)s::uuid, unnest(%(firsts)s::bigint[]), unnest(%(lasts)s::bigint[]), %(now)s
ON CONFLICT DO NOTHING"""

_OF_TILLS = """
FROM basket_gaps g JOIN device_directory d ON d.device = g.device AND d.city = %(city)s
WHERE g.city = %(city)s AND g.found_at > %(since)s AND (%(stores)s::text[] IS NULL OR d.store = ANY(%(stores)s::text[]))"""
SHOWN = f"""
SELECT g.device, d.store, g.first_seq, g.last_seq, g.found_at {_OF_TILLS}
ORDER BY g.found_at DESC, g.device, g.first_seq LIMIT %(limit)s"""
TILLS = f"SELECT count(DISTINCT g.device) {_OF_TILLS}"


class Stream(NamedTuple):
    """The numbers of one till's outbox, and between which two that came there may be holes."""

    device: str
    stream: str
    first: int
    last: int


class Gap(NamedTuple):
    """Numbers `first` to `last` of a till never came, as was found first at `found_at`."""

    device: str
    store: str
    first: int
    last: int
    found_at: datetime

    @property
    def baskets(self) -> int:
        return self.last - self.first + 1


def suspects(connection: Connection, city: str, since: datetime, before: datetime) -> list[Stream]:
    """Where numbers are missing among what was sold since `since` and had come before `before`, or were before; at most 1,000
    of each.
    """
    given = {"city": city, "since": since, "before": before, "limit": STREAMS_MAX}
    found: dict[tuple[str, str], Stream] = {}
    for statement in (SUSPECT, KNOWN):
        for row in hot(connection, statement, given):
            one = Stream(*row)
            old = found.get(one[:2], one)
            found[one[:2]] = one._replace(first=min(one.first, old.first), last=max(one.last, old.last))
    return sorted(found.values())


def holes(connection: Connection, city: str, one: Stream) -> list[tuple[int, int]]:
    """First and last number of each that came neither to be counted nor into quarantine; at most 100."""
    ends = {"first": basket_id(*one[:3]), "last": basket_id(one.device, one.stream, one.last)}
    found = list(hot(connection, HOLES, {"city": city, **ends, "limit": HOLES_MAX}))
    if not found:
        return []
    rows = hot(connection, REFUSED, {"city": city, "device": one.device, "limit": REFUSED_MAX})
    refused = {sequence_of(bytes(payload)) for (payload,) in rows}
    return [hole for first, last in found for hole in without(first, last, refused)][:HOLES_MAX]


def without(first: int, last: int, came: Collection[int | None]) -> Iterator[tuple[int, int]]:
    """What is left of a hole."""
    if last - first >= LONG_HOLE:
        yield first, last
        return
    for number in range(first, last + 2):
        if number > last or number in came:
            if first < number:
                yield first, number - 1
            first = number + 1


def keep(connection: Connection, city: str, one: Stream, found: Collection[tuple[int, int]], now: datetime) -> None:
    """These are the holes of a till's numbers from now on."""
    ends = {"firsts": numbers([first for first, _ in found]), "lasts": numbers([last for _, last in found])}
    given = {"city": city, "device": one.device, "stream": one.stream, **ends}
    hot(connection, FORGET, given)
    if found:
        hot(connection, KEEP, {**given, "now": now})


def gaps(connection: Connection, city: str, since: datetime, stores: Collection[str] | None = None) -> list[Gap]:
    """Found since then, the latest first, at most 50; of the tills of these shops."""
    given = {"city": city, "since": since, "stores": _of(stores), "limit": SHOWN_MAX}
    return [Gap(*row) for row in hot(connection, SHOWN, given)]


def tills_with_gaps(connection: Connection, city: str, since: datetime, stores: Collection[str] | None = None) -> int:
    (found,) = hot(connection, TILLS, {"city": city, "since": since, "stores": _of(stores)}).fetchone() or (0,)
    return int(found)


def _of(stores: Collection[str] | None) -> str | None:
    return None if stores is None else words(sorted(stores))
