"""The heart: baskets in, one database transaction a city, a constant number of statements, receipts out."""

import contextlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol, TypeVar

import psycopg
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from backend.certificates.model import Entry
from backend.kernel.periods import civil_date, instant, period_key
from backend.labels.model import Reading, Scheme
from backend.labels.parse import parse
from backend.ledger import chart, post
from backend.ledger.model import BoundReached, Reason, Transfer
from backend.policies.evaluate import CompiledPolicy, CounterKey, Limits, in_force
from backend.policies.model import Outcome
from backend.residents import store as resident_store
from backend.residents.member_code import SHOWN_TOLERANCE_MS, VALID_S_MAX
from backend.residents.store import ShownCode
from backend.scans import store
from backend.scans.decide import Decision, Registry, decide_baskets
from backend.scans.model import Basket, BasketConflict, BasketState, Read, Recorded
from backend.scans.quarantine import Quarantined, set_aside

Result = TypeVar("Result")
ATTEMPTS_MAX = 8
READINGS_MAX = 65_536
_POISON = ("22", "23")
# CPython 3.11 runs Python code for each `Enum.MEMBER` (0.3 µs), and the hot path reads these for every scan.
_RECORDED, _DUPLICATE = BasketState.RECORDED.value, BasketState.DUPLICATE.value
_QUARANTINED = BasketState.QUARANTINED.value
_PENDING, _GTIN, _AWARD = Outcome.PENDING.value, Scheme.GTIN, Reason.AWARD.value


class Writes(Protocol):
    """Runs work in a transaction and commits it; may run it again."""

    def write(self, work: Callable[[Connection], Result]) -> Result: ...


class RegistryLookup(Protocol):
    def lookup(self, connection: Connection, keys: Iterable[str]) -> Mapping[str, tuple[Entry, ...]]: ...


class PolicyLookup(Protocol):
    def lookup(self, connection: Connection, city: str) -> Sequence[CompiledPolicy]: ...


class ShownMember(NamedTuple):
    """A member code of a basket. `shown_at_ms`: the earliest moment at which it was shown."""

    handle: bytes
    home: str
    shown_at_ms: int


@dataclass(frozen=True, slots=True)
class Arrival:
    """A basket and the member code shown with it, if one was."""

    basket: Basket
    member: ShownMember | None = None


class LostRace(Exception):
    """Another transaction took the last of a budget, or a unit label, between our load and our save."""


