"""What every way to a decision shares: everything it looks at is loaded, and what it says is saved, in one transaction."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import NamedTuple, Protocol

import psycopg
from sqlalchemy import Connection

from backend.certificates.model import Entry
from backend.kernel.periods import civil_date, period_keys
from backend.labels.model import Reading, Scope
from backend.ledger import post
from backend.policies.compiled import PolicySet
from backend.policies.limits import CounterKey, Limits, Met, is_moment
from backend.policies.model import Outcome
from backend.scans import store
from backend.scans.as_of import as_of
from backend.scans.decide import Decision, Registry, Taken, others_met, persons_met
from backend.scans.model import Basket
from backend.scans.signal_store import load_signals
from backend.scans.signals import priced_as
from backend.scans.windows import moments
from backend.storage.transaction import Sent, pipelined
from backend.usecases.award_accounts import destinations
from backend.usecases.award_postings import transfers_of
from backend.usecases.lend_budget import Lending, Places, lend
from backend.usecases.races import LostRace

# CPython 3.11 runs Python code for each `Enum.MEMBER` (0.3 µs), and the hot path reads these for every scan.
_PENDING, _UNIT = Outcome.PENDING.value, Scope.UNIT
_outcome_of = itemgetter(Decision._fields.index("outcome"))


class RegistryLookup(Protocol):
    def lookup(self, connection: Connection, keys: Iterable[str]) -> Mapping[str, tuple[Entry, ...]]: ...
    def as_of(self, connection: Connection, keys: set[str], version: int) -> Mapping[str, tuple[Entry, ...]]: ...


class PolicyLookup(Protocol):
    def lookup(self, connection: Connection, city: str) -> PolicySet: ...
    def as_of(self, connection: Connection, city: str, revision: int) -> PolicySet: ...


class Lookups(NamedTuple):
    """What is known of products and rules, as one process caches it."""

    registry: RegistryLookup
    policies: PolicyLookup


class Loaded(NamedTuple):
    """What a batch is decided on. `limits` is used up by the decision, `counters` and `shares` are what they were before.

    `shares`: what is left in each account of the budgets; a pool is the sum of its accounts.
    """

    registry: Registry
    limits: Limits
    counters: Mapping[CounterKey, store.Counter]
    shares: dict[str, int]
    baskets: Sequence[Basket]
    lending: Lending | None = None
    """None where no basket was promised anything out of a lease."""


def load(
    connection: Connection,
    city: str,
    baskets: Sequence[Basket],
    readings: Sequence[Sequence[Reading]],
    now: datetime,
    *,
    lookups: Lookups,
    careful: bool,
    places: Places | None = None,
) -> Loaded:
    """Everything the decision looks at: leases locked, else nothing at first, since conditional writes settle who was first;
    when `careful`, after a lost race, all that is limited in one fixed order: counters, residents' accounts, budgets. What is not
    there yet is opened first: a row that another transaction is about to insert cannot be locked, and would be waited for
    later, out of order. `places`: of lines that are decided again.
    """
    known = as_of(connection, city, {basket.store for basket in baskets if basket.store is not None})
    hold_suspended(baskets, known.suspended)
    lending = lend(connection, city, baskets, now, places)
    keys = {key for read_as in readings for reading in read_as for key in reading.registry_keys}
    entries = lookups.registry.as_of(connection, keys, known.registry_version)
    policies = lookups.policies.as_of(connection, city, known.policy_revision)
    unit_keys = [r.key for read_as in readings for r in read_as if r.scope is _UNIT and r.key]
    spent = store.spent_units(connection, unit_keys) if unit_keys else frozenset()
    signals = None
    if policies.watched:
        codes = {key for read_as in readings for r in read_as if (key := priced_as(r)) is not None}
        signals = load_signals(connection, city, policies.watched, baskets, codes, now)
    registry = Registry(readings, entries, policies, spent, signals, None if lending is None else lending.lent)
    persons = {basket.resident for basket in baskets if basket.resident is not None}
    others, met = others_met(baskets, registry)
    if careful:
        bounds = Bounds(policies)
        keys_met = {*others, *persons_met(baskets, policies)}
        if keys_met:
            store.open_counters(connection, city, {key: bounds.of(key, met) for key in keys_met})
    whose, periods = persons | {key[0] for key in others}, _periods(baskets, policies)
    counters = store.counters(connection, city, whose, periods, locked=careful) if whose and periods else {}
    if policies.within_ms:
        counters |= _moments(connection, city, others, policies.within_ms)
    accounts = {account for policy in policies for budget in policy.budgets for account in budget.accounts}
    if careful:
        post.lock(connection, city, destinations(baskets, policies), now)
        left = post.lock(connection, city, accounts, now)
    else:
        left = post.balances(connection, city, accounts)
    pools = {
        budget.pool: sum(left.get(account, 0) for account in budget.accounts)
        for policy in policies
        for budget in policy.budgets
    }
    limits = Limits({key: counter.used for key, counter in counters.items()}, pools, met=met)
    if policies.within_ms:
        limits.know_used()
    return Loaded(registry, limits, counters, left, baskets, lending)


def hold_suspended(baskets: Sequence[Basket], suspended: Mapping[str, Sequence[tuple[int, int]]]) -> None:
    """Says of each basket whether its shop was suspended when it was sold. Phones' scans have no shop."""
    for basket in baskets:
        spans = suspended.get(basket.store) if basket.store is not None else None
        basket.store_held = spans is not None and any(start <= basket.sold_at_ms < end for start, end in spans)


