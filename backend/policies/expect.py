"""What policies would give for one piece of goods before anything is paid: an amount, or what it depends on. Pure.

Nothing personal is asked: limits are met at the decision. So what comes of this is likely, never promised.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from enum import StrEnum
from functools import lru_cache

from backend.kernel.amounts import FEE, Unit
from backend.policies.compiled import CompiledPolicy, CompiledReward, CompiledRule, Plan, StackingGroup
from backend.policies.conditions import Test, compile_member
from backend.policies.gross import transition_over
from backend.policies.model import Condition, Facts, Group, Mode, Proof


class Doubt(StrEnum):
    """Why no amount can be stated: it goes by the price; or by what is known when the basket is decided."""

    PRICE = "price"
    LATER = "later"


Expected = Mapping[str, int | Doubt]
"""unit -> amount above 0; a unit that is absent is not earned."""

_OF_THE_PRICE = frozenset({"price_fen", "unit_price_fen"})
_OF_THE_BASKET = frozenset({"receipt_fen", "trade_in_age", "trade_in_days", "case", "linked_points"})
_FEN = Unit.FEN.value
_WORTH = ("fen", "points", "evidence", "gco2e")


def expected(plan: Plan, facts: Facts, on: date, exhausted: Collection[str]) -> Expected:
    """What one piece would earn on that day. `exhausted`: pools of budgets that have nothing left.

    `facts` have no price; whether the basket will state one is said by its proof level (P3 does, P2 does not).
    """
    return _summed(_group(group, facts, on, exhausted) for group in plan)


Payers = Mapping[tuple[str, str], int]
"""(policy, unit) -> amount above 0."""


def payers(plan: Plan, facts: Facts, on: date) -> Payers:
    """Who would pay how much for one piece, where that is certain before the sale, however much any budget has left."""
    found: dict[tuple[str, str], int] = {}
    for group in plan:
        whole = _group(group, facts, on, ())
        given = [(policy.policy.policy, _policy(policy, facts, on, ())) for policy in group.policies]
        if group.mode in (Mode.BEST, Mode.FIRST):
            # One of them pays alone: the first that gives just that.
            given = [one for one in given if one[1] == whole and whole][:1]
        for policy, amounts in given if _certain(whole) else ():
            found |= {(policy, unit): amount for unit, amount in amounts.items() if isinstance(amount, int)}
    return found


def _group(group: StackingGroup, facts: Facts, on: date, exhausted: Collection[str]) -> Expected:
    results = (_policy(policy, facts, on, exhausted) for policy in group.policies)
    if group.mode is Mode.BEST:
        given = [one for one in results if one]
        return max(given, key=_worth, default={}) if all(map(_certain, given)) else _doubted(given)
    # A ceiling is a share of the price.
    given = [one for result in results if (one := _under(group.ceiling_bp, result, facts))]
    return _first(given) if group.mode is Mode.FIRST else _summed(given)


def _first(given: list[Expected]) -> Expected:
    """One that may come to nothing leaves the sale to those after it, up to one that surely pays."""
    asked = []
    for one in given:
        asked.append(one)
        if any(isinstance(amount, int) for amount in one.values()):
            break
    return asked[0] if len(asked) == 1 else _doubted(asked)


def _under(ceiling_bp: int | None, one: Expected, facts: Facts) -> Expected:
    """Without a price a ceiling leaves nothing of a sum of money, and before the price is known nobody knows what."""
    if ceiling_bp is None or _FEN not in one:
        return one
    others = {unit: amount for unit, amount in one.items() if unit != _FEN}
    return {**others, **_doubted([{_FEN: one[_FEN]}])} if _priced(facts) else others


def _policy(policy: CompiledPolicy, facts: Facts, on: date, exhausted: Collection[str]) -> Expected:
    if transition_over(facts, on, policy):
        return {}
    for compiled in policy.rules:
        holds = _holds(compiled.rule.when, facts)
        if isinstance(holds, Doubt):
            # This rule or a later one decides, so nothing more can be said of what the policy pays in.
            units = {b.budget.unit.value for b in policy.budgets if b.pool not in exhausted}
            return dict.fromkeys(units - {FEE}, holds)
        if holds:
            return _paid(compiled, facts, exhausted)
    return {}


def _paid(compiled: CompiledRule, facts: Facts, exhausted: Collection[str]) -> Expected:
    rate = compiled.rule.rates.get((facts.level, facts.proof), 0)
    amounts: dict[str, int | Doubt] = {}
    for reward in compiled.rewards if rate else ():
        amount = _amount(reward, facts, rate)
        if amount and reward.unit != FEE and reward.pool not in exhausted:
            amounts[reward.unit] = amount
    return amounts


def _amount(reward: CompiledReward, facts: Facts, rate: int) -> int | Doubt:
    if reward.reward.once_a_basket:
        return Doubt.LATER
    amount, reason = reward.pay(facts, rate)
    return Doubt.PRICE if reason == "price_missing" and _priced(facts) else amount


def _holds(member: Condition | Group, facts: Facts) -> bool | Doubt:
    if isinstance(member, Group):
        return _together(member.mode == "any", [_holds(inner, facts) for inner in member.members])
    if member.fact in _OF_THE_PRICE and _priced(facts):
        return Doubt.PRICE
    if member.fact in _OF_THE_BASKET:
        return Doubt.LATER
    return _compiled(member)(facts)


def _together(any_is_enough: bool, held: list[bool | Doubt]) -> bool | Doubt:  # noqa: FBT001 - a mode of the group
    if any(one is any_is_enough for one in held):
        return any_is_enough
    doubts = [one for one in held if isinstance(one, Doubt)]
    if doubts:
        return Doubt.LATER if Doubt.LATER in doubts else Doubt.PRICE
    return not any_is_enough


@lru_cache(maxsize=4_096)
def _compiled(condition: Condition) -> Test:
    return compile_member(condition)


def _priced(facts: Facts) -> bool:
    return facts.proof == Proof.TILL_ONLINE.value


def _summed(parts: Iterable[Expected]) -> Expected:
    """A doubt stays one, whatever is added to it."""
    total: dict[str, int | Doubt] = {}
    for part in parts:
        for unit, amount in part.items():
            before = total.get(unit, 0)
            if isinstance(before, Doubt) or isinstance(amount, Doubt):
                total[unit] = Doubt.LATER if Doubt.LATER in (before, amount) else Doubt.PRICE
            else:
                total[unit] = before + amount
    return total


def _doubted(given: Sequence[Expected]) -> Expected:
    """Every unit that any of them pays in, with nothing said of how much."""
    doubts = {amount for one in given for amount in one.values() if isinstance(amount, Doubt)}
    doubt = Doubt.LATER if Doubt.LATER in doubts else Doubt.PRICE
    return {unit: doubt for one in given for unit in one}


def _certain(one: Expected) -> bool:
    return all(isinstance(amount, int) for amount in one.values())


def _worth(one: Expected) -> tuple[int | str, ...]:
    """As `evaluate` compares offers."""
    return tuple(one.get(unit, 0) for unit in _WORTH)
