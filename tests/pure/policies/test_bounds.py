"""What a reward can pay at most, by hand: 9,999 pieces, or a price of a hundred million yuan."""

from typing import Any

import pytest

from backend.kernel.amounts import MAX_AMOUNT, Rounding, Unit
from backend.policies import bounds
from backend.policies.bounds import greatest_award, too_large, unpublishable
from backend.policies.document import load_policy
from backend.policies.model import Reward, RewardKind
from backend.scans import line_limits as lines
from firmware_bridge.wire import messages
from tests.worlds import rules

FULL = 10_000


def reward(kind: RewardKind, **facts: Any) -> Reward:
    return Reward(**{"kind": kind, "unit": Unit.POINTS, "rounding": Rounding.DOWN, **facts})


@pytest.mark.parametrize(
    ("given", "rate_bp", "most"),
    [
        (reward(RewardKind.FIXED, amount=10), FULL, 10),
        (reward(RewardKind.FIXED, amount=10, factor_bp=15_000), FULL, 15),
        (reward(RewardKind.FIXED, amount=10), 2_500, 2),
        (reward(RewardKind.FIXED, amount=10, rounding=Rounding.UP), 2_500, 3),
        (reward(RewardKind.PER_UNIT, amount=10), FULL, 99_990),
        (reward(RewardKind.PER_UNIT, amount=10, cap_per_unit=3), FULL, 29_997),
        (reward(RewardKind.PERCENT, basis_points=1_500), FULL, 1_500_000_000),
        (reward(RewardKind.PERCENT, basis_points=1_500, cap_per_unit=150_000), FULL, 1_499_850_000),
        (reward(RewardKind.TABLE, by="grade", table={1: 30, 2: 20}), FULL, 299_970),
        (reward(RewardKind.TABLE, by="tier", table={1: 100, 2: 200}, table_is_percent=True), FULL, 200_000_000),
        (reward(RewardKind.TABLE, by="grade", table={}), FULL, 0),
    ],
)
def test_the_most_that_a_reward_pays(given: Reward, rate_bp: int, most: int) -> None:
    assert greatest_award(given, rate_bp) == most
    assert too_large(given, rate_bp) is None


@pytest.mark.parametrize(
    "given",
    [
        reward(RewardKind.FIXED, amount=MAX_AMOUNT, factor_bp=10_001),
        reward(RewardKind.PER_UNIT, amount=MAX_AMOUNT // 9_999 + 1),
        reward(RewardKind.TABLE, by="grade", table={1: 1, 2: MAX_AMOUNT}),
    ],
    ids=["factor", "pieces", "table"],
)
def test_a_reward_that_could_exceed_every_account_is_told(given: Reward) -> None:
    """Such an award does not fit the column, and a till's basket would be set aside for what a document says."""
    told = too_large(given, FULL)

    assert told is not None
    assert str(greatest_award(given, FULL)) in told


def test_the_largest_reward_that_fits_is_not_refused() -> None:
    assert too_large(reward(RewardKind.FIXED, amount=MAX_AMOUNT), FULL) is None
    assert too_large(reward(RewardKind.PER_UNIT, amount=MAX_AMOUNT // 9_999), FULL) is None
    assert too_large(reward(RewardKind.PER_UNIT, amount=MAX_AMOUNT, cap_per_unit=100), FULL) is None


def test_no_share_of_a_price_is_too_large() -> None:
    """The largest share, 10,000 per cent, tenfold, of the largest price."""
    assert too_large(reward(RewardKind.PERCENT, basis_points=1_000_000, factor_bp=100_000), FULL) is None


def test_a_till_cannot_send_more() -> None:
    assert {bounds.QUANTITY_MAX, lines.QUANTITY_MAX, messages.QTY_MAX} == {9_999}
    assert {bounds.PRICE_FEN_MAX, lines.PRICE_FEN_MAX, messages.PRICE_FEN_MAX} == {10**10}


@pytest.mark.parametrize("name", ["budget", "ceiling"])
def test_a_cap_may_not_be_named_like_another_limit(name: str) -> None:
    doc = rules.document(caps=[rules.cap(name, "day", 100)])

    faults = unpublishable(load_policy(rules.text_of(doc)))

    assert list(faults) == ["caps.0.cap"]


@pytest.mark.parametrize(("name", "refused"), [("basket-visit", True), ("basket-other", False)])
def test_a_cap_may_not_share_the_counter_of_what_is_paid_once_a_basket(name: str, refused: bool) -> None:  # noqa: FBT001
    visit = rules.rule("visit", {"kind": "fixed", "amount": 5, "once_a_basket": True})
    doc = rules.document(visit, rules.rule("other", rules.fixed(1)), caps=[rules.cap(name, "day", 100)])

    assert list(unpublishable(load_policy(rules.text_of(doc)))) == (["caps.0.cap"] if refused else [])


def test_a_reward_that_no_account_could_hold_is_named_with_its_place() -> None:
    doc = rules.document(rules.rule("all", {"kind": "per_unit", "amount": MAX_AMOUNT}))

    assert list(unpublishable(load_policy(rules.text_of(doc)))) == ["rules.0.reward"]


def test_a_usual_policy_may_be_published() -> None:
    assert unpublishable(load_policy(rules.text_of(rules.document()))) == {}
