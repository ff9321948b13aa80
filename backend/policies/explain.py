"""Why a scan earns what it earns: every policy, rule and condition with its pass or fail, and the amount's arithmetic.

Never stored: recomputed from the facts that a decision keeps. It reads the documents themselves, so that it is a second
opinion on the compiled rules; a property test holds both to the same verdict.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple

from backend.kernel.amounts import BASIS_POINTS, FEE, Rounding, Unit, divide
from backend.policies.compiled import CompiledPolicy, StackingGroup, plan_of
from backend.policies.model import (
    Counts,
    Facts,
    Mode,
    Outcome,
    Per,
    Policy,
    Reward,
    RewardKind,
    Rule,
)
from backend.policies.terms import Claims, Transition
from backend.policies.words import (
    NO_NAMES,
    ConditionCheck,
    Names,
    Sentence,
    amount_words,
    check,
    missing_fact_words,
    nearest_missing,
    percent,
    value_words,
    yuan,
)

_ROUNDED = {
    Rounding.DOWN: Sentence("舍去尾数", "rounded down"),
    Rounding.HALF_UP: Sentence("四舍五入", "rounded half up"),
    Rounding.UP: Sentence("进位取整", "rounded up"),
}
_REACHED = {
    "condition": 0,
    "transition_over": 0,
    "evidence": 1,
    "price_missing": 2,
    "table_missing": 2,
    "fact_missing": 2,
    "rounds_to_zero": 3,
    "claim_in_store": 3,
    "awarded": 4,
}
_ALWAYS_KNOWN = (Per.PERSON, Per.POLICY)
_WORTH = (Unit.FEN.value, Unit.POINTS.value, Unit.EVIDENCE.value, Unit.GCO2E.value)


class AmountStep(NamedTuple):
    """One line of the arithmetic and the amount that it leads to, in the reward's unit."""

    sentence: Sentence
    amount: int


class RewardCheck(NamedTuple):
    """One reward of a rule: `gross` before limits with its arithmetic, or the `reason` why there is none."""

    unit: str
    reason: str
    gross: int
    arithmetic: tuple[AmountStep, ...]
    missing: Sentence | None


class RuleCheck(NamedTuple):
    """One rule against the facts. `decides`: it is the first of its policy whose conditions all hold.

    `reason`, `gross` and `arithmetic` are those of its first reward that pays, or of the first where none does.
    """

    rule: str
    name: Sentence
    conditions: tuple[ConditionCheck, ...]
    holds: bool
    decides: bool
    rate_bp: int
    reason: str
    gross: int
    arithmetic: tuple[AmountStep, ...]
    missing: Sentence | None
    """The nearest thing that is missing for an award; None where the rule gives one."""
    rewards: tuple[RewardCheck, ...]
    """One a unit; empty where no amount was reckoned."""


class PolicyCheck(NamedTuple):
    """One policy version. `nearest` is the rule that decided, or came furthest; `gross` what it gives before limits."""

    policy: str
    version: str
    title: Sentence
    document_number: str
    document_url: str | None
    unit: str
    rules: tuple[RuleCheck, ...]
    nearest: RuleCheck
    gross: int
    transition_over: Sentence | None
    """Where its goods were accepted for a time only, and that is over; then no rule is asked."""

    @property
    def reason(self) -> str:
        return "transition_over" if self.transition_over else self.nearest.reason

    @property
    def missing(self) -> Sentence | None:
        return self.transition_over or self.nearest.missing


class Explanation(NamedTuple):
    """The verdict before caps and budgets, and how every policy in force came to its own."""

    outcome: str
    reason: str
    version: str | None
    rule: str | None
    gross: int
    unit: str | None
    nearest: Sentence | None
    """What is missing for an award, of the rule that came nearest; None where one is given or no policy was in force."""
    policies: tuple[PolicyCheck, ...]


