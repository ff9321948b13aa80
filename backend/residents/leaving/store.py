"""Writes of a departure, and of a return. The resident's row is locked by the caller."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.kernel.periods import civil_date, milliseconds
from backend.residents.leaving.model import REDEEMED, CarriedTwice, UsedCap
from backend.residents.people import Home
from backend.storage.columns import numbers, octets, words
from backend.storage.transaction import hot

TAKE_ALONE = """
SELECT state = 'active' FROM residents WHERE city = %(city)s AND resident = %(resident)s FOR UPDATE"""

IDENTITIES = """
SELECT identity_hash FROM person_directory WHERE city = %(city)s AND resident = %(resident)s ORDER BY identity_hash"""

CLOSE = "UPDATE residents SET state = 'closed' WHERE city = %(city)s AND resident = %(resident)s"

ENTER_CLOSED = """
INSERT INTO closed_residents (resident, home, closed_at) VALUES (%(resident)s, %(city)s, %(now)s) ON CONFLICT DO NOTHING"""

IS_CLOSED = "SELECT EXISTS (SELECT FROM closed_residents WHERE resident = %(resident)s)"

UNSETTLED = """
SELECT resident::text FROM closed_residents WHERE settled_at IS NULL AND closed_at <= %(before)s
ORDER BY closed_at LIMIT %(limit)s"""

SETTLED = "UPDATE closed_residents SET settled_at = %(now)s WHERE resident = %(resident)s"

# By the resident's own index, or by the identities that were found there.
FORGET_DIRECTORY = "DELETE FROM person_directory WHERE city = %(city)s AND resident = %(resident)s"
FORGET_SESSIONS = "DELETE FROM resident_sessions WHERE city = %(city)s AND resident = %(resident)s"
FORGET_CODES = "DELETE FROM member_codes WHERE city = %(city)s AND resident = %(resident)s"
FORGET_CARD_USES = """
DELETE FROM card_uses WHERE city = %(city)s AND card IN (
  SELECT card FROM member_cards WHERE city = %(city)s AND resident = %(resident)s)"""
FORGET_CARDS = "DELETE FROM member_cards WHERE city = %(city)s AND resident = %(resident)s"
FORGET_COUNTER_CODES = "DELETE FROM counter_codes WHERE city = %(city)s AND resident = %(resident)s"
FORGET_KEY = "DELETE FROM person_keys WHERE city = %(city)s AND resident = %(resident)s"
FORGET_PHONE_CODES = "DELETE FROM phone_codes WHERE phone_hash = ANY(%(identities)s::bytea[])"

FORGET_GRANTS = "DELETE FROM notice_grants WHERE city = %(city)s AND resident = %(resident)s"
FORGET_NOTICES = "DELETE FROM notices WHERE city = %(city)s AND resident = %(resident)s"

PUT_KEY = """
INSERT INTO person_keys (city, resident, key) VALUES (%(city)s, %(resident)s, %(key)s) ON CONFLICT DO NOTHING"""
KEY = "SELECT key FROM person_keys WHERE city = %(city)s AND resident = %(resident)s"

_FORGOTTEN = (FORGET_DIRECTORY, FORGET_SESSIONS, FORGET_CODES, FORGET_COUNTER_CODES, FORGET_KEY)

PUT_NOTES = """
INSERT INTO departure_notes (name, sealed, departure, ends_at)
SELECT t.name, t.sealed, %(departure)s::uuid, %(ends_at)s FROM unnest(%(names)s::bytea[], %(sealed)s::bytea[]) t(name, sealed)
ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed, departure = excluded.departure, ends_at = excluded.ends_at"""

NOTE = "SELECT sealed, departure::text FROM departure_notes WHERE name = %(name)s AND ends_at > %(now)s"

FORGET_NOTES = "DELETE FROM departure_notes WHERE ends_at <= %(now)s"

USED_CAPS = """
SELECT period, cap, used, allowed FROM cap_counters WHERE city = %(city)s AND person = %(resident)s AND used > 0
UNION ALL
SELECT period, %(redeemed)s || entry, used, allowed FROM redemption_counters
WHERE city = %(city)s AND person = %(resident)s AND used > 0"""

# What an account that was absorbed has carried from there, its counter brought along.
CARRY = """
INSERT INTO carried_caps (city, person, period, cap, departure, used)
SELECT %(city)s, %(person)s::uuid, t.period, t.cap, %(departure)s::uuid, t.used
FROM unnest(%(periods)s::text[], %(caps)s::text[], %(used)s::bigint[]) t(period, cap, used)
WHERE NOT EXISTS (
  SELECT FROM merged_residents m JOIN carried_caps x
    ON x.city = %(city)s AND x.person = m.absorbed AND x.period = t.period AND x.cap = t.cap
   AND x.departure = %(departure)s::uuid
  WHERE m.survivor = %(person)s::uuid)
