"""What is expected of a label before it is paid for is what the decision gives, or it says that it cannot be known yet."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.ledger import chart
from backend.policies.compiled import CompiledPolicy, compile_policy, plan_of
from backend.policies.evaluate import evaluate
from backend.policies.expect import expected
from backend.policies.limits import Limits
from backend.policies.model import Facts
from tests.pure.policies import documents
from tests.worlds import rules
from tests.worlds.rules import fixed, percent, where

PERSON = "01900000-0000-7000-8000-0000000000aa"
ON = date(2026, 11, 22)
LABEL = Facts("gtin", "M", "P3", "冰箱", 1, None, None, 1, "s1", "320102", "CNIS", "energy_label")


def without_limits(compiled: CompiledPolicy) -> CompiledPolicy:
    budgets = tuple(replace(budget, paces=()) for budget in compiled.policy.budgets)
    free = replace(compiled.policy, caps=(), milestones=(), windows=(), budgets=budgets)
    return compile_policy(free, compiled.version, compiled.until_ms, chart.budget)


def awarded(facts: Facts, *policies: CompiledPolicy) -> dict[str, int]:
    limits = Limits({}, {budget.pool: 10**9 for policy in policies for budget in policy.budgets})
    verdict = evaluate(facts, PERSON, ON, plan_of(policies), limits)
    sums: dict[str, int] = {}
    for unit, amount in ((verdict.unit, verdict.amount), *((one.unit, one.amount) for one in verdict.more)):
        if amount and unit != "fee":  # the shop's
            assert unit is not None
            sums[unit] = sums.get(unit, 0) + amount
    return sums


@settings(documents.LAW, max_examples=40)
@given(st.data(), documents.facts, documents.several())
def test_what_is_stated_is_awarded_whatever_the_price_and_the_basket(
    data: st.DataObject, sold: Facts, drawn: tuple[CompiledPolicy, ...]
) -> None:
    policies = [without_limits(policy) for policy in drawn]
    price = data.draw(st.none() | documents.PRICES)
    sold = sold._replace(
        quantity=1, price_fen=price, unit_price_fen=price, proof="P2" if price is None else "P3", channel="till"
    )._replace(claimed_elsewhere=False)
    policies = [policy for policy in policies if policy.concerns(sold)]
    before = sold._replace(price_fen=None, unit_price_fen=None, receipt_fen=None)
    before = before._replace(trade_in=None, trade_in_age=None, trade_in_days=None, case=None, linked_points=None)

    stated = expected(plan_of(policies), before, ON, ())

    doubtful = {unit for unit, amount in stated.items() if isinstance(amount, str)}
    given_in_the_end = {unit: amount for unit, amount in awarded(sold, *policies).items() if unit not in doubtful}
    assert {unit: amount for unit, amount in stated.items() if unit not in doubtful} == given_in_the_end


@pytest.mark.parametrize(
    ("written", "proof", "stated"),
    [
        ([rules.rule("a", fixed(10))], "P3", {"points": 10}),
        ([rules.rule("a", fixed(10))], "P2", {"points": 5}),
        ([rules.rule("a", fixed(10), where("grade", "=", 2))], "P3", {}),
        ([rules.rule("a", percent(200))], "P3", {"points": "price"}),
        ([rules.rule("a", percent(200))], "P2", {}),
        ([rules.rule("a", fixed(10), where("price_fen", "<=", 600_000))], "P3", {"points": "price"}),
        ([rules.rule("a", fixed(10), where("price_fen", "<=", 600_000))], "P2", {}),
        ([rules.rule("a", fixed(10), where("receipt_fen", ">", 5_000))], "P2", {"points": "later"}),
        ([rules.rule("a", fixed(9), where("grade", "=", 2), where("case", "=", "new"))], "P3", {}),
        ([rules.rule("a", fixed(9), where("grade", "=", 2)), rules.rule("b", fixed(4))], "P3", {"points": 4}),
        ([rules.rule("a", {**fixed(9), "once_a_basket": True})], "P3", {"points": "later"}),
    ],
)
def test_an_amount_is_stated_only_where_nothing_else_can_come_of_it(
    written: list[dict[str, Any]], proof: str, stated: dict[str, object]
) -> None:
    policy = rules.compiled(rules.document(*written))

    assert expected(plan_of([policy]), LABEL._replace(proof=proof), ON, ()) == stated


def test_a_budget_without_anything_left_is_expected_to_give_nothing() -> None:
    policy = rules.compiled(rules.document(policy="green"))

    assert expected(plan_of([policy]), LABEL, ON, {"green:points"}) == {}


def test_one_that_may_come_to_nothing_leaves_the_sale_to_the_next() -> None:
    """Two policies of which the first that pays decides: by price the first may round to nothing."""
    priced = rules.compiled(rules.document(rules.rule("a", percent(200)), policy="a"))
    sure = rules.compiled(rules.document(rules.rule("b", fixed(10)), policy="b", unit="fen"))
    never = rules.compiled(rules.document(rules.rule("c", fixed(10)), policy="c", unit="evidence"))

    assert expected(plan_of([priced, sure, never]), LABEL, ON, ()) == {"points": "price", "fen": "price"}
    assert expected(plan_of([sure, never]), LABEL, ON, ()) == {"fen": 10}
