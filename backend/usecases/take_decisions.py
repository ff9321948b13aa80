"""What every way to a decision shares: everything it looks at is loaded, and what it says is saved, in one transaction."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

import psycopg
from sqlalchemy import Connection

from backend.certificates.model import Entry
from backend.kernel.periods import civil_date, period_keys
from backend.labels.model import Reading, Scope
from backend.ledger import chart, post
from backend.ledger.model import Reason, Transfer
from backend.policies.evaluate import CompiledPolicy, CounterKey, Limits, in_force
from backend.policies.model import Outcome
from backend.scans import store
from backend.scans.decide import Decision, Registry
from backend.scans.model import Basket
from backend.storage.transaction import Sent, pipelined

# CPython 3.11 runs Python code for each `Enum.MEMBER` (0.3 µs), and the hot path reads these for every scan.
_PENDING, _AWARD = Outcome.PENDING.value, Reason.AWARD.value
_UNIT = Scope.UNIT


class RegistryLookup(Protocol):
    def lookup(self, connection: Connection, keys: Iterable[str]) -> Mapping[str, tuple[Entry, ...]]: ...


class PolicyLookup(Protocol):
    def lookup(self, connection: Connection, city: str) -> Sequence[CompiledPolicy]: ...


class LostRace(Exception):
    """Another transaction took the last of a budget, or a unit label, between our load and our save."""


class Lookups(NamedTuple):
    """What is known of products and rules, as one process caches it."""

    registry: RegistryLookup
    policies: PolicyLookup


class Loaded(NamedTuple):
    """What a batch is decided on. `limits` is used up by the decision, `counters` is what they were before."""

    registry: Registry
    limits: Limits
    counters: Mapping[CounterKey, store.Counter]


def load(
    connection: Connection,
    city: str,
    baskets: Sequence[Basket],
    readings: Sequence[Sequence[Reading]],
    now: datetime,
    *,
    lookups: Lookups,
    careful: bool,
) -> Loaded:
    """Everything the decision looks at: nothing locked at first, since conditional writes settle who was first;
    when `careful`, after a lost race, all that is limited in one fixed order: counters, wallets, budgets. What is not
    there yet is opened first: a row that another transaction is about to insert cannot be locked, and would be waited for
    later, out of order.
    """
    keys = {key for read_as in readings for reading in read_as for key in reading.registry_keys}
    entries = lookups.registry.lookup(connection, keys)
    policies = lookups.policies.lookup(connection, city)
    persons = {basket.resident for basket in baskets if basket.resident is not None}
    if careful:
        counter_keys = {key for basket in baskets for key in _counter_keys(basket, policies)}
        if counter_keys:
            store.open_counters(connection, city, counter_keys, _allowed(policies)[0])
    periods = _periods(baskets, policies)
    counters = store.counters(connection, city, persons, periods, locked=careful) if persons and periods else {}
    budgets = {policy.budget_account for policy in policies}
    if careful:
        units = {policy.policy.unit.value for policy in policies}
        post.lock(connection, city, [chart.wallet(person, unit) for person in persons for unit in units], now)
        left = post.lock(connection, city, budgets, now)
    else:
        left = post.balances(connection, city, budgets)
    unit_keys = [r.key for read_as in readings for r in read_as if r.scope is _UNIT and r.key]
    spent = store.spent_units(connection, unit_keys) if unit_keys else frozenset()
    used = {key: counter.used for key, counter in counters.items()}
    return Loaded(Registry(readings, entries, policies, spent), Limits(used, left), counters)


def save(
    connection: Connection,
    city: str,
    decisions: Sequence[Decision],
    units: Mapping[str, tuple[str, int]],
    loaded: Loaded,
    now: datetime,
) -> None:
    """Writes decisions, what they took of limits, and their postings; `units` as `decide_baskets` gave them.

    Raises LostRace when a limit no longer holds what was decided: then the transaction is rolled back and the work is
    done again.
    """
    if not decisions:
        return
    policies = loaded.registry.policies
    try:
        with pipelined(connection):
            store.save_decisions(connection, city, decisions, now)
            counted = _send_counters(connection, city, loaded, policies)
            posted = post.send(connection, city, _transfers(decisions, policies), now)
            claimed = [store.claim_units(connection, city, units, now)] if units else []
    except psycopg.errors.UniqueViolation:  # another was first to decide the same scan once more
        raise LostRace from None
    if not all(each.complete for each in (*counted, *posted, *claimed)):
        raise LostRace
    unknown = [d.label_key for d in decisions if d.outcome == _PENDING and d.label_key]
    if unknown:
        store.await_products(connection, city, unknown, now)


def _transfers(decisions: Sequence[Decision], policies: Sequence[CompiledPolicy]) -> list[Transfer]:
    budget_of = {policy.version: policy.budget_account for policy in policies}
    return [
        tuple.__new__(
            Transfer,
            (
                decision.basket,
                decision.decision_no,
                decision.line_no,
                _AWARD,
                decision.unit,
                budget_of[decision.policy_version],  # type: ignore[index]  # an award has a policy version
                f"resident:{decision.resident}:{decision.unit}",
                decision.award,
            ),
        )
        for decision in decisions
        if decision.award
    ]


def _send_counters(connection: Connection, city: str, loaded: Loaded, policies: Sequence[CompiledPolicy]) -> list[Sent]:
    """What is incomplete after the pipeline has no longer the room, or the very amount, that was decided on.

    Most awards are cut by no cap: what they take is added to whatever the counter is by now, so that two transactions of
    one person rarely disturb each other. Where a cap cut an award of the batch, its counters must be as they were read.
    """
    allowed, differing = _allowed(policies)
    changes: list[store.CounterChange] = []
    for key, used in loaded.limits.used.items():
        before, version = loaded.counters.get(key, store.NO_COUNTER)
        if used != before:
            changes.append(store.CounterChange(*key, before, version, used - before, allowed[key[2]]))
    if not changes:
        return []
    exact = bool(loaded.limits.cut) or any(change.cap in differing for change in changes)
    # One statement for all: two would take their rows in two orders, and wait for each other in a ring.
    send = store.set_counters if exact else store.add_to_counters
    return [send(connection, city, changes)]


def _allowed(policies: Sequence[CompiledPolicy]) -> tuple[dict[str, int], frozenset[str]]:
    """The most that any version of each cap allows: a sale that arrives late is held to the version of its own day.

    And the caps of which versions differ: there the database's bound is not that of every sale.
    """
    limits: dict[str, set[int]] = {}
    for policy in policies:
        for cap in policy.caps:
            limits.setdefault(cap.counter, set()).add(cap.limit)
    differing = frozenset(counter for counter, found in limits.items() if len(found) > 1)
    return {counter: max(found) for counter, found in limits.items()}, differing


def _periods(baskets: Sequence[Basket], policies: Sequence[CompiledPolicy]) -> set[str]:
    """The civil periods in which a cap may count one of `baskets`."""
    at = {cap.period_at for policy in policies for cap in policy.caps}
    days = {civil_date(basket.sold_at_ms) for basket in baskets}
    return {period_keys(day)[place] for day in days for place in at}


def _counter_keys(basket: Basket, policies: Sequence[CompiledPolicy]) -> list[CounterKey]:
    person = basket.resident
    if person is None:
        return []
    periods = period_keys(civil_date(basket.sold_at_ms))
    return [
        (person, periods[cap.period_at], cap.counter)
        for policy in in_force(policies, basket.sold_at_ms)
        for cap in policy.caps
    ]