def explain(facts: Facts, sold_on: date, policies: Sequence[CompiledPolicy], names: Names = NO_NAMES) -> Explanation:
    """The full explanation of what `facts` earn under `policies`, of those in force the ones in whose scope the sale lies."""
    plan = plan_of([policy for policy in policies if policy.concerns(facts)])
    groups = [(group, [_policy(facts, sold_on, policy, names) for policy in group.policies]) for group in plan]
    checks = tuple(check for _, found in groups for check in found)
    if not checks:
        return Explanation(Outcome.NONE, "no_policy", None, None, 0, None, None, ())
    paid = [best for group, found in groups if (best := _first_paid(group, found)) is not None]
    best = paid[0] if paid else max(checks, key=lambda c: _REACHED[c.reason])
    return Explanation(
        outcome=Outcome.AWARDED if best.gross else Outcome.NONE,
        reason=best.reason,
        version=best.version,
        rule=None if best.transition_over else best.nearest.rule,
        gross=best.gross,
        unit=best.unit if best.gross else None,
        nearest=best.missing,
        policies=checks,
    )


def _first_paid(group: StackingGroup, checks: Sequence[PolicyCheck]) -> PolicyCheck | None:
    paying = [check for check in checks if check.gross]
    if group.mode is Mode.BEST and paying:
        return max(paying, key=_worth)
    return paying[0] if paying else None


def _worth(checked: PolicyCheck) -> tuple[int, ...]:
    amounts = {reward.unit: reward.gross for reward in checked.nearest.rewards}
    return tuple(amounts.get(unit, 0) for unit in _WORTH)


def _policy(facts: Facts, sold_on: date, policy: CompiledPolicy, names: Names) -> PolicyCheck:
    document = policy.policy
    conditions = [tuple(check(m, facts, names) for m in rule.when.members) for rule in document.rules]
    over = next(
        (_over(one.scheme, one.until, names) for one in document.transitions if _is_over(one, facts, sold_on)), None
    )
    first = next((i for i, checks in enumerate(conditions) if all(c.holds for c in checks)), None)
    rules = tuple(
        _rule(facts, rule, checks, decides=over is None and i == first)
        for i, (rule, checks) in enumerate(zip(document.rules, conditions, strict=True))
    )
    nearest = rules[first] if first is not None else max(rules, key=_conditions_met)
    if nearest.decides and nearest.gross:
        in_store = facts.claimed_elsewhere and document.claims is Claims.SAME_STORE
        nearest = _claimed_elsewhere(nearest) if in_store else _limited_by(facts, document, nearest)
        rules = tuple(nearest if rule.decides else rule for rule in rules)
    paid = next((reward for reward in nearest.rewards if reward.gross), None)
    return PolicyCheck(
        policy=document.policy,
        version=policy.version,
        title=Sentence(document.title_zh, document.title_en),
        document_number=document.document.number,
        document_url=document.document.url,
        unit=paid.unit if paid else document.units[0].value,
        rules=rules,
        nearest=nearest,
        gross=nearest.gross if nearest.decides else 0,
        transition_over=over,
    )


def _claimed_elsewhere(rule: RuleCheck) -> RuleCheck:
    missing = Sentence(
        "须在售出的门店领取，而这张小票已在别处领取", "it is claimed in the shop that sold the goods, and was not"
    )
    return rule._replace(reason="claim_in_store", gross=0, arithmetic=(), missing=missing)


def _limited_by(facts: Facts, document: Policy, rule: RuleCheck) -> RuleCheck:
    """`rule`, or, where a limit counts by what the sale does not state, the same rule that pays nothing."""
    units = [reward.unit for reward in rule.rewards if reward.gross]
    units += [one.unit.value for one in document.milestones]
    by = (per for limit in _limits_on(facts, document, units) for per in sorted(limit))
    fact = next((per.value for per in by if per not in _ALWAYS_KNOWN and getattr(facts, per.value) is None), None)
    if fact is None:
        return rule
    name = missing_fact_words(fact)
    missing = Sentence(
        f"政策按{name.zh}计算限额，但这笔销售没有提供",
        f"the policy is limited by {name.en}, which this sale does not state",
    )
    return rule._replace(reason="fact_missing", gross=0, arithmetic=(), missing=missing)


