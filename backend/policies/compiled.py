"""Policies made ready to decide, and which of them a sale asks: pure, made once a version, kept by every process."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from operator import itemgetter

from backend.kernel.amounts import MAX_AMOUNT, Rounding, Unit
from backend.kernel.periods import civil_date
from backend.policies.conditions import Test, compile_member, looked_at
from backend.policies.limits import (
    CompiledCap,
    compile_cap,
    compile_pace,
    compile_window,
    milestone_counter,
    once_a_basket,
)
from backend.policies.model import SALES, Budget, Counts, Facts, Mode, Pace, Policy, Reward, RewardKind, Rule, Stacking
from backend.policies.rewards import Payer, compile_reward

PLANS_KEPT = 65_536
_FEW_VALUES = frozenset(
    {
        "scheme",
        "certificate_scheme",
        "level",
        "proof",
        "category",
        "grade",
        "tier",
        "store",
        "district",
        "channel",
        "buyer",
    }
)
"""Facts by which sales fall into kinds, as far as policies look at them."""
SHARED_GROUP = ""
"""The group of all policies that name none: the first of them that pays."""
_ALONE = Stacking(SHARED_GROUP, Mode.FIRST)

BudgetAccounts = Callable[[str, str, int], tuple[str, ...]]
"""(policy, unit, shards) -> the ledger accounts of a budget: this package does not know the chart."""


@dataclass(frozen=True, slots=True)
class CompiledBudget:
    """The pool of one unit: `accounts` are the shards that any version of the policy spread it over."""

    budget: Budget
    pool: str
    accounts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CompiledReward:
    reward: Reward
    unit: str
    pay: Payer
    pool: str
    partial: bool
    caps: tuple[CompiledCap, ...]
    """Those that count amounts of its unit, in the order of the document, then the paces of its budget."""


@dataclass(frozen=True, slots=True)
class CompiledRule:
    rule: Rule
    tests: tuple[Test, ...]
    rewards: tuple[CompiledReward, ...]
    counted: tuple[CompiledCap, ...]
    """Caps that count pieces or awards: they hold the rule's rewards all together."""
    looked_at: tuple[frozenset[str], ...]
    """The facts of each test."""

    def open_to(self, facts: Facts) -> tuple[Test, ...] | None:
        """What is left to ask of sales of the same kind as this; None where no sale of the kind passes."""
        left = []
        for test, named in zip(self.tests, self.looked_at, strict=True):
            if not named <= _FEW_VALUES:
                left.append(test)
            elif not test(facts):
                return None
        return tuple(left)


@dataclass(frozen=True, slots=True)
class CompiledMilestone:
    milestone: str
    counter: CompiledCap
    reward: CompiledReward
    steps: dict[int, int]


@dataclass(frozen=True, slots=True)
class CompiledPolicy:
    """A version ready to decide. `until_ms` is where its own period or its successor's start ends it."""

    version: str
    policy: Policy
    from_ms: int
    until_ms: int
    budgets: tuple[CompiledBudget, ...]
    rules: tuple[CompiledRule, ...]
    caps: tuple[CompiledCap, ...]
    """All that it counts: caps, paces, what is paid once a basket, milestones."""
    stacking: Stacking
    milestones: tuple[CompiledMilestone, ...]
    suspended: tuple[tuple[int, int], ...] = ()
    """Half-open times of sale, in Unix milliseconds, in which it pays nothing."""
    simple: bool = False
    """One reward a rule, counters of persons alone, nothing that looks beyond the scan: the common case has a short way."""
    open_rules: tuple[tuple[CompiledRule, tuple[Test, ...]], ...] = ()
    """The rules that sales of one kind may pass, with what is left to ask of them (`InForce.plan`)."""

    @property
    def told_apart_by(self) -> frozenset[str]:
        """The facts that make kinds of sales for it, beside channel and buyer."""
        scope = self.policy.scope
        sides = (
            ("district", scope.districts),
            ("store", scope.stores),
            ("certificate_scheme", scope.schemes),
            ("category", scope.categories),
        )
        named = frozenset(fact for fact, wanted in sides if wanted)
        return named.union(*(one for rule in self.rules for one in rule.looked_at if one <= _FEW_VALUES))

    def narrowed(self, facts: Facts) -> "CompiledPolicy":
        """As sales of the same kind as this ask it."""
        opened = ((rule, rule.open_to(facts)) for rule in self.rules)
        return replace(self, open_rules=tuple((rule, left) for rule, left in opened if left is not None))

    def in_force(self, sold_at_ms: int) -> bool:
        return self.from_ms <= sold_at_ms < self.until_ms and not self._pauses(sold_at_ms)

    def suspended_at(self, sold_at_ms: int) -> bool:
        """Whether only its suspension keeps it out of force."""
        return self.from_ms <= sold_at_ms < self.until_ms and self._pauses(sold_at_ms)

    def _pauses(self, sold_at_ms: int) -> bool:
        return any(begin <= sold_at_ms < end for begin, end in self.suspended)

    def concerns(self, facts: Facts) -> bool:
        """Whether the sale lies within its scope."""
        scope = self.policy.scope
        return all(
            not wanted or given in wanted
            for wanted, given in (
                (scope.districts, facts.district),
                (scope.stores, facts.store),
                (scope.schemes, facts.certificate_scheme),
                (scope.categories, facts.category),
                (scope.channels or SALES, facts.channel),
                (scope.buyers, facts.buyer),
            )
        )


