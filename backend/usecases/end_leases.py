"""Leases that are over: ended before their time, and what they still hold given back once late baskets have had theirs."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection

from backend.kernel.periods import instant, milliseconds
from backend.leases import queries, store
from backend.leases.model import EndedWhy, Lease
from backend.ledger import chart, post
from backend.ledger.model import Reason, Transfer
from backend.policies.compiled import PolicySet
from backend.storage.transaction import Database
from backend.usecases.culprits import past, without_culprits
from backend.usecases.grant_leases import tell_tills
from backend.usecases.lend_budget import account_of
from backend.usecases.take_decisions import PolicyLookup

DUE_MAX = 500
LOOK_AGAIN = timedelta(hours=1)
"""How often a lease is looked at whose promised lines wait for a product, an owner or a person."""
KEPT_DAYS = 30
"""How long after its end a lease keeps what such lines were promised; they are decided from the budget after that."""


class Ended(NamedTuple):
    """Leases that were ended before their time, and those that gave back all they still held."""

    ended: int = 0
    closed: int = 0

    def plus(self, other: "Ended") -> "Ended":
        return Ended(self.ended + other.ended, self.closed + other.closed)


def end_leases(
    connection: Connection,
    city: str,
    at: datetime,
    why: EndedWhy,
    now: datetime,
    *,
    policy: str | None = None,
    unit: str | None = None,
    device: str | None = None,
) -> int:
    """Ends leases of a policy (of one unit), or of a till, for sales from `at` on; how many tills held some. What was
    promised for sales before is honoured.
    """
    tills = store.end(connection, city, at, why, policy=policy, unit=unit, device=device)
    tell_tills(connection, city, tills, now)
    return len(tills)


def settle_leases(
    database: Database, policies: PolicyLookup, city: str, now: datetime, stopping: Callable[[], bool] = lambda: False
) -> Ended:
    """Ends leases of policies that are not in force any more, and gives back what is due, a transaction a lease. One that
    cannot be settled, for a fault of the books, is logged and counted, and keeps none of the others waiting.
    """

    def settles(some: Sequence[str]) -> bool:
        return database.write(lambda connection: _settled(connection, city, some[0], now))

    with database.read() as connection:
        lent = queries.lent_policies(connection, city, now)
        over = _not_in_force(policies.lookup(connection, city), lent, milliseconds(now))
    done = Ended()
    for policy, since in over:
        ended = database.write(lambda c: end_leases(c, city, since, EndedWhy.POLICY, now, policy=policy))  # noqa: B023 - called at once
        done = done.plus(Ended(ended))
    left: set[str] = set()
    while not stopping():
        with database.read() as connection:
            due = past(left, lambda most: store.due(connection, city, now, limit=most), DUE_MAX)
        for lease in due:
            if stopping():
                break
            if any(without_culprits([lease], settles, lambda _one, _error: False, doing="settle_leases", named=str)):
                done = done.plus(Ended(0, 1))
            else:
                left.add(lease)
        if len(due) < DUE_MAX:
            break
    return done


def _not_in_force(policies: PolicySet, lent: list[str], now_ms: int) -> list[tuple[str, datetime]]:
    """Lent policies of which no version is in force, and since when: for sales before, tills could still promise."""
    running = {one.policy.policy for one in policies.in_force(now_ms).policies}
    begun = max((moment for moment in policies.starts if moment <= now_ms), default=now_ms)
    return [(policy, instant(begun)) for policy in lent if policy not in running]


def _settled(connection: Connection, city: str, name: str, now: datetime) -> bool:
    """Whether it is closed now. Baskets that arrive from here on are decided without it."""
    lease = store.lock(connection, city, [name]).get(name)
    if lease is None or lease.closed_at is not None or now < lease.settles_at:
        return False
    waits = 0 if now >= lease.settles_at + timedelta(days=KEPT_DAYS) else store.waiting(connection, city, name)
    back = lease.left - min(waits, lease.left)
    is_over = back == lease.left
    if back:
        post.post(connection, city, [_returned(lease, back)], now)
    store.give_back(
        connection, city, name, back, closed_at=now if is_over else None, due_at=now if is_over else now + LOOK_AGAIN
    )
    return is_over


def _returned(lease: Lease, amount: int) -> Transfer:
    """To the first account of its budget, whichever of them it came from."""
    (into, *_) = chart.budget(lease.policy, lease.unit)
    step = lease.postings + 1
    return Transfer(lease.lease, step, 0, Reason.UNRESERVE.value, lease.unit, account_of(lease), into, amount)
