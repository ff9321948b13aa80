"""Which rules can fire and pay: contradictions, rules in the shade of earlier ones, evidence that nothing proves."""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from backend.kernel.amounts import BASIS_POINTS, Unit
from backend.kernel.periods import Period
from backend.policies.aims import contrary
from backend.policies.lint_finding import Finding, SchemeCeiling, blocker, warning
from backend.policies.model import Cap, Condition, Counts, Level, Per, Policy, Proof, Reward, RewardKind, Rule
from backend.policies.regions import Region, Space, TooComplex, conditions_of_rule
from backend.policies.words import amount_words, percent

DISCOVERY_POINTS_MAX = 2
"""The most that a phone scan without proof of purchase may earn: a thank-you for looking, never worth a photograph."""
SELF_DECLARED_BP_MAX = 2_000
"""The most that the maker's own word may earn of a reward, as in the register of schemes."""

_STRENGTH = {Level.SELF.value: 0, Level.ENTERPRISE.value: 1, Level.MODEL.value: 2, Level.UNIT.value: 3}
_VALUE = (Unit.FEN, Unit.POINTS)
"""Units that are spent like money."""
Say = Callable[[str, str, str, str], Finding]


class Reached(NamedTuple):
    """A rule with the sales that come to it: its conditions hold and those of no earlier rule do."""

    position: int
    rule: Rule
    region: Region

    @property
    def place(self) -> str:
        return f"rules.{self.position}"

    def reward_place(self, position: int) -> str:
        return f"{self.place}.reward" if len(self.rule.rewards) == 1 else f"{self.place}.rewards.{position}"


def reach(policy: Policy, space: Space) -> tuple[list[Reached], list[Finding]]:
    """Every rule that can fire, and what keeps the others from it."""
    scope = space.scope(policy)
    reached: list[Reached] = []
    findings: list[Finding] = []
    earlier: list[tuple[Rule, Region]] = []
    for position, rule in enumerate(policy.rules):
        place = f"rules.{position}"
        try:
            region = space.region(rule, scope)
            left = space.minus(region, (box for _, taken in earlier for box in taken))
            if left:
                reached.append(Reached(position, rule, left))
            elif region:
                findings.append(_shaded(space, rule, region, earlier, place))
            else:
                findings.append(_never(space, rule, place))
        except TooComplex:
            findings.append(
                warning(
                    "too_complex",
                    f"{place}.when",
                    f"规则“{rule.name_zh}”的条件组合过多，无法核查是否可达，请简化",
                    f"rule {rule.rule} combines too many conditions to be checked; simplify it",
                )
            )
            continue
        earlier.append((rule, region))
    return reached, findings


def lint_rules(reached: list[Reached], space: Space, schemes: Mapping[str, SchemeCeiling]) -> Iterator[Finding]:
    for one in reached:
        yield from _unpaid(one, space)
        yield from _above_price(one, space)
        yield from _ceilings(one, space, schemes)


def lint_goods(policy: Policy) -> Iterator[Finding]:
    """Categories contrary to the aim, and sellers that are named, wherever they stand."""
    for position, category in enumerate(policy.scope.categories):
        yield from _contrary(category, f"scope.categories.{position}")
    if policy.scope.stores:
        yield _named_sellers("scope.stores")
    for position, rule in enumerate(policy.rules):
        for place, condition in conditions_of_rule(rule, f"rules.{position}"):
            if condition.fact == "category" and condition.op in ("=", "in"):
                for category in _texts(condition):
                    yield from _contrary(category, place)
            if condition.fact == "store":
                yield _named_sellers(place)


def lint_evidence(policy: Policy, reached: list[Reached], space: Space) -> Iterator[Finding]:
    """Value for what nothing proves: a phone scan alone, or a maker's own word."""
    for one in reached:
        for (level, proof), rate in one.rule.rates.items():
            place = f"{one.place}.rates.{level}"
            if level == Level.SELF and rate > SELF_DECLARED_BP_MAX:
                yield _without_evidence(
                    place,
                    f"自我声明（S）的奖励比例 {percent(rate)} 超过 {percent(SELF_DECLARED_BP_MAX)}",
                    f"a self-declaration (S) earns {percent(rate)}, more than {percent(SELF_DECLARED_BP_MAX)}",
                )
            if proof != Proof.SCAN or not space.meet(one.region, _evidence(space, level, proof)):
                continue
            if level == Level.SELF:
                yield _without_evidence(
                    f"{place}.{proof}",
                    "自我声明的标签加上仅手机扫码，既不证明商品也不证明购买",
                    "a self-declared label and a phone scan prove neither the goods nor a purchase",
                )
            for position, reward in enumerate(one.rule.rewards):
                yield from _discovery(policy, one, reward, rate, one.reward_place(position))