class RecordBaskets:
    """Records baskets of one city; safe to call from many threads and processes at once."""

    def __init__(self, database: Writes, registry: RegistryLookup, policies: PolicyLookup) -> None:
        self._database = database
        self._registry = registry
        self._policies = policies
        self._readings: dict[tuple[bytes, str | None, str | None], Reading] = {}

    def record(self, city: str, arrivals: Sequence[Arrival], now: datetime) -> list[Recorded]:
        """What became of each basket, in order; it returns only after COMMIT.

        A basket seen before answers as it did; the same key with other content is quarantined. When the database refuses
        a value, the batch is bisected and the single culprit quarantined, so one basket never holds up another.
        """
        if not arrivals:
            return []
        try:
            return self._recorded(city, arrivals, now)
        except (DBAPIError, psycopg.Error) as error:
            original = error.orig if isinstance(error, DBAPIError) else error
            state = _state(original)
            if not state.startswith(_POISON):
                raise
            if len(arrivals) == 1:
                return [self._poisoned(city, arrivals[0].basket, f"sqlstate_{state}", now)]
            middle = len(arrivals) // 2
            return self.record(city, arrivals[:middle], now) + self.record(city, arrivals[middle:], now)

    def _recorded(self, city: str, arrivals: Sequence[Arrival], now: datetime) -> list[Recorded]:
        readings = [[self._reading(read) for read in arrival.basket.reads] for arrival in arrivals]
        for arrival, read_as in zip(arrivals, readings, strict=True):
            _redact(arrival.basket, read_as)
        for attempt in range(ATTEMPTS_MAX):
            careful = attempt > 0
            with contextlib.suppress(LostRace, BoundReached):
                return self._database.write(lambda c: self._attempt(c, city, arrivals, readings, now, careful=careful))  # noqa: B023 - called at once
        raise LostRace

    def _attempt(
        self,
        connection: Connection,
        city: str,
        arrivals: Sequence[Arrival],
        readings: Sequence[Sequence[Reading]],
        now: datetime,
        *,
        careful: bool,
    ) -> list[Recorded]:
        baskets = [arrival.basket for arrival in arrivals]
        _name_members(connection, arrivals)
        fresh = _firsts(baskets, store.claim(connection, city, baskets, now))
        if fresh:
            new, read_as = [baskets[place] for place in fresh], [readings[place] for place in fresh]
            self._decide_and_save(connection, city, new, read_as, now, careful=careful)
        return _answers(connection, city, baskets, frozenset(fresh), now)

    def _decide_and_save(
        self,
        connection: Connection,
        city: str,
        baskets: Sequence[Basket],
        readings: Sequence[Sequence[Reading]],
        now: datetime,
        *,
        careful: bool,
    ) -> None:
        registry, limits, counters = self._load(connection, city, baskets, readings, now, careful=careful)

        decisions, units = decide_baskets(baskets, registry, limits)

        if units and not store.claim_units(connection, city, units, now):
            raise LostRace
        _save_counters(connection, city, counters, limits, registry.policies)
        save(connection, city, decisions, registry.policies, now)

    def _load(
        self,
        connection: Connection,
        city: str,
        baskets: Sequence[Basket],
        readings: Sequence[Sequence[Reading]],
        now: datetime,
        *,
        careful: bool,
    ) -> tuple[Registry, Limits, dict[CounterKey, store.Counter]]:
        """Everything the decision looks at: nothing locked at first, since conditional writes settle who was first;
        when `careful`, after a lost race, all that is limited in one fixed order: counters, wallets, budgets.
        """
        keys = {key for read_as in readings for reading in read_as for key in reading.registry_keys}
        entries = self._registry.lookup(connection, keys)
        policies = self._policies.lookup(connection, city)
        counter_keys = {key for basket in baskets for key in _counter_keys(basket, policies)}
        counters = store.counters(connection, city, counter_keys, locked=careful) if counter_keys else {}
        budgets = {policy.budget_account for policy in policies}
        if careful:
            persons = {basket.resident for basket in baskets if basket.resident is not None}
            units = {policy.policy.unit.value for policy in policies}
            post.lock(connection, city, [chart.wallet(person, unit) for person in persons for unit in units], now)
            left = post.lock(connection, city, budgets, now)
        else:
            left = post.balances(connection, city, budgets)
        unit_keys = [r.key for read_as in readings for r in read_as if r.scope == "unit" and r.key]
        spent = store.spent_units(connection, unit_keys) if unit_keys else frozenset()
        used = {key: counter.used for key, counter in counters.items()}
        return Registry(readings, entries, policies, spent), Limits(used, left), counters

    def _reading(self, read: Read) -> Reading:
        key = (read.code, read.symbology, read.aim)
        reading = self._readings.get(key)
        if reading is None:
            reading = parse(*key)
            if reading.scheme is _GTIN and len(self._readings) < READINGS_MAX:
                # Only product codes are remembered: few, seen again and again, and nobody's secret.
                self._readings[key] = reading
        return reading

    def _poisoned(self, city: str, basket: Basket, reason: str, now: datetime) -> Recorded:
        entry = _quarantined(city, basket, reason)
        self._database.write(lambda connection: set_aside(connection, city, [entry], now))
        return _recorded_as(basket, _QUARANTINED, reason)


def save(
    connection: Connection,
    city: str,
    decisions: Sequence[Decision],
    policies: Sequence[CompiledPolicy],
    now: datetime,
) -> None:
    """Writes decisions and their postings. Raises BoundReached when a budget no longer holds what was decided."""
    if not decisions:
        return
    store.save_decisions(connection, city, decisions, now)
    budget_of = {policy.version: policy.budget_account for policy in policies}
    transfers = [
        Transfer(
            decision.basket,
            decision.decision_no,
            decision.line_no,
            _AWARD,
            decision.unit,  # type: ignore[arg-type]  # an award has a unit
            budget_of[decision.policy_version],  # type: ignore[index]  # and a policy version
            f"resident:{decision.resident}:{decision.unit}",
            decision.award,
        )
        for decision in decisions
        if decision.award
    ]
    post.post(connection, city, transfers, now)
    unknown = [d.label_key for d in decisions if d.outcome == _PENDING and d.label_key]
    if unknown:
        store.await_products(connection, city, unknown, now)


def _save_counters(
    connection: Connection,
    city: str,
    before: Mapping[CounterKey, store.Counter],
    limits: Limits,
    policies: Sequence[CompiledPolicy],
) -> None:
    """Raises LostRace when a counter was changed by another transaction since it was read."""
    changed = {}
    for key, used in limits.used.items():
        counter = before.get(key, store.NO_COUNTER)
        if used != counter.used:
            changed[key] = store.Counter(used, counter.version + 1)
    allowed = {cap.counter: cap.limit for policy in policies for cap in policy.caps}
    if changed and not store.save_counters(connection, city, changed, allowed):
        raise LostRace


