"""Decisions of several awards come to themselves, in the order in which they were taken; found by the law in test_sentences."""

from typing import Any

import pytest

from backend.policies.compiled import CompiledPolicy, PolicySet
from backend.policies.document import PolicyRefused, load_policy
from backend.policies.evaluate import evaluate
from backend.policies.explain import explain
from backend.policies.limit_words import limit_words
from backend.policies.limits import Limits
from backend.policies.model import Facts, Verdict
from backend.scans.explain import DecidedScan, replay
from tests.worlds import rules
from tests.worlds.scans import PERSON, SOLD_AT_MS, SOLD_ON, decided_scan

FRIDGE = Facts("gtin", "M", "P3", "冰箱", 1, None, 10_000, 1, "s1", "320102", "CNIS", "energy_label", basket="b")


def compiled(doc: dict[str, Any], number: int = 1) -> CompiledPolicy:
    return rules.compiled(doc, f"01900000-0000-7000-8000-{number:012x}")


def taken(policies: list[CompiledPolicy], limits: Limits, facts: Facts = FRIDGE) -> tuple[DecidedScan, Verdict]:
    verdict = evaluate(facts, PERSON, SOLD_ON, PolicySet(policies).in_force(SOLD_AT_MS).plan(facts), limits)
    return decided_scan(facts, verdict), verdict


def grouped(doc: dict[str, Any], mode: str, **more: object) -> dict[str, Any]:
    return {**doc, "stacking": {"group": "g", "mode": mode, **more}}


def test_what_the_best_of_a_group_leaves_out_stands_in_the_groups_order() -> None:
    full = [rules.cap("day", "day", 1, partial=False)]
    two = {**rules.document(policy="a"), "budgets": [_budget("points"), _budget("fen")], "caps": []}
    two["rules"] = [{**two["rules"][0], "rewards": [_fixed(5, "fen"), _fixed(10, "points")]}]
    del two["rules"][0]["reward"], two["budget"]
    two["caps"] = [{**full[0], "unit": "points"}]
    policies = [
        compiled(grouped(two, "best"), 1),
        compiled(grouped(rules.document(policy="b", caps=full), "best"), 2),
    ]

    scan, verdict = taken(policies, rules.limits(*policies))

    assert [(award.version[-1], award.reason) for award in verdict.more] == [("1", "cap"), ("2", "cap")]
    assert replay(scan, PolicySet(policies)) == verdict


def test_a_ceiling_that_another_policy_of_the_group_sets_holds_in_a_replay() -> None:
    ten = rules.document(rules.rule("all", rules.percent(1_000)), policy="a", unit="fen")
    five = rules.document(rules.rule("all", rules.percent(500)), policy="b", unit="fen")
    policies = [compiled(grouped(ten, "sum"), 1), compiled(grouped(five, "sum", ceiling_bp=800), 2)]

    scan, verdict = taken(policies, rules.limits(*policies))

    assert (verdict.gross, verdict.amount, verdict.limit_name) == (1_000, 800, "ceiling")
    assert replay(scan, PolicySet(policies)) == verdict


def test_a_bonus_in_money_is_held_to_the_ceiling_and_leaves_the_next_policy_the_rest() -> None:
    """The bonus once stood outside of the ceiling and was taken off it, so that the next policy paid less than nothing."""
    ten = rules.document(rules.rule("all", rules.percent(1_000)), policy="a", unit="fen")
    ten["milestones"] = [{"milestone": "first", "unit": "fen", "period": "lifetime", "steps": {"1": 300}}]
    five = rules.document(rules.rule("all", rules.percent(500)), policy="b", unit="fen")
    policies = [compiled(grouped(doc, "sum", ceiling_bp=1_100), at) for at, doc in enumerate((ten, five), 1)]

    scan, verdict = taken(policies, rules.limits(*policies))

    assert verdict.amount == 1_000
    assert [(award.rule, award.amount, award.limit_name, award.limit_left) for award in verdict.more] == [
        ("first#1", 100, "ceiling", 100),
        ("all", 0, "ceiling", 0),
    ]
    assert replay(scan, PolicySet(policies)) == verdict


