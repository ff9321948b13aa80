from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection

from backend.ledger.chart import BUDGETS, due_ms, floor_of, lock_order, unit_of
from backend.ledger.model import BoundReached, Reason, ReferenceReused, Transfer, TransferRow, checked
from backend.storage.columns import alike, ids, numbers, unquoted, words
from backend.storage.transaction import Sent, hot, pipelined

# Opening and locking is one statement, row by row in the order of the array: an account that somebody else is just opening
# cannot be locked by FOR UPDATE, and would be waited for later, out of order.
LOCK = """
INSERT INTO accounts (city, account, unit, floor, opened_at, due_at)
SELECT %(city)s, t.account, t.unit, t.floor, %(now)s, to_timestamp(t.due_s)
FROM unnest(%(accounts)s::text[], %(units)s::text[], %(floors)s::bigint[], %(dues)s::bigint[])
  t(account, unit, floor, due_s)
ON CONFLICT (city, account) DO UPDATE SET balance = accounts.balance
RETURNING account, balance"""

# Behind a SELECT the lengths of arrays are no reason for the server to plan a prepared statement anew each time.
BALANCES = """
SELECT account, balance FROM accounts
WHERE city = %(city)s AND account = ANY(ARRAY(SELECT unnest(%(accounts)s::text[])))"""

# Arrays side by side in the select list: as a table in FROM they would be copied into a store of its own first.
INSERT = """
INSERT INTO transfers (city, reference, step, line, reason, unit, source, destination, amount, recorded_at)
SELECT %(city)s, t.reference, (%(steps)s::smallint[])[t.alike], t.line, (%(reasons)s::text[])[t.alike],
       (%(units)s::text[])[t.alike], (%(sources)s::text[])[t.alike], t.destination, t.amount, %(now)s
FROM (SELECT unnest(%(references)s::uuid[]) AS reference, unnest(%(lines)s::smallint[]) AS line,
             unnest(%(destinations)s::text[]) AS destination, unnest(%(amounts)s::bigint[]) AS amount,
             unnest(%(alike)s::int[]) AS alike) t"""

# One probe of the key a row. An account that receives is opened when it is not open yet, and waits again when what it held
# before was settled; most have nothing to wait for, and an index over a value that stays the same is not written.
RECEIVE = """
INSERT INTO accounts (city, account, unit, floor, balance, version, opened_at, due_at)
SELECT %(city)s, t.account, t.unit, t.floor, t.delta, 1, %(now)s, to_timestamp(t.due_s)
FROM (SELECT unnest(%(accounts)s::text[]) AS account, unnest(%(units)s::text[]) AS unit,
             unnest(%(floors)s::bigint[]) AS floor, unnest(%(deltas)s::bigint[]) AS delta,
             unnest(%(dues)s::bigint[]) AS due_s) t
ON CONFLICT (city, account) DO UPDATE
SET balance = accounts.balance + EXCLUDED.balance, version = accounts.version + 1, due_at = EXCLUDED.due_at"""

GIVE = """
UPDATE accounts a SET balance = a.balance - t.amount, version = a.version + 1
FROM unnest((SELECT %(accounts)s::text[]), (SELECT %(amounts)s::bigint[])) t(account, amount)
WHERE a.city = %(city)s AND a.account = ANY(ARRAY(SELECT unnest(%(accounts)s::text[]))) AND a.account = t.account
  AND (a.floor IS NULL OR a.balance - t.amount >= a.floor)"""

DUE = """
SELECT account FROM accounts WHERE city = %(city)s AND due_at <= %(now)s ORDER BY due_at, account LIMIT %(limit)s"""

STOP_WAITING = """
UPDATE accounts SET due_at = NULL
WHERE city = %(city)s AND account = ANY(%(accounts)s::text[]) AND balance = 0"""

STORED = """
SELECT line, reason, unit, source, destination, amount FROM transfers
WHERE city = %(city)s AND reference = %(reference)s AND step = %(step)s ORDER BY line"""


def lock(connection: Connection, city: str, accounts: Iterable[str], now: datetime) -> dict[str, int]:
    """Balances of `accounts`, locked until COMMIT in the chart's order; one that is missing is opened, as the chart says."""
    given = {"city": city, "now": now, **_opening(sorted(set(accounts), key=lock_order))}
    return dict(hot(connection, LOCK, given).fetchall())


def balances(connection: Connection, city: str, accounts: Iterable[str]) -> dict[str, int]:
    """Balances as last committed, not locked; an account that is not open is absent."""
    params = {"city": city, "accounts": words(sorted(set(accounts)))}
    return dict(hot(connection, BALANCES, params, prepared=True).fetchall())


def due(connection: Connection, city: str, now: datetime, limit: int) -> list[str]:
    """Accounts whose time has come, the longest due first."""
    return [account for (account,) in hot(connection, DUE, {"city": city, "now": now, "limit": limit})]


def stop_waiting(connection: Connection, city: str, accounts: Sequence[str]) -> None:
    """Accounts that were emptied are due no more, until they receive again."""
    hot(connection, STOP_WAITING, {"city": city, "accounts": words(accounts)})


