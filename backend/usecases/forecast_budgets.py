"""When each budget of a city runs out, by what its accounts gave and got back on past days."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection

from backend.kernel.periods import civil_date, milliseconds
from backend.ledger import chart, post, queries
from backend.policies.compiled import CompiledBudget, CompiledPolicy, PolicySet, pool_of
from backend.policies.forecast import HISTORY_DAYS, Forecast, Outlook, forecast, pace_of
from backend.policies.left import NOTHING_KNOWN
from backend.policies.model import Per
from backend.policies.reclaim import reclaims
from backend.policies.store import load_versions
from backend.statistics import queries as statistics
from backend.statistics.model import BudgetOutlook


class BudgetForecast(NamedTuple):
    """`granted` by all versions of the policy, whose accounts are the same; `left` is not reserved for anybody. Amounts in the
    budget's unit.
    """

    policy: str
    title_zh: str
    unit: str
    granted: int
    left: int
    forecast: Forecast


class StandingBudget(NamedTuple):
    """A budget as it stands, and when it runs out as reckoned last; None until the morning after its first day. `granted` by
    all versions of the policy, whose accounts are the same. Amounts in the budget's unit.
    """

    policy: str
    title_zh: str
    unit: str
    granted: int
    left: int
    outlook: BudgetOutlook | None


def standing_budgets(connection: Connection, city: str, now: datetime) -> list[StandingBudget]:
    """Every budget of a policy in force, by policy and unit; however much was spent, it reads no posting."""
    policies = load_versions(connection, city, chart.budget)
    in_force, granted = policies.in_force(milliseconds(now)).policies, _granted(policies)
    accounts = [account for policy in in_force for budget in policy.budgets for account in budget.accounts]
    left = post.balances(connection, city, accounts)
    reckoned = {(one.policy, one.unit): one for one in statistics.outlooks(connection, city)}
    return [
        StandingBudget(
            policy.policy.policy,
            policy.policy.title_zh,
            budget.budget.unit.value,
            granted[budget.pool],
            sum(left.get(account, 0) for account in budget.accounts),
            reckoned.get((policy.policy.policy, budget.budget.unit.value)),
        )
        for policy in in_force
        for budget in policy.budgets
    ]


def forecast_budgets(connection: Connection, city: str, now: datetime, *, seed: int) -> list[BudgetForecast]:
    """Every budget of a policy in force, by policy and unit. The morning after `now`'s civil day is day one: today is not
    over, and half a day of sales would look like a slow one. `connection` reads one snapshot.
    """
    policies = load_versions(connection, city, chart.budget)
    in_force = policies.in_force(milliseconds(now)).policies
    accounts = [account for policy in in_force for budget in policy.budgets for account in budget.accounts]
    left = post.balances(connection, city, accounts)
    moved = _by_day(queries.spent_by_day(connection, city, chart.BUDGETS))
    today = civil_date(milliseconds(now))
    last, granted = _last_days(policies), _granted(policies)
    return [
        BudgetForecast(
            policy.policy.policy,
            policy.policy.title_zh,
            budget.budget.unit.value,
            granted[budget.pool],
            sum(left.get(account, 0) for account in budget.accounts),
            forecast(_outlook(policy, budget, left, moved, last[budget.pool], today), seed=seed),
        )
        for policy in in_force
        for budget in policy.budgets
    ]


def _outlook(
    policy: CompiledPolicy,
    budget: CompiledBudget,
    left: dict[str, int],
    moved: dict[str, dict[date, int]],
    last_day: date,
    today: date,
) -> Outlook:
    spent: defaultdict[date, int] = defaultdict(int)
    for account in budget.accounts:
        for day, amount in moved.get(account, {}).items():
            spent[day] += amount
    since = civil_date(policy.from_ms)
    first = max(today - timedelta(days=HISTORY_DAYS), min(spent, default=since))
    past = {day: spent.get(day, 0) for day in _days(first, today)}
    pace, carries = pace_of(budget.budget)
    return Outlook(
        today + timedelta(days=1),
        sum(left.get(account, 0) for account in budget.accounts),
        past,
        last_day,
        pace,
        carries,
        max(_released(policy, budget, pace, today) - sum(spent.values()), 0) if pace is not None and carries else 0,
    )


def _released(policy: CompiledPolicy, budget: CompiledBudget, pace: int, today: date) -> int:
    """By the end of `today`, by a pace of the policy as a whole that carries over: earlier versions' days with it."""
    unit, whole = budget.budget.unit.value, (Per.POLICY,)
    found = [cap for cap in policy.caps if cap.exact and (cap.limit, cap.unit, cap.per) == (pace, unit, whole)]
    return min(cap.limit_at(NOTHING_KNOWN, today) for cap in found)


def _last_days(policies: PolicySet) -> dict[str, date]:
    """Of each pool the last day of its policy's last version, or the one before its money is taken back."""
    ends = {policy.policy.policy: civil_date(policy.policy.until_ms - 1) for policy in policies}
    found = {}
    for one in reclaims(policies):
        end = ends[one.policy]
        found[pool_of(one.policy, one.unit)] = end if one.on is None else min(end, one.on - timedelta(days=1))
    return found


def _granted(policies: PolicySet) -> Counter[str]:
    """To each pool by every version that was published, whether in force or not yet."""
    found: Counter[str] = Counter()
    for policy in policies:
        for budget in policy.budgets:
            found[budget.pool] += budget.budget.amount
    return found


def _days(first: date, end: date) -> list[date]:
    return [first + timedelta(days=day) for day in range((end - first).days)]


def _by_day(rows: Iterable[tuple[str, date, int]]) -> dict[str, dict[date, int]]:
    found: defaultdict[str, dict[date, int]] = defaultdict(dict)
    for account, day, amount in rows:
        found[account][day] = amount
    return dict(found)
