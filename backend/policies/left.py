"""What the caps of the policies in force still leave a person before a purchase. Pure; counters in, allowances out."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import NamedTuple

from backend.kernel.amounts import FEE
from backend.kernel.periods import Period, day_start_ms, month_end, period_keys
from backend.policies.compiled import CompiledPolicy, CompiledRule
from backend.policies.conditions import compile_member
from backend.policies.limit_words import left_words, limit_words
from backend.policies.limits import CompiledCap, CounterKey, FactMissing
from backend.policies.model import Condition, Facts, Group, Per
from backend.policies.words import Sentence

OF_PRODUCT = ("scheme", "certificate_scheme", "level", "category", "grade", "tier", "body")
NOTHING_KNOWN = Facts("", "", "", None, None, None, None, 1, None, None, None, None)


class Allowance(NamedTuple):
    """One cap of one policy. `used` and `left` are None where it counts by what only the sale tells, such as an address."""

    cap: CompiledCap
    rules: tuple[CompiledRule, ...]
    used: int | None
    left: int | None


class PolicyAllowances(NamedTuple):
    """A policy in force with those of its rules that may pay for the goods, and what their caps leave."""

    policy: CompiledPolicy
    rules: tuple[CompiledRule, ...]
    allowances: tuple[Allowance, ...]


def allowances(
    policies: Iterable[CompiledPolicy],
    person: str,
    on: date,
    used: Mapping[CounterKey, int],
    goods: Facts | None = None,
) -> list[PolicyAllowances]:
    """What is left on the civil day `on`. `goods`: what is known of them, all else open; None: whatever they are.

    Signs of misuse are no allowance, and stay unsaid.
    """
    facts = goods or NOTHING_KNOWN
    found = []
    for policy in policies:
        rules = tuple(rule for rule in policy.rules if _may_pay(rule, facts)) if _in_scope(policy, facts) else ()
        if rules:
            left = tuple(_of_policy(policy, rules, person, on, used, facts))
            found.append(PolicyAllowances(policy, rules, left))
    return found


def allowance_words(policy: CompiledPolicy, one: Allowance) -> Sentence:
    """What a resident reads: 您的每日上限 200 分，还可获得 50 分."""
    name = limit_words(policy, one.cap.name)
    if one.left is None:
        return Sentence(f"{name.zh}，结账时核定。", f"{_capitalised(name.en)}; what is left is known at the till.")
    if one.left == 0:
        return Sentence(f"{name.zh}，已用完。", f"{_capitalised(name.en)} is used up.")
    left = left_words(policy, one.cap.unit or policy.policy.units[0].value, one.cap.name, one.left)
    return Sentence(f"{name.zh}，还可获得 {left.zh}。", f"{_capitalised(name.en)}: {left.en} left.")


def resets_ms(period: Period, on: date) -> int | None:
    """When the civil period that holds `on` is over, in Unix milliseconds; None: never."""
    last = {Period.DAY: on, Period.MONTH: month_end(on, 0), Period.YEAR: date(on.year, 12, 31)}.get(period)
    return None if last is None else day_start_ms(last + timedelta(days=1))


def _of_policy(
    policy: CompiledPolicy,
    rules: tuple[CompiledRule, ...],
    person: str,
    on: date,
    used: Mapping[CounterKey, int],
    facts: Facts,
) -> Iterator[Allowance]:
    documented = {cap.cap for cap in policy.policy.caps}
    for cap in policy.caps:
        held = tuple(rule for rule in rules if _holds(cap, rule))
        if (
            cap.name in documented
            and cap.unit != FEE
            and not cap.holds
            and held
            and Per.BASKET not in cap.per
            and _may_count(cap, facts)
        ):
            taken = _taken(cap, person, on, used, facts)
            yield Allowance(cap, held, taken, None if taken is None else max(cap.limit - taken, 0))


def _taken(cap: CompiledCap, person: str, on: date, used: Mapping[CounterKey, int], facts: Facts) -> int | None:
    if not cap.by_person or cap.within_ms:  # a window opens again by the moments of sale
        return None
    try:
        return used.get(cap.key(person, facts, period_keys(on)), 0)
    except FactMissing:
        return None


def _holds(cap: CompiledCap, rule: CompiledRule) -> bool:
    return any(one.name == cap.name for reward in rule.rewards for one in reward.caps) or any(
        one.name == cap.name for one in rule.counted
    )


def _in_scope(policy: CompiledPolicy, facts: Facts) -> bool:
    scope = policy.policy.scope
    goods = _open_or_in(facts.certificate_scheme, scope.schemes) and _open_or_in(facts.category, scope.categories)
    return goods and _open_or_in(facts.buyer, scope.buyers)


def _may_count(cap: CompiledCap, facts: Facts) -> bool:
    return _open_or_in(facts.certificate_scheme, cap.schemes) and _open_or_in(facts.category, cap.categories)


def _may_pay(rule: CompiledRule, facts: Facts) -> bool:
    rates = [rate for (level, _proof), rate in rule.rule.rates.items() if facts.level in ("", level)]
    return any(rates) and _may_hold(rule.rule.when, facts)


def _may_hold(member: Condition | Group, facts: Facts) -> bool:
    """Whether a condition can still come true: what is not known of the goods, or of the sale, is open."""
    if isinstance(member, Group):
        held = [_may_hold(inner, facts) for inner in member.members]
        return any(held) if member.mode == "any" else all(held)
    if member.fact not in OF_PRODUCT:
        return True
    unknown = not facts.level and not getattr(facts, member.fact)
    return unknown or compile_member(member)(facts)


def _open_or_in(given: str | None, wanted: Iterable[str]) -> bool:
    wanted = tuple(wanted)
    return not wanted or given is None or given in wanted


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]
