"""The short way of the common policy decides as the general one, and takes the same of the limits."""

from dataclasses import replace
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from backend.policies.compiled import CompiledPolicy, InForce, plan_of
from backend.policies.evaluate import evaluate
from backend.policies.limits import Limits
from backend.policies.model import Facts, Mode, Stacking
from tests.pure.policies import documents

PERSON = "01900000-0000-7000-8000-0000000000aa"
ON = date(2026, 11, 22)


@st.composite
def limits(draw: st.DrawFn, policy: CompiledPolicy) -> Limits:
    used = {
        (PERSON, period, cap.counter): draw(st.integers(0, 70))
        for cap in policy.caps
        for period in ("2026-11-22", "2026-11", "2026", "-")
    }
    return Limits(used, {budget.pool: draw(st.integers(0, 90)) for budget in policy.budgets})


@settings(documents.LAW, max_examples=90)
@given(st.data(), st.lists(documents.facts, min_size=1, max_size=4), documents.simple_policies)
def test_a_simple_policy_decides_as_any_other(data: st.DataObject, sales: list[Facts], policy: CompiledPolicy) -> None:
    assert policy.simple
    short = data.draw(limits(policy))
    general = Limits(dict(short.used), dict(short.budgets))

    for facts in sales:
        verdict = evaluate(facts, PERSON, ON, plan_of([policy]), short)
        assert verdict == evaluate(facts, PERSON, ON, plan_of([replace(policy, simple=False)]), general)
    assert (short.used, short.budgets, short.cut) == (general.used, general.budgets, general.cut)


@settings(documents.LAW, max_examples=90)
@given(st.data(), st.lists(documents.facts, min_size=1, max_size=3), documents.several())
def test_several_simple_policies_decide_as_any_others(
    data: st.DataObject, sales: list[Facts], policies: tuple[CompiledPolicy, ...]
) -> None:
    drawn = [data.draw(limits(policy)) for policy in policies]
    used = {key: amount for one in drawn for key, amount in one.used.items()}
    budgets = {pool: left for one in drawn for pool, left in one.budgets.items()}
    short, general = Limits(dict(used), dict(budgets)), Limits(dict(used), dict(budgets))
    slow = [replace(policy, simple=False) for policy in policies]

    for facts in sales:
        verdict = evaluate(facts, PERSON, ON, plan_of(policies), short)
        assert verdict == evaluate(facts, PERSON, ON, plan_of(slow), general)
    assert (short.used, short.budgets, short.cut) == (general.used, general.budgets, general.cut)


@settings(documents.LAW, max_examples=150)
@given(st.data(), st.lists(documents.facts, min_size=1, max_size=3), documents.several())
def test_a_plan_that_is_kept_for_a_kind_of_sale_decides_each_as_if_made_for_it(
    data: st.DataObject, sales: list[Facts], policies: tuple[CompiledPolicy, ...]
) -> None:
    """What a plan has settled for its kind, conditions on few-valued facts, holds for whatever price comes next."""
    kept = InForce(policies)
    budgets = {budget.pool: 10**6 for policy in policies for budget in policy.budgets}
    short, general = Limits({}, dict(budgets)), Limits({}, dict(budgets))
    prices = data.draw(st.permutations([None, 50, 500, 700_000]))

    for facts in [one._replace(price_fen=price) for one in sales for price in prices]:
        verdict = evaluate(facts, PERSON, ON, kept.plan(facts), short)
        concerned = [policy for policy in policies if policy.concerns(facts)]
        assert verdict == evaluate(facts, PERSON, ON, plan_of(concerned), general)


@settings(documents.LAW, max_examples=200)
@given(st.data(), documents.facts, documents.several())
def test_a_summing_group_pays_no_more_money_than_its_ceiling_bonuses_included(
    data: st.DataObject, facts: Facts, policies: tuple[CompiledPolicy, ...]
) -> None:
    ceiling_bp = data.draw(st.sampled_from([1, 2_000, 10_000]))
    stacking = Stacking("g", Mode.SUM, ceiling_bp=ceiling_bp)
    members = [replace(policy, stacking=stacking, simple=False) for policy in policies]
    open_limits = Limits({}, {budget.pool: 10**6 for policy in members for budget in policy.budgets})

    verdict = evaluate(facts, PERSON, ON, plan_of(members), open_limits)

    paid = [(verdict.unit, verdict.amount), *((award.unit, award.amount) for award in verdict.more)]
    assert all(amount >= 0 for _, amount in paid)
    assert sum(amount for unit, amount in paid if unit == "fen") * 10_000 <= (facts.price_fen or 0) * ceiling_bp
