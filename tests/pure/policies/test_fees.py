"""Fees of shops in documents, before anything is decided: what is refused, what is warned of, what a preview counts."""

from datetime import date
from typing import Any

import pytest

from backend.policies.document import PolicyRefused, load_policy
from backend.policies.lint import lint
from backend.policies.model import Facts
from backend.policies.preview import Sold, Version
from backend.policies.preview_parts import Compared, totals_of
from tests.worlds import rules

SHOP_CAP = {"cap": "shop", "per": "store", "period": "day", "limit": 100, "unit": "fee"}


def document(*rewards: rules.Doc, caps: tuple[rules.Doc, ...] = (SHOP_CAP,), **more: Any) -> rules.Doc:
    rule = rules.rule("bottle", {})
    del rule["reward"]
    rule["rewards"] = list(rewards) or [deposit(15), fee(2)]
    doc = rules.document(rule, caps=[{**rules.cap("day", "day", 60), "unit": "fen"}, *caps]) | more
    del doc["budget"]
    return {**doc, "budgets": [{"unit": "fen", "amount": 10_000}, {"unit": "fee", "amount": 20}]}


def deposit(amount: int) -> rules.Doc:
    return {"kind": "per_unit", "unit": "fen", "amount": amount}


def fee(amount: int) -> rules.Doc:
    return {"kind": "per_unit", "unit": "fee", "amount": amount}


@pytest.mark.parametrize(
    ("doc", "place"),
    [
        (document(fee(2)), "rules.0"),
        (
            document(milestones=[{"milestone": "m", "unit": "fee", "period": "year", "steps": {"3": 5}}]),
            "milestones.0.unit",
        ),
    ],
)
def test_a_fee_goes_with_what_the_buyer_gets(doc: rules.Doc, place: str) -> None:
    with pytest.raises(PolicyRefused) as refused:
        load_policy(rules.text_of(doc))

    assert list(refused.value.faults) == [place]


@pytest.mark.parametrize(
    ("doc", "warned"),
    [
        (document(), set()),
        (document(caps=()), {("fee_without_shop_cap", "caps")}),
        (document(fee(16), deposit(15)), {("fee_above_award", "rules.0.rewards.1")}),
        (document({"kind": "percent", "unit": "fen", "basis_points": 100}, fee(16)), set()),
    ],
)
def test_fees_that_no_shop_cap_bounds_or_that_outdo_the_award_are_warned_of(
    doc: rules.Doc, warned: set[tuple[str, str]]
) -> None:
    found = lint(load_policy(rules.text_of(doc)))

    assert {(one.code, one.place) for one in found if one.code.startswith("fee_")} == warned
    assert not [one for one in found if one.code == "no_person_cap" and "fee" in one.en]


def test_a_preview_counts_fees_as_cost_and_nobodys_gain() -> None:
    """Fifteen fen and two a bottle; the budget of fees ends within the eleventh."""
    policy = load_policy(rules.text_of(document()))
    draft = (Version("draft", policy, 0, 2**53),)
    facts = Facts("gtin", "M", "P3", None, None, None, 100, 1, "s1", None, None, "energy_label", model="m")
    sales = [Sold((n, "", "", n, 0), f"p{n}", date(2026, 3, 1), facts) for n in range(12)]

    said = totals_of(Compared((), draft, policy), lambda _part, _parts: [sales], parts=1).result(policy, {}, seed=1)

    assert said["cost"] == {"fen": [0, 180], "fee": [0, 20]}
    assert said["winners"] == {"fen": 12}
    assert said["flips"] == {"gained": 12, "lost": 0}
