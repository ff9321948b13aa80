"""What a policy gives for a sale before limits: the first rule whose conditions all hold, at the rate of the evidence. Pure."""

from datetime import date

from backend.kernel.amounts import FEE
from backend.policies.compiled import CompiledPolicy, CompiledReward, CompiledRule
from backend.policies.model import Facts, Outcome, Verdict
from backend.policies.terms import Claims

# CPython 3.11 runs Python code for each `Enum.MEMBER` (0.3 µs), and the hot path reads these for every scan.
_NONE, _SAME_STORE = Outcome.NONE.value, Claims.SAME_STORE

Gross = tuple[CompiledRule, list[tuple[CompiledReward, int]]]
"""The rule that decides, and what each of its rewards that pays comes to."""


def gross_of(facts: Facts, sold_on: date, policy: CompiledPolicy) -> Verdict | Gross:
    """The first rule whose conditions all hold with what it gives before limits; else why there is nothing."""
    found = _rule_of(facts, sold_on, policy)
    return found if isinstance(found, Verdict) else _paid(found, facts, policy)


def only_gross_of(
    facts: Facts, sold_on: date, policy: CompiledPolicy
) -> Verdict | tuple[CompiledRule, CompiledReward, int]:
    """As `gross_of`, of a policy whose rules have one reward each."""
    found = _rule_of(facts, sold_on, policy)
    if isinstance(found, Verdict):
        return found
    (reward,), rate = found.rewards, found.rule.rates.get((facts.level, facts.proof))
    wanted = reward.pay(facts, rate)[0] if rate else 0
    if wanted > 0 and reward.unit != FEE and not facts.claimed_elsewhere:
        return found, reward, wanted
    paid = _paid(found, facts, policy)
    return paid if isinstance(paid, Verdict) else (found, reward, wanted)


def _rule_of(facts: Facts, sold_on: date, policy: CompiledPolicy) -> Verdict | CompiledRule:
    """The first rule whose conditions all hold, of those that are open to its kind of sale; else which came nearest."""
    if policy.policy.transitions and transition_over(facts, sold_on, policy):
        return Verdict(_NONE, "transition_over", policy.version, None, facts.certificate_scheme)
    for compiled, tests in policy.open_rules:
        for test in tests:
            if not test(facts):
                break
        else:
            return compiled
    return _nearest(facts, policy)


def _nearest(facts: Facts, policy: CompiledPolicy) -> Verdict:
    """The first condition that fails of the rule that comes furthest, where no rule's conditions all hold."""
    best, best_at = None, -1
    for compiled in policy.rules:
        for position, test in enumerate(compiled.tests):
            if not test(facts):
                if position > best_at:
                    best, best_at = compiled, position
                break
    assert best is not None, "a policy has at least one rule"
    return Verdict(_NONE, "condition", policy.version, best.rule.rule, str(best_at))


def transition_over(facts: Facts, sold_on: date, policy: CompiledPolicy) -> bool:
    return any(
        one.scheme == facts.certificate_scheme and sold_on.isoformat() > one.until for one in policy.policy.transitions
    )


def _paid(compiled: CompiledRule, facts: Facts, policy: CompiledPolicy) -> Verdict | Gross:
    rule = compiled.rule
    rate = rule.rates.get((facts.level, facts.proof), 0)
    if not rate:
        return Verdict(_NONE, "evidence", policy.version, rule.rule, f"{facts.level}x{facts.proof}")
    paid = []
    refusal = None
    for reward in compiled.rewards:
        amount, reason = reward.pay(facts, rate)
        if amount > 0:
            paid.append((reward, amount))
        elif refusal is None:
            refusal = Verdict(
                _NONE, reason or "rounds_to_zero", policy.version, rule.rule, reward.reward.by if reason else None
            )
    # Fees stand last, and alone they are none: there is nothing to handle.
    if paid and paid[0][0].unit != FEE:
        if facts.claimed_elsewhere and policy.policy.claims is _SAME_STORE:
            return Verdict(_NONE, "claim_in_store", policy.version, rule.rule)
        return compiled, paid
    assert refusal is not None, "a rule has at least one reward"
    return refusal