def _limits_on(facts: Facts, document: Policy, units: Sequence[str]) -> Iterator[tuple[Per, ...]]:
    """What each limit of awards in `units` counts by, as the document lists them: counts, amounts a unit, paces."""
    caps = [
        cap
        for cap in document.caps
        if (not cap.schemes or facts.certificate_scheme in cap.schemes)
        and (not cap.categories or facts.category in cap.categories)
    ]
    yield from (cap.per for cap in caps if cap.counts is not Counts.AMOUNT)
    yield from (window.per for window in document.windows)
    for unit in units:
        yield from (cap.per for cap in caps if cap.counts is Counts.AMOUNT and cap.unit == unit)
        yield from (pace.per for budget in document.budgets if budget.unit == unit for pace in budget.paces)


def _is_over(one: Transition, facts: Facts, sold_on: date) -> bool:
    return one.scheme == facts.certificate_scheme and sold_on > date.fromisoformat(one.until)


def _over(scheme: str, until: str, names: Names) -> Sentence:
    named = value_words("certificate_scheme", scheme, names)
    return Sentence(f"{named.zh}的过渡期已于 {until} 结束", f"the transition for {named.en} ended on {until}")


def _conditions_met(rule: RuleCheck) -> int:
    """How many conditions hold before the first that fails."""
    return next((i for i, c in enumerate(rule.conditions) if not c.holds), len(rule.conditions))


def _rule(facts: Facts, rule: Rule, conditions: tuple[ConditionCheck, ...], *, decides: bool) -> RuleCheck:
    failed = nearest_missing(conditions)
    rate = rule.rates.get((facts.level, facts.proof), 0)
    rewards: tuple[RewardCheck, ...] = ()
    reason, missing = "condition", failed.sentence if failed is not None else None
    if failed is None and not rate:
        reason, missing = "evidence", _no_rate(facts, rule)
    elif failed is None:
        rewards = tuple(_reward(facts, reward, rate) for reward in rule.rewards)
    shown = next((reward for reward in rewards if reward.gross and reward.unit != FEE), rewards[0] if rewards else None)
    return RuleCheck(
        rule.rule,
        Sentence(rule.name_zh, rule.name_en),
        conditions,
        failed is None,
        decides,
        rate,
        shown.reason if shown else reason,
        shown.gross if shown else 0,
        shown.arithmetic if shown else (),
        shown.missing if shown else missing,
        rewards,
    )


def _reward(facts: Facts, reward: Reward, rate: int) -> RewardCheck:
    reason, missing, arithmetic = _arithmetic(facts, reward, rate)
    return RewardCheck(reward.unit.value, reason, arithmetic[-1].amount if arithmetic else 0, arithmetic, missing)


def _no_rate(facts: Facts, rule: Rule) -> Sentence:
    level, proof = value_words("level", facts.level), value_words("proof", facts.proof)
    paid = [value_words("proof", p) for (level_of, p) in sorted(rule.rates, reverse=True) if level_of == facts.level]
    zh = f"标签证明到{level.zh}、购买证明为{proof.zh}时，该规则不奖励"
    en = f"with a label that proves {level.en} and {proof.en} this rule pays nothing"
    if not paid:
        return Sentence(zh, en)
    return Sentence(f"{zh}；需要{'或'.join(p.zh for p in paid)}", f"{en}; it needs {' or '.join(p.en for p in paid)}")


