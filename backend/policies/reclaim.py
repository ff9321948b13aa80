"""From which day a budget's money goes back to the treasury. Pure."""

from datetime import date
from typing import NamedTuple

from backend.policies.compiled import PolicySet


class Reclaim(NamedTuple):
    """`on`: the first civil day of the sweep; None: never. `accounts`: of all versions, whose shards may differ."""

    policy: str
    unit: str
    on: date | None
    accounts: tuple[str, ...]


def reclaims(policies: PolicySet) -> list[Reclaim]:
    """Of every budget, by policy and unit.

    The versions of a policy share their accounts, so that nobody can tell whose money is left: it goes back when the last
    of their reclaim dates has come, and never where one of them names none.
    """
    found: dict[tuple[str, str], Reclaim] = {}
    for policy in policies:
        for budget in policy.budgets:
            name, unit = policy.policy.policy, budget.budget.unit.value
            given = budget.budget.reclaim_on
            on = None if given is None else date.fromisoformat(given)
            known = found.get((name, unit))
            if known is not None:
                on = None if on is None or known.on is None else max(on, known.on)
            accounts = {*budget.accounts, *(known.accounts if known else ())}
            found[name, unit] = Reclaim(name, unit, on, tuple(sorted(accounts)))
    return [found[key] for key in sorted(found)]
