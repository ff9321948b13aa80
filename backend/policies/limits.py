"""What may still be awarded: counters of caps and paces, and the pools of budgets. Pure; a batch uses them up in order."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from backend.kernel.amounts import MAX_AMOUNT
from backend.kernel.periods import PERIODS, Period, civil_date
from backend.policies.model import Beyond, Cap, Counts, Facts, Pace, Per, Policy, Window

CounterKey = tuple[str, str, str]
"""(whose, civil period, name of the counter): a person's counters lie together under the person's own id."""

COUNTERS_KEPT = 65_536
_HOUR_MS = 3_600_000
_MOMENT = "t"
_PERSON, _POLICY, _DISTRICT = Per.PERSON, Per.POLICY, Per.DISTRICT
_FIELD = {per: Facts._fields.index(per.value) for per in Per if per not in (_PERSON, _POLICY)}


class FactMissing(Exception):
    """A cap counts by something that the sale does not tell, `fact`: it cannot be held to, so nothing may be paid."""

    def __init__(self, fact: str) -> None:
        super().__init__(fact)
        self.fact = fact


@dataclass(frozen=True, slots=True)
class CompiledCap:
    """One counter a combination of what it counts by. `plain`: by person alone, for all goods: the common case."""

    name: str
    counter: str
    limit: int
    partial: bool
    period: Period
    period_at: int
    """Where its period's key stands among those of `period_keys`."""
    unit: str | None
    counts: Counts
    plain: bool
    per: tuple[Per, ...]
    by_person: bool
    fields: tuple[int, ...]
    schemes: frozenset[str]
    categories: frozenset[str]
    limit_of: Callable[[Facts, date], int] | None = None
    """Where the limit depends on the day or the place; then the counter must be exactly as it was read."""
    exact: bool = False
    """Its amount decides what is awarded even where it is far from its limit."""
    holds: bool = False
    """What is beyond it is held for a person, who may release it: only what was released may pass its limit."""
    within_ms: int = 0
    """Of a window: its counters are of single moments of sale, and hold one award in any time so long. Of others 0."""

    def concerns(self, facts: Facts) -> bool:
        return (not self.schemes or facts.certificate_scheme in self.schemes) and (
            not self.categories or facts.category in self.categories
        )

    def key(self, person: str, facts: Facts, periods: tuple[str, ...]) -> CounterKey:
        """Its counter for this sale. Raises FactMissing."""
        period = moment_of(facts.sold_at_ms) if self.within_ms else periods[self.period_at]
        if self.plain:
            return person, period, self.counter
        counter = self.counter
        for position in self.fields:
            value = facts[position]
            if value is None:
                raise FactMissing(Facts._fields[position])
            counter = f"{counter}/{value}"
        return (person if self.by_person else _nobody(counter)), period, counter

    def counts_with(self, other: "CompiledCap") -> bool:
        """Whether both add up the same amounts in the same counters."""
        mine, theirs = (self.counter, self.period, self.per), (other.counter, other.period, other.per)
        return mine == theirs and self.unit == other.unit

    def limit_at(self, facts: Facts, sold_on: date) -> int:
        return self.limit if self.limit_of is None else self.limit_of(facts, sold_on)


class Met(NamedTuple):
    """`limit` where it is not the same for every sale; else None, and the cap's own holds."""

    counter: str
    limit: int | None


@dataclass(slots=True)
class Limits:
    """What caps and budgets still allow, handed on from scan to scan of a batch. Counters are amounts used."""

    used: dict[CounterKey, int]
    budgets: dict[str, int]
    """What is left in each pool."""
    cut: set[CounterKey] = field(default_factory=set)
    """Counters whose exact amount decided an award: they must not have changed when it is saved."""
    met: dict[CounterKey, Met] = field(default_factory=dict)
    """Of each counter met that is not a person's alone: which cap it belongs to, and where it ends."""
    moments: dict[tuple[str, str], set[CounterKey]] = field(default_factory=dict)
    """By whose and which window: the counters of moments that are known of it, used or not."""

    def meet(
        self,
        cap: CompiledCap,
        person: str,
        facts: Facts,
        sold_on: date,
        periods: tuple[str, ...],
        *,
        released: bool = False,
    ) -> tuple[CounterKey, int]:
        """The counter of `cap` for this sale, and its limit. `released`: a person lets it pass what holds. Raises FactMissing.

        The database holds a counter to the limit as long as nobody released anything: of two that take the last room at the
        same moment one is decided again, and then held.
        """
        key, most = cap.key(person, facts, periods), cap.limit_at(facts, sold_on)
        bound = MAX_AMOUNT if cap.holds and released else most
        self.met[key] = Met(cap.counter, None if cap.limit_of is None and not cap.holds else bound)
        if cap.within_ms:
            self.know(key)
            most = int(self.is_free(key, cap.within_ms))
        return key, most

    def know(self, key: CounterKey) -> None:
        """Makes a counter of a moment known to its window."""
        self.moments.setdefault((key[0], key[2]), set()).add(key)

    def know_used(self) -> None:
        """The same for all that are used: asked where there are windows."""
        for key in self.used:
            if is_moment(key):
                self.know(key)

    def is_free(self, key: CounterKey, within_ms: int) -> bool:
        """Whether no award of its window was for a sale less than `within_ms` before or after that moment."""
        at_ms, known = moment_ms(key[1]), self.moments[key[0], key[2]]
        return not any(self.used.get(one) and abs(moment_ms(one[1]) - at_ms) < within_ms for one in known)


