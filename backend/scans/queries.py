from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection

from backend.kernel.periods import milliseconds
from backend.policies.limits import CounterKey
from backend.scans.decide import Decision
from backend.scans.explain import NEEDS_FACTS, DecidedScan
from backend.scans.whole import DECISION, FURTHER, RECEIPT, RELEASED, further_of
from backend.storage.columns import unquoted
from backend.storage.transaction import hot

PAGE_MAX = 100

_BODY = """(SELECT c.body FROM certificate_states s JOIN certificates c ON c.id = s.certificate
        WHERE s.id = d.certificate_row)"""
_STORE_NAME = "(SELECT p.name_zh FROM stores p WHERE p.city = %(city)s AND p.store = b.store)"


def _columns(*, body: str = _BODY, receipt: str = RECEIPT, released: str = RELEASED) -> str:
    return f"""
       {DECISION},
       b.sold_at, b.store, b.district, {body}, b.stream::text, b.channel,
       b.recorded_at, d.decided_at, {_STORE_NAME}, {receipt}, {FURTHER},
       b.device, b.cashier, {released}, b.claimed_elsewhere"""


_COLUMNS = _columns()

_SAYS_FACTS = f"d.reason IN {tuple(sorted(NEEDS_FACTS))}"
_OF_A_PAGE = _columns(
    body=f"CASE WHEN {_SAYS_FACTS} THEN {_BODY} END",
    receipt=f"CASE WHEN {_SAYS_FACTS} THEN {RECEIPT} END",
    released=f"({_SAYS_FACTS} AND {RELEASED})",
)
"""What its sentences are made of: facts in other rows are looked up only for those that speak of facts."""

FIRST = f"""SELECT {_COLUMNS} FROM baskets b
JOIN decisions d ON d.city = %(city)s AND d.basket = b.basket AND d.decision_no = 1
WHERE b.city = %(city)s AND b.basket = ANY(%(baskets)s::uuid[])"""

# The decision in force of a line is its last one. The row comparison is the page's key, its first part the index's.
# What a page is told with comes in the same statement: a wait for another costs more than all its rows.
HISTORY = f"""SELECT {_OF_A_PAGE},
       (SELECT v.revision FROM policy_revisions v WHERE v.city = %(city)s),
       b.channel <> 'phone' AND (
         EXISTS (SELECT FROM returns t WHERE t.city = %(city)s AND t.basket = b.basket)
         OR EXISTS (SELECT FROM lease_promises o WHERE o.city = %(city)s AND o.basket = b.basket))
FROM baskets b
JOIN LATERAL (SELECT DISTINCT ON (x.line_no) x.* FROM decisions x WHERE x.city = %(city)s AND x.basket = b.basket
              ORDER BY x.line_no, x.decision_no DESC) d ON true
WHERE b.city = %(city)s AND b.resident = %(resident)s::uuid
  AND (%(sold_at)s::timestamptz IS NULL OR (b.sold_at <= %(sold_at)s
       AND (b.sold_at, b.basket, d.line_no) < (%(sold_at)s, %(basket)s::uuid, %(line_no)s::int)))
ORDER BY b.sold_at DESC, b.basket DESC, d.line_no DESC LIMIT %(limit)s"""

ONE = f"""SELECT {_COLUMNS} FROM baskets b
JOIN decisions d ON d.city = %(city)s AND d.basket = b.basket AND d.line_no = %(line_no)s
WHERE b.city = %(city)s AND b.basket = %(basket)s::uuid AND b.resident = %(resident)s::uuid
ORDER BY d.decision_no DESC LIMIT 1"""

IN_FORCE = f"""SELECT {_COLUMNS} FROM baskets b
JOIN LATERAL (SELECT DISTINCT ON (x.line_no) x.* FROM decisions x WHERE x.city = %(city)s AND x.basket = b.basket
              ORDER BY x.line_no, x.decision_no DESC) d ON true
WHERE b.city = %(city)s AND b.basket = ANY(%(baskets)s::uuid[]) ORDER BY b.basket, d.line_no"""

