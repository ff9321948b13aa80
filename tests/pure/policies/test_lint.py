"""What the linter says of documents that load: one law a test, each in a document that is sound but for one place."""

import json
from typing import Any

import pytest

from backend.policies.lint import lint, lint_text
from backend.policies.lint_finding import Severity
from tests.pure.policies.lint_documents import SCHEMES, SOUND, Doc, changed, found, policy, rule, where

FIXED = {"kind": "fixed", "amount": 2}
FEN = {"budget__unit": "fen", "expiry": None}


def test_a_sound_document_has_no_finding() -> None:
    assert lint(policy(SOUND), [], SCHEMES, {"茶叶"}) == []


@pytest.mark.parametrize(
    ("changes", "code", "place"),
    [
        # Caps that bound nobody.
        ({"caps__0__per": "store"}, "no_person_cap", "caps"),
        ({"caps__0__per": ["person", "store"]}, "no_person_cap", "caps"),
        (
            {"caps__0": {"cap": "life", "per": "person", "period": "lifetime", "limit": 5_000_000}},
            "no_person_cap",
            "caps",
        ),
        ({"caps__0__schemes": ["energy_label"]}, "no_person_cap", "rules.0.reward"),
        ({"caps__0__counts": "pieces"}, "no_person_cap", "rules.0.reward"),
        # Dates.
        ({"until": "2047-01-01T00:00:00+08:00"}, "end_too_far", "until"),
        ({"expiry": {"on": "2027-06-30"}}, "expires_before_end", "expiry.on"),
        # Rules that cannot fire or cannot pay.
        ({"rules": [rule("a", where("grade", "<=", 2), where("grade", ">", 2))]}, "contradiction", "rules.0.when.1"),
        ({"rules": [rule("a", where("quantity", "<", 1))]}, "contradiction", "rules.0.when.0"),
        (
            {"rules": [rule("a", where("certificate_scheme", "=", "gap"))], "scope": {"schemes": ["organic"]}},
            "outside_scope",
            "rules.0.when",
        ),
        (
            {"rules": [rule("a", where("grade", "<=", 2)), rule("b", where("grade", "in", [1, 2]))]},
            "unreachable",
            "rules.1",
        ),
        (
            {"rules": [rule("a", where("proof", "=", "P2"))]},
            "never_pays",
            "rules.0.rates",
        ),
        (
            {
                "rules": [
                    rule("a", where("grade", "=", 3), reward={"kind": "table", "by": "grade", "amounts": {"1": 5}})
                ]
            },
            "never_pays",
            "rules.0.reward",
        ),
        (
            {"rules": [rule("a", reward={"kind": "fixed", "amount": 500})], "caps__0__partial": False},
            "award_above_cap",
            "rules.0.reward",
        ),
        # More than the goods cost.
        (
            {"rules__0__reward": {"kind": "percent", "basis_points": 4_000, "factor": 50_000}},
            "rate_above_price",
            "rules.0.reward",
        ),
        (
            {
                "budget__unit": "fen",
                "rules": [rule("a", where("price_fen", "<", 1_000), reward={"kind": "fixed", "amount": 1_000})],
            },
            "reward_above_price",
            "rules.0.reward",
        ),
        (
            {"rules__0__reward": {"kind": "per_unit", "amount": 10**15}},
            "unpublishable",
            "rules.0.reward",
        ),
        (
            {
                "budget__unit": "fen",
                "rules": [
                    rule("a", where("unit_price_fen", "<=", 99), reward={"kind": "per_unit", "amount": 100}),
                ],
            },
            "reward_above_price",
            "rules.0.reward",
        ),
        # Evidence.
        ({"rules__0__rates": {"S": {"P3": 2_001}}}, "points_without_evidence", "rules.0.rates.S"),
        (
            {"rules__0__reward": FIXED, "rules__0__rates": {"M": {"P0": 10_000}}, "caps__0__period": "lifetime"},
            "points_without_evidence",
            "rules.0.reward",
        ),
        (
            {"rules__0__reward": {"kind": "fixed", "amount": 3}, "rules__0__rates": {"M": {"P0": 10_000}}},
            "points_without_evidence",
            "rules.0.reward",
        ),
        ({"rules__0__rates": {"M": {"P0": 10_000}}}, "points_without_evidence", "rules.0.reward"),
        # The aim.
        ({"scope": {"categories": ["茶叶", "柴油"]}}, "contrary_to_aim", "scope.categories.1"),
        (
            {"rules": [rule("a", {"any": [where("category", "in", ["冰箱", "卷烟"]), where("grade", "=", 1)]})]},
            "contrary_to_aim",
            "rules.0.when.0.0",
        ),
    ],
)
def test_a_blocker_names_its_place(changes: dict[str, Any], code: str, place: str) -> None:
    assert ("blocker", code, place) in found(changed(**changes))


