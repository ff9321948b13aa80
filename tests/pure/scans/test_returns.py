"""Laws of what returns take back, whatever the amounts, pieces and order."""

from hypothesis import given
from hypothesis import strategies as st

from backend.policies.model import Award
from backend.scans.returns import allotted, return_id, taken

AMOUNTS = st.integers(1, 2**53 - 1)


@st.composite
def partial_returns(draw: st.DrawFn) -> tuple[int, list[int]]:
    """Pieces that were bought, and the sizes of the returns that bring all of them back."""
    parts = draw(st.lists(st.integers(1, 400), min_size=1, max_size=12))
    return sum(parts), parts


def award(amount: int, rule: str = "r") -> Award:
    return Award("awarded", "v", rule, "points", amount, amount, None, None)


@given(AMOUNTS, partial_returns())
def test_partial_returns_sum_to_the_whole_award(amount: int, returns: tuple[int, list[int]]) -> None:
    bought, parts = returns
    before, steps = 0, []
    for part in parts:
        steps.append(taken(award(amount), before + part, bought) - taken(award(amount), before, bought))
        before += part

    assert sum(steps) == amount
    assert all(step >= 0 for step in steps)
    assert all(0 <= step - amount * part // bought <= 1 for step, part in zip(steps, parts, strict=True))


@given(AMOUNTS, partial_returns())
def test_a_bonus_goes_with_the_last_piece(amount: int, returns: tuple[int, list[int]]) -> None:
    bought, parts = returns
    bonus = award(amount, "starter#3")

    assert taken(bonus, bought, bought) == amount
    assert taken(bonus, bought - parts[-1], bought) == 0


@given(
    st.lists(st.integers(0, 10**6), min_size=1, max_size=6),
    st.lists(st.integers(1, 100), max_size=8).map(lambda s: [*s, 100]),
)
def test_the_accounts_that_paid_get_all_back_and_none_more_than_it_paid(paid: list[int], steps: list[int]) -> None:
    """Each step brings back that many hundredths of what is left, the last one all of it."""
    left = list(paid)
    for step in steps:
        amount = sum(left) * step // 100
        if not amount:
            continue
        parts = allotted(amount, left)
        assert sum(parts) == amount
        assert all(0 <= part <= rest for part, rest in zip(parts, left, strict=True))
        exact = [amount * rest / sum(left) for rest in left]
        assert all(abs(part - share) < 1 for part, share in zip(parts, exact, strict=True))
        left = [rest - part for rest, part in zip(left, parts, strict=True)]

    assert sum(left) == 0


def test_the_same_number_is_another_return_in_another_shop() -> None:
    assert return_id("320100", "s1", "T-1") == return_id("320100", "s1", "T-1")
    assert len({return_id(city, store, "T-1") for city in ("320100", "320500") for store in ("s1", "s2")}) == 4
