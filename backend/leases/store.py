"""Leases in the database. Everybody takes their rows first of all, in the order of their ids, before counters and accounts."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection

from backend.kernel.periods import milliseconds
from backend.leases.model import EndedWhy, Lease, Terms
from backend.storage.columns import ids, numbers, unquoted, words
from backend.storage.transaction import Sent, hot

COLUMNS = """lease::text, device, stream::text, policy, unit, amount, awards, granted_at, expires_at, ended_at, settles_at,
  closed_at, drawn, returned, promises, postings"""

LOCKED = f"""
SELECT {COLUMNS} FROM leases WHERE city = %(city)s AND lease = ANY(%(leases)s::uuid[]) ORDER BY leases.lease FOR UPDATE"""

OF_BUDGET = f"""
SELECT {COLUMNS} FROM leases
WHERE city = %(city)s AND policy = %(policy)s AND unit = %(unit)s AND closed_at IS NULL"""

OF_TILLS = f"""
SELECT {COLUMNS} FROM leases
WHERE city = %(city)s AND device = ANY(%(devices)s::text[]) AND closed_at IS NULL AND expires_at > %(now)s
  AND (ended_at IS NULL OR ended_at > %(now)s)"""

RUNNING = """
SELECT lease::text FROM leases
WHERE city = %(city)s AND closed_at IS NULL AND expires_at > %(at)s AND (ended_at IS NULL OR ended_at > %(at)s)
  AND (%(policy)s::text IS NULL OR policy = %(policy)s) AND (%(unit)s::text IS NULL OR unit = %(unit)s)
  AND (%(device)s::text IS NULL OR device = %(device)s)
ORDER BY leases.lease FOR UPDATE"""

END = """
UPDATE leases SET ended_at = %(at)s, ended_why = %(why)s,
       settles_at = %(at)s + (settles_at - least(expires_at, ended_at)),
       due_at = %(at)s + (settles_at - least(expires_at, ended_at))
WHERE city = %(city)s AND lease = ANY(%(leases)s::uuid[]) RETURNING device"""

GRANT = """
INSERT INTO leases (city, lease, device, stream, policy, unit, amount, awards, granted_at, expires_at, settles_at, due_at,
                    drawn, returned, promises, postings)
SELECT %(city)s, t.lease, t.device, t.stream, %(policy)s, %(unit)s, t.amount, %(awards)s, %(now)s, %(expires_at)s,
       %(settles_at)s, %(settles_at)s, 0, 0, 0, 1
FROM (SELECT unnest(%(leases)s::uuid[]) AS lease, unnest(%(devices)s::text[]) AS device,
             unnest(%(streams)s::uuid[]) AS stream, unnest(%(amounts)s::bigint[]) AS amount) t"""

# Nobody's basket is judged by the end of a lease while it moves: the row is theirs as well.
EXTEND = """
UPDATE leases SET expires_at = %(expires_at)s, settles_at = %(settles_at)s, due_at = %(settles_at)s
WHERE city = %(city)s AND lease = ANY(%(leases)s::uuid[]) AND ended_at IS NULL AND closed_at IS NULL
  AND expires_at > %(now)s"""

DRAW = """
UPDATE leases l SET drawn = l.drawn + t.drawn, promises = l.promises + t.promises, postings = l.postings + t.postings
FROM unnest(%(leases)s::uuid[], %(drawn)s::bigint[], %(promises)s::int[], %(postings)s::int[])
     t(lease, drawn, promises, postings)
WHERE l.city = %(city)s AND l.lease = ANY(%(leases)s::uuid[]) AND l.lease = t.lease AND l.closed_at IS NULL"""

PROMISE = """
INSERT INTO lease_promises (city, basket, line_no, lease, amount, fault, drawn, decision_no)
SELECT %(city)s, t.basket, t.line_no, t.lease, t.amount, t.fault, t.drawn, t.decision_no
FROM (SELECT unnest(%(baskets)s::uuid[]) AS basket, unnest(%(lines)s::smallint[]) AS line_no,
             unnest(%(leases)s::uuid[]) AS lease, unnest(%(amounts)s::bigint[]) AS amount,
             unnest(%(faults)s::text[]) AS fault, unnest(%(drawn)s::bigint[]) AS drawn,
             unnest(%(numbers)s::smallint[]) AS decision_no) t
