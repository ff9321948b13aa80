"""The second pass of a preview, in the order of sale: budgets, and what both sides come to. Pure; memory grows with persons,
days and places, not with sales.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from backend.kernel.periods import civil_date
from backend.policies.forecast import Outlook, forecast, pace_of
from backend.policies.model import Policy
from backend.policies.preview import Event, Fold, Judged, Paid, Side, Sold

PLACES = ("district", "certificate_scheme", "store")
UNSTATED = ""
"""The place of a sale that does not state it."""


class Pool:
    """The budgets of the policy that is previewed, on one side: others' are not known to the past."""

    def __init__(self, policy: Policy | None, version: str) -> None:
        self.version = version
        self._partial = {b.unit.value: b.partial for b in policy.budgets} if policy else {}
        self._left = {b.unit.value: b.amount for b in policy.budgets} if policy else {}
        self.wanted: defaultdict[tuple[str, date], int] = defaultdict(int)

    def pay(self, paid: Paid, day: date) -> Paid:
        """What of `paid` the budgets still bear."""
        if not any(version == self.version for version, _, _ in paid):
            return paid
        borne = []
        for version, unit, amount in paid:
            given = amount
            if version == self.version:
                self.wanted[unit, day] += amount
                left = self._left[unit]
                given = amount if left >= amount else left if self._partial[unit] else 0
                self._left[unit] = left - given
            if given:
                borne.append((version, unit, given))
        return tuple(borne)


class Totals:
    def __init__(self, in_force: Side, draft: Side, policy: Policy) -> None:
        self._folds = Fold(in_force), Fold(draft)
        current = next((one for one in in_force if one.policy.policy == policy.policy), None)
        self._pools = (
            Pool(current.policy if current else None, current.version if current else ""),
            Pool(policy, "draft"),
        )
        self._cost: tuple[dict[str, int], dict[str, int]] = (defaultdict(int), defaultdict(int))
        self._places: dict[str, dict[tuple[str, str], list[int]]] = {place: {} for place in PLACES}
        self._changes: defaultdict[tuple[str, str], int] = defaultdict(int)
        self._flips = [0, 0]
        self._held = [0, 0]
        self._persons: set[str] = set()
        self.sales = 0

    def add(self, events: Iterable[Event]) -> None:
        """Sales in their order."""
        for sold, in_force, draft in events:
            self.sales += 1
            judged = in_force or self._folds[0].judge(sold), draft or self._folds[1].judge(sold)
            if judged[0].paid or judged[1].paid:
                self._pay(sold, judged)
            self._held[0] += judged[0].held
            self._held[1] += judged[1].held
            self._persons.add(sold.person)

    def _pay(self, sold: Sold, judged: tuple[Judged, Judged]) -> None:
        before, after = (pool.pay(one.paid, sold.sold_on) for pool, one in zip(self._pools, judged, strict=True))
        self._flips[0] += bool(after) and not before
        self._flips[1] += bool(before) and not after
        changes = before != after
        for side, paid in enumerate((before, after)):
            own = self._pools[side].version
            for version, unit, amount in paid:
                if changes:
                    self._changes[sold.person, unit] += amount if side else -amount
                if version == own:
                    self._cost[side][unit] += amount
                    self._place(sold, unit, side, amount)

    def _place(self, sold: Sold, unit: str, side: int, amount: int) -> None:
        facts = sold.facts
        for place, name in zip(PLACES, (facts.district, facts.certificate_scheme, facts.store), strict=True):
            self._places[place].setdefault((name or UNSTATED, unit), [0, 0])[side] += amount

    def result(self, policy: Policy, facts: Mapping[str, object], *, seed: int) -> dict[str, Any]:
        """What the preview says, and the SHA-256 of exactly that: the same whatever the number of workers.

        `facts` name what was compared; amounts are [in force, draft] in each unit.
        """
        units = sorted({unit for side in self._cost for unit in side})
        said: dict[str, Any] = {
            **facts,
            "sales": self.sales,
            "persons": len(self._persons),
            "cost": {unit: [side.get(unit, 0) for side in self._cost] for unit in units},
            "by": {place: _nested(found) for place, found in self._places.items()},
            "winners": self._counted(1),
            "losers": self._counted(-1),
            "flips": {"gained": self._flips[0], "lost": self._flips[1]},
            "held": list(self._held),
            "exhausted": self._exhausted(policy, seed),
        }
        return {**said, "sha256": hashlib.sha256(canonical(said)).hexdigest()}

    def _counted(self, sign: int) -> dict[str, int]:
        counted: defaultdict[str, int] = defaultdict(int)
        for (_, unit), change in self._changes.items():
            counted[unit] += change * sign > 0
        return {unit: number for unit, number in sorted(counted.items()) if number}

    def _exhausted(self, policy: Policy, seed: int) -> dict[str, Any]:
        """When each budget of the draft would run out, from its first day on, if people go on as in the past."""
        today, last = civil_date(policy.from_ms), civil_date(policy.until_ms - 1)
        wanted = self._pools[1].wanted
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


def canonical(said: object) -> bytes:
    return json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _nested(found: Mapping[tuple[str, str], list[int]]) -> dict[str, dict[str, list[int]]]:
    nested: defaultdict[str, dict[str, list[int]]] = defaultdict(dict)
    for (name, unit), amounts in sorted(found.items()):
        nested[name][unit] = amounts
    return dict(nested)
