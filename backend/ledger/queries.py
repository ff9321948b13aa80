from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.storage.columns import words
from backend.storage.transaction import hot

PAGE_MAX = 100

WALLET = """
SELECT unit, balance, version FROM accounts
WHERE city = %(city)s AND account = ANY(%(accounts)s::text[]) ORDER BY unit"""

POSTING = """
SELECT reference::text, step, line, reason, unit, source, destination, amount, recorded_at FROM transfers
WHERE city = %(city)s AND reference = %(reference)s::uuid ORDER BY step, line LIMIT 1000"""

LIABILITY = """
SELECT unit,
       coalesce(sum(-balance) FILTER (WHERE account LIKE 'treasury:%%'), 0)::bigint,
       coalesce(sum(balance) FILTER (WHERE account LIKE 'budget:%%'), 0)::bigint,
       coalesce(sum(balance) FILTER (WHERE account LIKE 'resident:%%'), 0)::bigint
FROM accounts WHERE city = %(city)s GROUP BY unit ORDER BY unit"""


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


def balances_of(connection: Connection, city: str, accounts: Sequence[str]) -> list[Balance]:
    return [Balance(*row) for row in hot(connection, WALLET, {"city": city, "accounts": words(accounts)})]


def posting(connection: Connection, city: str, reference: str) -> list[TransferRow]:
    return [TransferRow(*row) for row in hot(connection, POSTING, {"city": city, "reference": reference})]


def liability(connection: Connection, city: str) -> list[Liability]:
    return [Liability(*row) for row in hot(connection, LIABILITY, {"city": city})]
