"""What a draft would have cost beside the version in force: both decide the same past sales. Pure.

Caps of persons are folded by person, so that parts of the persons can be folded side by side; a side that also counts by
anything else is folded as a whole, in the order of sale, and so are budgets (`preview_totals`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from backend.kernel.periods import day_start_ms, period_keys
from backend.policies.compiled import CompiledPolicy, PolicySet, compile_policy
from backend.policies.evaluate import evaluate
from backend.policies.limits import Limits, moment_of
from backend.policies.model import Facts, Outcome, Policy

PLACES_KEPT = 65_536
OPEN = 2**60
"""Of a budget while persons' caps are folded: it is held to afterwards, in the order of sale."""
_HELD = Outcome.HELD.value
_new = tuple.__new__

Order = tuple[int, str, str, int, int]
"""Of sale: moment in Unix ms, device, stream, number, line."""
Paid = tuple[tuple[str, str, int], ...]
"""(version, unit, amount) of each award."""


class Sold(NamedTuple):
    """One past scan of which policies were asked. `person` tells persons apart, no more."""

    order: Order
    person: str
    sold_on: date
    facts: Facts


class Version(NamedTuple):
    """A version of one side, as it can be sent to another process: compiled policies cannot."""

    version: str
    policy: Policy
    from_ms: int
    until_ms: int
    suspended: tuple[tuple[int, int], ...] = ()


Side = tuple[Version, ...]


class Judged(NamedTuple):
    """What a side gives for a sale before budgets. `held`: a person would have to look first."""

    paid: Paid
    held: bool


class Event(NamedTuple):
    """A sale with what each side gives; None where that is decided in the order of sale."""

    sold: Sold
    in_force: Judged | None
    draft: Judged | None


def sides(versions: Sequence[Version], draft: Policy, window: tuple[int, int], now_ms: int) -> tuple[Side, Side]:
    """The policies as they are, and with `draft` in the place of its own policy.

    The version that is in force now (the last one, where none is) and the draft both stand for the whole `window`; all other
    policies for their own time.
    """
    others = tuple(one for one in versions if one.policy.policy != draft.policy)
    own = [one for one in versions if one.policy.policy == draft.policy]
    current = next((one for one in own if one.from_ms <= now_ms < one.until_ms), own[-1] if own else None)
    begin, end = window
    kept = () if current is None else (_throughout(current.version, current.policy, begin, end),)
    return (*others, *kept), (*others, _throughout("draft", draft, begin, end))


def _throughout(version: str, policy: Policy, begin: int, end: int) -> Version:
    return Version(version, replace(policy, from_ms=begin, until_ms=end), begin, end)


class Fold:
    """One side over sales in their order; what periods that are over have used is forgotten."""

    def __init__(self, side: Side) -> None:
        compiled: list[CompiledPolicy] = []
        for v in side:
            earlier = [one for one in compiled if one.policy.policy == v.policy.policy]
            one = compile_policy(v.policy, v.version, v.until_ms, _no_accounts, v.suspended, earlier)
            compiled.append(replace(one, from_ms=v.from_ms))
        self.policies = PolicySet(compiled)
        self.by_person = all(cap.plain for policy in compiled for cap in policy.caps)
        self._limits = Limits({}, {budget.pool: OPEN for policy in compiled for budget in policy.budgets})
        self._day: date | None = None

    def judge(self, sold: Sold) -> Judged:
        if sold.sold_on != self._day:
            self._forget(sold.sold_on)
        plan = self.policies.in_force(sold.order[0]).plan(sold.facts)
        verdict = evaluate(sold.facts, sold.person, sold.sold_on, plan, self._limits)
        if not verdict.amount:
            return _NOTHING if verdict.outcome != _HELD else _WAITS
        assert verdict.version is not None
        assert verdict.unit is not None
        first = (verdict.version, verdict.unit, verdict.amount)
        more = tuple((award.version, award.unit, award.amount) for award in verdict.more if award.amount)
        return _new(Judged, ((first, *more), False))

    def _forget(self, day: date) -> None:
        kept, since = frozenset(period_keys(day)), moment_of(day_start_ms(day) - self.policies.within_ms)
        limits = self._limits
        limits.used = {key: used for key, used in limits.used.items() if key[1] in kept or key[1] > since}
        limits.moments.clear()
        limits.know_used()
        limits.met.clear()
        limits.cut.clear()
        self._day = day


_NOTHING = Judged((), held=False)
_WAITS = Judged((), held=True)


class PersonFolds:
    """Both sides over the sales of some of the persons."""

    def __init__(self, in_force: Side, draft: Side) -> None:
        folds = Fold(in_force), Fold(draft)
        self._first, self._second = (fold if fold.by_person else None for fold in folds)

    def events(self, sales: Iterable[Sold]) -> list[Event]:
        first, second = self._first, self._second
        if first is None or second is None:
            return [
                Event(sold, first.judge(sold) if first else None, second.judge(sold) if second else None)
                for sold in sales
            ]
        return [
            _new(Event, (_new(Sold, (*sold[:3], _placed(sold.facts))), first.judge(sold), second.judge(sold)))
            for sold in sales
        ]


def _placed(facts: Facts) -> Facts:
    """What is left to know of a sale that is decided: where it was, and under which scheme; one and the same for many."""
    return _place_alone(facts.district, facts.certificate_scheme, facts.store)


@lru_cache(PLACES_KEPT)
def _place_alone(district: str | None, scheme: str | None, store: str | None) -> Facts:
    return Facts("", "", "", None, None, None, None, 1, store, district, None, scheme)


def _no_accounts(_policy: str, _unit: str, _shards: int) -> tuple[str, ...]:
    return ()