def _discovery(policy: Policy, one: Reached, reward: Reward, rate: int, place: str) -> Iterator[Finding]:
    worth = reward.amount * rate * reward.factor_bp // BASIS_POINTS**2
    small = reward.kind is RewardKind.FIXED and reward.unit is Unit.POINTS and worth <= DISCOVERY_POINTS_MAX
    if reward.unit is Unit.GCO2E:
        return
    if not small:
        yield _without_evidence(
            place,
            f"仅凭手机扫码（如上传照片）不证明购买，最多奖励 {DISCOVERY_POINTS_MAX} 分，且须为固定积分",
            f"a phone scan (or an uploaded photo) proves no purchase: at most {DISCOVERY_POINTS_MAX} points, fixed",
        )
    elif not any(_holds_discovery(cap, reward.unit) for cap in policy.caps):
        yield _without_evidence(
            place,
            f"规则“{one.rule.name_zh}”奖励手机扫码，须有每人每日或每月上限",
            f"rule {one.rule.rule} pays for phone scans and needs a cap a person by day or month",
        )


def _holds_discovery(cap: Cap, unit: Unit) -> bool:
    counted = cap.unit is unit if cap.counts is Counts.AMOUNT else True
    plain = cap.per == (Per.PERSON,) and not cap.schemes and not cap.categories
    return plain and counted and cap.period in (Period.DAY, Period.MONTH)


def _without_evidence(place: str, zh: str, en: str) -> Finding:
    return blocker("points_without_evidence", place, zh, en)


def _never(space: Space, rule: Rule, place: str) -> Finding:
    """Why no sale can meet all conditions: two of them, one alone, or the scope around them."""
    if space.region(rule, {}):
        return blocker(
            "outside_scope",
            f"{place}.when",
            f"规则“{rule.name_zh}”的条件全部落在政策适用范围之外，永远不会生效",
            f"rule {rule.rule} holds only outside of the policy's scope: it can never fire",
        )
    seen: dict[str, int] = {}
    for position, member in enumerate(rule.when.members):
        if isinstance(member, Condition):
            left = seen.get(member.fact, space.axes[member.fact].all) & space.bits(member)
            if not left:
                return _contradiction(rule, f"{place}.when.{position}")
            seen[member.fact] = left
    return _contradiction(rule, f"{place}.when")


def _contradiction(rule: Rule, place: str) -> Finding:
    return blocker(
        "contradiction",
        place,
        f"规则“{rule.name_zh}”的条件互相矛盾，任何购买都不能同时符合",
        f"the conditions of rule {rule.rule} contradict each other: no purchase can meet them all",
    )


def _shaded(space: Space, rule: Rule, region: Region, earlier: list[tuple[Rule, Region]], place: str) -> Finding:
    alone = next((before for before, taken in earlier if not space.minus(region, taken)), None)
    zh = f"前面的规则“{alone.name_zh}”" if alone else "前面几条规则合起来"
    en = f"the earlier rule {alone.rule}" if alone else "the earlier rules together"
    return blocker(
        "unreachable",
        place,
        f"规则“{rule.name_zh}”永远轮不到：凡符合它的购买，都先符合{zh}",
        f"rule {rule.rule} is never reached: whatever meets it meets {en} first",
    )


def _unpaid(one: Reached, space: Space) -> Iterator[Finding]:
    """A rule that fires and yet never pays stops the rules behind it, for nothing."""
    rule = one.rule
    paid = [box for level, proof in rule.rates for box in space.meet(one.region, _evidence(space, level, proof))]
    if not paid:
        yield blocker(
            "never_pays",
            f"{one.place}.rates",
            f"规则“{rule.name_zh}”的条件与奖励比例表没有共同的证明等级，永远不发放",
            f"the conditions of rule {rule.rule} admit none of the evidence in its rates: it never pays",
        )
        return
    for position, reward in enumerate(rule.rewards):
        if reward.by is None:
            continue
        place = one.reward_place(position)
        rows = [row for row in reward.table or () if not space.cut(paid, reward.by, space.values(reward.by, (row,)))]
        if len(rows) == len(reward.table or ()):
            yield blocker(
                "never_pays",
                place,
                f"规则“{rule.name_zh}”的条件不含奖励表中的任何一级，永远不发放",
                f"the conditions of rule {rule.rule} admit no row of its table: it never pays",
            )
            continue
        for row in rows:
            yield warning(
                "row_unreachable",
                place,
                f"奖励表中 {row} 级不会出现：规则“{rule.name_zh}”的条件不含这一级",
                f"row {row} of the table is never used: the conditions of rule {rule.rule} exclude it",
            )


