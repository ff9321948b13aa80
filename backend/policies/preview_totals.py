"""What both sides of a preview come to: costs, who gains and loses, where, and when budgets end. Pure; memory grows with
persons, days and places, not with sales.

Persons' caps know nothing of budgets, so parts of the persons are added up by themselves, as if budgets had no end. Only
where a budget would not have lasted does it matter who came first: then all is added up in the order of sale.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, NamedTuple

from backend.kernel.amounts import FEE
from backend.kernel.periods import civil_date
from backend.policies.forecast import Outlook, forecast, pace_of
from backend.policies.model import Policy
from backend.policies.preview import OPEN, Event, Fold, Judged, Paid, Side, Sold

PLACES = ("district", "certificate_scheme", "store")
UNSTATED = ""
"""The place of a sale that does not state it."""

Pair = tuple[int, int]
"""In force, draft."""


class Tally(NamedTuple):
    """What some sales come to. Tallies of different persons add up; amounts are those of the policy that is previewed.

    `by`: amounts by (district, scheme, store, unit). `gained` and `lost`: persons by unit, not of fees. `wanted`: by
    (unit, day), what each side would give if its budgets had no end; `short`: what of it they no longer bore.
    """

    sales: int
    persons: int
    by: Mapping[tuple[str, str, str, str], Pair]
    gained: Mapping[str, int]
    lost: Mapping[str, int]
    flips: Pair
    held: Pair
    wanted: tuple[Mapping[tuple[str, date], int], Mapping[tuple[str, date], int]]
    short: tuple[Mapping[tuple[str, date], int], Mapping[tuple[str, date], int]]

    def plus(self, other: "Tally") -> "Tally":
        return Tally(
            self.sales + other.sales,
            self.persons + other.persons,
            {
                place: _both(self.by.get(place, _NONE), other.by.get(place, _NONE))
                for place in self.by.keys() | other.by.keys()
            },
            _added(self.gained, other.gained),
            _added(self.lost, other.lost),
            _both(self.flips, other.flips),
            _both(self.held, other.held),
            (_added(self.wanted[0], other.wanted[0]), _added(self.wanted[1], other.wanted[1])),
            (_added(self.short[0], other.short[0]), _added(self.short[1], other.short[1])),
        )

    def fits(self, *policies: Policy | None) -> bool:
        """Whether all that each side wants is within its budgets, so that it does not matter who came first."""
        for policy, wanted in zip(policies, self.wanted, strict=True):
            for budget in policy.budgets if policy else ():
                if sum(amount for (unit, _), amount in wanted.items() if unit == budget.unit.value) > budget.amount:
                    return False
        return True

    def result(self, policy: Policy, facts: Mapping[str, object], *, seed: int) -> dict[str, Any]:
        """What the preview says, and the SHA-256 of exactly that: the same whatever the number of workers.

        `facts` name what was compared; amounts are [in force, draft] in each unit.
        """
        cost: dict[str, Pair] = {}
        for (*_, unit), amounts in self.by.items():
            cost[unit] = _both(cost.get(unit, _NONE), amounts)
        said: dict[str, Any] = {
            **facts,
            "sales": self.sales,
            "persons": self.persons,
            "cost": {unit: list(cost[unit]) for unit in sorted(cost)},
            "by": {name: self._by(place) for place, name in enumerate(PLACES)},
            "months": self._months(),
            "winners": dict(sorted(self.gained.items())),
            "losers": dict(sorted(self.lost.items())),
            "flips": {"gained": self.flips[0], "lost": self.flips[1]},
            "held": list(self.held),
            "exhausted": self._exhausted(policy, seed),
        }
        return {**said, "sha256": hashlib.sha256(canonical(said)).hexdigest()}

    def _by(self, place: int) -> dict[str, dict[str, list[int]]]:
        found: defaultdict[tuple[str, str], Pair] = defaultdict(lambda: _NONE)
        for (*names, unit), amounts in self.by.items():
            found[names[place], unit] = _both(found[names[place], unit], amounts)
        nested: defaultdict[str, dict[str, list[int]]] = defaultdict(dict)
        for (name, unit), amounts in sorted(found.items()):
            nested[name][unit] = list(amounts)
        return dict(nested)

    def _months(self) -> dict[str, dict[str, list[int]]]:
        """What each side gives by civil month of the sale, 2026-01, and unit."""
        nested: defaultdict[str, dict[str, list[int]]] = defaultdict(dict)
        for side in (0, 1):
            for days, sign in ((self.wanted[side], 1), (self.short[side], -1)):
                for (unit, day), amount in days.items():
                    nested[day.isoformat()[:7]].setdefault(unit, [0, 0])[side] += sign * amount
        return dict(sorted(nested.items()))

    def _exhausted(self, policy: Policy, seed: int) -> dict[str, Any]:
        """When each budget of the draft would run out, from its first day on, if people go on as in the past."""
        today, last = civil_date(policy.from_ms), civil_date(policy.until_ms - 1)
        wanted = self.wanted[1]
        days = sorted({day for _, day in wanted})
        dates = {}
        for budget in policy.budgets:
            unit = budget.unit.value
            pace, carries = pace_of(budget)
            spent = {day: wanted.get((unit, day), 0) for day in days}
            found = forecast(Outlook(today, budget.amount, spent, last, pace, carries), seed=seed)
            dates[unit] = {
                "p50": found.p50.isoformat() if found.p50 else None,
                "p90": found.p90.isoformat() if found.p90 else None,
                "until": found.until.isoformat(),
            }
        return dates


_NONE: Pair = (0, 0)


class Pool:
    """The budgets of the policy that is previewed, on one side: others' are not known to the past."""

    def __init__(self, policy: Policy | None, version: str, *, endless: bool) -> None:
        self.version = version
        budgets = policy.budgets if policy else ()
        self._partial = {budget.unit.value: budget.partial for budget in budgets}
        self._left = {budget.unit.value: OPEN if endless else budget.amount for budget in budgets}
        self.wanted: defaultdict[tuple[str, date], int] = defaultdict(int)
        self.short: defaultdict[tuple[str, date], int] = defaultdict(int)

    def pay(self, paid: Paid, day: date) -> Paid:
        """What of `paid` the budgets still bear."""
        borne = paid
        earned = False
        for place, (version, unit, amount) in enumerate(paid):
            if version == self.version:
                self.wanted[unit, day] += amount
                left = self._left[unit]
                given = amount if left >= amount else left if self._partial[unit] else 0
                if unit == FEE and not earned:  # it stands last, and alone it is none
                    given = 0
                earned = earned or given > 0
                self._left[unit] = left - given
                if given != amount:
                    self.short[unit, day] += amount - given
                    borne = (*borne[:place], (version, unit, given), *borne[place + 1 :])
        return borne if borne is paid else tuple(one for one in borne if one[2])