ON CONFLICT (city, basket, line_no, lease) DO UPDATE SET drawn = EXCLUDED.drawn, decision_no = EXCLUDED.decision_no
WHERE lease_promises.city = %(city)s AND lease_promises.drawn = 0 AND lease_promises.fault IS NULL"""

OPEN_PROMISES = """
SELECT basket::text, line_no, lease::text, amount FROM lease_promises
WHERE city = %(city)s AND basket = ANY(%(baskets)s::uuid[]) AND fault IS NULL AND drawn = 0
ORDER BY lease_promises.basket, line_no, lease_promises.lease"""

DUE = """
SELECT lease::text FROM leases WHERE city = %(city)s AND closed_at IS NULL AND due_at <= %(now)s
ORDER BY due_at, leases.lease LIMIT %(limit)s"""

# What was promised for lines that still wait: for their product, their owner, or a person's look.
WAITING = """
SELECT coalesce(sum(p.amount), 0)::bigint FROM lease_promises p
WHERE p.city = %(city)s AND p.lease = %(lease)s AND p.fault IS NULL AND p.drawn = 0 AND EXISTS (
  SELECT FROM decisions d
  WHERE d.city = %(city)s AND d.basket = p.basket AND d.line_no = p.line_no
    AND d.outcome IN ('pending_product', 'unclaimed', 'held') AND NOT EXISTS (
      SELECT FROM decisions later WHERE later.city = %(city)s AND later.basket = d.basket AND later.line_no = d.line_no
        AND later.decision_no > d.decision_no))"""

RETURN = """
UPDATE leases SET returned = returned + %(amount)s, postings = postings + %(postings)s, closed_at = %(closed_at)s,
       due_at = %(due_at)s
WHERE city = %(city)s AND lease = %(lease)s"""

SET_TERMS = """
INSERT INTO lease_terms (city, policy, unit, amount, awards, hours, grace_hours, share_bp, set_by, set_at)
VALUES (%(city)s, %(policy)s, %(unit)s, %(amount)s, %(awards)s, %(hours)s, %(grace_hours)s, %(share_bp)s, %(by)s, %(now)s)
ON CONFLICT (city, policy, unit) DO UPDATE SET amount = EXCLUDED.amount, awards = EXCLUDED.awards,
  hours = EXCLUDED.hours, grace_hours = EXCLUDED.grace_hours, share_bp = EXCLUDED.share_bp, set_by = EXCLUDED.set_by,
  set_at = EXCLUDED.set_at"""

# Never below a number that was told, also where the register was restored from a copy.
NUMBER_MESSAGES = """
INSERT INTO lease_tills (city, device, version)
SELECT %(city)s, t.device, %(version)s FROM unnest(%(devices)s::text[]) t(device)
ON CONFLICT (city, device) DO UPDATE SET version = CASE
  WHEN EXCLUDED.version > lease_tills.version THEN EXCLUDED.version ELSE lease_tills.version + 1 END
RETURNING device, version"""


class Granted(NamedTuple):
    lease: str
    device: str
    stream: str
    amount: int


class Use(NamedTuple):
    """What a transaction takes of one lease: an amount, so many promises more, and postings."""

    drawn: int
    promises: int
    postings: int


class Kept(NamedTuple):
    """A promise as it is kept; `decision_no` of the decision that drew on the lease."""

    basket: str
    line_no: int
    lease: str
    amount: int
    fault: str | None
    drawn: int
    decision_no: int | None


def lock(connection: Connection, city: str, leases: Iterable[str]) -> dict[str, Lease]:
    """Those of `leases` that were granted in `city`, locked until COMMIT."""
    rows = hot(connection, LOCKED, {"city": city, "leases": ids(sorted(set(leases)))})
    return {row[0]: Lease(*row) for row in rows}


def of_budget(connection: Connection, city: str, policy: str, unit: str) -> list[Lease]:
    """Every lease of one budget that may still hold something."""
    return [Lease(*row) for row in hot(connection, OF_BUDGET, {"city": city, "policy": policy, "unit": unit})]


def running(connection: Connection, city: str, devices: Sequence[str], now: datetime) -> list[Lease]:
    """What tills may promise out of now."""
    return [Lease(*row) for row in hot(connection, OF_TILLS, {"city": city, "devices": words(devices), "now": now})]


def end(
    connection: Connection,
    city: str,
    at: datetime,
    why: EndedWhy,
    *,
    policy: str | None,
    unit: str | None,
    device: str | None,
) -> list[str]:
    """Ends leases of a policy, or of a till, for sales from `at` on; the tills that held them."""
    which = {"city": city, "at": at, "policy": policy, "unit": unit, "device": device}
    leases = [lease for (lease,) in hot(connection, RUNNING, which)]
    ended = {"city": city, "at": at, "why": why.value, "leases": ids(leases)}
    return sorted({till for (till,) in hot(connection, END, ended)}) if leases else []


def grant(connection: Connection, city: str, terms: Terms, granted: Sequence[Granted], now: datetime) -> None:
    leases, devices, streams, amounts = zip(*granted, strict=True)
    params = {
        "city": city,
        "policy": terms.policy,
        "unit": terms.unit,
        "awards": terms.awards,
        "now": now,
        **_ends(terms, now),
        "leases": ids(leases),
        "devices": words(devices),
        "streams": ids(streams),
        "amounts": numbers(amounts),
    }
    hot(connection, GRANT, params)


def extend(connection: Connection, city: str, terms: Terms, leases: Sequence[str], now: datetime) -> None:
    """Those of `leases` that are not over last for the terms' hours from now."""
    lock(connection, city, leases)
    hot(connection, EXTEND, {"city": city, "now": now, **_ends(terms, now), "leases": ids(sorted(leases))})