@pytest.mark.parametrize(
    ("changes", "code", "place"),
    [
        ({"caps__0__limit": 5_000_001, "caps__0__period": "year"}, "cap_above_budget", "caps.0.limit"),
        ({"until": "2032-01-01T00:00:00+08:00"}, "end_far", "until"),
        ({"document__published_on": "2026-01-02"}, "published_after_start", "document.published_on"),
        ({"expiry": None}, "no_expiry", "expiry"),
        ({"returns": None}, "pending_without_returns", "returns"),
        ({"returns__days": 8}, "pending_shorter_than_returns", "pending.days"),
        ({"budget__partial": False}, "budget_leaves_rest", "budget.partial"),
        ({"budget__reclaim_on": "2027-12-30"}, "reclaimed_before_end", "budget.reclaim_on"),
        ({"budget__paces": [{"pace": "p", "amount": 5_000_001}]}, "pace_above_budget", "budget.paces.0"),
        ({"budget__paces": [{"pace": "p", "amount": 1_000}]}, "pace_leaves_budget", "budget.paces.0.amount"),
        (
            {
                "budget__paces": [
                    {"pace": "a", "amount": 10_000},
                    {"pace": "b", "amount": 1, "per": ["district"], "amounts": {"320102": 6_000, "320104": 5_000}},
                ]
            },
            "paces_disagree",
            "budget.paces.1.amounts",
        ),
        ({"scope": {"stores": ["示例超市"]}}, "named_sellers", "scope.stores"),
        ({"rules__0__when": [where("store", "in", ["s1"])]}, "named_sellers", "rules.0.when.0"),
        (
            {
                "rules": [
                    rule(
                        "a",
                        where("grade", "<=", 2),
                        reward={"kind": "table", "by": "grade", "amounts": {"1": 5, "3": 4}},
                    )
                ]
            },
            "row_unreachable",
            "rules.0.reward",
        ),
    ],
)
def test_a_warning_names_its_place_and_does_not_refuse(changes: dict[str, Any], code: str, place: str) -> None:
    said = found(changed(**changes))

    assert ("warning", code, place) in said
    if code != "cap_above_budget":  # which bounds nobody either
        assert [one for one in said if one[0] == "blocker"] == []


def test_caps_by_phone_or_address_bound_a_person_too() -> None:
    assert found(changed(caps__0__per="phone")) == []
    assert found(changed(caps__0__per=["address", "category"])) == []


def test_a_quota_of_pieces_bounds_a_person_where_each_piece_is_bounded() -> None:
    quota = {"cap": "quota", "per": ["person", "category"], "period": "lifetime", "limit": 1, "counts": "pieces"}
    reward = {"kind": "percent", "basis_points": 1_500, "cap_per_unit": 150_000}

    assert found(changed(**FEN, budget__amount=10**9, caps=[quota], rules__0__reward=reward)) == []


def test_a_ceiling_of_the_price_bounds_a_piece_too() -> None:
    quota = {"cap": "quota", "per": ["person", "category"], "period": "lifetime", "limit": 1, "counts": "pieces"}
    reward = {"kind": "percent", "basis_points": 1_500}
    cheap = where("unit_price_fen", "<=", 600_000)

    bounded = changed(**FEN, budget__amount=10**9, caps=[quota], rules__0__reward=reward, rules__0__when=[cheap])
    assert found(bounded) == []
    assert found(changed(**FEN, budget__amount=10**9, caps=[quota], rules__0__reward=reward)) == [
        ("blocker", "no_person_cap", "rules.0.reward")
    ]


def test_two_caps_bound_together_what_neither_bounds_alone() -> None:
    halves = [
        {"cap": "o", "per": "person", "period": "day", "limit": 9, "schemes": ["organic"]},
        {"cap": "e", "per": "person", "period": "day", "limit": 9, "schemes": ["energy_label"]},
    ]
    both = where("certificate_scheme", "in", ["organic", "energy_label"])

    assert found(changed(rules__0__when=[both], caps=halves)) == []
    assert found(changed(rules__0__when=[both], caps=halves[:1])) == [("blocker", "no_person_cap", "rules.0.reward")]