def test_what_a_limit_had_left_is_what_it_had_before_the_bonus() -> None:
    """The bonus fits into what the award itself did not: it stands in front of it, and was reckoned after it."""
    doc = rules.document(caps=[rules.cap("day", "day", 5, partial=False)])
    doc["rules"] = [{**doc["rules"][0], "rewards": [_fixed(10, "points"), _fixed(1, "fen")]}]
    del doc["rules"][0]["reward"], doc["budget"]
    doc["budgets"] = [_budget("points"), _budget("fen")]
    doc["caps"][0]["unit"] = "points"
    doc["milestones"] = [{"milestone": "first", "unit": "points", "period": "lifetime", "steps": {"1": 3}}]
    policies = [compiled(doc)]

    scan, verdict = taken(policies, rules.limits(*policies))

    assert [(award.rule, award.amount, award.limit_left) for award in verdict.more] == [
        ("first#1", 3, None),
        ("ten", 0, 5),
    ]
    assert replay(scan, PolicySet(policies)) == verdict


def test_a_fact_that_only_a_bonus_is_limited_by_is_missing_for_every_award() -> None:
    doc = rules.document()
    del doc["budget"]
    doc["budgets"] = [_budget("points"), _budget("fen")]
    doc["rules"][0]["reward"]["unit"] = "points"
    doc["caps"] = [{**rules.cap("day", "day", 5), "per": "phone", "unit": "fen"}]
    doc["milestones"] = [{"milestone": "second", "unit": "fen", "period": "lifetime", "steps": {"2": 3}}]
    policies = [compiled(doc)]

    scan, verdict = taken(policies, rules.limits(*policies))

    assert (verdict.reason, verdict.missing) == ("fact_missing", "phone")
    assert replay(scan, PolicySet(policies)) == verdict


def test_an_explanation_names_the_fact_that_a_limit_lacks() -> None:
    doc = rules.document(caps=[{**rules.cap("day", "day", 5), "per": ["person", "address"]}])

    said = explain(FRIDGE, SOLD_ON, [compiled(doc)])

    assert (said.outcome, said.reason, said.gross) == ("none", "fact_missing", 0)
    assert said.nearest is not None
    assert said.nearest.zh == "政策按收货地址计算限额，但这笔销售没有提供"


def test_a_rule_pays_all_its_rewards_once_a_basket_or_none() -> None:
    doc = rules.document()
    del doc["budget"], doc["rules"][0]["reward"]
    doc["budgets"] = [_budget("points"), _budget("fen")]
    doc["rules"][0]["rewards"] = [{**_fixed(10, "points"), "once_a_basket": True}, _fixed(1, "fen")]
    doc["caps"][0]["unit"] = "points"

    with pytest.raises(PolicyRefused) as refused:
        load_policy(rules.text_of(doc))

    assert list(refused.value.faults) == ["rules.0.rewards"]


def _fixed(amount: int, unit: str) -> dict[str, Any]:
    return {**rules.fixed(amount), "unit": unit}


def _budget(unit: str) -> dict[str, Any]:
    return {"unit": unit, "amount": 10**6}


@pytest.mark.parametrize(
    ("counts", "limit", "zh"),
    [("amount", 5, "每单的累计上限 5 分"), ("awards", 3, "每单的累计上限 3 次")],
)
def test_a_documents_own_limit_of_a_basket_is_called_what_it_is(counts: str, limit: int, zh: str) -> None:
    """It was called the limit of one award a basket, whatever it counted."""
    by_basket = {**rules.cap("each", "lifetime", limit), "per": "basket", "counts": counts}
    policy = compiled(rules.document(caps=[by_basket]))

    assert limit_words(policy, "each").zh == zh