def post(connection: Connection, city: str, transfers: Sequence[Transfer], now: datetime) -> None:
    """Writes the rows and moves the balances, opening accounts that receive.

    Raises BoundReached when an account would fall below its floor; the key refuses a posting that is there already.
    """
    with pipelined(connection):
        sent = send(connection, city, transfers, now)
    if not all(each.complete for each in sent):
        raise BoundReached


def send(connection: Connection, city: str, transfers: Sequence[TransferRow], now: datetime) -> list[Sent]:
    """As `post`, inside a pipeline: what is not complete after it has reached a bound."""
    if not transfers:
        return []
    references, steps, lines, reasons, units, sources, destinations, amounts = zip(*transfers, strict=True)
    kinds, places = alike(zip(steps, reasons, units, sources, strict=True))
    steps, reasons, units, sources = zip(*kinds, strict=True)
    hot(
        connection,
        INSERT,
        {
            "city": city,
            "now": now,
            "references": ids(references),
            "steps": numbers(steps),
            "lines": numbers(lines),
            "reasons": unquoted(reasons),
            "units": unquoted(units),
            "sources": words(sources),
            "destinations": words(destinations),
            "amounts": numbers(amounts),
            "alike": numbers(places),
        },
        prepared=True,
    )
    deltas = _deltas(transfers)
    # A budget through which a lease pays stays as it is; it is taken with those that give, as in every transaction.
    through = {name for name, delta in deltas.items() if not delta and name.startswith(BUDGETS)}
    _receive(
        connection, city, {name: delta for name, delta in deltas.items() if delta >= 0 and name not in through}, now
    )
    # What many writers share comes last, so that it is held only until COMMIT.
    return _give(connection, city, {name: -delta for name, delta in deltas.items() if delta < 0 or name in through})


def stored(connection: Connection, city: str, reference: str, step: int) -> list[Transfer]:
    """The transfers of one posting, by line; none where there is no such posting."""
    rows = hot(connection, STORED, {"city": city, "reference": reference, "step": step}).fetchall()
    return [Transfer(reference, step, *row) for row in rows]


def post_once(connection: Connection, city: str, transfers: Sequence[Transfer], now: datetime) -> bool:
    """Posts one posting of the cold path: opens and locks its accounts first. False when the same was posted before.

    All rows share reference and step. Raises ReferenceReused when that reference stands for other content.
    """
    rows = [checked(transfer) for transfer in transfers]
    reference, step = rows[0].reference, rows[0].step
    lock(connection, city, [a for row in rows for a in (row.source, row.destination)], now)
    before = stored(connection, city, reference, step)
    if before:
        if sorted(rows, key=lambda row: row.line) == before:
            return False
        raise ReferenceReused
    post(connection, city, rows, now)
    return True


def reverse(connection: Connection, city: str, reference: str, step: int, now: datetime) -> bool:
    """Posts the exact opposite of a posting, once: its step is the negative one, so the key forbids another."""
    rows = stored(connection, city, reference, step)
    if step <= 0 or not rows:
        raise ValueError("only a posting that is there can be reversed")
    return post_once(connection, city, [opposite(row) for row in rows], now)


def opposite(row: Transfer) -> Transfer:
    """What takes a transfer back. Its step is the negative one."""
    return row._replace(step=-row.step, reason=Reason.REVERSAL.value, source=row.destination, destination=row.source)


def _deltas(transfers: Iterable[TransferRow]) -> dict[str, int]:
    deltas: defaultdict[str, int] = defaultdict(int)
    for _, _, _, _, _, source, destination, amount in transfers:
        deltas[source] -= amount
        deltas[destination] += amount
    return deltas


def _receive(connection: Connection, city: str, gains: Mapping[str, int], now: datetime) -> None:
    """Adds to balances, in address order, the order in which every transaction takes its accounts."""
    if not gains:
        return
    names = sorted(gains)
    given = {"city": city, "now": now, **_opening(names), "deltas": numbers([gains[name] for name in names])}
    hot(connection, RECEIVE, given, prepared=True)


def _opening(names: Sequence[str]) -> dict[str, str]:
    """What the chart says of accounts that may have to be opened."""
    dues = [due_ms(name) for name in names]
    return {
        "accounts": words(names),
        "units": words([unit_of(name) for name in names]),
        "floors": numbers([floor_of(name) for name in names]),
        "dues": numbers([None if due is None else due // 1000 for due in dues]),
    }


def _give(connection: Connection, city: str, losses: Mapping[str, int]) -> list[Sent]:
    """Takes from balances; an account that is not open, or would fall below its floor, stays as it is."""
    if not losses:
        return []
    names = sorted(losses)
    given = {"city": city, "accounts": words(names), "amounts": numbers([losses[name] for name in names])}
    # A posting takes from few accounts: budgets, and the treasury. Any plan will do.
    return [Sent(hot(connection, GIVE, given, prepared=True), len(names))]
