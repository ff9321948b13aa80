"""What a scan earns under the policies in force: pure, ordered, integers only. The hot path of the whole system."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from backend.kernel.amounts import BASIS_POINTS, divide
from backend.kernel.periods import PERIODS, Period, period_keys
from backend.policies.conditions import Test, compile_member
from backend.policies.model import Facts, Outcome, Policy, Reward, RewardKind, Rule, Verdict

CounterKey = tuple[str, str, str]
"""(person, civil period, policy and cap)."""


Amount = tuple[int, str | None]
"""A reward in its unit, or the reason why none can be computed."""

Payer = Callable[[Facts, int], Amount]


@dataclass(frozen=True, slots=True)
class CompiledRule:
    rule: Rule
    tests: tuple[Test, ...]
    pay: Payer


@dataclass(frozen=True, slots=True)
class CompiledCap:
    name: str
    counter: str
    limit: int
    partial: bool
    period: Period
    period_at: int
    """Where its period's key stands among those of `period_keys`."""


@dataclass(frozen=True, slots=True)
class CompiledPolicy:
    """A version ready to decide. `until_ms` is where its own period or its successor's start ends it."""

    version: str
    policy: Policy
    from_ms: int
    until_ms: int
    budget_account: str
    rules: tuple[CompiledRule, ...]
    caps: tuple[CompiledCap, ...]


@dataclass(slots=True)
class Limits:
    """What caps and budgets still allow, handed on from scan to scan of a batch. Counters are amounts used."""

    used: dict[CounterKey, int]
    budgets: dict[str, int]
    cut: set[CounterKey] = field(default_factory=set)
    """Counters whose exact amount decided an award: they must not have changed when it is saved."""


def compile_policy(policy: Policy, version: str, until_ms: int, budget_account: str) -> CompiledPolicy:
    return CompiledPolicy(
        version=version,
        policy=policy,
        from_ms=policy.from_ms,
        until_ms=until_ms,
        budget_account=budget_account,
        rules=tuple(
            CompiledRule(rule, tuple(compile_member(member) for member in rule.when.members), _payer(rule.reward))
            for rule in policy.rules
        ),
        caps=tuple(
            CompiledCap(
                cap.cap, f"{policy.policy}/{cap.cap}", cap.limit, cap.partial, cap.period, PERIODS.index(cap.period)
            )
            for cap in policy.caps
        ),
    )


def in_force(policies: Sequence[CompiledPolicy], sold_at_ms: int) -> tuple[CompiledPolicy, ...]:
    """The versions whose half-open period holds the moment of sale, in the order in which they are tried."""
    return tuple([p for p in policies if p.from_ms <= sold_at_ms < p.until_ms])


def evaluate(facts: Facts, person: str, sold_on: date, policies: Sequence[CompiledPolicy], limits: Limits) -> Verdict:
    """The first award that a policy in force gives; otherwise the refusal that came nearest to an award.

    Takes what it awards from `limits`. Nearest: the latest step reached (conditions, evidence, amount, cap, budget).
    """
    nearest, reached = _NO_POLICY, -1
    for policy in policies:
        gross = _gross(facts, policy)
        verdict = _within_limits(gross, person, sold_on, policy, limits) if gross.gross else gross
        if verdict.amount:
            return verdict
        step = _STEPS[verdict.reason]
        if step > reached:
            nearest, reached = verdict, step
    return nearest


# CPython 3.11 runs Python code for each `Enum.MEMBER` (0.3 µs), and the hot path reads these for every scan.
_NONE, _AWARDED = Outcome.NONE.value, Outcome.AWARDED.value
_NO_POLICY = Verdict(_NONE, "no_policy")
_STEPS = {
    "condition": 0,
    "evidence": 1,
    "price_missing": 2,
    "table_missing": 2,
    "rounds_to_zero": 3,
    "cap": 4,
    "budget": 5,
}


def _gross(facts: Facts, policy: CompiledPolicy) -> Verdict:
    """The award of the first rule whose conditions all hold, before limits; else the rule that came furthest."""
    best, best_at = None, -1
    for compiled in policy.rules:
        failed = -1
        for position, test in enumerate(compiled.tests):
            if not test(facts):
                failed = position
                break
        if failed < 0:
            return _paid(facts, policy, compiled)
        if failed > best_at:
            best, best_at = compiled, failed
    assert best is not None, "a policy has at least one rule"
    return Verdict(_NONE, "condition", policy.version, best.rule.rule, str(best_at))