def _counter_keys(basket: Basket, policies: Sequence[CompiledPolicy]) -> list[CounterKey]:
    person = basket.resident
    if person is None:
        return []
    sold_on = civil_date(basket.sold_at_ms)
    return [
        (cap.counter, period_key(cap.period, sold_on), person)
        for policy in in_force(policies, basket.sold_at_ms)
        for cap in policy.caps
    ]


def _name_members(connection: Connection, arrivals: Sequence[Arrival]) -> None:
    """Finds the resident behind each member code, spends the code, and says of any other why it names nobody."""
    homes: defaultdict[str, list[Arrival]] = defaultdict(list)
    for arrival in arrivals:
        if arrival.member is not None:
            homes[arrival.member.home].append(arrival)
    for home in sorted(homes):
        shown = [ShownCode(a.member.handle, a.basket.stream, a.basket.root_seq) for a in homes[home] if a.member]
        uses = resident_store.use_codes(connection, home, shown)
        absent = [code.handle for code in shown if code not in uses]
        known = resident_store.known_codes(connection, home, absent) if absent else frozenset()
        for arrival, code in zip(homes[home], shown, strict=True):
            _name_member(arrival, uses.get(code), spent=code.handle in known)


def _name_member(arrival: Arrival, use: resident_store.CodeUse | None, *, spent: bool) -> None:
    basket, member = arrival.basket, arrival.member
    assert member is not None
    basket.resident, basket.member_fault = None, None  # an attempt that was rolled back may have left them
    if use is None:
        basket.member_fault = "spent" if spent else "unknown"
        return
    earliest = use.expires_at_ms - VALID_S_MAX * 1000 - SHOWN_TOLERANCE_MS
    latest = use.expires_at_ms + SHOWN_TOLERANCE_MS
    # A till without a trusted clock cannot prove when the code was shown; its basket is held for that anyway.
    if not basket.clock_held and not (earliest <= basket.sold_at_ms and member.shown_at_ms <= latest):
        basket.member_fault = "expired"
        return
    basket.resident = use.resident


def _firsts(baskets: Sequence[Basket], claimed: set[str]) -> list[int]:
    """Where each claimed basket stands first: what follows under its number, in one batch, is a repeat."""
    first: dict[str, int] = {}
    for place, basket in enumerate(baskets):
        first.setdefault(basket.basket, place)
    return [place for basket, place in first.items() if basket in claimed]


def _answers(
    connection: Connection, city: str, baskets: Sequence[Basket], fresh: frozenset[int], now: datetime
) -> list[Recorded]:
    repeats = [basket for place, basket in enumerate(baskets) if place not in fresh]
    known = store.stored(connection, city, repeats) if repeats else {}
    conflicts = [basket for basket in repeats if known[basket.basket] != basket.sha256]
    if conflicts:
        entries = [_quarantined(city, basket, BasketConflict.code) for basket in conflicts]
        set_aside(connection, city, entries, now)
    return [
        _recorded_as(basket, _RECORDED, None) if place in fresh else _repeated_as(basket, known[basket.basket])
        for place, basket in enumerate(baskets)
    ]


def _repeated_as(basket: Basket, recorded_sha256: bytes) -> Recorded:
    if recorded_sha256 == basket.sha256:
        return _recorded_as(basket, _DUPLICATE, None)
    return _recorded_as(basket, _QUARANTINED, BasketConflict.code)


def _state(error: BaseException | None) -> str:
    """The SQLSTATE; where the driver itself refuses a value (U+0000 in a text) it gives none, and class 22 says it."""
    state: str | None = getattr(error, "sqlstate", None)
    return state or ("22000" if isinstance(error, psycopg.DataError) else "")


def _recorded_as(basket: Basket, state: str, code: str | None) -> Recorded:
    return Recorded(basket.basket, basket.device, basket.stream, basket.seq, basket.sha256, state, code)


def _quarantined(city: str, basket: Basket, reason: str) -> Quarantined:
    received_at = instant(basket.received_at_ms)
    line = basket.line or b""
    return Quarantined(reason, line, basket.sha256, received_at, device=basket.device, city=city)


def _redact(basket: Basket, readings: Sequence[Reading]) -> None:
    """Forgets the line of a basket in which somebody's id number or secret code was read; its hash stays as proof."""
    if any(reading.personal or reading.secret for reading in readings):
        basket.line = None
