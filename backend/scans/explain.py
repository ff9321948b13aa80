"""A stored decision, taken again: from its facts, its policy version and what its limit had left, to its verdict and why."""

from collections.abc import Sequence
from typing import NamedTuple

from backend.kernel.amounts import MAX_AMOUNT
from backend.kernel.periods import civil_date, period_keys
from backend.policies.evaluate import CompiledPolicy, Limits, evaluate, in_force
from backend.policies.explain import AmountStep, Explanation, explain, limit_step, limit_words
from backend.policies.model import Facts, Outcome, Verdict
from backend.policies.words import NO_NAMES, Names, Sentence, amount_words
from backend.scans.decide import Decision
from backend.scans.sentences import SENTENCES, by_rules, outcome_of

_RANKS = "零一二三四五六七八九"
_GRADED = {"energy_label": Sentence("能效", "energy"), "water_label": Sentence("水效", "water")}
_NEEDS_EXPLANATION = frozenset({"condition", "evidence", "table_missing"})


class DecidedScan(NamedTuple):
    """One row of `decisions` with the facts that stand elsewhere: its basket's, and the body behind its certificate row."""

    decision: Decision
    sold_at_ms: int
    decided_at_ms: int
    store: str | None
    district: str | None
    body: str | None


class Recomputed(NamedTuple):
    """`equal`: the stored facts lead to the stored decision. `cut` is the limit's line where one cut the award."""

    equal: bool
    verdict: Verdict
    explanation: Explanation | None
    cut: AmountStep | None
    sentence_zh: str
    sentence_en: str


def recompute(scan: DecidedScan, policies: Sequence[CompiledPolicy], names: Names = NO_NAMES) -> Recomputed:
    """The decision taken anew. `policies`: every version of the city; `names` what people call schemes and bodies."""
    facts = facts_of(scan)
    chosen = version_of(scan, policies)
    verdict = replay(scan, chosen)
    decision = scan.decision
    explanation = explain(facts, _asked(scan, policies, chosen), names) if facts and by_rules(decision.reason) else None
    cut = None
    if chosen is not None and decision.limit_name is not None and decision.limit_left is not None:
        cut = limit_step(chosen, decision.limit_name, decision.limit_left, decision.award)
    said = _filled(decision, chosen, explanation)
    return Recomputed(verdict == stored_verdict(decision), verdict, explanation, cut, said.zh, said.en)


def needs_facts(scan: DecidedScan) -> bool:
    """Whether its sentence is made of the facts themselves, the body behind the certificate included."""
    return scan.decision.reason in _NEEDS_EXPLANATION


def sentence(scan: DecidedScan, policies: Sequence[CompiledPolicy], names: Names = NO_NAMES) -> Sentence:
    """What the resident reads, without the full explanation where none is needed."""
    chosen = version_of(scan, policies)
    facts = facts_of(scan) if needs_facts(scan) else None
    return _filled(scan.decision, chosen, explain(facts, [chosen], names) if facts and chosen else None)


def replay(scan: DecidedScan, policy: CompiledPolicy | None) -> Verdict:
    """What the stored facts give under the decision's own policy version, with what its limit had left.

    Limits that did not bind are taken as wide open: the verdict does not depend on them.
    """
    decision, facts = scan.decision, facts_of(scan)
    if not by_rules(decision.reason) or decision.reason == "no_policy":
        fits = decision.policy_version is None and _fits(decision)
        return Verdict(outcome_of(decision.reason), decision.reason if fits else "facts_disagree")
    in_time = policy is not None and policy.from_ms <= scan.sold_at_ms < policy.policy.until_ms
    if policy is None or not in_time or facts is None or decision.resident is None:
        return Verdict(Outcome.NONE, "facts_disagree")
    sold_on = civil_date(scan.sold_at_ms)
    periods = period_keys(sold_on)
    left_of = {decision.limit_name: decision.limit_left or 0} if decision.limit_name else {}
    used = {
        (decision.resident, periods[cap.period_at], cap.counter): cap.limit - left_of.get(cap.name, MAX_AMOUNT)
        for cap in policy.caps
    }
    budget = left_of.get("budget", MAX_AMOUNT)
    return evaluate(facts, decision.resident, sold_on, (policy,), Limits(used, {policy.budget_account: budget}))


def facts_of(scan: DecidedScan) -> Facts | None:
    """What the rules looked at; None where the label found no certificate, so that no rule was asked."""
    decision = scan.decision
    if decision.level is None or decision.certificate_scheme is None:
        return None
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
    )


def stored_verdict(decision: Decision) -> Verdict:
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
    )


def version_of(scan: DecidedScan, policies: Sequence[CompiledPolicy]) -> CompiledPolicy | None:
    version = scan.decision.policy_version
    return next((p for p in policies if p.version == version), None) if version else None


def _asked(
    scan: DecidedScan, policies: Sequence[CompiledPolicy], chosen: CompiledPolicy | None
) -> Sequence[CompiledPolicy]:
    """Policies in force at the sale, and the decision's own even if a successor published later has taken its place."""
    asked = in_force(policies, scan.sold_at_ms)
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
    if decision.reason in ("no_policy", "unit_already_awarded"):
        return known and named
    return decision.reason in SENTENCES


def _filled(decision: Decision, policy: CompiledPolicy | None, explanation: Explanation | None) -> Sentence:
    template = SENTENCES[decision.reason]
    nearest = _nearest(decision, explanation)
    limit = (
        limit_words(policy, decision.limit_name) if policy and decision.limit_name else Sentence("上限", "the limit")
    )
    amount, gross = amount_words(decision.unit, decision.award), amount_words(decision.unit, decision.gross)
    left = amount_words(decision.unit, decision.limit_left or 0)
    product, rank = _product(decision), _rank(decision)
    return Sentence(
        template.zh.format(
            product=product.zh,
            rank=rank.zh,
            amount=amount.zh,
            gross=gross.zh,
            limit=limit.zh,
            left=left.zh,
            nearest=nearest.zh,
        ),
        _capitalised(
            template.en.format(
                product=product.en,
                rank=rank.en,
                amount=amount.en,
                gross=gross.en,
                limit=limit.en,
                left=left.en,
                nearest=nearest.en,
            )
        ),
    )


def _nearest(decision: Decision, explanation: Explanation | None) -> Sentence:
    for policy in explanation.policies if explanation else ():
        if policy.version == decision.policy_version and policy.nearest.missing is not None:
            return policy.nearest.missing
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


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]
