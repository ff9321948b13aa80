"""What a policy document means in words: total, nothing left out, and the difference of two versions in the same words."""

import copy
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.policies.conditions import FACTS
from backend.policies.difference import Kind, difference
from backend.policies.document import PolicyRefused, load_policy
from backend.policies.model import Condition, Group, Policy
from backend.policies.statement import statement
from backend.policies.words import value_words
from tests.pure.policies.written import CANONICAL, Json, documents, text_of
from tests.worlds import rules

EXAMPLES = 15
"""A whole document takes 50 ms to draw; 1,000 were looked at when this was written."""
DRAWN = settings(deadline=None, max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
NATIONAL = next(path for path in CANONICAL if path.stem == "p03-national-2026").read_text(encoding="utf-8")


def conditions_of(members: tuple[Condition | Group, ...]) -> list[Condition]:
    found: list[Condition] = []
    for member in members:
        found += conditions_of(member.members) if isinstance(member, Group) else [member]
    return found


def said(policy: Policy) -> tuple[str, str]:
    clauses = statement(policy)
    return "\n".join(one.text.zh for one in clauses), "\n".join(one.text.en for one in clauses)


@DRAWN
@given(documents())
def test_every_document_is_said_in_both_languages_with_every_value_of_every_condition(document: Json) -> None:
    policy = load_policy(text_of(document))
    clauses = statement(policy)
    zh, en = said(policy)

    assert all(one.heading.zh and one.heading.en and one.text.zh and one.text.en for one in clauses)
    assert len({one.key for one in clauses}) == len(clauses)
    assert difference(clauses, clauses) == ()
    for condition in (one for rule in policy.rules for one in conditions_of(rule.when.members)):
        assert FACTS[condition.fact].name_zh in zh
        assert FACTS[condition.fact].name_en in en
        for value in condition.value if isinstance(condition.value, tuple) else (condition.value,):
            assert value_words(condition.fact, value).zh.strip() in zh


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [one for key, held in value.items() for one in leaves(held, (*path, key))]
    if isinstance(value, list):
        return [one for at, held in enumerate(value) for one in leaves(held, (*path, at))]
    return [path]


def changed(document: Json, path: tuple[Any, ...], value: object) -> Json:
    copied = copy.deepcopy(document)
    holder: Any = copied
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = value
    return copied


@DRAWN
@given(documents(), st.data())
def test_no_part_of_a_document_changes_without_a_word(document: Json, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(leaves(document)))
    value = data.draw(st.integers(1, 9_999) | st.booleans() | st.text("ab", min_size=1, max_size=2))
    before = load_policy(text_of(document))
    try:
        after = load_policy(text_of(changed(document, path, value)))
    except PolicyRefused:
        return
    if before != after:
        assert difference(statement(before), statement(after))


def test_the_appliance_policy_reads_like_an_official_paper() -> None:
    clauses = {one.key: one for one in statement(load_policy(NATIONAL))}

    assert clauses["period"].text.zh == "2026年1月1日起至2026年12月31日（含当日）止，以购买时间为准"
    assert clauses["document"].text.zh == "示例主管部门（测试用）《示例发〔2026〕1号》，2026年1月1日发布"
    assert clauses["scope/categories"].text.zh == "“冰箱”、“洗衣机”、“电视”、“空调”、“热水器”、“电脑”"
    assert clauses["rules/appliance/when"].text.zh == "能效（水效）等级达到 1 级及以上（代号 appliance）"
    assert clauses["rules/appliance/fen"].text.zh == (
        "补贴资金：按能效（水效）等级：1 级的成交价的 15%；未列明的等级不予补贴，每件最高 1,500.00 元，不足 1 分的舍去"
    )
    assert clauses["caps/quota-2026"].text.zh == "每人每个品类累计不超过 1 件；超出的整笔不予发放（代号 quota-2026）"
    assert clauses["budgets/fen"].text.zh == "补贴资金总额 1,000,000,000.00 元；余额不足时按余额发放"
    assert clauses["budgets/fen/shares"].text.zh == "中央财政承担 85%（central）、地方财政承担 15%（local）"


def test_the_difference_says_what_was_added_removed_and_changed() -> None:
    document = json.loads(NATIONAL)
    later = changed(document, ("rules", 0, "reward", "cap_per_unit"), 200_000)
    later["returns"] = {"days": 30}
    later["budget"].pop("shares")
    later["windows"] = [{"window": "day", "per": "person", "hours": 24}]

    found = difference(*(statement(load_policy(text_of(one))) for one in (document, later)))

    assert [(one.kind, one.key) for one in found] == [
        (Kind.CHANGED, "rules/appliance/fen"),
        (Kind.ADDED, "windows/day"),
        (Kind.REMOVED, "budgets/fen/shares"),
        (Kind.CHANGED, "returns"),
    ]
    changed_rule = found[0]
    assert changed_rule.before is not None
    assert "1,500.00 元" in changed_rule.before.zh
    assert changed_rule.after is not None
    assert "2,000.00 元" in changed_rule.after.zh


@pytest.mark.parametrize("path", CANONICAL, ids=lambda path: path.stem)
def test_every_known_kind_of_policy_can_be_said(path: Any) -> None:
    assert statement(load_policy(path.read_text(encoding="utf-8")))


def test_a_cap_that_holds_is_not_said_to_pay_the_last_award_in_part() -> None:
    """`evaluate` holds such an award whole, and once a person has released it, pays it whole."""
    doc = rules.document(caps=[rules.cap("day", "day", 15) | {"beyond": "hold"}])

    zh, en = said(load_policy(rules.text_of(doc)))

    assert ("最后一次可部分发放" in zh, "may be cut down" in en) == (False, False)
    assert ("整笔暂缓" in zh, "held for a person to look at (as a whole" in en) == (True, True)
