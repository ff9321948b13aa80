"""A stored decision, taken again: from its facts, its policy version and what its limit had left, to its verdict and why."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from backend.kernel.amounts import FEE, MAX_AMOUNT, Unit, unit_price
from backend.kernel.periods import civil_date, hour_of_day, period_keys
from backend.policies.compiled import CompiledPolicy, PolicySet, plan_of
from backend.policies.evaluate import BUDGET, CEILING, evaluate
from backend.policies.evidence import trade_in_days
from backend.policies.explain import AmountStep, Explanation, explain
from backend.policies.limit_words import left_words, limit_step, limit_words
from backend.policies.limits import FactMissing, Limits
from backend.policies.model import Award, Facts, Outcome, Verdict
from backend.policies.words import NO_NAMES, Names, Sentence, amount_words, missing_fact_words
from backend.scans.decide import Decision
from backend.scans.evidence import evidence_of
from backend.scans.sentences import PLACEHOLDERS, SENTENCES, by_rules, outcome_of

_RANKS = "零一二三四五六七八九"
_GRADED = {"energy_label": Sentence("能效", "energy"), "water_label": Sentence("水效", "water")}
NEEDS_FACTS = frozenset({"condition", "evidence", "table_missing", "transition_over"})
"""Reasons whose sentences are made of the facts themselves, the body behind the certificate included."""
_NOBODY_ASKED = frozenset({"no_policy", "policy_suspended"})
_FEN = Unit.FEN.value
_OPEN = MAX_AMOUNT
"""A limit that did not bind."""


class DecidedScan(NamedTuple):
    """One row of `decisions` with the facts that stand elsewhere: its basket's, and the body behind its certificate row."""

    decision: Decision
    sold_at_ms: int
    decided_at_ms: int
    store: str | None
    district: str | None
    body: str | None
    channel: str = "till"
    receipt_fen: int | None = None
    more: tuple[Award, ...] = ()
    device: str | None = None
    cashier: str | None = None
    row_version: int | None = None
    """The registry version in which its certificate's state row was recorded, where that was looked up."""
    released: bool = False
    """Whether a person had let its line pass before it was decided: then no watch holds it."""
    claimed_elsewhere: bool = False
    """Whether its basket was claimed elsewhere than in the shop that sold it."""

    @property
    def awards(self) -> tuple[Award, ...]:
        """What it earns, and what limits left nothing of: its own award first."""
        d = self.decision
        if not d.gross or d.policy_version is None or d.rule is None or d.unit is None:
            return self.more
        own = Award(d.reason, d.policy_version, d.rule, d.unit, d.gross, d.award, d.limit_name, d.limit_left)
        return (own, *self.more)


class Recomputed(NamedTuple):
    """`equal`: the stored facts lead to the stored decision. `cut` is the limit's line where one cut the award."""

    equal: bool
    verdict: Verdict
    explanation: Explanation | None
    cut: AmountStep | None
    sentence_zh: str
    sentence_en: str


def recompute(scan: DecidedScan, policies: PolicySet, names: Names = NO_NAMES) -> Recomputed:
    """The decision taken anew. `policies`: every version of the city; `names` what people call schemes and bodies."""
    facts = facts_of(scan)
    chosen = version_of(scan, policies)
    verdict = replay(scan, policies)
    decision = scan.decision
    explanation = None
    if facts and by_rules(decision.reason):
        explanation = explain(facts, civil_date(scan.sold_at_ms), _asked(scan, policies, chosen), names)
    cut = None
    if chosen is not None and decision.limit_name is not None and decision.limit_left is not None:
        cut = limit_step(chosen, decision.unit or "", decision.limit_name, decision.limit_left, decision.award)
    said = _filled(scan, chosen, explanation)
    return Recomputed(verdict == stored_verdict(scan), verdict, explanation, cut, said.zh, said.en)


def needs_facts(scan: DecidedScan) -> bool:
    return scan.decision.reason in NEEDS_FACTS