def _moments(
    connection: Connection, city: str, keys: Iterable[CounterKey], within_ms: int
) -> dict[CounterKey, store.Counter]:
    """What windows look at: read after the counter that lets one at a time be decided, lest one slip in between."""
    found = [key for key in keys if is_moment(key)]
    return moments(connection, city, found, within_ms) if found else {}


def save(connection: Connection, city: str, taken: Taken, loaded: Loaded, now: datetime) -> None:
    """Writes decisions, what they took of limits, and their postings.

    Raises LostRace when a limit no longer holds what was decided: then the transaction is rolled back and the work is
    done again.
    """
    rows = taken.rows
    if not rows:
        return
    try:
        with pipelined(connection):
            store.save_decisions(connection, city, rows, now)
            if taken.further:
                store.save_further_awards(connection, city, taken.further)
            counted = send_counters(connection, city, loaded)
            policies, lending = loaded.registry.policies, loaded.lending
            lent = [] if lending is None else lending.transfers(taken, policies, loaded.shares)
            moved = transfers_of(taken, policies, loaded.shares, loaded.baskets)
            posted = post.send(connection, city, [*lent, *moved] if lent else moved, now)
            used = [] if lending is None else lending.send(connection, city, taken.draws)
            claimed = [store.claim_units(connection, city, taken.units, now)] if taken.units else []
    except psycopg.errors.UniqueViolation:  # another was first to decide the same scan once more
        raise LostRace from None
    if not all(each.complete for each in (*counted, *posted, *used, *claimed)):
        raise LostRace
    if _PENDING in map(_outcome_of, rows):
        unknown = [d.label_key for d in taken.decisions if d.outcome == _PENDING and d.label_key]
        store.await_products(connection, city, unknown, now)


def send_counters(connection: Connection, city: str, loaded: Loaded) -> list[Sent]:
    """What is incomplete after the pipeline has no longer the room, or the very amount, that was decided on.

    Most awards are cut by no cap: what they take is added to whatever the counter is by now, so that two transactions of
    one person rarely disturb each other. Where a cap cut an award of the batch, its counters must be as they were read.
    """
    limits, bounds = loaded.limits, Bounds(loaded.registry.policies)
    changes: list[store.CounterChange] = []
    counters, nothing, met = loaded.counters, store.NO_COUNTER, limits.met
    for key, used in limits.used.items():
        before, version = counters.get(key, nothing)
        if used != before:
            # Where nothing else was met, all are counters of persons alone.
            person, period, cap = key
            allowed = bounds.of(key, met) if met else bounds.most[cap]
            changes.append((person, period, cap, before, version, used - before, allowed))
    if not changes:
        return []
    exact = bool(limits.cut) or bounds.differ((change[:3] for change in changes), limits.met)
    # One statement for all: two would take their rows in two orders, and wait for each other in a ring.
    send = store.set_counters if exact else store.add_to_counters
    return [send(connection, city, changes)]


class Bounds:
    """The most that any version of each cap allows: a sale that arrives late is held to the version of its own day."""

    def __init__(self, policies: PolicySet) -> None:
        limits: dict[str, set[int]] = {}
        for policy in policies:
            for cap in policy.caps:
                limits.setdefault(cap.counter, set()).add(cap.limit)
        self.most = {counter: max(found) for counter, found in limits.items()}
        self._differing = frozenset(counter for counter, found in limits.items() if len(found) > 1)

    def of(self, key: CounterKey, met: Mapping[CounterKey, Met]) -> int:
        """What the row of `key` may hold."""
        found = met.get(key)
        if found is None:
            return self.most[key[2]]
        return self.most[found.counter] if found.limit is None else found.limit

    def differ(self, keys: Iterable[CounterKey], met: Mapping[CounterKey, Met]) -> bool:
        """Whether versions differ in a cap of `keys`: then the database's bound is not that of every sale."""
        if not self._differing:
            return False
        return any((key[2] if (found := met.get(key)) is None else found.counter) in self._differing for key in keys)


def _periods(baskets: Sequence[Basket], policies: PolicySet) -> set[str]:
    """The civil periods in which a cap may count one of `baskets`."""
    at = {cap.period_at for policy in policies for cap in policy.caps}
    days = {civil_date(basket.sold_at_ms) for basket in baskets}
    return {period_keys(day)[place] for day in days for place in at}
