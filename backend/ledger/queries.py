from collections.abc import Collection, Iterable
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.ledger import chart
from backend.storage.columns import ids, words
from backend.storage.transaction import hot

PAGE_MAX = 100
ACCOUNTS_MAX = 10_000

# Of one resident, by the beginnings of their addresses: a walk along the key, for each kind.
HOLDINGS = """
SELECT account, balance FROM accounts
WHERE city = %(city)s AND balance <> 0
  AND (starts_with(account, %(collect)s) OR starts_with(account, %(debt)s) OR starts_with(account, %(held)s)
       OR starts_with(account, %(pending)s) OR starts_with(account, %(lots)s))"""

POSTING = """
SELECT reference::text, step, line, reason, unit, source, destination, amount, recorded_at FROM transfers
WHERE city = %(city)s AND reference = %(reference)s::uuid ORDER BY step, line LIMIT 1000"""

POSTINGS = """
SELECT reference::text, step, line, reason, unit, source, destination, amount, recorded_at FROM transfers
WHERE city = %(city)s AND reference = ANY(%(references)s::uuid[]) AND reason = %(reason)s
ORDER BY transfers.reference, step, line"""

ACCOUNTS = """
SELECT account, unit, balance, version, opened_at FROM accounts
WHERE city = %(city)s AND starts_with(account, %(prefix)s) AND account > %(after)s ORDER BY account LIMIT %(limit)s"""

# What is held is a sum of balances, what came and went a sum of transfers. `resident` is the kind of a lot.
LIABILITY = """
SELECT unit, sum(granted)::bigint, sum(in_budgets)::bigint, sum(reserved)::bigint, sum(issued)::bigint, sum(lapsed)::bigint,
       sum(returned)::bigint, sum(pending)::bigint, sum(to_collect)::bigint, sum(held)::bigint,
       sum(available)::bigint, sum(used)::bigint, sum(expired)::bigint,
       sum(owed)::bigint, sum(of_shops)::bigint, sum(paid)::bigint
FROM (SELECT unit, CASE WHEN kind IN ('treasury', 'adjust') THEN -balance ELSE 0 END AS granted,
             CASE WHEN kind = 'budget' THEN balance ELSE 0 END AS in_budgets,
             CASE WHEN kind = 'reserved' THEN balance ELSE 0 END AS reserved, 0 AS issued, 0 AS lapsed, 0 AS returned,
             CASE WHEN kind = 'pending' THEN balance ELSE 0 END AS pending,
             CASE WHEN kind = 'collect' THEN balance ELSE 0 END AS to_collect,
             CASE WHEN kind = 'resident' THEN balance ELSE 0 END AS available,
             CASE WHEN kind = 'held' THEN balance ELSE 0 END AS held,
             CASE WHEN kind IN ('redeemed', 'recipient') THEN balance ELSE 0 END AS used,
             CASE WHEN kind = 'expired' THEN balance ELSE 0 END AS expired,
             CASE WHEN kind = 'debt' THEN -balance ELSE 0 END AS owed,
             CASE WHEN kind = 'shop' THEN balance ELSE 0 END AS of_shops,
             CASE WHEN kind = 'paid' THEN balance ELSE 0 END AS paid
      FROM (SELECT unit, split_part(account, ':', 1) AS kind, sum(balance) AS balance FROM accounts
            WHERE city = %(city)s GROUP BY unit, split_part(account, ':', 1)) held
      UNION ALL
      SELECT unit, 0, 0, 0, CASE WHEN issues AND reason <> 'reinstate' THEN amount ELSE 0 END,
             CASE reason WHEN 'lapse' THEN amount WHEN 'reinstate' THEN -amount ELSE 0 END,
             CASE WHEN returns AND reason <> 'lapse' THEN amount ELSE 0 END, 0, 0, 0, 0, 0, 0, 0, 0, 0
      FROM (SELECT unit, reason, given AND NOT taken AS issues, taken AND NOT given AS returns, sum(amount) AS amount
            FROM (SELECT unit, reason, amount, source ~ '^(treasury|budget|reserved|adjust):' AS given,
                         destination ~ '^(treasury|budget|reserved|adjust):' AS taken
                  FROM transfers WHERE city = %(city)s) sides
            GROUP BY unit, reason, given AND NOT taken, taken AND NOT given) moved) parts
GROUP BY unit ORDER BY unit"""

RESERVED = """
SELECT account, unit, balance FROM accounts
WHERE city = %(city)s AND account > %(after)s AND starts_with(account, 'reserved:') AND balance <> 0
ORDER BY account LIMIT %(limit)s"""

# Civil time of every city is UTC+8 without daylight saving, as in kernel.periods.
SPENT_BY_DAY = """
SELECT account, (recorded_at AT TIME ZONE INTERVAL '8 hours')::date, sum(amount)::bigint
FROM (SELECT source AS account, amount, recorded_at FROM transfers
      WHERE city = %(city)s AND starts_with(source, %(prefix)s) AND NOT starts_with(destination, 'treasury:')
      UNION ALL
      SELECT destination, -amount, recorded_at FROM transfers
      WHERE city = %(city)s AND starts_with(destination, %(prefix)s) AND NOT starts_with(source, 'treasury:')) moved
GROUP BY 1, 2"""

SPENT_OUT = """
SELECT account FROM accounts WHERE city = %(city)s AND account = ANY(%(accounts)s::text[]) AND balance = 0"""


class Account(NamedTuple):
    account: str
    unit: str
    balance: int
    version: int
    opened_at: datetime


