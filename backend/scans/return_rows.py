"""Loads and writes returns, inside a transaction that someone else opened."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.kernel.periods import milliseconds
from backend.policies.limits import CounterKey
from backend.scans.returns import Earlier
from backend.storage.columns import ids, numbers, unquoted, words
from backend.storage.transaction import hot

# First of all locks: who decides a line again, or takes it back, waits here for the other.
LOCK_BASKETS = """
SELECT basket::text FROM baskets WHERE city = %(city)s AND basket = ANY(%(baskets)s::uuid[])
ORDER BY baskets.basket FOR UPDATE"""

SOLD = """
SELECT b.basket::text, d.line_no, d.quantity, b.channel, b.store, b.device, b.cashier, b.void_of, b.sold_at
FROM baskets b JOIN decisions d ON d.city = %(city)s AND d.basket = b.basket AND d.decision_no = 1
WHERE b.city = %(city)s AND b.basket = ANY(%(baskets)s::uuid[]) ORDER BY b.basket, d.line_no"""

EARLIER = """
SELECT basket::text, line_no, return_id::text, place, decision_no, quantity, returned_at FROM returns
WHERE city = %(city)s AND basket = ANY(%(baskets)s::uuid[]) ORDER BY returns.basket, line_no, returned_before"""

STORED = """
SELECT place, basket::text, line_no, decision_no, quantity, returned_before, bought, store, caller, cashier, reason,
       exchange_basket::text, returned_at, recorded_at, sha256
FROM returns WHERE city = %(city)s AND return_id = %(return_id)s::uuid ORDER BY place"""

INSERT = """
INSERT INTO returns (city, return_id, place, basket, line_no, decision_no, quantity, returned_before, bought, store, caller,
                     cashier, reason, exchange_basket, returned_at, recorded_at, sha256)
SELECT %(city)s, %(return_id)s::uuid, t.place, t.basket, t.line_no, t.decision_no, t.quantity, t.returned_before, t.bought,
       %(store)s, %(caller)s, %(cashier)s, %(reason)s, %(exchange_basket)s::uuid, %(returned_at)s, %(now)s, %(sha256)s