@dataclass(frozen=True, slots=True)
class StackingGroup:
    """Policies of one group that a sale asks, in the order in which they are asked."""

    mode: Mode
    ceiling_bp: int | None
    policies: tuple[CompiledPolicy, ...]
    simple: bool
    """The first that pays decides, and each of them has the short way."""


Plan = tuple[StackingGroup, ...]

SUSPENDED: Plan = (StackingGroup(Mode.FIRST, None, (), simple=False),)
"""What a sale asks that only suspended policies would concern: a group of nobody."""


class InForce:
    """The versions in force at a moment, and for each kind of sale those whose scope it lies in, with the rules open to it.

    `suspended` would be in force, were they not suspended: a sale that only they concern is told so.
    """

    def __init__(self, policies: Sequence[CompiledPolicy], suspended: Sequence[CompiledPolicy] = ()) -> None:
        self.policies = tuple(policies)
        self.suspended = tuple(suspended)
        caps = [cap for policy in self.policies for cap in policy.caps]
        self.plain_caps = tuple(cap for cap in caps if cap.plain)
        self.other_caps = any(not cap.plain for cap in caps)
        told_apart_by = frozenset({"channel", "buyer"}).union(*(one.told_apart_by for one in (*policies, *suspended)))
        self._kind_of = itemgetter(*sorted(map(Facts._fields.index, told_apart_by)))
        self._plans: dict[object, Plan] = {}

    def plan(self, facts: Facts) -> Plan:
        """Groups by name, their members by order and name: never by the order of rows in a table."""
        kind = self._kind_of(facts)
        plan = self._plans.get(kind)
        if plan is None:
            plan = plan_of([policy.narrowed(facts) for policy in self.policies if policy.concerns(facts)])
            if not plan and any(policy.concerns(facts) for policy in self.suspended):
                plan = SUSPENDED
            if len(self._plans) < PLANS_KEPT:
                self._plans[kind] = plan
        return plan


class PolicySet:
    """Every version of a city. Iterates over them by policy and number; knows which are in force at a moment."""

    def __init__(self, policies: Sequence[CompiledPolicy]) -> None:
        self.policies = tuple(policies)
        self.by_version = {policy.version: policy for policy in policies}
        self.starts = sorted({moment for policy in policies for moment in _moments(policy)})
        self.timed = {policy.version: policy.policy for policy in policies if policy.policy.timed}
        self.watched = frozenset(watch.of for policy in policies for watch in policy.policy.watches)
        """What some version watches: what is not asked is not looked up."""
        self.within_ms = max((cap.within_ms for policy in policies for cap in policy.caps), default=0)
        """The longest window of any version."""
        self._in_force: dict[int, InForce] = {}

    def __iter__(self) -> Iterator[CompiledPolicy]:
        return iter(self.policies)

    def __len__(self) -> int:
        return len(self.policies)

    def in_force(self, sold_at_ms: int) -> InForce:
        at = bisect_right(self.starts, sold_at_ms)
        found = self._in_force.get(at)
        if found is None:
            running = [policy for policy in self.policies if policy.in_force(sold_at_ms)]
            suspended = [policy for policy in self.policies if policy.suspended_at(sold_at_ms)]
            found = self._in_force[at] = InForce(running, suspended)
        return found


NO_POLICIES = PolicySet(())


def plan_of(policies: Sequence[CompiledPolicy]) -> Plan:
    groups: defaultdict[str, list[CompiledPolicy]] = defaultdict(list)
    for policy in policies:
        groups[policy.stacking.group].append(policy)
    return tuple(_group(groups[name]) for name in sorted(groups))