def test_earlier_rules_shade_a_later_one_together() -> None:
    rules = [rule("a", where("grade", "<=", 2)), rule("b", where("grade", ">=", 3)), rule("c", where("grade", "!=", 9))]

    (one,) = [one for one in lint(policy(changed(rules=rules))) if one.code == "unreachable"]

    assert one.place == "rules.2"
    assert "合起来" in one.sentence_zh


def test_a_fact_that_may_be_missing_keeps_a_later_rule_alive() -> None:
    """Grades 1-5 are all taken, yet goods without a grade still come to the second rule; every line has a quantity."""
    taken = rule("a", where("grade", ">=", 1))

    assert found(changed(rules=[taken, rule("b", where("quantity", ">=", 1))])) == []
    assert ("blocker", "unreachable", "rules.1") in found(
        changed(rules=[rule("a", where("quantity", ">=", 1)), rule("b", where("grade", ">=", 1))])
    )


def test_a_small_capped_discovery_bonus_is_no_fault() -> None:
    assert found(changed(rules__0__reward=FIXED, rules__0__rates={"M": {"P0": 10_000}, "E": {"P0": 5_000}})) == []


def test_a_category_that_is_excluded_is_not_contrary_to_the_aim() -> None:
    assert found(changed(rules__0__when=[where("category", "!=", "汽油")])) == []


@pytest.mark.parametrize(
    "name", ["92号汽油", "柴油", "煤炭", "香烟", "一次性筷子", "塑料袋", "gasoline", "Single-use cups"]
)
def test_goods_contrary_to_the_aim_are_known_by_their_names(name: str) -> None:
    assert ("blocker", "contrary_to_aim", "scope.categories.0") in found(changed(scope={"categories": [name]}))


@pytest.mark.parametrize(
    "name", ["吸油烟机", "燃气灶", "可降解塑料袋", "冰箱", "LED 灯", "charcoal-free tea", "一级能效空调"]
)
def test_goods_that_only_sound_like_them_are_not(name: str) -> None:
    assert found(changed(scope={"categories": [name]})) == []


def test_rates_above_what_a_named_scheme_proves_are_refused() -> None:
    gap = where("certificate_scheme", "=", "gap")

    rates = {"E": {"P3": 5_001}}
    assert found(changed(rules__0__when=[gap], rules__0__rates=rates), schemes=SCHEMES) == [
        ("blocker", "rate_above_ceiling", "rules.0.rates")
    ]
    percent = {"kind": "percent", "basis_points": 6_000, "factor": 20_000}
    assert ("blocker", "rate_above_ceiling", "rules.0.rates") in found(
        changed(rules__0__when=[gap], rules__0__rates={"E": {"P3": 5_000}}, rules__0__reward=percent), schemes=SCHEMES
    )


def test_a_level_that_no_named_scheme_proves_is_refused() -> None:
    models = where("certificate_scheme", "in", ["energy_label", "gap"])
    rates = {"U": {"P3": 10_000}, "M": {"P3": 10_000}, "E": {"P3": 5_000}}

    assert found(changed(rules__0__when=[models], rules__0__rates=rates), schemes=SCHEMES) == [
        ("blocker", "level_above_scheme", "rules.0.rates.U")
    ]


def test_a_label_that_only_informs_is_refused_by_name_and_warned_of_in_an_open_rule() -> None:
    named, open_ = where("certificate_scheme", "=", "carbon_footprint"), where("quantity", ">=", 1)
    rates = {"M": {"P3": 10_000}}

    assert found(changed(rules__0__when=[named], rules__0__rates=rates), schemes=SCHEMES) == [
        ("blocker", "rate_above_ceiling", "rules.0.rates")
    ]
    assert found(changed(rules__0__when=[open_], rules__0__rates=rates), schemes=SCHEMES) == [
        ("warning", "rate_above_ceiling", "rules.0.rates")
    ]


def test_names_that_the_register_does_not_have_are_warned_of() -> None:
    doc = changed(rules__0__when=[where("certificate_scheme", "=", "organics"), where("category", "=", "茶")])

    assert found(doc, schemes=SCHEMES, categories={"茶叶"}) == [
        ("warning", "unknown_scheme", "rules.0.when.0"),
        ("warning", "unknown_category", "rules.0.when.1"),
    ]


def other(**changes: Any) -> Doc:
    return changed(policy="other", title_zh="另一政策", **changes)


def test_policies_that_meet_and_name_no_group_are_paid_only_once() -> None:
    assert found(SOUND, [other()]) == [("warning", "overlap_first", "stacking")]


