"""What a rule of a policy says: whom it is for, what it pays, and what must be proved for it. Pure."""

from collections.abc import Iterator

from backend.kernel.amounts import BASIS_POINTS, Rounding, Unit
from backend.policies.clause import NOUNS, UNITS, Clause, clause, joined, listed, money
from backend.policies.conditions import FACTS
from backend.policies.model import Condition, Group, Level, Policy, Proof, Reward, RewardKind, Rule
from backend.policies.words import ASKS, ASKS_OF_GRADE, Names, Sentence, percent, value_words

ROUNDED = {
    Rounding.DOWN: Sentence("不足一个单位的舍去", "fractions are dropped"),
    Rounding.HALF_UP: Sentence("尾数四舍五入", "rounded half up"),
    Rounding.UP: Sentence("尾数进位", "rounded up"),
}
_SMALLEST_FEN = {
    Rounding.DOWN: Sentence("不足 1 分的舍去", "fractions of a fen are dropped"),
    Rounding.HALF_UP: Sentence("计算到分，四舍五入", "rounded half up to the fen"),
    Rounding.UP: Sentence("计算到分，进位", "rounded up to the fen"),
}


def rule_clauses(policy: Policy, names: Names) -> Iterator[Clause]:
    for position, rule in enumerate(policy.rules):
        key, place = f"rules/{rule.rule}", f"rules.{position}"
        name = Sentence(f"“{rule.name_zh}”", f"“{rule.name_en}”")
        asks = members_words(rule.when.members, rule.when.mode, names)
        yield clause(
            f"{key}/when",
            f"{place}.when",
            Sentence(f"{name.zh}的补贴条件", f"Conditions of {name.en}"),
            f"{asks.zh}（代号 {rule.rule}）",
            f"{asks.en} ({rule.rule})",
        )
        for at, reward in enumerate(rule.rewards):
            where = f"{place}.reward" if len(rule.rewards) == 1 else f"{place}.rewards.{at}"
            said = reward_words(reward)
            heading = Sentence(f"{name.zh}的补贴标准", f"What {name.en} pays")
            yield clause(f"{key}/{reward.unit}", where, heading, said.zh, said.en)
        rates = rates_words(rule)
        heading = Sentence(f"{name.zh}的凭证要求", f"Evidence for {name.en}")
        yield clause(f"{key}/rates", f"{place}.rates", heading, rates.zh, rates.en)
    if len(policy.rules) > 1:
        yield _order(policy)


def members_words(members: tuple[Condition | Group, ...], mode: str, names: Names) -> Sentence:
    """Every condition, whatever their number: a statement leaves nothing out."""
    if len(members) == 1:
        return member_words(members[0], names)
    said = joined([member_words(member, names) for member in members])
    if mode == "any":
        return Sentence(f"符合下列任一条件：{said.zh}", f"any of: {said.en}")
    return Sentence(f"同时符合下列条件：{said.zh}", f"all of: {said.en}")


def member_words(member: Condition | Group, names: Names) -> Sentence:
    if isinstance(member, Group):
        inner = members_words(member.members, member.mode, names)
        return Sentence(f"（{inner.zh}）", f"({inner.en})")
    fact = FACTS[member.fact]
    wanted = (
        listed(value_words(member.fact, value, names) for value in member.value)
        if isinstance(member.value, tuple)
        else value_words(member.fact, member.value, names)
    )
    asks = (ASKS_OF_GRADE if member.fact == "grade" else ASKS).get(member.op) or ASKS[member.op]
    return Sentence(
        f"{fact.name_zh}{asks.zh.format(v=wanted.zh)}".replace("  ", " "),
        f"{fact.name_en} {asks.en.format(v=wanted.en)}",
    )


def reward_words(reward: Reward) -> Sentence:
    parts = [_base(reward)]
    if reward.factor_bp != BASIS_POINTS:
        parts.append(Sentence(f"再乘以系数 {percent(reward.factor_bp)}", f"times {percent(reward.factor_bp)}"))
    if reward.cap_per_unit is not None:
        most = money(reward.unit, reward.cap_per_unit)
        parts.append(Sentence(f"每件最高 {most.zh}", f"at most {most.en} a piece"))
    parts.append((_SMALLEST_FEN if reward.unit in (Unit.FEN, Unit.FEE) else ROUNDED)[reward.rounding])
    noun = NOUNS[reward.unit]
    return Sentence(
        f"{noun.zh}：{'，'.join(part.zh for part in parts)}", f"{noun.en}: {', '.join(part.en for part in parts)}"
    )


def rates_words(rule: Rule) -> Sentence:
    """The evidence that earns, the strongest first; what is absent earns nothing."""
    order = [(level, proof) for level in Level for proof in Proof]
    parts = []
    for level, proof in order:
        rate = rule.rates.get((level.value, proof.value))
        if rate is not None:
            label, sale = value_words("level", level.value), value_words("proof", proof.value)
            parts.append(
                Sentence(
                    f"标签证明到{label.zh}、购买凭证为{sale.zh}的，按标准的 {percent(rate)} 发放",
                    f"a label that proves {label.en} with {sale.en}: {percent(rate)} of it",
                )
            )
    said = joined(parts)
    return Sentence(f"{said.zh}；其他情形不予发放", f"{said.en}; nothing else earns")


def _base(reward: Reward) -> Sentence:
    once = Sentence("每单", "a basket") if reward.once_a_basket else Sentence("每次", "a scan")
    if reward.kind is RewardKind.TABLE:
        return _table(reward)
    if reward.kind is RewardKind.PERCENT:
        return _share(reward.unit, reward.basis_points)
    each = money(reward.unit, reward.amount)
    if reward.kind is RewardKind.FIXED:
        return Sentence(f"{once.zh} {each.zh}", f"{each.en} {once.en}")
    return Sentence(f"每件 {each.zh}", f"{each.en} a piece")


def _table(reward: Reward) -> Sentence:
    fact = reward.by or "grade"
    rows = []
    for row, amount in sorted((reward.table or {}).items()):
        said = _share(reward.unit, amount) if reward.table_is_percent else money(reward.unit, amount)
        named = value_words(fact, row)
        each_zh, each_en = ("", "") if reward.table_is_percent else ("每件 ", " a piece")
        rows.append(Sentence(f"{named.zh.strip()}的{each_zh}{said.zh}", f"{fact} {named.en}: {said.en}{each_en}"))
    name = FACTS[fact]
    said = joined(rows)
    return Sentence(
        f"按{name.name_zh}：{said.zh}；未列明的等级不予补贴", f"by {name.name_en}: {said.en}; nothing for others"
    )


def _share(unit: Unit, basis_points: int) -> Sentence:
    """One per cent of the price is 1 fen a yuan in money, and 1 of any other unit a yuan."""
    if unit in (Unit.FEN, Unit.FEE):
        return Sentence(f"成交价的 {percent(basis_points)}", f"{percent(basis_points)} of the price")
    each, said = percent(basis_points).removesuffix("%"), UNITS[unit]
    return Sentence(f"成交价每 1 元 {each} {said.zh}", f"{each} {said.en} a yuan of the price")


def _order(policy: Policy) -> Clause:
    zh, en = " → ".join(one.name_zh for one in policy.rules), " → ".join(one.rule for one in policy.rules)
    return clause(
        "rules/order",
        "rules",
        Sentence("规则适用次序", "Order of the rules"),
        f"{zh}；每件商品只适用依次第一条条件全部符合的规则",
        f"{en}; the first whose conditions all hold decides",
    )