ON CONFLICT DO NOTHING RETURNING period, cap"""

# Each of the two stands for what it has absorbed, too. Of what both carried from one departure the larger counts.
CARRIED_TWICE = """
WITH pair AS (
  SELECT person, person AS account FROM unnest(ARRAY[%(resident)s, %(to)s]::uuid[]) person
  UNION ALL
  SELECT survivor, absorbed FROM merged_residents WHERE survivor = ANY(ARRAY[%(resident)s, %(to)s]::uuid[])),
carried AS (
  SELECT a.person, x.period, x.cap, x.departure, max(x.used) AS used
  FROM pair a JOIN carried_caps x ON x.city = %(city)s AND x.person = a.account GROUP BY 1, 2, 3, 4)
SELECT c.period, c.cap, sum(least(c.used, o.used))::bigint
FROM carried c JOIN carried o USING (period, cap, departure)
WHERE c.person = %(resident)s::uuid AND o.person = %(to)s::uuid GROUP BY 1, 2"""

COUNT_CARRIED = """
INSERT INTO cap_counters (city, person, period, cap, used, allowed, version)
SELECT %(city)s, %(person)s::uuid, t.period, t.cap, t.used, t.allowed, 1
FROM unnest(%(periods)s::text[], %(caps)s::text[], %(used)s::bigint[], %(allowed)s::bigint[]) t(period, cap, used, allowed)"""

COUNTED = """
SELECT period, cap, used, allowed FROM cap_counters
WHERE city = %(city)s AND person = %(person)s AND period = ANY(%(periods)s::text[]) ORDER BY period, cap FOR UPDATE"""

ADD_CARRIED = """
UPDATE cap_counters c SET used = c.used + t.used, version = c.version + 1
FROM unnest(%(periods)s::text[], %(caps)s::text[], %(used)s::bigint[]) t(period, cap, used)
WHERE c.city = %(city)s AND c.person = %(person)s AND c.period = t.period AND c.cap = t.cap"""


LIMITS_COUNTED = """
SELECT period, %(redeemed)s || entry, used, allowed FROM redemption_counters
WHERE city = %(city)s AND person = %(person)s AND period = ANY(%(periods)s::text[]) ORDER BY entry, period FOR UPDATE"""

COUNT_LIMITS = """
INSERT INTO redemption_counters (city, person, entry, period, used, allowed)
SELECT %(city)s, %(person)s::uuid, substr(t.cap, length(%(redeemed)s) + 1), t.period, t.used, t.allowed
FROM unnest(%(periods)s::text[], %(caps)s::text[], %(used)s::bigint[], %(allowed)s::bigint[]) t(period, cap, used, allowed)"""

ADD_LIMITS = """
UPDATE redemption_counters c SET used = c.used + t.used
FROM unnest(%(periods)s::text[], %(caps)s::text[], %(used)s::bigint[]) t(period, cap, used)
WHERE c.city = %(city)s AND c.person = %(person)s AND c.period = t.period AND %(redeemed)s || c.entry = t.cap"""


class _Counters(NamedTuple):
    """Statements over one kind of counters."""

    counted: str
    begin: str
    add: str


_CAPS = _Counters(COUNTED, COUNT_CARRIED, ADD_CARRIED)
_LIMITS = _Counters(LIMITS_COUNTED, COUNT_LIMITS, ADD_LIMITS)


class Note(NamedTuple):
    sealed: bytes
    departure: str


def take_alone(connection: Connection, city: str, resident: str) -> bool:
    """Whether the account is open; from here to COMMIT nobody writes for it. Waits for whoever is writing now."""
    row = hot(connection, TAKE_ALONE, {"city": city, "resident": resident}).fetchone()
    return row is not None and bool(row[0])


def identities_of(connection: Connection, accounts: Sequence[Home]) -> list[bytes]:
    """Of one person, by whatever account of theirs each was entered."""
    return [bytes(one) for who in accounts for (one,) in hot(connection, IDENTITIES, who._asdict())]


def close(
    connection: Connection, who: Home, accounts: Sequence[Home], identities: Sequence[bytes], now: datetime
) -> None:
    """Destroys every row by which the person could be found or could act, and the keys; the books' name stays alone.

    `accounts`: `who`, and all that were merged into it.
    """
    for account in accounts:
        for statement in _FORGOTTEN:
            hot(connection, statement, account._asdict())
    for city in sorted({account.city for account in accounts}):
        for statement in (FORGET_CODES, FORGET_CARD_USES, FORGET_CARDS):
            hot(connection, statement, {"city": city, "resident": who.resident})
    hot(connection, FORGET_PHONE_CODES, {"identities": octets(identities)})
    hot(connection, CLOSE, who._asdict())
    hot(connection, ENTER_CLOSED, {**who._asdict(), "now": now})


def forget_notices(connection: Connection, city: str, resident: str) -> None:
    """In each city that may notify: the sealed address to which notices go, and what was sent."""
    for statement in (FORGET_GRANTS, FORGET_NOTICES):
        hot(connection, statement, {"city": city, "resident": resident})


def key_of(connection: Connection, city: str, resident: str, fresh: bytes) -> bytes:
    """The person's key; `fresh`, 32 random bytes, becomes it where there is none. The resident's row is locked."""
    given = {"city": city, "resident": resident, "key": fresh}
    hot(connection, PUT_KEY, given)
    row = hot(connection, KEY, given).fetchone()
    assert row is not None
    return bytes(row[0])


def is_closed(connection: Connection, resident: str) -> bool:
    row = hot(connection, IS_CLOSED, {"resident": resident}).fetchone()
    return row is not None and bool(row[0])


def unsettled(connection: Connection, before: datetime, limit: int) -> list[str]:
    """Residents who left by `before` and of whom a city may still hold something."""
    return [one for (one,) in hot(connection, UNSETTLED, {"before": before, "limit": limit})]


def settled(connection: Connection, resident: str, now: datetime) -> None:
    hot(connection, SETTLED, {"resident": resident, "now": now})


def used_caps(connection: Connection, city: str, resident: str) -> list[UsedCap]:
    """Of awards and of redemptions."""
    given = {"city": city, "resident": resident, "redeemed": REDEEMED}
    return [UsedCap(city, *row) for row in hot(connection, USED_CAPS, given)]


def put_notes(connection: Connection, notes: Sequence[tuple[bytes, bytes]], departure: str, ends_at: datetime) -> None:
    """`notes`: name and sealed content, one for each identity that the person had."""
    names, sealed = zip(*notes, strict=True)
    given = {"names": octets(names), "sealed": octets(sealed), "departure": departure, "ends_at": ends_at}
    hot(connection, PUT_NOTES, given)


def note(connection: Connection, name: bytes, now: datetime) -> Note | None:
    row = hot(connection, NOTE, {"name": name, "now": now}).fetchone()
    return None if row is None else Note(bytes(row[0]), row[1])


def forget_notes(connection: Connection, now: datetime) -> int:
    return hot(connection, FORGET_NOTES, {"now": now}).rowcount


def carry(connection: Connection, person: str, departure: str, found: Sequence[UsedCap], now: datetime) -> None:
    """Counts again, once, what a person who came back had used of limits that still run."""
    today = civil_date(milliseconds(now))
    running = [one for one in found if one.still_runs(today)]
    for city in sorted({one.city for one in running}):
        here = [one for one in running if one.city == city]
        who = {"city": city, "person": person, "departure": departure, "redeemed": REDEEMED}
        _carry(connection, who, _CAPS, [one for one in here if not one.is_of_redemptions])
        _carry(connection, who, _LIMITS, [one for one in here if one.is_of_redemptions])


def carried_twice(connection: Connection, city: str, resident: str, to: str) -> CarriedTwice:
    """Of two accounts that become one; both residents' rows are taken, so that nothing more is carried meanwhile."""
    given = {"city": city, "resident": resident, "to": to}
    found = [(str(period), str(cap), int(used)) for period, cap, used in hot(connection, CARRIED_TWICE, given)]
    return CarriedTwice(
        [one for one in found if not one[1].startswith(REDEEMED)],
        [(period, cap.removeprefix(REDEEMED), used) for period, cap, used in found if cap.startswith(REDEEMED)],
    )