def test_policies_of_different_groups_pay_the_same_purchase_twice() -> None:
    mine, theirs = {"group": "a", "mode": "first"}, {"group": "b", "mode": "first"}

    assert found(changed(stacking=mine), [other(stacking=theirs)]) == [("warning", "paid_twice", "stacking")]
    assert found(changed(stacking=mine), [other(stacking=mine)]) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"budget__unit": "fen"},
        {"from": "2028-01-01T00:00:00+08:00", "until": "2029-01-01T00:00:00+08:00"},
        {"rules__0__when": [where("certificate_scheme", "=", "gap")]},
        {"scope": {"buyers": ["organisation"]}},
    ],
)
def test_policies_that_never_meet_are_left_alone(changes: dict[str, Any]) -> None:
    """Another unit, another time, other goods, other buyers."""
    assert found(SOUND, [other(**changes)]) == []


def test_an_earlier_version_of_the_same_policy_is_no_other() -> None:
    assert found(SOUND, [SOUND]) == []


def test_members_of_one_group_agree_on_mode_and_ceiling() -> None:
    group = {"group": "g", "mode": "sum", "ceiling_bp": 1_500}

    assert found(changed(stacking=group), [other(stacking={"group": "g", "mode": "best"})]) == [
        ("blocker", "stacking_disagrees", "stacking.mode")
    ]
    assert found(changed(stacking=group), [other(stacking={**group, "ceiling_bp": 1_000})]) == [
        ("blocker", "stacking_disagrees", "stacking.ceiling_bp")
    ]


CITY = other(
    stacking={"group": "g", "mode": "sum"},
    rules=[rule("grades", where("grade", "<=", 2), rates={"M": {"P3": 10_000, "P2": 5_000}})],
    budget={"unit": "points", "amount": 5_000_000, "shares": [
        {"source": "city", "name_zh": "市级", "name_en": "city", "basis_points": 10_000}]},
)  # fmt: skip


def district(**changes: Any) -> Doc:
    narrow = {
        "within": "other",
        "scope": {"districts": ["320102"]},
        "stacking": {"group": "g", "mode": "sum"},
        "rules": [rule("first", where("grade", "=", 1), rates={"M": {"P3": 10_000}})],
    }
    return changed(**{**narrow, **changes})


def test_a_district_may_narrow_the_policy_of_its_city_from_its_own_budget() -> None:
    assert found(district(), [CITY]) == []


@pytest.mark.parametrize(
    ("changes", "code", "place"),
    [
        ({"rules": [rule("a", where("grade", "<=", 3), rates={"M": {"P3": 1}})]}, "within_wider", "rules.0.when"),
        ({"rules": [rule("a", where("grade", "=", 1), rates={"U": {"P3": 1}})]}, "within_wider", "rules.0.rates.U.P3"),
        (
            {"rules": [rule("a", where("grade", "=", 1), rates={"M": {"P2": 6_000}})]},
            "within_wider",
            "rules.0.rates.M.P2",
        ),
        ({"scope": {"schemes": ["organic"]}}, "within_wider", "scope.districts"),
        ({"scope": {"districts": ["320102"], "buyers": ["organisation"]}}, "within_wider", "rules.0.when"),
        ({"from": "2025-12-31T00:00:00+08:00"}, "within_wider", "from"),
        ({"until": "2028-01-02T00:00:00+08:00"}, "within_wider", "until"),
        ({"within": "unknown"}, "within_unknown", "within"),
        (
            {"budget__shares": [{"source": "city", "name_zh": "市", "name_en": "c", "basis_points": 10_000}]},
            "within_spends_city_money",
            "budget.shares.0",
        ),
    ],
)
def test_a_district_may_neither_widen_it_nor_spend_the_citys_money(
    changes: dict[str, Any], code: str, place: str
) -> None:
    assert [one for one in found(district(**changes), [CITY]) if one[0] == "blocker"] == [("blocker", code, place)]


def test_blockers_come_first_and_every_sentence_has_both_languages() -> None:
    doc = changed(caps__0__per="store", until="2047-01-01T00:00:00+08:00", expiry=None, scope={"stores": ["s"]})

    findings = lint_text(json.dumps(doc))

    severities = [one.severity for one in findings]
    assert severities == sorted(severities)
    assert {Severity.BLOCKER, Severity.WARNING} == set(severities)
    assert [one for one in findings if not (one.sentence_zh and one.sentence_en.isascii())] == []
