"""A policy beside the others of its city: what is paid twice, what stacks badly, what a district may not do."""

from collections.abc import Iterator, Sequence

from backend.policies.lint_finding import Finding, blocker, warning
from backend.policies.lint_rules import Reached
from backend.policies.model import Mode, Policy, Stacking
from backend.policies.regions import Box, Space, TooComplex

_ALONE = Stacking("", Mode.FIRST)
"""Policies that name no group form one of which the first that pays counts, as `compiled` has it."""


def lint_others(policy: Policy, reached: list[Reached], others: Sequence[Policy], space: Space) -> Iterator[Finding]:
    """One finding for each other policy that some sale would ask as well."""
    seen: set[tuple[str, str]] = set()
    for other in others:
        if other.policy == policy.policy or not _at_one_time(policy, other):
            continue
        for found in (*_disagreements(policy, other), *_overlap(policy, reached, other, space)):
            if (found.code, other.policy) not in seen:
                seen.add((found.code, other.policy))
                yield found


def lint_within(policy: Policy, reached: list[Reached], others: Sequence[Policy], space: Space) -> Iterator[Finding]:
    """A district's policy may only narrow the city's, or add to it from money of its own (B20)."""
    if policy.within is None:
        return
    city = [other for other in others if other.policy == policy.within and _at_one_time(policy, other)]
    if not city or policy.within == policy.policy:
        yield blocker(
            "within_unknown",
            "within",
            f"全市没有与之同时有效的政策“{policy.within}”",
            f"the city has no policy {policy.within} in force at the same time",
        )
        return
    if any(one.within is not None for one in city):
        yield _wider("within", f"“{policy.within}”本身就是区级政策", f"{policy.within} is itself a district's policy")
    if not policy.scope.districts:
        yield _wider("scope.districts", "区级政策须写明适用的区县", "a district's policy names its districts")
    if policy.from_ms < min(one.from_ms for one in city):
        yield _wider("from", "早于全市政策开始", "starts before the city's policy")
    if policy.until_ms > max(one.until_ms for one in city):
        yield _wider("until", "晚于全市政策结束", "ends after the city's policy")
    yield from _money_of_its_own(policy, city)
    yield from _outside(reached, city, space)
    yield from _rates(policy, city)


def _outside(reached: list[Reached], city: Sequence[Policy], space: Space) -> Iterator[Finding]:
    allowed: list[Box] = []
    try:
        for one in city:
            scope = space.scope(one)
            allowed += [box for rule in one.rules for box in space.region(rule, scope)]
        for found in reached:
            if space.minus(found.region, allowed):
                yield _wider(
                    f"{found.place}.when",
                    f"规则“{found.rule.name_zh}”包含全市政策不奖励的购买",
                    f"rule {found.rule.rule} pays for purchases that the city's policy does not",
                )
    except TooComplex:
        yield warning(
            "too_complex",
            "within",
            "条件组合过多，无法核查是否超出全市政策，请人工核对",
            "too many combinations to check this policy against the city's: compare them by hand",
        )


def _rates(policy: Policy, city: Sequence[Policy]) -> Iterator[Finding]:
    """Evidence that the city pays nothing for, or less of a reward, is no evidence for a district either."""
    accepted: dict[tuple[str, str], int] = {}
    for one in city:
        for rule in one.rules:
            for pair, rate in rule.rates.items():
                accepted[pair] = max(rate, accepted.get(pair, 0))
    for position, rule in enumerate(policy.rules):
        for (level, proof), rate in rule.rates.items():
            if rate > accepted.get((level, proof), 0):
                yield _wider(
                    f"rules.{position}.rates.{level}.{proof}",
                    f"对证明等级 {level}×{proof} 的比例高于全市政策",
                    f"pays more for the evidence {level}x{proof} than the city's policy",
                )


def _money_of_its_own(policy: Policy, city: Sequence[Policy]) -> Iterator[Finding]:
    """A district tops up from its own budget: not from a source that bears the city's."""
    theirs = {share.source for one in city for budget in one.budgets for share in budget.shares}
    for position, budget in enumerate(policy.budgets):
        place = "budget" if len(policy.budgets) == 1 else f"budgets.{position}"
        for at, share in enumerate(budget.shares):
            if share.source in theirs:
                yield blocker(
                    "within_spends_city_money",
                    f"{place}.shares.{at}",
                    f"“{share.name_zh}”承担的是全市政策的资金，区级政策只能用本区预算",
                    f"{share.source} bears the city's policy: a district spends only its own budget",
                )


def _wider(place: str, zh: str, en: str) -> Finding:
    return blocker("within_wider", place, f"超出全市政策的范围：{zh}", f"wider than the city's policy: {en}")


def _disagreements(policy: Policy, other: Policy) -> Iterator[Finding]:
    mine, theirs = policy.stacking, other.stacking
    if mine is None or theirs is None or mine.group != theirs.group:
        return
    if mine.mode is not theirs.mode:
        yield blocker(
            "stacking_disagrees",
            "stacking.mode",
            f"同一叠加组“{mine.group}”中，“{other.title_zh}”的方式是 {theirs.mode.value}，须一致",
            f"in stacking group {mine.group} the policy {other.policy} has the mode {theirs.mode.value}: they must agree",
        )
    elif mine.ceiling_bp != theirs.ceiling_bp:
        yield blocker(
            "stacking_disagrees",
            "stacking.ceiling_bp",
            f"同一叠加组“{mine.group}”中，与“{other.title_zh}”的合计上限不同，须一致",
            f"in stacking group {mine.group} the policy {other.policy} has another ceiling: they must agree",
        )


def _overlap(policy: Policy, reached: list[Reached], other: Policy, space: Space) -> Iterator[Finding]:
    shared = [unit.value for unit in policy.units if unit in other.units]
    mine, theirs = policy.stacking or _ALONE, other.stacking or _ALONE
    if not shared or (mine.group == theirs.group and mine.group):
        return
    if not _meet(reached, other, space):
        return
    units = ", ".join(shared)
    if mine.group == theirs.group:
        yield warning(
            "overlap_first",
            "stacking",
            f"与“{other.title_zh}”的适用范围和时间重叠，又都没有叠加组：同一次购买只有先排到的一项发放",
            f"overlaps {other.policy} and neither names a stacking group: of a purchase only the first of them pays ({units})",
        )
    else:
        yield warning(
            "paid_twice",
            "stacking",
            f"与“{other.title_zh}”的适用范围和时间重叠，叠加组不同：同一次购买两项都发放",
            f"overlaps {other.policy} in another stacking group: a purchase is paid by both in {units}",
        )


def _meet(reached: list[Reached], other: Policy, space: Space) -> bool:
    """Whether some sale meets a rule of both. What cannot be told counts as met: a warning too many, never one too few."""
    try:
        scope = space.scope(other)
        mine = space.meet([box for one in reached for box in one.region], scope)
        return bool(mine) and any(space.meet(mine, box) for rule in other.rules for box in space.region(rule, scope))
    except TooComplex:
        return True


def _at_one_time(policy: Policy, other: Policy) -> bool:
    return policy.from_ms < other.until_ms and other.from_ms < policy.until_ms