def _carry(connection: Connection, who: dict[str, str], counters: _Counters, found: Sequence[UsedCap]) -> None:
    held = {
        (period, cap): (used, allowed)
        for period, cap, used, allowed in hot(
            connection, counters.counted, {**who, "periods": words([o.period for o in found])}
        )
    }
    # No more than there is room for: the account may have earned before the person was known to have come back.
    fits = [one._replace(used=min(one.used, _room(held, one))) for one in found]
    fits = [one for one in fits if one.used > 0]
    taken = set(hot(connection, CARRY, {**who, **_arrays(fits)}).fetchall()) if fits else set()
    added = [one for one in fits if (one.period, one.cap) in taken]
    fresh = [one for one in added if (one.period, one.cap) not in held]
    again = [one for one in added if (one.period, one.cap) in held]
    if fresh:
        hot(connection, counters.begin, {**who, **_arrays(fresh), "allowed": numbers([one.allowed for one in fresh])})
    if again:
        hot(connection, counters.add, {**who, **_arrays(again)})


def _room(held: dict[tuple[str, str], tuple[int, int]], one: UsedCap) -> int:
    used, allowed = held.get((one.period, one.cap), (0, one.allowed))
    return int(allowed - used)


def _arrays(found: Sequence[UsedCap]) -> dict[str, object]:
    return {
        "periods": words([one.period for one in found]),
        "caps": words([one.cap for one in found]),
        "used": numbers([one.used for one in found]),
    }