class Holding(NamedTuple):
    """What one account of a resident holds; `amount` is below zero for a debt."""

    account: str
    amount: int
    place: chart.Place

    @property
    def unit(self) -> str:
        return self.place.unit

    @property
    def moment_ms(self) -> int:
        """When what waits becomes available, or lapses; 0 for anything else."""
        return self.place.moment_ms or 0

    @property
    def is_debt(self) -> bool:
        return self.place.kind == chart.Kind.DEBT

    @property
    def is_held(self) -> bool:
        """By a redemption that is not confirmed yet."""
        return self.place.kind == chart.Kind.HELD

    @property
    def over_at_ms(self) -> int:
        """When it is over, of what has an end."""
        assert self.place.last_day is not None
        return chart.day_end_ms(self.place.last_day)

    def over(self, now_ms: int) -> bool:
        return self.place.last_day is not None and self.over_at_ms <= now_ms

    def available(self, now_ms: int) -> bool:
        """Whether it may be spent: also what became available since the last settlement, and nothing that is over."""
        here = self.place.kind == chart.Kind.LOT
        released = self.place.kind == chart.Kind.PENDING and self.moment_ms <= now_ms
        return (here or released) and not self.over(now_ms)

    def pending(self, now_ms: int) -> bool:
        return self.place.kind == chart.Kind.PENDING and self.moment_ms > now_ms

    def to_collect(self, now_ms: int) -> bool:
        return self.place.kind == chart.Kind.COLLECT and self.moment_ms > now_ms


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
    """One unit of one city. `issued`, `lapsed` and `returned` sum transfers, the others balances; `reserved` is what quotes
    hold, `owed` what residents owe after returns, `of_shops` what is due to shops, `paid` what they were paid.
    """

    unit: str
    granted: int
    in_budgets: int
    reserved: int
    issued: int
    lapsed: int
    returned: int
    pending: int
    to_collect: int
    held: int
    available: int
    used: int
    expired: int
    owed: int
    of_shops: int
    paid: int

    @property
    def outstanding(self) -> int:
        """What residents hold and may still use."""
        return self.pending + self.to_collect + self.held + self.available

    @property
    def adds_up(self) -> bool:
        """What was issued and did not come back is somewhere; what was granted and not issued is in the budgets or
        reserved.
        """
        net = self.issued - self.lapsed - self.returned
        somewhere = self.outstanding + self.used + self.expired - self.owed + self.of_shops + self.paid
        return net == somewhere and net + self.in_budgets + self.reserved == self.granted


def coming_expiries(held: Iterable[Holding], now_ms: int) -> list[Holding]:
    """All that has an end and may still be used at `now_ms`, or will be, or may be collected; the next to end first."""
    usable = [
        one
        for one in held
        if one.place.last_day is not None
        and not one.over(now_ms)
        and (one.available(now_ms) or one.pending(now_ms) or one.to_collect(now_ms))
    ]
    return sorted(usable, key=lambda one: (one.place.end, one.account))


def holdings(connection: Connection, city: str, resident: str) -> list[Holding]:
    """Every account of `resident` in `city` that holds or owes something, in address order."""
    collect, debt, held, pending, lots = chart.prefixes(resident)
    params = {"city": city, "collect": collect, "debt": debt, "held": held, "pending": pending, "lots": lots}
    rows = sorted(hot(connection, HOLDINGS, params).fetchall())
    return [Holding(account, balance, chart.place_of(account)) for account, balance in rows]


def accounts(connection: Connection, city: str, *, prefix: str, after: str, limit: int) -> list[Account]:
    """Accounts whose address begins with `prefix` and comes after `after`, in order; at most `limit` (10,000)."""
    params = {"city": city, "prefix": prefix, "after": after, "limit": min(limit, ACCOUNTS_MAX)}
    return [Account(*row) for row in hot(connection, ACCOUNTS, params)]


class Reservation(NamedTuple):
    """What a quote or a lease, `holder`, keeps of the budget of a policy."""

    account: str
    holder: str
    policy: str
    unit: str
    amount: int


def reservations(connection: Connection, city: str, *, after: str, limit: int) -> list[Reservation]:
    """By address, behind `after`; at most `limit` (10,000)."""
    rows = hot(connection, RESERVED, {"city": city, "after": after, "limit": min(limit, ACCOUNTS_MAX)})
    found = []
    for account, unit, amount in rows:
        _, holder, policy, _ = account.split(":")
        found.append(Reservation(account, holder, policy, unit, amount))
    return found


def spent_out(connection: Connection, city: str, accounts: Collection[str]) -> frozenset[str]:
    """Those of `accounts` that were opened and hold nothing."""
    rows = hot(connection, SPENT_OUT, {"city": city, "accounts": words(sorted(accounts))})
    return frozenset(account for (account,) in rows)


def posting(connection: Connection, city: str, reference: str) -> list[TransferRow]:
    return [TransferRow(*row) for row in hot(connection, POSTING, {"city": city, "reference": reference})]


def spent_by_day(connection: Connection, city: str, prefix: str) -> list[tuple[str, date, int]]:
    """What each account under `prefix` gave on each civil day, less what it got back; grants and reclaims aside."""
    return hot(connection, SPENT_BY_DAY, {"city": city, "prefix": prefix}).fetchall()


def postings(connection: Connection, city: str, references: Collection[str], reason: str) -> list[TransferRow]:
    """The transfers of several references that were made for `reason`."""
    given = {"city": city, "references": ids(sorted(references)), "reason": reason}
    return [TransferRow(*row) for row in hot(connection, POSTINGS, given)]


def liability(connection: Connection, city: str) -> list[Liability]:
    return [Liability(*row) for row in hot(connection, LIABILITY, {"city": city})]
