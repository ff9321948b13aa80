"""What is compiled once a version pays, and compares, as the words say it for one sale."""

import operator
from fractions import Fraction
from math import ceil, floor

from hypothesis import given
from hypothesis import strategies as st

from backend.kernel.amounts import Rounding, Unit
from backend.policies.conditions import compile_member
from backend.policies.model import Condition, Facts, Reward, RewardKind
from backend.policies.rewards import Amount, compile_reward
from tests.pure.policies import documents

OPERATORS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}

rewards = st.builds(
    Reward,
    kind=st.sampled_from([RewardKind.PERCENT, RewardKind.TABLE]),
    unit=st.just(Unit.POINTS),
    rounding=st.sampled_from(list(Rounding)),
    basis_points=st.integers(0, 20_000),
    by=st.sampled_from(["grade", "tier"]),
    table=st.dictionaries(st.integers(1, 5), st.integers(0, 3_000)),
    table_is_percent=st.booleans(),
    cap_per_unit=st.none() | st.integers(0, 3_000),
    factor_bp=st.integers(1, 30_000),
)


@given(rewards, documents.facts, st.integers(1, 10_000))
def test_a_percentage_or_a_row_of_a_table_is_multiplied_out_and_rounded_once(
    reward: Reward, facts: Facts, rate: int
) -> None:
    assert compile_reward(reward)(facts, rate) == _by_the_words(reward, facts, rate)


@given(st.sampled_from(sorted(OPERATORS)), st.integers(0, 6), documents.facts)
def test_a_comparison_holds_where_the_fact_is_known_and_compares_so(op: str, value: int, facts: Facts) -> None:
    holds = facts.grade is not None and OPERATORS[op](facts.grade, value)

    assert compile_member(Condition("grade", op, value))(facts) is holds


def _by_the_words(reward: Reward, facts: Facts, rate: int) -> Amount:
    value, is_percent = reward.basis_points, True
    if reward.kind is RewardKind.TABLE:
        found = (reward.table or {}).get((facts.grade if reward.by == "grade" else facts.tier) or 0)
        if found is None:
            return 0, "table_missing"
        value, is_percent = found, reward.table_is_percent
    if is_percent and facts.price_fen is None:
        return 0, "price_missing"
    before = Fraction((facts.price_fen or 0) * value, 10_000) if is_percent else Fraction(facts.quantity * value)
    amount = _rounded(before * Fraction(rate, 10_000) * Fraction(reward.factor_bp, 10_000), reward.rounding)
    return amount if reward.cap_per_unit is None else min(amount, reward.cap_per_unit * facts.quantity), None


def _rounded(amount: Fraction, rounding: Rounding) -> int:
    if rounding is Rounding.DOWN:
        return floor(amount)
    return ceil(amount) if rounding is Rounding.UP else floor(amount + Fraction(1, 2))