class Totals:
    """Adds sales up. `endless`: as if budgets had no end, so that the order does not matter between persons."""

    def __init__(self, in_force: Side, draft: Side, policy: Policy, *, endless: bool = False) -> None:
        current = next((one for one in in_force if one.policy.policy == policy.policy), None)
        self._folds = Fold(in_force), Fold(draft)
        self._before = Pool(current.policy if current else None, current.version if current else "", endless=endless)
        self._after = Pool(policy, "draft", endless=endless)
        self._by: dict[tuple[str, str, str, str], list[int]] = {}
        self._changes: defaultdict[tuple[str, str], int] = defaultdict(int)
        self._flips = [0, 0]
        self._held = [0, 0]
        self._persons: set[str] = set()
        self.sales = 0

    def add(self, events: Iterable[Event]) -> None:
        """Sales in their order; what no person's fold has decided is decided here."""
        first, second = self._folds
        for sold, in_force, draft in events:
            self.count(sold, in_force or first.judge(sold), draft or second.judge(sold))

    def count(self, sold: Sold, in_force: Judged, draft: Judged) -> None:
        self.sales += 1
        self._persons.add(sold.person)
        if in_force.paid or draft.paid:
            self._pay(sold, in_force.paid, draft.paid)
        self._held[0] += in_force.held
        self._held[1] += draft.held

    def tally(self) -> Tally:
        gained: defaultdict[str, int] = defaultdict(int)
        lost: defaultdict[str, int] = defaultdict(int)
        for (_, unit), change in self._changes.items():
            if change:
                (gained if change > 0 else lost)[unit] += 1
        by = {place: (before, after) for place, (before, after) in self._by.items()}
        flips, held = (self._flips[0], self._flips[1]), (self._held[0], self._held[1])
        wanted = dict(self._before.wanted), dict(self._after.wanted)
        short = dict(self._before.short), dict(self._after.short)
        return Tally(self.sales, len(self._persons), by, dict(gained), dict(lost), flips, held, wanted, short)

    def _pay(self, sold: Sold, in_force: Paid, draft: Paid) -> None:
        before, after = self._before.pay(in_force, sold.sold_on), self._after.pay(draft, sold.sold_on)
        if not before or not after:
            self._flips[0] += bool(after)
            self._flips[1] += bool(before)
        # Mostly both sides give the same, and nobody's sum changes.
        same = [one[1:] for one in before] == [one[1:] for one in after]
        for paid, pool, side, sign in ((before, self._before, 0, -1), (after, self._after, 1, 1)):
            for version, unit, amount in paid:
                if not same and unit != FEE:
                    self._changes[sold.person, unit] += sign * amount
                if version == pool.version:
                    facts = sold.facts
                    place = (
                        facts.district or UNSTATED,
                        facts.certificate_scheme or UNSTATED,
                        facts.store or UNSTATED,
                        unit,
                    )
                    self._by.setdefault(place, [0, 0])[side] += amount


def canonical(said: object) -> bytes:
    return json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _both(one: Pair, other: Pair) -> Pair:
    return one[0] + other[0], one[1] + other[1]


def _added(one: Mapping[Any, int], other: Mapping[Any, int]) -> dict[Any, int]:
    return {key: one.get(key, 0) + other.get(key, 0) for key in one.keys() | other.keys()}
