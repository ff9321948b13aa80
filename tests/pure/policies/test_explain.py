"""The explanation is a second opinion on the engine: both say the same, and every refusal has a reason in words."""

from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from backend.kernel.amounts import Rounding, Unit
from backend.kernel.periods import Period
from backend.ledger import chart
from backend.policies.compiled import CompiledPolicy, compile_policy, plan_of
from backend.policies.evaluate import evaluate
from backend.policies.explain import explain
from backend.policies.limit_words import limit_step
from backend.policies.limits import CounterKey, Limits
from backend.policies.model import (
    Budget,
    Cap,
    Condition,
    Facts,
    Group,
    Policy,
    Published,
    Reward,
    RewardKind,
    Rule,
    Verdict,
)
from backend.policies.words import Sentence, check
from tests.pure.policies import documents

PERSON = "01900000-0000-7000-8000-0000000000aa"
ON = date(2026, 11, 22)
UNLIMITED = 2**53


class Unused(dict[CounterKey, int]):
    """Counters of which nothing will ever be too much."""

    def get(self, key: CounterKey, default: int = 0) -> int:  # type: ignore[override]
        return super().get(key, default - UNLIMITED)


def unlimited(policies: tuple[CompiledPolicy, ...]) -> Limits:
    return Limits(Unused(), {budget.pool: UNLIMITED for policy in policies for budget in policy.budgets})


def verdict_of(facts: Facts, policies: tuple[CompiledPolicy, ...]) -> Verdict:
    plan = plan_of([policy for policy in policies if policy.concerns(facts)])
    return evaluate(facts, PERSON, ON, plan, unlimited(policies), ceiling=UNLIMITED)


@settings(documents.LAW, max_examples=50)
@given(documents.facts, documents.several())
def test_an_explanation_comes_to_the_verdict_of_the_engine(facts: Facts, policies: tuple[CompiledPolicy, ...]) -> None:
    verdict = verdict_of(facts, policies)

    said = explain(facts, ON, policies)

    assert (said.outcome, said.reason, said.version, said.rule) == (
        verdict.outcome,
        verdict.reason,
        verdict.version,
        verdict.rule,
    )
    assert (said.gross, said.unit) == (verdict.gross, verdict.unit)


@settings(documents.LAW, max_examples=50)
@given(documents.facts, documents.several())
def test_what_gives_nothing_says_what_is_missing_and_the_nearest_is_the_engines(
    facts: Facts, policies: tuple[CompiledPolicy, ...]
) -> None:
    verdict = verdict_of(facts, policies)

    said = explain(facts, ON, policies)

    assert (said.nearest is None) == (said.reason in ("awarded", "no_policy"))
    for policy in said.policies:
        for rule in policy.rules:
            assert (rule.missing is None) == (rule.reason == "awarded")
            assert rule.holds == all(condition.holds for condition in rule.conditions)
    if verdict.reason == "condition":
        nearest = next(p for p in said.policies if p.version == verdict.version).nearest
        position = next(i for i, condition in enumerate(nearest.conditions) if not condition.holds)
        assert str(position) == verdict.missing


@settings(documents.LAW, max_examples=50)
@given(documents.facts, documents.several())
def test_the_arithmetic_ends_with_the_gross_award(facts: Facts, policies: tuple[CompiledPolicy, ...]) -> None:
    for policy in explain(facts, ON, policies).policies:
        for rule in policy.rules:
            if rule.arithmetic:
                assert rule.arithmetic[-1].amount == rule.gross


@given(documents.members, documents.facts)
def test_no_sentence_has_a_hole(member: Condition | Group, facts: Facts) -> None:
    said = check(member, facts).sentence

    assert "{" not in said.zh + said.en
    assert "None" not in said.zh + said.en


def _facts(**changes: object) -> Facts:
    known = Facts("gtin", "M", "P3", "冰箱", 3, None, 299_900, 1, "s1", "320102", "CNIS", "energy_label")
    return known._replace(**changes)  # type: ignore[arg-type]  # a field's own type, in a test


def _policy() -> CompiledPolicy:
    appliances = Rule(
        "appliances",
        "高效家电",
        "Efficient appliances",
        Group("all", (Condition("certificate_scheme", "=", "energy_label"), Condition("grade", "<=", 2))),
        (Reward(RewardKind.PERCENT, Unit.POINTS, Rounding.DOWN, basis_points=200, cap_per_unit=2_000),),
        {("M", "P3"): 10_000, ("M", "P2"): 5_000},
    )
    policy = Policy(
        "green",
        "绿色消费积分",
        "Green points",
        Published("宁绿〔2026〕1号", "南京市", "2026-01-01", None),
        0,
        2**53,
        (Budget(Unit.POINTS, 10**6, partial=True),),
        (appliances,),
        (Cap("daily", Period.DAY, 900, partial=True, unit=Unit.POINTS),),
    )
    return compile_policy(policy, "v1", 2**53, chart.budget)


def test_the_nearest_missing_condition_is_said_with_the_products_own_value() -> None:
    said = explain(_facts(), ON, [_policy()])

    assert said.nearest is not None
    assert said.nearest.zh == "能效（水效）等级须达到 2 级及以上，该商品为 3 级"
    assert said.nearest.en == "grade must be 2 or better; this product has 3"


def test_a_fact_that_is_not_on_record_is_said_to_be_missing() -> None:
    said = explain(_facts(grade=None), ON, [_policy()])

    assert said.nearest is not None
    assert said.nearest.zh == "能效（水效）等级须达到 2 级及以上，该商品没有这项信息"


def test_values_are_called_what_people_call_them() -> None:
    names = {("certificate_scheme", "energy_label"): Sentence("中国能效标识", "China Energy Label")}

    said = explain(_facts(certificate_scheme="organic"), ON, [_policy()], names)

    assert said.nearest is not None
    assert said.nearest.zh == "认证类别须为中国能效标识，该商品为“organic”"


def test_evidence_that_is_too_weak_says_what_would_do() -> None:
    said = explain(_facts(grade=1, proof="P0"), ON, [_policy()])

    assert said.nearest is not None
    assert said.nearest.zh == (
        "标签证明到型号（M）、购买证明为仅手机扫码（P0）时，该规则不奖励；需要收银台联网记录并有成交价（P3）或收银台记录（P2）"
    )


def test_the_arithmetic_goes_from_the_price_to_the_cap_a_piece() -> None:
    said = explain(_facts(grade=1), ON, [_policy()])

    rule = said.policies[0].nearest
    assert [(step.sentence.zh, step.amount) for step in rule.arithmetic] == [
        ("成交价 2999.00 元，每元 2", 5_998),
        ("证明程度按 100% 计，舍去尾数：5998 分", 5_998),
        ("每件最多 2000 分 × 1 件：2000 分", 2_000),
    ]
    cut = limit_step(_policy(), "points", "daily", 300, 300)
    assert cut.sentence.zh == "您的每日上限 900 分还剩 300 分：300 分"


@given(st.integers(1, 10**6))
def test_a_percentage_never_passes_through_a_float(basis_points: int) -> None:
    from backend.policies.words import percent

    said = percent(basis_points).removesuffix("%")
    whole, _, rest = said.partition(".")
    assert int(whole) * 100 + int(rest.ljust(2, "0") or 0) == basis_points