def _arithmetic(facts: Facts, reward: Reward, rate: int) -> tuple[str, Sentence | None, tuple[AmountStep, ...]]:
    """Base, share by evidence and factor (rounded once), cap a piece; or the reason why there is nothing to reckon."""
    if reward.unit is Unit.FEE and facts.store is None:
        return "store_missing", Sentence("没有门店可付手续费", "there is no shop that the fee would be for"), ()
    row: int | None = None
    if reward.kind is RewardKind.TABLE:
        position = (facts.grade if reward.by == "grade" else facts.tier) or 0
        row = (reward.table or {}).get(position)
        if row is None:
            return "table_missing", _not_in_table(facts, reward), ()
    shares = reward.kind is RewardKind.PERCENT or reward.table_is_percent
    if shares and facts.price_fen is None:
        return (
            "price_missing",
            Sentence("按成交价计算，但没有收到成交价", "it is a share of the price, and no price came"),
            (),
        )
    numerator, scale, base = _base(facts, reward, row, shares=shares)
    amount = divide(numerator * rate * reward.factor_bp, scale * BASIS_POINTS**2, reward.rounding)
    steps = [AmountStep(base, divide(numerator, scale, reward.rounding)), _rated(reward, rate, amount)]
    if reward.cap_per_unit is not None and amount > reward.cap_per_unit * facts.quantity:
        amount = reward.cap_per_unit * facts.quantity
        steps.append(_piece_cap(facts, reward, amount))
    if amount <= 0:
        return "rounds_to_zero", Sentence("按规则计算不足一个单位", "it comes to less than one unit"), tuple(steps)
    return "awarded", None, tuple(steps)


def _base(facts: Facts, reward: Reward, row: int | None, *, shares: bool) -> tuple[int, int, Sentence]:
    """Numerator and denominator of the reward before rates, and how it is said."""
    if shares:
        share = reward.basis_points if row is None else row
        return (facts.price_fen or 0) * share, BASIS_POINTS, _share(facts, reward, share)
    each = reward.amount if row is None else row
    if reward.kind is RewardKind.FIXED:
        one = amount_words(reward.unit, each)
        return each, 1, Sentence(f"每次 {one.zh}", f"{one.en} a scan")
    one = amount_words(reward.unit, each)
    times = Sentence(f"每件 {one.zh} × {facts.quantity} 件", f"{one.en} a piece x {facts.quantity}")
    return each * facts.quantity, 1, times


def _share(facts: Facts, reward: Reward, basis_points: int) -> Sentence:
    """One per cent of the price is 1 fen a yuan in money, and 1 of any other unit a yuan."""
    price = yuan(facts.price_fen or 0)
    if reward.unit in (Unit.FEN, Unit.FEE):
        return Sentence(f"成交价 {price} 元的 {percent(basis_points)}", f"{percent(basis_points)} of ¥{price}")
    each = percent(basis_points).removesuffix("%")
    return Sentence(f"成交价 {price} 元，每元 {each}", f"{each} a yuan of ¥{price}")


def _rated(reward: Reward, rate: int, amount: int) -> AmountStep:
    now, rounded = amount_words(reward.unit, amount), _ROUNDED[reward.rounding]
    zh, en = f"证明程度按 {percent(rate)} 计", f"{percent(rate)} for this evidence"
    if reward.factor_bp != BASIS_POINTS:
        zh, en = f"{zh}，系数 {percent(reward.factor_bp)}", f"{en}, factor {percent(reward.factor_bp)}"
    return AmountStep(Sentence(f"{zh}，{rounded.zh}：{now.zh}", f"{en}, {rounded.en}: {now.en}"), amount)


def _piece_cap(facts: Facts, reward: Reward, amount: int) -> AmountStep:
    most, now = amount_words(reward.unit, reward.cap_per_unit or 0), amount_words(reward.unit, amount)
    return AmountStep(
        Sentence(
            f"每件最多 {most.zh} × {facts.quantity} 件：{now.zh}",
            f"at most {most.en} a piece x {facts.quantity}: {now.en}",
        ),
        amount,
    )


def _not_in_table(facts: Facts, reward: Reward) -> Sentence:
    fact = "grade" if reward.by == "grade" else "tier"
    given = facts.grade if fact == "grade" else facts.tier
    paid = [value_words(fact, row) for row in sorted(reward.table or {})]
    zh, en = "、".join(p.zh.strip() for p in paid), ", ".join(p.en for p in paid)
    if given is None:
        return Sentence(f"奖励对象为{zh}，该商品没有等级信息", f"it pays for {en}; this product has none on record")
    has = value_words(fact, given)
    return Sentence(f"奖励对象为{zh}，该商品为{has.zh}", f"it pays for {en}; this product has {has.en}")