def compile_policy(
    policy: Policy,
    version: str,
    until_ms: int,
    budget_accounts: BudgetAccounts,
    suspended: tuple[tuple[int, int], ...] = (),
    earlier: Sequence[CompiledPolicy] = (),
) -> CompiledPolicy:
    """`earlier`: the versions of the policy that start before this one, in that order."""
    name = policy.policy
    budgets = tuple(
        CompiledBudget(
            budget, pool_of(name, budget.unit.value), budget_accounts(name, budget.unit.value, budget.shards)
        )
        for budget in policy.budgets
    )
    windows = (cap for window in policy.windows for cap in compile_window(window, name))
    caps = (*(compile_cap(cap, name) for cap in policy.caps), *windows)
    paces = tuple(_pace(pace, policy, budget, earlier) for budget in policy.budgets for pace in budget.paces)
    amounts = tuple(cap for cap in (*caps, *paces) if cap.counts is Counts.AMOUNT)
    counted = tuple(cap for cap in caps if cap.counts is not Counts.AMOUNT)
    compiled_for = {budget.budget.unit.value: budget for budget in budgets}

    def reward_of(reward: Reward) -> CompiledReward:
        budget = compiled_for[reward.unit.value]
        mine = tuple(cap for cap in amounts if cap.unit == reward.unit.value)
        return CompiledReward(
            reward, reward.unit.value, compile_reward(reward), budget.pool, budget.budget.partial, mine
        )

    rules = tuple(_rule(rule, tuple(reward_of(r) for r in rule.rewards), counted, name) for rule in policy.rules)
    milestones = tuple(
        CompiledMilestone(
            one.milestone,
            milestone_counter(name, one.milestone, one.period, MAX_AMOUNT),
            reward_of(_bonus(one.unit)),
            dict(one.steps),
        )
        for one in policy.milestones
    )
    baskets = tuple(cap for rule in rules for cap in rule.counted if cap not in counted)
    return CompiledPolicy(
        version,
        policy,
        policy.from_ms,
        until_ms,
        budgets,
        rules,
        (*caps, *paces, *baskets, *(one.counter for one in milestones)),
        policy.stacking or _ALONE,
        milestones,
        suspended,
        simple=_is_simple(policy, rules, (*caps, *paces)),
        open_rules=tuple((rule, rule.tests) for rule in rules),
    )


def _pace(pace: Pace, policy: Policy, budget: Budget, earlier: Sequence[CompiledPolicy]) -> CompiledCap:
    """What the days of earlier versions left of a pace that carries over is there still, as the budget is."""
    compiled = compile_pace(pace, policy, budget.unit.value, partial=budget.partial)
    eve = civil_date(policy.from_ms) - timedelta(days=1)
    for version in reversed(earlier) if pace.carry_over else ():
        for cap in version.caps:
            if cap.counts_with(compiled):
                before = partial(cap.limit_at, sold_on=min(eve, civil_date(version.until_ms - 1)))
                return compile_pace(pace, policy, budget.unit.value, partial=budget.partial, before=before)
    return compiled


def _is_simple(policy: Policy, rules: Sequence[CompiledRule], caps: Sequence[CompiledCap]) -> bool:
    alone = policy.stacking is None or policy.stacking.ceiling_bp is None
    return (
        alone
        and not policy.milestones
        and not policy.watches
        and all(len(rule.rewards) == 1 and not rule.counted for rule in rules)
        and all(cap.plain and cap.limit_of is None and not cap.exact for cap in caps)
    )


def pool_of(policy: str, unit: str) -> str:
    return f"{policy}:{unit}"


def _rule(
    rule: Rule, rewards: tuple[CompiledReward, ...], counted: tuple[CompiledCap, ...], policy: str
) -> CompiledRule:
    once = (once_a_basket(policy, rule.rule),) if any(reward.once_a_basket for reward in rule.rewards) else ()
    members = rule.when.members
    tests = tuple(compile_member(member) for member in members)
    return CompiledRule(rule, tests, rewards, (*once, *counted), tuple(looked_at(member) for member in members))


def _bonus(unit: Unit) -> Reward:
    """Its amount is the step's, so that the reward itself states none."""
    return Reward(RewardKind.FIXED, unit, Rounding.DOWN)


def _group(members: list[CompiledPolicy]) -> StackingGroup:
    ordered = tuple(sorted(members, key=lambda policy: (policy.stacking.order, policy.policy.policy, policy.version)))
    ceilings = [policy.stacking.ceiling_bp for policy in ordered if policy.stacking.ceiling_bp is not None]
    mode = ordered[0].stacking.mode
    simple = mode is Mode.FIRST and all(policy.simple for policy in ordered)
    return StackingGroup(mode, min(ceilings, default=None), ordered, simple)


def _moments(policy: CompiledPolicy) -> Iterator[int]:
    yield policy.from_ms
    yield policy.until_ms
    for begin, end in policy.suspended:
        yield begin
        yield end