def sentence(scan: DecidedScan, policies: PolicySet, names: Names = NO_NAMES) -> Sentence:
    """What the resident reads, without the full explanation where none is needed."""
    chosen = version_of(scan, policies)
    facts = facts_of(scan) if needs_facts(scan) else None
    said = explain(facts, civil_date(scan.sold_at_ms), [chosen], names) if facts and chosen else None
    return _filled(scan, chosen, said)


def replay(scan: DecidedScan, policies: PolicySet) -> Verdict:
    """What the stored facts give under the versions that the decision names, with what their limits had left.

    Limits that did not bind are taken as wide open: the verdict does not depend on them.
    """
    decision, facts = scan.decision, facts_of(scan)
    if not by_rules(decision.reason) or decision.reason in _NOBODY_ASKED:
        fits = decision.policy_version is None and not scan.more and _fits(decision)
        return Verdict(outcome_of(decision.reason), decision.reason if fits else "facts_disagree")
    named = [decision.policy_version, *(award.version for award in scan.more)]
    asked = [policy for policy in policies if policy.version in named]
    in_time = all(policy.from_ms <= scan.sold_at_ms < policy.policy.until_ms for policy in asked)
    if len(asked) < len(set(named)) or not in_time or facts is None or decision.resident is None:
        return Verdict(Outcome.NONE, "facts_disagree")
    return _replayed(scan, facts, decision.resident, asked)


def _replayed(scan: DecidedScan, facts: Facts, person: str, asked: Sequence[CompiledPolicy]) -> Verdict:
    """Each version is asked alone, since its awards say what was left to it after the others."""
    sold_on = civil_date(scan.sold_at_ms)
    awards: list[Award] = []
    refusal: Verdict | None = None
    for group in plan_of([policy for policy in asked if policy.concerns(facts)]):
        for policy in group.policies:
            recorded = _as_reckoned(policy, [award for award in scan.awards if award.version == policy.version])
            limits = _limits_of(policy, facts, person, scan.sold_at_ms, recorded)
            alone = plan_of([policy])
            known = alone[0].ceiling_bp is not None or any(award.limit_name == CEILING for award in recorded)
            ceiling = _left_before(CEILING, _FEN, recorded) if known else None
            verdict = evaluate(facts, person, sold_on, alone, limits, ceiling=ceiling, released=scan.released)
            if verdict.outcome == Outcome.HELD:
                return verdict
            if verdict.gross:
                assert verdict.version is not None
                assert verdict.rule is not None
                assert verdict.unit is not None
                first = (verdict.reason, verdict.version, verdict.rule, verdict.unit, verdict.gross, verdict.amount)
                awards += [Award(*first, verdict.limit_name, verdict.limit_left), *verdict.more]
            elif refusal is None or policy.version == scan.decision.policy_version:
                refusal = verdict
    return _together(awards, scan.decision.policy_version, refusal)


def _together(awards: Sequence[Award], own: str | None, refusal: Verdict | None) -> Verdict:
    """Awards that pay first, then those of which limits left nothing, as `evaluate` orders them."""
    paid = [award for award in awards if award.amount]
    empty = [award for award in awards if not award.amount]
    if paid:
        reason, version, rule, unit, gross, amount, name, left = paid[0]
        more = (*paid[1:], *empty)
        return Verdict(Outcome.AWARDED, reason, version, rule, None, unit, gross, amount, name, left, more)
    first = next((award for award in empty if award.version == own), None)
    if first is None:
        return refusal or Verdict(Outcome.NONE, "facts_disagree")
    reason, version, rule, unit, gross, amount, name, left = first
    rest = tuple(award for award in empty if award is not first)
    return Verdict(Outcome.NONE, reason, version, rule, None, unit, gross, amount, name, left, rest)


