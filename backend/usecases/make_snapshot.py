"""The newest snapshot of a city is what certificates and policies say now; where that is so already, it is confirmed."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import NamedTuple

from sqlalchemy import Connection

from backend.certificates.model import Entry
from backend.certificates.store import current_version, load_all_entries
from backend.kernel.periods import civil_date, milliseconds
from backend.leases.queries import terms_of
from backend.ledger.queries import spent_out
from backend.policies.compiled import PolicySet
from backend.policies.store import PolicyCache
from backend.retailers import store as retailers
from backend.snapshots import store
from backend.snapshots.content import World, lines_of, policies_until
from backend.snapshots.store import Held, MadeOf
from backend.usecases.races import Writes

SPENT_FOR = timedelta(hours=1)


class Made(NamedTuple):
    """Cities whose snapshot got a new version, those whose newest was confirmed, and lines that changed."""

    made: int = 0
    confirmed: int = 0
    lines: int = 0

    def plus(self, other: "Made") -> "Made":
        return Made(self.made + other.made, self.confirmed + other.confirmed, self.lines + other.lines)


class MakeSnapshot:
    """One run over cities: certificates, which all cities share, are read once for all that need them."""

    def __init__(self, database: Writes, policies: PolicyCache) -> None:
        self._database = database
        self._policies = policies
        self._entries: tuple[int, Mapping[str, tuple[Entry, ...]]] | None = None

    def make(self, city: str, now: datetime) -> Made:
        """Raises SnapshotTooLarge."""
        return self._database.write(lambda connection: self._make(connection, city, now))

    def _make(self, connection: Connection, city: str, now: datetime) -> Made:
        held = store.lock(connection, city, now)
        at_ms = milliseconds(now)
        registry = current_version(connection).version
        policies = self._policies.lookup(connection, city)
        stores = {one.store: one.district for one in retailers.listed(connection, city)}
        exhausted = _told_as_spent(held, _exhausted(connection, city, policies), now)
        lent = frozenset((one.policy, one.unit) for one in terms_of(connection, city) if one.amount)

        made_of = _made_of((registry, sorted(stores.items()), sorted(lent)), policies, exhausted, at_ms)
        if made_of.digest == held.made_of:
            store.confirm(connection, city, held, now)
            return Made(confirmed=1)

        world = World(self._registry(connection, registry), policies, stores, exhausted, at_ms, lent)
        changed = store.replace(connection, city, held, lines_of(world), made_of, now)
        return Made(made=1, lines=changed)

    def _registry(self, connection: Connection, version: int) -> Mapping[str, tuple[Entry, ...]]:
        if self._entries is None or self._entries[0] != version:
            self._entries = version, load_all_entries(connection)
        return self._entries[1]


def _exhausted(connection: Connection, city: str, policies: PolicySet) -> frozenset[str]:
    """Pools of budgets of which nothing is left: what they would pay is nothing."""
    pools = {budget.pool: budget.accounts for policy in policies for budget in policy.budgets}
    empty = spent_out(connection, city, [account for accounts in pools.values() for account in accounts])
    return frozenset(pool for pool, accounts in pools.items() if empty.issuperset(accounts))


def _told_as_spent(held: Held, exhausted: frozenset[str], now: datetime) -> frozenset[str]:
    """A budget near its end is spent and has something again from minute to minute: what was told as spent stays so for an
    hour, or tills would fetch a version a minute for the sake of a few points.
    """
    return exhausted | held.spent_out if now < held.made_at + SPENT_FOR else exhausted


def _made_of(known: object, policies: PolicySet, exhausted: frozenset[str], at_ms: int) -> MadeOf:
    """Everything that a snapshot's lines depend on; only what changes it is worth working them out again."""
    versions = [(policy.version, policy.suspended) for policy in policies]
    parts = (known, versions, sorted(exhausted), policies_until(policies, at_ms))
    return MadeOf(f"{civil_date(at_ms)} {sha256(repr(parts).encode()).hexdigest()}", exhausted)