def compile_cap(cap: Cap, policy: str) -> CompiledCap:
    owner = policy if cap.programme is None else f"{cap.programme}:"
    return _compiled(
        cap.cap,
        f"{owner}/{cap.cap}",
        cap.limit,
        cap.period,
        cap.per,
        partial=cap.partial,
        unit=None if cap.unit is None else cap.unit.value,
        counts=cap.counts,
        schemes=frozenset(cap.schemes),
        categories=frozenset(cap.categories),
        holds=cap.beyond is Beyond.HOLD,
    )


def compile_pace(
    pace: Pace, policy: Policy, unit: str, *, partial: bool, before: Callable[[Facts], int] | None = None
) -> CompiledCap:
    """A pace is a cap of the policy as a whole, or of each place: of a day, or of all days so far when it carries over.

    `before`: what it had released under versions before this one, whose awards stand in the same counter.
    """
    since = civil_date(policy.from_ms)
    varies = pace.carry_over or pace.amounts is not None

    def limit_of(facts: Facts, sold_on: date) -> int:
        each = pace.amount if pace.amounts is None else pace.amounts.get(facts.district or "", pace.amount)
        if not pace.carry_over:
            return each
        released = 0 if before is None else before(facts)
        return min(released + each * ((sold_on - since).days + 1), MAX_AMOUNT)

    return _compiled(
        pace.pace,
        f"{policy.policy}/{pace.pace}",
        pace.amount,
        Period.LIFETIME if pace.carry_over else Period.DAY,
        pace.per,
        partial=partial,
        unit=unit,
        counts=Counts.AMOUNT,
        limit_of=limit_of if varies else None,
        exact=pace.carry_over,
    )


def once_a_basket(policy: str, rule: str) -> CompiledCap:
    """Holds a reward that is paid once a basket, whatever the number of its lines, also of those decided later."""
    name = once_name(rule)
    return _compiled(
        name,
        f"{policy}/{name}",
        1,
        Period.LIFETIME,
        (Per.BASKET,),
        partial=False,
        unit=None,
        counts=Counts.AWARDS,
    )


def compile_window(window: Window, policy: str) -> tuple[CompiledCap, CompiledCap]:
    """What holds to a window: the counter of each moment of sale, and one of all awards of whatever it counts by. Two sales at
    different moments change none of the first alike; the second lets only one of them at a time be decided.
    """
    once, turn = (
        _compiled(
            name,
            f"{policy}/{name}",
            limit,
            Period.LIFETIME,
            window.per,
            partial=False,
            unit=None,
            counts=Counts.AWARDS,
            exact=True,
            within_ms=within_ms,
            windowed=True,
        )
        for name, limit, within_ms in (
            (window.window, 1, window.hours * _HOUR_MS),
            (f"{window.window}.turn", MAX_AMOUNT, 0),
        )
    )
    return once, turn


def moment_of(at_ms: int) -> str:
    """The period of a counter of one moment, Unix milliseconds: as text in their order, after every civil period."""
    return f"{_MOMENT}{at_ms:014d}"


def is_moment(key: CounterKey) -> bool:
    return key[1].startswith(_MOMENT)


def moment_ms(period: str) -> int:
    return int(period[1:])


def once_name(rule: str) -> str:
    """What the limit of once a basket is called: no other limit of the policy may be, or they would share a counter."""
    return f"basket-{rule}"


def once_rule(cap: CompiledCap, policy: Policy) -> str | None:
    """The rule that `cap` lets pay once a basket; None for every other cap, also one that the document counts by basket."""
    paid_once = (rule.rule for rule in policy.rules if any(reward.once_a_basket for reward in rule.rewards))
    return next((rule for rule in paid_once if cap.name == once_name(rule)), None)


def milestone_counter(policy: str, name: str, period: Period, limit: int) -> CompiledCap:
    """Counts a person's awards under a policy, of which some bring a bonus."""
    return _compiled(
        name,
        f"{policy}/{name}",
        limit,
        period,
        (Per.PERSON,),
        partial=False,
        unit=None,
        counts=Counts.AWARDS,
        exact=True,
    )


def _compiled(
    name: str,
    counter: str,
    limit: int,
    period: Period,
    per: tuple[Per, ...],
    *,
    partial: bool,
    unit: str | None,
    counts: Counts,
    schemes: frozenset[str] = frozenset(),
    categories: frozenset[str] = frozenset(),
    limit_of: Callable[[Facts, date], int] | None = None,
    exact: bool = False,
    holds: bool = False,
    within_ms: int = 0,
    windowed: bool = False,
) -> CompiledCap:
    fields = tuple(_FIELD[by] for by in sorted(per) if by not in (_PERSON, _POLICY))
    return CompiledCap(
        name=name,
        counter=counter,
        limit=limit,
        partial=partial,
        period=period,
        period_at=PERIODS.index(period),
        unit=unit,
        counts=counts,
        plain=_PERSON in per and not fields and not schemes and not categories and not holds and not windowed,
        per=tuple(sorted(per)),
        by_person=_PERSON in per,
        fields=fields,
        schemes=schemes,
        categories=categories,
        limit_of=limit_of,
        exact=exact,
        holds=holds,
        within_ms=within_ms,
    )


@lru_cache(COUNTERS_KEPT)
def _nobody(counter: str) -> str:
    """The id under which a counter of no person stands: made from its name, so that all writers agree on it."""
    digest = hashlib.sha256(counter.encode()).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:32]}"