def _limits_of(policy: CompiledPolicy, facts: Facts, person: str, sold_at_ms: int, recorded: Sequence[Award]) -> Limits:
    """Counters and budgets as they must have stood: open, but for what the recorded awards say was left."""
    sold_on = civil_date(sold_at_ms)
    periods = period_keys(sold_on)
    used = {}
    for cap in policy.caps:
        try:
            key = cap.key(person, facts, periods)
        except FactMissing:
            continue
        used[key] = cap.limit_at(facts, sold_on) - _left_before(cap.name, cap.unit, recorded)
        if cap.within_ms:  # a moment is used or not
            used[key] = max(used[key], 0)
    for milestone in policy.milestones:
        numbers = [int(award.rule.rpartition("#")[2]) for award in recorded if _is_bonus(award, milestone.milestone)]
        key = milestone.counter.key(person, facts, periods)
        used[key] = numbers[0] - 1 if numbers else max(milestone.steps)
    budgets = {budget.pool: _left_before(BUDGET, budget.budget.unit.value, recorded) for budget in policy.budgets}
    return Limits(used, budgets)


def _as_reckoned(policy: CompiledPolicy, recorded: Sequence[Award]) -> list[Award]:
    """The awards of one version in the order in which they were reckoned: a rule's rewards as they stand in it, then bonuses.

    They are kept with those that pay in front.
    """
    document = policy.policy
    places = {(rule.rule, reward.unit.value): at for rule in document.rules for at, reward in enumerate(rule.rewards)}
    bonuses = {one.milestone: at for at, one in enumerate(document.milestones, len(Unit))}

    def place(award: Award) -> int:
        milestone, is_bonus, _ = award.rule.partition("#")
        return bonuses.get(milestone, 0) if is_bonus else places.get((award.rule, award.unit), 0)

    return sorted(recorded, key=place)


def _left_before(limit: str, unit: str | None, recorded: Sequence[Award]) -> int:
    """What `limit` had left before the first award; what it had left when it bound stands with the award that it cut."""
    before = 0
    for award in recorded:
        if unit is None or award.unit == unit:
            if award.limit_name == limit and award.limit_left is not None:
                return award.limit_left + before
            before += award.amount
    return _OPEN


def _is_bonus(award: Award, milestone: str) -> bool:
    return award.rule.startswith(f"{milestone}#")


def facts_of(scan: DecidedScan) -> Facts | None:
    """What the rules looked at; None where the label found no certificate, so that no rule was asked."""
    decision = scan.decision
    if decision.level is None or decision.certificate_scheme is None:
        return None
    evidence, buyer = evidence_of(decision.evidence)
    return Facts(
        decision.scheme,
        decision.level,
        decision.proof,
        decision.category,
        decision.grade,
        decision.tier,
        decision.price_fen,
        decision.quantity,
        scan.store,
        scan.district,
        scan.body,
        decision.certificate_scheme,
        decision.label_key,
        unit_price(decision.price_fen, decision.quantity),
        decision.serial,
        scan.channel,
        buyer,
        scan.receipt_fen,
        decision.basket,
        scan.device,
        scan.cashier,
        hour_of_day(scan.sold_at_ms),
        scan.sold_at_ms,
        scan.claimed_elsewhere,
        decision.median_fen,
        decision.travel_kmh,
        *evidence[:6],
        trade_in_days(evidence, scan.sold_at_ms, scan.channel),
    )


def stored_verdict(scan: DecidedScan) -> Verdict:
    decision = scan.decision
    return Verdict(
        decision.outcome,
        decision.reason,
        decision.policy_version,
        decision.rule,
        decision.missing,
        decision.unit,
        decision.gross,
        decision.award,
        decision.limit_name,
        decision.limit_left,
        scan.more,
    )


def version_of(scan: DecidedScan, policies: PolicySet) -> CompiledPolicy | None:
    version = scan.decision.policy_version
    return policies.by_version.get(version) if version else None


def _asked(scan: DecidedScan, policies: PolicySet, chosen: CompiledPolicy | None) -> Sequence[CompiledPolicy]:
    """Policies in force at the sale, and the decision's own even if a successor published later has taken its place."""
    asked = policies.in_force(scan.sold_at_ms).policies
    if chosen is None or chosen in asked:
        return asked
    others = [p for p in asked if p.policy.policy != chosen.policy.policy]
    return sorted([*others, chosen], key=lambda p: p.policy.policy)