def _ends(terms: Terms, now: datetime) -> dict[str, datetime]:
    expires_at = now + timedelta(hours=terms.hours)
    return {"expires_at": expires_at, "settles_at": expires_at + timedelta(hours=terms.grace_hours)}


def send_uses(connection: Connection, city: str, uses: dict[str, Use], promises: Sequence[Kept]) -> list[Sent]:
    """Inside a pipeline: what a batch took of leases that it has locked, and what was promised for its lines."""
    leases = sorted(uses)
    drawn, more, postings = zip(*(uses[lease] for lease in leases), strict=True) if leases else ((), (), ())
    taken = {"leases": ids(leases), "drawn": numbers(drawn), "promises": numbers(more), "postings": numbers(postings)}
    baskets, lines, named, amounts, faults, paid, decided = zip(*promises, strict=True)
    kept = {
        "baskets": ids(baskets),
        "lines": numbers(lines),
        "leases": ids(named),
        "amounts": numbers(amounts),
        "faults": unquoted(faults),
        "drawn": numbers(paid),
        "numbers": numbers(decided),
    }
    return [
        Sent(hot(connection, DRAW, {"city": city, **taken}), len(leases)),
        Sent(hot(connection, PROMISE, {"city": city, **kept}), len(promises)),
    ]


def open_promises(connection: Connection, city: str, baskets: Sequence[str]) -> list[tuple[str, int, str, int]]:
    """(basket, line, lease, amount) of what was accepted for lines of `baskets` and is not paid."""
    return hot(connection, OPEN_PROMISES, {"city": city, "baskets": ids(baskets)}).fetchall()


def due(connection: Connection, city: str, now: datetime, *, limit: int) -> list[str]:
    return [lease for (lease,) in hot(connection, DUE, {"city": city, "now": now, "limit": limit})]


def waiting(connection: Connection, city: str, lease: str) -> int:
    """What a lease has to keep for lines that were promised something and are not decided."""
    row = hot(connection, WAITING, {"city": city, "lease": lease}).fetchone()
    assert row is not None
    amount: int = row[0]
    return amount


def give_back(
    connection: Connection, city: str, lease: str, amount: int, *, closed_at: datetime | None, due_at: datetime
) -> None:
    given = {"city": city, "lease": lease, "amount": amount, "postings": int(amount > 0)}
    hot(connection, RETURN, {**given, "closed_at": closed_at, "due_at": due_at})


def set_terms(connection: Connection, city: str, terms: Terms, by: str, now: datetime) -> None:
    hot(connection, SET_TERMS, {"city": city, **terms._asdict(), "by": by, "now": now})


def number_messages(connection: Connection, city: str, devices: Sequence[str], now: datetime) -> dict[str, int]:
    """The number of the next message to each till; it also keeps two writers of one till apart."""
    given = {"city": city, "devices": words(sorted(devices)), "version": milliseconds(now)}
    return dict(hot(connection, NUMBER_MESSAGES, given).fetchall())