def _above_price(one: Reached, space: Space) -> Iterator[Finding]:
    most_rate = max(one.rule.rates.values(), default=0)
    for position, reward in enumerate(one.rule.rewards):
        place = one.reward_place(position)
        if reward.unit not in _VALUE:
            continue
        share = share_of_price(reward, most_rate)
        if share > BASIS_POINTS:
            yield blocker(
                "rate_above_price",
                place,
                f"规则“{one.rule.name_zh}”的奖励达到成交价的 {percent(share)}，超过商品价格本身",
                f"rule {one.rule.rule} pays {percent(share)} of the price: more than the goods cost",
            )
        by_piece = reward.kind is not RewardKind.FIXED
        ceiling = max((_most_price(space, box, by_piece=by_piece) for box in one.region), default=-1)
        stated = [reward.amount] if reward.by is None else list((reward.table or {}).values())
        least = min(stated) * reward.factor_bp * min(one.rule.rates.values(), default=0) // BASIS_POINTS**2
        if not is_percent(reward) and reward.unit is Unit.FEN and 0 <= ceiling < least:
            top = amount_words(Unit.FEN, ceiling)
            yield blocker(
                "reward_above_price",
                place,
                f"规则“{one.rule.name_zh}”只适用于不超过 {top.zh}的商品，奖励 {amount_words(Unit.FEN, least).zh}高于价格",
                f"rule {one.rule.rule} is for goods of at most {top.en} and pays {amount_words(Unit.FEN, least).en}",
            )


def _most_price(space: Space, box: Mapping[str, int], *, by_piece: bool) -> int:
    """The highest price of a line, or of a piece of it, that is known to be met."""
    facts = ("price_fen", "unit_price_fen") if by_piece else ("price_fen",)
    return min((most for fact in facts if (most := space.most(fact, dict(box))) is not None), default=2**63)


def is_percent(reward: Reward) -> bool:
    return reward.kind is RewardKind.PERCENT or (reward.kind is RewardKind.TABLE and reward.table_is_percent)


def share_of_price(reward: Reward, rate: int) -> int:
    """The largest share of the price that `reward` pays at `rate`, in basis points, rounded up; 0 for fixed amounts."""
    if not is_percent(reward):
        return 0
    highest = reward.basis_points if reward.by is None else max((reward.table or {0: 0}).values())
    return -(-highest * reward.factor_bp * rate // BASIS_POINTS**2)


def _ceilings(one: Reached, space: Space, schemes: Mapping[str, SchemeCeiling]) -> Iterator[Finding]:
    """Rates above what the schemes prove. A rule open to every scheme is warned of, one that names them is refused."""
    if not schemes:
        return
    axis = space.axes["certificate_scheme"]
    bits = 0
    for box in one.region:
        bits |= box.get("certificate_scheme", axis.all)
    named = [str(name) for name, bit in axis.bits.items() if bit & bits and name in schemes]
    is_open = bool(bits & (axis.bits[axis.values[-1]] | axis.missing))
    place = f"{one.place}.rates"
    for scheme in sorted(schemes if is_open else named):
        say = blocker if scheme in named and not is_open else warning
        yield from _ceiling(one, scheme, schemes[scheme], place, say)
    if is_open or not named:
        return
    best = max(_STRENGTH.get(schemes[name].level, 0) for name in named)
    for level in sorted({level for level, _ in one.rule.rates if _STRENGTH[level] > best}):
        yield blocker(
            "level_above_scheme",
            f"{place}.{level}",
            f"规则“{one.rule.name_zh}”的认证项目都证明不到 {level} 级，这一行比例永远不会用到",
            f"no scheme of rule {one.rule.rule} proves as much as level {level}: that row can never be used",
        )


def _ceiling(one: Reached, scheme: str, ceiling: SchemeCeiling, place: str, say: Say) -> Iterator[Finding]:
    usable = [rate for (level, _), rate in one.rule.rates.items() if _STRENGTH[level] <= _STRENGTH[ceiling.level]]
    if not usable:
        return
    top = ceiling.max_rate_bp
    share = max((share_of_price(reward, max(usable)) for reward in one.rule.rewards), default=0)
    if max(usable) > top or share > top:
        yield say(
            "rate_above_ceiling",
            place,
            f"规则“{one.rule.name_zh}”对 {scheme} 的比例 {percent(max(usable))}，超过该认证项目的上限 {percent(top)}",
            f"rule {one.rule.rule} pays {percent(max(usable))} for {scheme}, above that scheme's ceiling of {percent(top)}",
        )


def _contrary(category: str, place: str) -> Iterator[Finding]:
    reason = contrary(category)
    if reason is not None:
        yield blocker(
            "contrary_to_aim",
            place,
            f"“{category}”与绿色消费的目标相反：{reason.zh}",
            f"{category} is contrary to the aim of the policy: {reason.en}",
        )


def _named_sellers(place: str) -> Finding:
    return warning(
        "named_sellers",
        place,
        "指定了具体门店：公平竞争审查不允许指定经营者，请改用公开的条件",
        "names particular sellers: rules of fair competition forbid designated recipients; state open conditions instead",
    )


def _texts(condition: Condition) -> list[str]:
    values = condition.value if isinstance(condition.value, tuple) else (condition.value,)
    return [str(value) for value in values]


def _evidence(space: Space, level: str, proof: str) -> dict[str, int]:
    return {"level": space.values("level", (level,)), "proof": space.values("proof", (proof,))}
