"""Funding lines: what several sources bear of one award sums to it, and none is off by a whole unit."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.kernel.amounts import BASIS_POINTS, MAX_AMOUNT
from backend.policies.funding import funding_lines
from backend.policies.model import Share


def shares(*basis_points: int) -> tuple[Share, ...]:
    return tuple(Share(f"s{place}", f"来源{place}", f"Source {place}", bp) for place, bp in enumerate(basis_points))


@st.composite
def wholes(draw: st.DrawFn) -> tuple[Share, ...]:
    """One to six shares that sum to the whole."""
    cuts = sorted(draw(st.lists(st.integers(0, BASIS_POINTS), max_size=5)))
    return shares(*(high - low for low, high in pairwise([0, *cuts, BASIS_POINTS])))


@pytest.mark.parametrize(
    ("amount", "parted", "expected"),
    [
        (89_995, (8_500, 1_500), (76_496, 13_499)),
        (150_000, (8_500, 1_500), (127_500, 22_500)),
        (1, (8_500, 1_500), (1, 0)),
        (1, (5_000, 5_000), (1, 0)),
        (10, (3_333, 3_333, 3_334), (3, 3, 4)),
        (100, (10_000,), (100,)),
        (0, (8_500, 1_500), (0, 0)),
        (MAX_AMOUNT, (8_500, 1_500), (7_656_119_366_529_842, 1_351_079_888_211_149)),
    ],
)
def test_the_parts_by_hand(amount: int, parted: tuple[int, ...], expected: tuple[int, ...]) -> None:
    assert tuple(line.amount for line in funding_lines(amount, shares(*parted))) == expected


def test_what_nobody_shares_is_parted_among_nobody() -> None:
    assert funding_lines(500, ()) == ()


@given(st.integers(0, MAX_AMOUNT), wholes())
def test_the_parts_sum_to_the_amount_and_each_is_within_one(amount: int, parted: tuple[Share, ...]) -> None:
    lines = funding_lines(amount, parted)

    assert [line.source for line in lines] == [share.source for share in parted]
    assert sum(line.amount for line in lines) == amount
    for line, share in zip(lines, parted, strict=True):
        assert abs(line.amount * BASIS_POINTS - amount * share.basis_points) < BASIS_POINTS


@given(st.lists(st.integers(0, 10**7), max_size=20), wholes())
def test_lines_of_many_awards_sum_to_all_of_them(amounts: list[int], parted: tuple[Share, ...]) -> None:
    """The report adds lines up award by award: no rounding is left over for the month."""
    total = sum(line.amount for amount in amounts for line in funding_lines(amount, parted))

    assert total == sum(amounts)
