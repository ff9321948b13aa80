from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.kernel.amounts import Unit
from backend.ledger import chart
from backend.storage.columns import words
from backend.storage.transaction import hot

PAGE_MAX = 100
ACCOUNTS_MAX = 10_000

WALLET = """
SELECT unit, balance, version FROM accounts
WHERE city = %(city)s AND account = ANY(%(accounts)s::text[]) ORDER BY unit"""

POSTING = """
SELECT reference::text, step, line, reason, unit, source, destination, amount, recorded_at FROM transfers
WHERE city = %(city)s AND reference = %(reference)s::uuid ORDER BY step, line LIMIT 1000"""

ACCOUNTS = """
SELECT account, unit, balance, version, opened_at FROM accounts
WHERE city = %(city)s AND starts_with(account, %(prefix)s) AND account > %(after)s ORDER BY account LIMIT %(limit)s"""

LIABILITY = """
SELECT unit,
       coalesce(sum(-balance) FILTER (WHERE account LIKE 'treasury:%%'), 0)::bigint,
       coalesce(sum(balance) FILTER (WHERE account LIKE 'budget:%%'), 0)::bigint,
       coalesce(sum(balance) FILTER (WHERE account LIKE 'resident:%%'), 0)::bigint
FROM accounts WHERE city = %(city)s GROUP BY unit ORDER BY unit"""

# Civil time of every city is UTC+8 without daylight saving, as in kernel.periods.
SPENT_BY_DAY = """
SELECT account, (recorded_at AT TIME ZONE INTERVAL '8 hours')::date, sum(amount)::bigint
FROM (SELECT source AS account, amount, recorded_at FROM transfers
      WHERE city = %(city)s AND starts_with(source, %(prefix)s) AND NOT starts_with(destination, 'treasury:')
      UNION ALL
      SELECT destination, -amount, recorded_at FROM transfers
      WHERE city = %(city)s AND starts_with(destination, %(prefix)s) AND NOT starts_with(source, 'treasury:')) moved
GROUP BY 1, 2"""


class Account(NamedTuple):
    account: str
    unit: str
    balance: int
    version: int
    opened_at: datetime


class Balance(NamedTuple):
    unit: str
    amount: int
    version: int


class TransferRow(NamedTuple):
    reference: str
    step: int
    line: int
    reason: str
    unit: str
    source: str
    destination: str
    amount: int
    recorded_at: datetime


class Liability(NamedTuple):
    """One unit of one city: granted = left in budgets + held by residents."""

    unit: str
    granted: int
    in_budgets: int
    with_residents: int


def wallet_of(connection: Connection, city: str, resident: str) -> list[Balance]:
    """What `resident` holds in `city`, by unit; a unit that was never earned there is absent."""
    accounts = [chart.wallet(resident, unit) for unit in Unit]
    return [Balance(*row) for row in hot(connection, WALLET, {"city": city, "accounts": words(accounts)})]


def accounts(connection: Connection, city: str, *, prefix: str, after: str, limit: int) -> list[Account]:
    """Accounts whose address begins with `prefix` and comes after `after`, in order; at most `limit` (10,000)."""
    params = {"city": city, "prefix": prefix, "after": after, "limit": min(limit, ACCOUNTS_MAX)}
    return [Account(*row) for row in hot(connection, ACCOUNTS, params)]


def posting(connection: Connection, city: str, reference: str) -> list[TransferRow]:
    return [TransferRow(*row) for row in hot(connection, POSTING, {"city": city, "reference": reference})]


def spent_by_day(connection: Connection, city: str, prefix: str) -> list[tuple[str, date, int]]:
    """What each account under `prefix` gave on each civil day, less what it got back; grants and reclaims aside."""
    return hot(connection, SPENT_BY_DAY, {"city": city, "prefix": prefix}).fetchall()


def liability(connection: Connection, city: str) -> list[Liability]:
    return [Liability(*row) for row in hot(connection, LIABILITY, {"city": city})]