USED = """
SELECT cap, period, used FROM cap_counters
WHERE city = %(city)s AND person = %(person)s AND period = ANY(%(periods)s::text[])"""

_WIDTH = len(Decision._fields)


class RecordedScan(NamedTuple):
    """One scan with a decision of it. `stream` is a phone's own scan id."""

    scan: DecidedScan
    city: str
    stream: str
    channel: str
    sold_at: datetime
    recorded_at: datetime
    decided_at: datetime
    store_name: str | None


class Page(NamedTuple):
    """`scans` can be said in a sentence, not decided again; `policy_revision` is the city's as of them. `beside`: baskets of
    which something came back, or that a till had promised something for.
    """

    scans: list[RecordedScan]
    policy_revision: int
    beside: frozenset[str]


class HistoryKey(NamedTuple):
    """The last scan of a page; the next page begins below it."""

    sold_at: datetime
    basket: str
    line_no: int


def first_decisions(connection: Connection, city: str, baskets: Sequence[str]) -> dict[str, RecordedScan]:
    """By basket, the first decision of the scan in it: baskets of phones hold one. One statement for all."""
    rows = hot(connection, FIRST, {"city": city, "baskets": unquoted(baskets)})
    return {row[0]: _recorded(city, row) for row in rows}


def history(connection: Connection, city: str, resident: str, *, after: HistoryKey | None, limit: int) -> Page:
    """A resident's scans in one city, newest sale first, below `after`; at most `limit`, at most 100."""
    sold_at, basket, line_no = after or (None, None, None)
    rows = hot(
        connection,
        HISTORY,
        {
            "city": city,
            "resident": resident,
            "sold_at": sold_at,
            "basket": basket,
            "line_no": line_no,
            "limit": min(limit, PAGE_MAX),
        },
        prepared=True,
    ).fetchall()
    scans = [_recorded(city, row[:-2]) for row in rows]
    beside = frozenset(one.scan.decision.basket for one, (*_, more) in zip(scans, rows, strict=True) if more)
    return Page(scans, (rows[0][-2] if rows else None) or 0, beside)


def decided_in(connection: Connection, city: str, baskets: Sequence[str]) -> list[RecordedScan]:
    """Every scan of `baskets` with its decision in force, in order."""
    return [_recorded(city, row) for row in hot(connection, IN_FORCE, {"city": city, "baskets": unquoted(baskets)})]


def scan_of(connection: Connection, city: str, resident: str, basket: str, line_no: int) -> RecordedScan | None:
    """The decision in force of one scan of `resident`; None for another's or none."""
    row = hot(connection, ONE, {"city": city, "resident": resident, "basket": basket, "line_no": line_no}).fetchone()
    return _recorded(city, row) if row else None


def used_of(connection: Connection, city: str, person: str, periods: Sequence[str]) -> dict[CounterKey, int]:
    """What `person` has used of every cap in these civil periods."""
    rows = hot(connection, USED, {"city": city, "person": person, "periods": unquoted(periods)})
    return {(person, period, cap): used for cap, period, used in rows}


def _recorded(city: str, row: tuple[Any, ...]) -> RecordedScan:
    sold_at, store, district, body, stream, channel, recorded_at, decided_at, store_name, *rest = row[_WIDTH:]
    receipt_fen, further, device, cashier, released, claimed_elsewhere = rest
    decided = DecidedScan(
        Decision._make(row[:_WIDTH]),
        milliseconds(sold_at),
        milliseconds(decided_at),
        store,
        district,
        body,
        channel,
        receipt_fen,
        further_of(further) if further else (),
        device,
        cashier,
        released=released,
        claimed_elsewhere=claimed_elsewhere,
    )
    return RecordedScan(decided, city, stream, channel, sold_at, recorded_at, decided_at, store_name)