def _paid(facts: Facts, policy: CompiledPolicy, compiled: CompiledRule) -> Verdict:
    rule = compiled.rule
    rate = rule.rates.get((facts.level, facts.proof), 0)
    if not rate:
        return Verdict(_NONE, "evidence", policy.version, rule.rule, f"{facts.level}x{facts.proof}")
    amount, reason = compiled.pay(facts, rate)
    if reason is not None:
        return Verdict(_NONE, reason, policy.version, rule.rule, rule.reward.by)
    if amount <= 0:
        return Verdict(_NONE, "rounds_to_zero", policy.version, rule.rule)
    awarded = (_AWARDED, "awarded", policy.version, rule.rule, None, rule.reward.unit, amount, amount, None, None)
    return tuple.__new__(Verdict, awarded)


def _within_limits(gross: Verdict, person: str, sold_on: date, policy: CompiledPolicy, limits: Limits) -> Verdict:
    wanted = amount = gross.gross
    limit_name, limit_left = None, None
    keys, periods = [], period_keys(sold_on)
    for cap in policy.caps:
        key = (person, periods[cap.period_at], cap.counter)
        keys.append(key)
        left = cap.limit - limits.used.get(key, 0)
        if left < amount:
            amount, limit_name, limit_left = (max(left, 0) if cap.partial else 0), cap.name, max(left, 0)
            if not amount:
                return _limited(gross, "cap", limit_name, limit_left)
    left = limits.budgets.get(policy.budget_account, 0)
    if left < amount:
        amount, limit_name, limit_left = (left if policy.policy.budget_partial else 0), "budget", left
        if not amount:
            return _limited(gross, "budget", limit_name, limit_left)
    for key in keys:
        limits.used[key] = limits.used.get(key, 0) + amount
    limits.budgets[policy.budget_account] = left - amount
    if amount == wanted:
        return gross
    limits.cut.update(keys)
    return gross._replace(reason="awarded_in_part", amount=amount, limit_name=limit_name, limit_left=limit_left)


def _limited(gross: Verdict, reason: str, limit_name: str, limit_left: int) -> Verdict:
    return gross._replace(outcome=_NONE, reason=reason, amount=0, limit_name=limit_name, limit_left=limit_left)


def _payer(reward: Reward) -> Payer:
    if reward.kind is RewardKind.PERCENT:
        return lambda facts, rate: _percent(facts, reward, reward.basis_points, rate)
    if reward.kind is RewardKind.TABLE:
        return lambda facts, rate: _from_table(facts, reward, rate)
    pieces = (lambda facts: facts.quantity) if reward.kind is RewardKind.PER_UNIT else (lambda _facts: 1)
    scale = BASIS_POINTS * BASIS_POINTS
    return lambda facts, rate: (
        _capped(divide(reward.amount * pieces(facts) * rate * reward.factor_bp, scale, reward.rounding), facts, reward),
        None,
    )


def _percent(facts: Facts, reward: Reward, basis_points: int, rate: int) -> Amount:
    if facts.price_fen is None:
        return (0, "price_missing")
    scaled = facts.price_fen * basis_points * rate * reward.factor_bp
    return (_capped(divide(scaled, BASIS_POINTS**3, reward.rounding), facts, reward), None)


def _from_table(facts: Facts, reward: Reward, rate: int) -> Amount:
    table: Mapping[int, int] = reward.table or {}
    row = table.get((facts.grade if reward.by == "grade" else facts.tier) or 0)
    if row is None:
        return (0, "table_missing")
    if reward.table_is_percent:
        return _percent(facts, reward, row, rate)
    scaled = row * facts.quantity * rate * reward.factor_bp
    return (_capped(divide(scaled, BASIS_POINTS**2, reward.rounding), facts, reward), None)


def _capped(amount: int, facts: Facts, reward: Reward) -> int:
    if reward.cap_per_unit is None:
        return amount
    return min(amount, reward.cap_per_unit * facts.quantity)