FROM unnest(%(places)s::smallint[], %(baskets)s::uuid[], %(lines)s::smallint[], %(numbers)s::smallint[],
            %(quantities)s::smallint[], %(befores)s::smallint[], %(boughts)s::smallint[])
     t(place, basket, line_no, decision_no, quantity, returned_before, bought)"""

LOCK_COUNTERS = """
SELECT cap FROM cap_counters WHERE city = %(city)s AND person = ANY(%(persons)s::uuid[])
  AND period = ANY(%(periods)s::text[]) AND cap = ANY(%(caps)s::text[]) ORDER BY person, period, cap FOR UPDATE"""

# A counter that somebody wants exactly as it was read must be seen to have changed. It never falls below 0: where it would,
# it was wrong before, which the verification says, and the goods come back all the same.
GIVE_BACK = """
UPDATE cap_counters k SET used = greatest(k.used - t.amount, 0), version = k.version + 1
FROM unnest(%(persons)s::uuid[], %(periods)s::text[], %(caps)s::text[], %(amounts)s::bigint[]) t(person, period, cap, amount)
WHERE k.city = %(city)s AND k.person = t.person AND k.period = t.period AND k.cap = t.cap"""

OPEN_VOIDS = """
INSERT INTO open_voids (city, basket, voided, opened_at)
SELECT %(city)s, t.basket, t.voided, %(now)s FROM unnest(%(baskets)s::uuid[], %(voided)s::uuid[]) t(basket, voided)
ON CONFLICT DO NOTHING"""

_VOID = """
SELECT o.basket::text, o.voided::text, v.device, v.store, v.cashier, v.sold_at, v.sha256, o.opened_at
FROM open_voids o JOIN baskets v ON v.city = %(city)s AND v.basket = o.basket WHERE o.city = %(city)s"""

VOIDS_AFTER = _VOID + " AND o.basket > %(after)s::uuid ORDER BY o.basket LIMIT %(limit)s"

VOIDS_OF = _VOID + " AND o.basket = ANY(%(baskets)s::uuid[]) ORDER BY o.basket"

CLOSE_VOID = "DELETE FROM open_voids WHERE city = %(city)s AND basket = %(basket)s::uuid"


class Sold(NamedTuple):
    """A line as it was sold; `bought` pieces. `void_of` where its basket takes another one back."""

    basket: str
    line_no: int
    bought: int
    channel: str
    store: str | None
    device: str
    cashier: str | None
    void_of: int | None
    sold_at: datetime


class EarlierReturn(NamedTuple):
    """One row of `returns` of a line: what it was, and where the postings of it stand."""

    return_id: str
    place: int
    earlier: Earlier


class ReturnedLine(NamedTuple):
    """One line of a return, as it is recorded."""

    place: int
    basket: str
    line_no: int
    decision_no: int
    quantity: int
    returned_before: int
    bought: int


class ReturnHead(NamedTuple):
    """What all lines of a return share. `caller`: the shop system that sent it, or the till that voided."""

    store: str | None
    caller: str
    cashier: str | None
    reason: str
    exchange_basket: str | None
    returned_at: datetime
    recorded_at: datetime
    sha256: bytes


class StoredReturn(NamedTuple):
    head: ReturnHead
    lines: tuple[ReturnedLine, ...]


class OpenVoid(NamedTuple):
    """A basket that takes `voided` back, and waits for that."""

    basket: str
    voided: str
    device: str
    store: str | None
    cashier: str | None
    voided_at: datetime
    sha256: bytes
    opened_at: datetime


def lock_baskets(connection: Connection, city: str, baskets: Collection[str]) -> None:
    """Waits for whoever decides or takes back a line of `baskets`, and keeps others waiting until COMMIT."""
    hot(connection, LOCK_BASKETS, {"city": city, "baskets": ids(sorted(baskets))}).fetchall()


def sold(connection: Connection, city: str, baskets: Collection[str]) -> dict[tuple[str, int], Sold]:
    rows = hot(connection, SOLD, {"city": city, "baskets": ids(sorted(baskets))})
    return {(row[0], row[1]): Sold(*row) for row in rows}


def earlier(
    connection: Connection, city: str, baskets: Collection[str]
) -> Mapping[tuple[str, int], list[EarlierReturn]]:
    """By line, what was returned of it before, in that order."""
    found: defaultdict[tuple[str, int], list[EarlierReturn]] = defaultdict(list)
    for basket, line_no, return_id, place, decision_no, quantity, returned_at in hot(
        connection, EARLIER, {"city": city, "baskets": ids(sorted(baskets))}, prepared=True
    ):
        one = Earlier(decision_no, quantity, milliseconds(returned_at))
        found[basket, line_no].append(EarlierReturn(return_id, place, one))
    return found


def stored(connection: Connection, city: str, return_id: str) -> StoredReturn | None:
    rows = hot(connection, STORED, {"city": city, "return_id": return_id}).fetchall()
    if not rows:
        return None
    store, caller, cashier, reason, exchange, returned_at, recorded_at, sha256 = rows[0][7:]
    head = ReturnHead(store, caller, cashier, reason, exchange, returned_at, recorded_at, bytes(sha256))
    return StoredReturn(head, tuple(ReturnedLine(*row[:7]) for row in rows))


def insert(connection: Connection, city: str, return_id: str, given: StoredReturn) -> None:
    """The key refuses the same return once more, and the same pieces."""
    places, baskets, lines, decisions, quantities, befores, boughts = zip(*given.lines, strict=True)
    head = given.head._asdict()
    params = {
        **head,
        "city": city,
        "return_id": return_id,
        "now": given.head.recorded_at,
        "places": numbers(places),
        "baskets": ids(baskets),
        "lines": numbers(lines),
        "numbers": numbers(decisions),
        "quantities": numbers(quantities),
        "befores": numbers(befores),
        "boughts": numbers(boughts),
    }
    hot(connection, INSERT, params)


def lock_counters(connection: Connection, city: str, keys: Collection[CounterKey]) -> None:
    """Locks at least `keys`, in the order that everybody keeps to."""
    persons, periods, caps = zip(*sorted(keys), strict=True)
    given = {"city": city, "persons": ids(persons), "periods": unquoted(periods), "caps": words(caps)}
    hot(connection, LOCK_COUNTERS, given).fetchall()


def give_back(connection: Connection, city: str, amounts: Mapping[CounterKey, int]) -> None:
    keys = sorted(amounts)
    persons, periods, caps = zip(*keys, strict=True)
    given = {
        "city": city,
        "persons": ids(persons),
        "periods": unquoted(periods),
        "caps": words(caps),
        "amounts": numbers([amounts[key] for key in keys]),
    }
    hot(connection, GIVE_BACK, given)


def open_voids(connection: Connection, city: str, voids: Sequence[tuple[str, str]], now: datetime) -> None:
    """Queues baskets that take a former one back: (basket, the one it voids)."""
    baskets, voided = zip(*voids, strict=True)
    hot(connection, OPEN_VOIDS, {"city": city, "baskets": ids(baskets), "voided": ids(voided), "now": now})


def open_voids_after(connection: Connection, city: str, *, after: str, limit: int) -> list[OpenVoid]:
    """The queue above the basket `after`, in its order."""
    return [OpenVoid(*row) for row in hot(connection, VOIDS_AFTER, {"city": city, "after": after, "limit": limit})]


def voids_of(connection: Connection, city: str, baskets: Collection[str]) -> list[OpenVoid]:
    """Those of `baskets` that are in the queue."""
    given = {"city": city, "baskets": ids(sorted(baskets))}
    return [OpenVoid(*row) for row in hot(connection, VOIDS_OF, given)]


def close_void(connection: Connection, city: str, basket: str) -> None:
    hot(connection, CLOSE_VOID, {"city": city, "basket": basket})
