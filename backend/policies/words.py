"""Conditions and amounts as sentences, Chinese first: what a rule asks for and what the scan gave."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from backend.kernel.amounts import Unit
from backend.policies.conditions import FACTS
from backend.policies.model import Condition, Facts, Group


class Sentence(NamedTuple):
    zh: str
    en: str


Value = int | str
Names = Mapping[tuple[str, Value], Sentence]
"""What people call a value: (fact, value) -> its names, e.g. of certification schemes, which live in the registry."""

NO_NAMES: Names = MappingProxyType({})
VALUES_SHOWN = 8

_BUILT_IN: Names = MappingProxyType(
    {
        ("level", "U"): Sentence("单件（U）", "a single unit (U)"),
        ("level", "M"): Sentence("型号（M）", "a model (M)"),
        ("level", "E"): Sentence("企业（E）", "an enterprise (E)"),
        ("level", "S"): Sentence("自我声明（S）", "a self-declaration (S)"),
        ("proof", "P3"): Sentence("收银台联网记录并有成交价（P3）", "an online till's record with a price (P3)"),
        ("proof", "P2"): Sentence("收银台记录（P2）", "a till's record (P2)"),
        ("proof", "P1"): Sentence("购物小票领取码（P1）", "a claim code (P1)"),
        ("proof", "P0"): Sentence("仅手机扫码（P0）", "a phone scan only (P0)"),
        ("channel", "till"): Sentence("收银台", "a till"),
        ("channel", "phone"): Sentence("手机扫码", "a phone"),
        ("channel", "hand_in"): Sentence("购买后补交旧机", "an old unit handed in after the sale"),
        ("buyer", "person"): Sentence("个人", "a person"),
        ("buyer", "organisation"): Sentence("单位", "an organisation"),
    }
)
_LIMITED_BY = {
    "phone": Sentence("购买人手机号", "the buyer's phone number"),
    "device": Sentence("收银设备", "the till"),
    "cashier": Sentence("收银员", "the cashier"),
    "serial": Sentence("商品序列号", "the serial number"),
    "address": Sentence("收货地址", "the delivery address"),
    "trade_in": Sentence("旧机序列号", "the serial of the old unit"),
    "store": Sentence("门店", "the shop"),
    "district": Sentence("区县", "the district"),
    "category": Sentence("商品品类", "the product category"),
    "certificate_scheme": Sentence("认证类别", "the certification scheme"),
    "model": Sentence("商品型号", "the model"),
    "basket": Sentence("购物单", "the basket"),
}
_OF_PRODUCT = frozenset({"scheme", "certificate_scheme", "level", "category", "grade", "tier", "body"})
ASKS = {
    "<": Sentence("低于{v}", "below {v}"),
    "<=": Sentence("不高于{v}", "at most {v}"),
    ">": Sentence("高于{v}", "above {v}"),
    ">=": Sentence("不低于{v}", "at least {v}"),
    "=": Sentence("为{v}", "{v}"),
    "!=": Sentence("不为{v}", "other than {v}"),
    "in": Sentence("为{v}之一", "one of {v}"),
    "not_in": Sentence("不属于{v}", "none of {v}"),
}
ASKS_OF_GRADE = {
    "<": Sentence("高于{v}", "better than {v}"),
    "<=": Sentence("达到{v}及以上", "{v} or better"),
    ">": Sentence("低于{v}", "worse than {v}"),
    ">=": Sentence("为{v}及以下", "{v} or worse"),
}
"""Grade 1 is the best and the highest: as numbers they fall while the goods get better."""


class ConditionCheck(NamedTuple):
    """One condition of a rule, or a group of them (`op` is all or any, `fact` None), against the facts of a scan."""

    holds: bool
    fact: str | None
    op: str
    wanted: Value | tuple[Value, ...] | None
    given: Value | None
    sentence: Sentence
    members: tuple["ConditionCheck", ...] = ()


def check(member: Condition | Group, facts: Facts, names: Names = NO_NAMES) -> ConditionCheck:
    """Whether `member` holds, said in a sentence. Read from the document itself, not from its compiled form."""
    if isinstance(member, Group):
        return _check_group(member, facts, names)
    given: Value | None = getattr(facts, member.fact)
    holds = given is not None and _compares(given, member.op, member.value)
    return ConditionCheck(holds, member.fact, member.op, member.value, given, _sentence(member, given, names))


def nearest_missing(checks: tuple[ConditionCheck, ...]) -> ConditionCheck | None:
    """The first condition that failed, in the order of the rule; within a group that wants all, its first."""
    for one in checks:
        if not one.holds:
            return (nearest_missing(one.members) if one.op == "all" else None) or one
    return None


def amount_words(unit: str | None, amount: int) -> Sentence:
    """An amount with its unit as people read it: 18 分, 12.50 元, 300 克."""
    if unit == Unit.FEN:
        return Sentence(f"{yuan(amount)} 元", f"¥{yuan(amount)}")
    if unit == Unit.FEE:
        return Sentence(f"手续费 {yuan(amount)} 元", f"a handling fee of ¥{yuan(amount)}")
    if unit == Unit.GCO2E:
        return Sentence(f"{amount} 克二氧化碳当量", f"{amount} g CO2e")
    if unit == Unit.EVIDENCE:
        return Sentence(f"{amount} 项凭证", f"{amount} evidence")
    return Sentence(f"{amount} 分", f"{amount} points" if amount != 1 else "1 point")


def missing_fact_words(fact: str | None) -> Sentence:
    """What a cap counts by and the sale did not tell."""
    return _LIMITED_BY.get(fact or "", Sentence("所需信息", "what it asks for"))


def percent(basis_points: int) -> str:
    """100 basis points as 1%; no digit that is not there."""
    whole, rest = divmod(basis_points, 100)
    return f"{whole}.{rest:02d}".rstrip("0") + "%" if rest else f"{whole}%"


def yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"


def value_words(fact: str, value: Value, names: Names = NO_NAMES) -> Sentence:
    named = names.get((fact, value)) or _BUILT_IN.get((fact, value))
    if named is not None:
        return named
    if fact in ("price_fen", "unit_price_fen", "receipt_fen") and isinstance(value, int):
        sign = "-" if value < 0 else ""
        return Sentence(f" {sign}{yuan(abs(value))} 元", f"{sign}¥{yuan(abs(value))}")
    unit = FACTS[fact].unit_zh
    return Sentence(f" {value} {unit}" if unit else f"“{value}”", str(value))


def _check_group(group: Group, facts: Facts, names: Names) -> ConditionCheck:
    members = tuple(check(member, facts, names) for member in group.members)
    every = group.mode == "all"
    holds = all(m.holds for m in members) if every else any(m.holds for m in members)
    zh, en = ("须同时符合", "all of") if every else ("须至少符合一项", "at least one of")
    sentence = Sentence(
        f"{zh}：{'；'.join(m.sentence.zh for m in members)}", f"{en}: {'; '.join(m.sentence.en for m in members)}"
    )
    return ConditionCheck(holds, None, group.mode, None, None, sentence, members)


def _compares(given: Value, op: str, wanted: Value | tuple[Value, ...]) -> bool:
    if isinstance(wanted, tuple):
        return (given in wanted) == (op == "in")
    if op in ("=", "!="):
        return (given == wanted) == (op == "=")
    below, equal = given < wanted, given == wanted  # type: ignore[operator]  # one type, checked by the document
    return {"<": below, "<=": below or equal, ">": not below and not equal, ">=": not below}[op]


def _sentence(condition: Condition, given: Value | None, names: Names) -> Sentence:
    fact = FACTS[condition.fact]
    wanted = _wanted(condition, names)
    asks = (ASKS_OF_GRADE if condition.fact == "grade" else ASKS).get(condition.op) or ASKS[condition.op]
    subject_zh, subject_en = ("该商品", "this product") if condition.fact in _OF_PRODUCT else ("本次", "this purchase")
    zh, en = f"{fact.name_zh}须{asks.zh.format(v=wanted.zh)}", f"{fact.name_en} must be {asks.en.format(v=wanted.en)}"
    if given is None:
        return Sentence(f"{zh}，{subject_zh}没有这项信息", f"{en}; {subject_en} has none on record")
    has = value_words(condition.fact, given, names)
    return Sentence(f"{zh}，{subject_zh}为{has.zh}", f"{en}; {subject_en} has {has.en}")


def _wanted(condition: Condition, names: Names) -> Sentence:
    if not isinstance(condition.value, tuple):
        return value_words(condition.fact, condition.value, names)
    words = [value_words(condition.fact, value, names) for value in condition.value[:VALUES_SHOWN]]
    more = len(condition.value) - len(words)
    zh, en = "、".join(word.zh.strip() for word in words), ", ".join(word.en for word in words)
    return Sentence(f"{zh}等 {len(condition.value)} 项", f"{en} and {more} more") if more else Sentence(zh, en)
