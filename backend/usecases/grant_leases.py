"""Tills that are there are lent budgets by the terms of their city: more when half is used, longer when half the time is over."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.devices import downlinks
from backend.devices.enrolment import queries as devices
from backend.kernel.ids import new_id
from backend.kernel.periods import milliseconds
from backend.leases import queries, store
from backend.leases.grant import Outbox, Plan, plan
from backend.leases.lendable import is_lendable
from backend.leases.message import leases_body
from backend.leases.model import Lease, Terms
from backend.leases.store import Granted
from backend.ledger import chart, post
from backend.ledger.model import Reason, Transfer
from backend.outbox.store import NewDownlink, put_lasting
from backend.policies.compiled import PolicySet, pool_of
from backend.storage.transaction import Database
from backend.usecases.races import won
from backend.usecases.take_decisions import PolicyLookup

GRANTS_MAX = 500
"""Tills in one transaction."""
GRANT_STEP = 1


class Lent(NamedTuple):
    """How many leases were granted, and how many made to last longer."""

    granted: int = 0
    extended: int = 0

    def plus(self, other: "Lent") -> "Lent":
        return Lent(self.granted + other.granted, self.extended + other.extended)


def grant_leases(
    database: Database, policies: PolicyLookup, city: str, now: datetime, stopping: Callable[[], bool] = lambda: False
) -> Lent:
    """A transaction a budget and slice of tills; running again finds nothing to lend. Raises DatabaseBusy."""
    with database.read() as connection:
        terms = [one for one in queries.terms_of(connection, city) if one.amount]
        there = [Outbox(*one) for one in devices.outboxes(connection, city, now)] if terms else []
        known = policies.lookup(connection, city)
        asking = [(one, _asking(there, _planned(connection, city, one, known, there, now)[0])) for one in terms]
    done = Lent()
    for one, tills in asking:
        for first in range(0, len(tills), GRANTS_MAX):
            if stopping():
                return done
            part = tills[first : first + GRANTS_MAX]
            done = done.plus(won(database, lambda c, _careful: _granted(c, city, one, known, part, now)))  # noqa: B023 - called at once
    return done


def tell_tills(connection: Connection, city: str, tills: Collection[str], now: datetime) -> None:
    """Each of `tills` is told of all that it holds now, in the transaction that changed it."""
    if not tills:
        return
    held: defaultdict[str, list[Lease]] = defaultdict(list)
    versions = store.number_messages(connection, city, sorted(tills), now)
    for lease in store.running(connection, city, sorted(tills), now):
        held[lease.device].append(lease)
    messages = [
        NewDownlink(downlinks.lease_topic(till), leases_body(versions[till], held[till]), retain=True)
        for till in sorted(tills)
    ]
    put_lasting(connection, city, messages, now)


def _planned(
    connection: Connection, city: str, terms: Terms, policies: PolicySet, tills: Sequence[Outbox], now: datetime
) -> tuple[Plan, dict[str, int]]:
    """What tills are to be lent now, and what each account of the budget has left."""
    if not is_lendable(policies, terms, milliseconds(now)):
        return Plan({}, ()), {}
    held: defaultdict[str, list[Lease]] = defaultdict(list)
    for lease in store.of_budget(connection, city, terms.policy, terms.unit):
        held[lease.device].append(lease)
    shares = post.balances(connection, city, _accounts(policies, terms))
    return plan(terms, tills, held, sum(shares.values()), now), shares


def _asking(tills: Sequence[Outbox], planned: Plan) -> list[Outbox]:
    extended = {lease.device for lease in planned.extended}
    return [till for till in tills if till in planned.granted or till.device in extended]


def _granted(
    connection: Connection, city: str, terms: Terms, policies: PolicySet, tills: Sequence[Outbox], now: datetime
) -> Lent:
    """Raises BoundReached when others took the budget meanwhile."""
    # Two workers must not lend to one till at once: the row of its messages keeps them apart.
    store.number_messages(connection, city, [one.device for one in tills], now)
    planned, shares = _planned(connection, city, terms, policies, tills, now)
    if planned.extended:
        store.extend(connection, city, terms, [lease.lease for lease in planned.extended], now)
    granted = [Granted(new_id(), outbox.device, outbox.stream, amount) for outbox, amount in planned.granted.items()]
    if granted:
        store.grant(connection, city, terms, granted, now)
        post.post(connection, city, _reservations(terms, granted, shares), now)
    changed = {one.device for one in granted} | {lease.device for lease in planned.extended}
    tell_tills(connection, city, changed, now)
    return Lent(len(granted), len(planned.extended))


def _accounts(policies: PolicySet, terms: Terms) -> list[str]:
    pool = pool_of(terms.policy, terms.unit)
    return sorted({account for one in policies for b in one.budgets if b.pool == pool for account in b.accounts})


def _reservations(terms: Terms, granted: Sequence[Granted], shares: Mapping[str, int]) -> list[Transfer]:
    """What each lease takes, from whichever accounts of the budget have most left."""
    left, moved = dict(shares), []
    for lease in granted:
        into, amount = chart.reserved(lease.lease, terms.policy, terms.unit), lease.amount
        for line, account in enumerate(sorted(left, key=lambda name: (-left[name], name))):
            part = min(amount, left[account])
            if part:
                left[account] -= part
                amount -= part
                moved.append(
                    Transfer(lease.lease, GRANT_STEP, line, Reason.RESERVE.value, terms.unit, account, into, part)
                )
        assert not amount, "no more is lent than the budget has left"
    return moved
