"""The registry of facts and the typed conditions over them, compiled to closures (4 µs against 114 for CEL)."""

import operator
from collections.abc import Callable
from dataclasses import dataclass

from backend.policies.model import Condition, Facts, Group

Test = Callable[[Facts], bool]

DEPTH_MAX = 4
MEMBERS_MAX = 50
VALUES_MAX = 200

_ORDER = ("<", "<=", ">", ">=")
_EQUAL = ("=", "!=", "in", "not_in")


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that a rule may look at: its type decides the operators it allows."""

    name: str
    kind: type[int] | type[str]
    name_zh: str
    name_en: str
    unit_zh: str = ""

    @property
    def operators(self) -> tuple[str, ...]:
        return _ORDER + _EQUAL if self.kind is int else _EQUAL


FACTS = {
    fact.name: fact
    for fact in (
        Fact("scheme", str, "标签类别", "label scheme"),
        Fact("certificate_scheme", str, "认证类别", "certification scheme"),
        Fact("level", str, "标签证明等级", "label level"),
        Fact("proof", str, "购买证明等级", "proof level"),
        Fact("category", str, "商品品类", "product category"),
        Fact("grade", int, "能效（水效）等级", "grade", "级"),
        Fact("tier", int, "认证星级", "tier", "星"),
        Fact("price_fen", int, "成交价", "final price", "分"),
        Fact("unit_price_fen", int, "单件成交价", "price of one piece", "分"),
        Fact("quantity", int, "数量", "quantity", "件"),
        Fact("store", str, "门店", "store"),
        Fact("district", str, "区县", "district"),
        Fact("body", str, "认证机构", "certification body"),
        Fact("channel", str, "渠道", "channel"),
        Fact("buyer", str, "购买者类型", "kind of buyer"),
        Fact("receipt_fen", int, "整单金额", "total of the receipt", "分"),
        Fact("trade_in_age", int, "旧机使用年限", "age of the old unit", "年"),
        Fact("trade_in_days", int, "旧机交付日距购买日", "days from the sale to the hand-in of the old unit", "天"),
        Fact("case", str, "使用情形", "case"),
        Fact("linked_points", int, "关联积分", "points earned elsewhere", "分"),
    )
}

_COMPARE: dict[str, Callable[[object, object], bool]] = {
    "<": operator.lt,  # type: ignore[dict-item]  # both sides have the fact's own type, checked by the document
    "<=": operator.le,  # type: ignore[dict-item]
    ">": operator.gt,  # type: ignore[dict-item]
    ">=": operator.ge,  # type: ignore[dict-item]
    "=": operator.eq,
    "!=": operator.ne,
    "in": lambda left, right: left in right,  # type: ignore[operator]
    "not_in": lambda left, right: left not in right,  # type: ignore[operator]
}


def looked_at(member: Condition | Group) -> frozenset[str]:
    """The facts that `member` compares."""
    if isinstance(member, Group):
        return frozenset().union(*(looked_at(one) for one in member.members))
    return frozenset({member.fact})


def compile_group(group: Group) -> Test:
    """A closure that says whether `group` holds. A fact that is missing fails every comparison, never passes one."""
    tests = [compile_member(member) for member in group.members]
    if group.mode == "any":
        return lambda facts: any(test(facts) for test in tests)
    return lambda facts: all(test(facts) for test in tests)


def compile_member(member: Condition | Group) -> Test:
    if isinstance(member, Group):
        return compile_group(member)
    position = Facts._fields.index(member.fact)
    value = frozenset(member.value) if isinstance(member.value, tuple) else member.value
    if member.op == "=":
        return lambda facts: facts[position] == value
    if member.op == "in":
        return lambda facts: facts[position] in value  # type: ignore[operator]  # a frozenset, checked by the document
    if member.op == "<=":  # the two comparisons that most rules make, without a call
        return lambda facts: (given := facts[position]) is not None and given <= value  # type: ignore[operator]
    if member.op == ">=":
        return lambda facts: (given := facts[position]) is not None and given >= value  # type: ignore[operator]
    compare = _COMPARE[member.op]

    def test(facts: Facts) -> bool:
        given = facts[position]
        return given is not None and compare(given, value)

    return test