def _fits(decision: Decision) -> bool:
    """Whether the facts of a refusal are those that its reason speaks of."""
    known, named = decision.certificate is not None, decision.resident is not None
    if decision.reason == "product_unknown":
        return not known
    if decision.reason.startswith("certificate_"):
        return known
    if outcome_of(decision.reason) is Outcome.UNCLAIMED or decision.reason.startswith("member_"):
        return known and not named
    if decision.reason in _NOBODY_ASKED or decision.reason == "unit_already_awarded":
        return known and named
    return decision.reason in SENTENCES


def _filled(scan: DecidedScan, policy: CompiledPolicy | None, explanation: Explanation | None) -> Sentence:
    reason = scan.decision.reason
    template = SENTENCES[reason]
    zh, en = {}, {}
    for name in PLACEHOLDERS[reason]:
        zh[name], en[name] = _WORDS[name](scan, policy, explanation)
    return Sentence(template.zh.format_map(zh), _capitalised(template.en.format_map(en)))


def earned_words(scan: DecidedScan) -> Sentence:
    """All that the buyer earns: 18 分, or 899.95 元和 20 分. Amounts of one unit are said together."""
    if not scan.more:
        return amount_words(scan.decision.unit, scan.decision.award)
    total: dict[str, int] = {}
    for award in scan.awards:
        if award.amount and award.unit != FEE:
            total[award.unit] = total.get(award.unit, 0) + award.amount
    said = [amount_words(unit, amount) for unit, amount in total.items()]
    if not said:
        return amount_words(scan.decision.unit, scan.decision.award)
    return Sentence("、".join(one.zh for one in said), ", ".join(one.en for one in said))


def _nearest(decision: Decision, explanation: Explanation | None) -> Sentence:
    if decision.reason == "fact_missing":
        return missing_fact_words(decision.missing)
    for policy in explanation.policies if explanation else ():
        if policy.version == decision.policy_version and policy.missing is not None:
            return policy.missing
    return Sentence("不符合政策的条件", "a condition of the policy is not met")


def _product(decision: Decision) -> Sentence:
    zh = f"这款{decision.category}" if decision.category else "该商品"
    return Sentence(zh, "this product")


def _rank(decision: Decision) -> Sentence:
    """「是一级能效，」: the grade or stars that the certificate says, where it says any."""
    if decision.grade is not None and 0 < decision.grade < len(_RANKS):
        kind = _GRADED.get(decision.certificate_scheme or "", Sentence("", ""))
        grade_en = f"{kind.en} grade {decision.grade}".strip()
        return Sentence(f"是{_RANKS[decision.grade]}级{kind.zh}，", f", {grade_en},")
    if decision.tier is not None and 0 < decision.tier < len(_RANKS):
        return Sentence(f"是{_RANKS[decision.tier]}星级，", f", {decision.tier} stars,")
    return Sentence("", "")


def _limit(decision: Decision, policy: CompiledPolicy | None) -> Sentence:
    if policy is None or not decision.limit_name:
        return Sentence("上限", "the limit")
    return limit_words(policy, decision.limit_name)


def _left(decision: Decision, policy: CompiledPolicy | None) -> Sentence:
    return left_words(policy, decision.unit, decision.limit_name, decision.limit_left or 0)


_WORDS: Mapping[str, Callable[[DecidedScan, CompiledPolicy | None, Explanation | None], Sentence]] = MappingProxyType(
    {
        "product": lambda scan, _policy, _why: _product(scan.decision),
        "rank": lambda scan, _policy, _why: _rank(scan.decision),
        "amount": lambda scan, _policy, _why: earned_words(scan),
        "gross": lambda scan, _policy, _why: amount_words(scan.decision.unit, scan.decision.gross),
        "limit": lambda scan, policy, _why: _limit(scan.decision, policy),
        "left": lambda scan, policy, _why: _left(scan.decision, policy),
        "nearest": lambda scan, _policy, why: _nearest(scan.decision, why),
    }
)
"""What fills a placeholder. A page has many sentences, so only what one holds is put together."""


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]
