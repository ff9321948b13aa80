"""Laws of the linter, on documents made at random: it never fails, never differs, and is right about what can fire."""

import json
from itertools import product
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from backend.kernel.amounts import Rounding, Unit
from backend.policies.conditions import compile_group
from backend.policies.lint import lint, lint_text
from backend.policies.lint_finding import Severity
from backend.policies.lint_rules import reach
from backend.policies.model import Condition, Facts, Group, Policy, Reward, RewardKind, Rule, Scope
from backend.policies.regions import Space
from tests.pure.policies.lint_documents import SCHEMES, SOUND, Doc, changed, policy, rule
from tests.worlds import rules

GRADES = (None, 1, 2, 3, 4, 5)
QUANTITIES = (1, 2, 3, 4, 5, 6)
CATEGORIES = (None, "冰箱", "空调", "茶叶")
PROOFS = ("P0", "P1", "P2", "P3")
ALL_SALES = [
    Facts("gtin", "M", proof, category, grade, None, 100, quantity, None, None, None, "organic")
    for grade, quantity, category, proof in product(GRADES, QUANTITIES, CATEGORIES, PROOFS)
]
"""Every sale that the conditions below can tell apart: what they name, and something that they do not."""

numbers = st.builds(
    Condition,
    st.sampled_from(["grade", "quantity"]),
    st.sampled_from(["<", "<=", ">", ">=", "=", "!="]),
    st.integers(0, 6).filter(lambda value: value < 6),
)
several_numbers = st.builds(
    Condition,
    st.sampled_from(["grade", "quantity"]),
    st.sampled_from(["in", "not_in"]),
    st.lists(st.integers(0, 5), min_size=1, max_size=4).map(tuple),
)
words = st.builds(
    Condition,
    st.just("category"),
    st.sampled_from(["in", "not_in"]),
    st.lists(st.sampled_from(["冰箱", "空调"]), min_size=1, max_size=2).map(tuple),
)
proofs = st.builds(Condition, st.just("proof"), st.sampled_from(["=", "!="]), st.sampled_from(["P0", "P3", "P9"]))
members = st.recursive(
    st.one_of(numbers, several_numbers, words, proofs),
    lambda inner: st.builds(Group, st.sampled_from(["all", "any"]), st.lists(inner, min_size=1, max_size=3).map(tuple)),
    max_leaves=5,
)
when = st.lists(members, min_size=1, max_size=3).map(lambda found: Group("all", tuple(found)))
scopes = st.sampled_from([Scope(), Scope(categories=("冰箱",)), Scope(categories=("空调", "茶叶"))])


def with_rules(whens: list[Group], scope: Scope) -> Policy:
    base = policy(SOUND)
    reward = Reward(RewardKind.FIXED, Unit.POINTS, Rounding.DOWN, 1)
    rules = tuple(
        Rule(f"r{at}", "规则", "rule", each, (reward,), {("M", "P3"): 10_000}) for at, each in enumerate(whens)
    )
    values = {name: getattr(base, name) for name in Policy.__dataclass_fields__}
    return Policy(**{**values, "rules": rules, "scope": scope})


def fired(made: Policy) -> set[int]:
    """By trying every sale: the rules that some sale comes to."""
    tests = [compile_group(rule.when) for rule in made.rules]
    categories = made.scope.categories
    found = set()
    for facts in ALL_SALES:
        if categories and facts.category not in categories:
            continue
        first = next((at for at, test in enumerate(tests) if test(facts)), None)
        if first is not None:
            found.add(first)
    return found


@settings(max_examples=150, deadline=None)
@given(st.lists(when, min_size=1, max_size=4), scopes)
def test_a_rule_is_said_to_be_reached_exactly_when_some_sale_comes_to_it(whens: list[Group], scope: Scope) -> None:
    made = with_rules(whens, scope)

    reached, findings = reach(made, Space([made]))

    assert {one.position for one in reached} == fired(made)
    silent = {int(one.place.split(".")[1]) for one in findings}
    assert silent == set(range(len(whens))) - fired(made)
    assert {one.code for one in findings} <= {"contradiction", "outside_scope", "unreachable"}


@settings(max_examples=120, deadline=None)
@given(st.lists(when, min_size=1, max_size=4), scopes)
def test_the_linter_gives_the_same_findings_again(whens: list[Group], scope: Scope) -> None:
    made, beside = with_rules(whens, scope), with_rules(whens[::-1], Scope())

    first = lint(made, [beside], SCHEMES, ["冰箱"])

    assert first == lint(made, [beside], SCHEMES, ["冰箱"])
    assert len(set(first)) == len(first)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["points", "P3", "1"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["unit", "all", "fact", "1", "x"]), inner)
    ),
    max_leaves=6,
)


def places(value: object, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [place] if place else []
    if isinstance(value, dict):
        return found + [one for name, inner in value.items() for one in places(inner, (*place, name))]
    if isinstance(value, list):
        return found + [one for at, inner in enumerate(value) for one in places(inner, (*place, at))]
    return found


@st.composite
def damaged(draw: st.DrawFn) -> Doc:
    """The sound document with some places overwritten or taken away."""
    doc = changed(scope={"districts": ["320102"]}, stacking={"group": "g", "mode": "sum"})
    for _ in range(draw(st.integers(1, 3))):
        *names, last = draw(st.sampled_from(places(doc)))
        holder: Any = doc
        for name in names:
            holder = holder[name]
        if draw(st.booleans()) and isinstance(holder, dict):
            del holder[last]
        else:
            holder[last] = draw(json_values)
        if not places(doc):
            break
    return doc


@settings(max_examples=120, deadline=None)
@given(damaged())
def test_whatever_stands_in_a_document_the_linter_answers(doc: Doc) -> None:
    text = json.dumps(doc)

    findings = lint_text(text, [], SCHEMES, ["冰箱"])

    assert findings == lint_text(text.encode(), [], SCHEMES, ["冰箱"])
    assert all(one.code and one.sentence_zh and one.sentence_en for one in findings)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200))
def test_whatever_text_it_is_given_the_linter_answers(text: bytes | str) -> None:
    assert [one.severity for one in lint_text(text)] != []
    assert lint_text(text)[0].severity is Severity.BLOCKER


def test_conditions_with_too_many_combinations_are_said_to_be_unchecked_and_take_no_time() -> None:
    """Ten groups of ten alternatives over different facts: ten thousand million boxes."""
    facts = ["grade", "tier", "price_fen", "receipt_fen", "quantity", "trade_in_age", "linked_points"]
    group = {"any": [{"fact": fact, "op": "=", "value": 1} for fact in facts]}
    made = changed(rules=[rule("a", *[{"any": [group, {"fact": f, "op": ">", "value": 3}]} for f in facts]), rule("b")])

    found = [one for one in lint_text(json.dumps(made)) if one.code == "too_complex"]

    assert [(one.severity, one.place) for one in found] == [(Severity.WARNING, "rules.0.when")]


def test_a_rule_without_any_rate_is_judged_too() -> None:
    doc = rules.document(rules.rule("ten", rules.fixed(10), rates={"U": {}}))

    assert isinstance(lint_text(rules.text_of(doc)), list)
