"""The verdict of the show: any read that is missing, extra or decided otherwise is told."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from backend.demo.city import CITY, POLICY, all_goods, picture_sales
from backend.demo.decided import Decided, certificate_words, decided_since, label_words, reason_words
from backend.demo.show import differences, goods_of, label_key, spent_labels
from backend.policies.document import load_policy
from backend.storage.transaction import Database

NOW = datetime(2026, 11, 22, tzinfo=UTC)
POLICIES = [load_policy(POLICY.read_text(encoding="utf-8"))]
FOUND = Decided(
    device="nj-market-01",
    basket="b",
    seq=1,
    line=0,
    recorded_at=NOW,
    label="9521234000013",
    key="gtin:09521234000013",
    certificate="202401-02-99000001-990000000001",
    scheme_zh="能源效率标识",
    category="冰箱",
    grade=1,
    tier=None,
    outcome="awarded",
    reason="awarded",
    rule="efficient-appliance",
    missing=None,
    award=500,
    limit_left=None,
    resident="r",
)
FRIDGE = next(goods for goods in all_goods(1) if goods.code == "9521234000013")
TEA = picture_sales(1)[0].goods[0]


def _tea(outcome: str, reason: str, award: int) -> Decided:
    return replace(FOUND, outcome=outcome, reason=reason, award=award)


def test_what_is_due_is_no_difference() -> None:
    assert list(differences("till", [FRIDGE], [FOUND], frozenset())) == []


@pytest.mark.parametrize("changed", [{"award": 499}, {"reason": "awarded_in_part"}, {"outcome": "held"}])
def test_any_other_decision_is_told(changed: dict[str, object]) -> None:
    told = list(differences("till", [FRIDGE], [replace(FOUND, **changed)], frozenset()))  # type: ignore[arg-type]  # fields

    assert len(told) == 1


@pytest.mark.parametrize("found", [[], [FOUND, FOUND]])
def test_a_lost_and_a_doubled_read_are_told(found: list[Decided]) -> None:
    assert list(differences("till", [FRIDGE], found, frozenset()))


def test_a_unit_label_of_an_earlier_run_must_earn_nothing_again() -> None:
    key = label_key(TEA)
    assert key is not None
    refused, awarded = _tea("none", "unit_already_awarded", 0), _tea("awarded", "awarded", 256)

    assert not list(differences("till", [TEA], [refused], frozenset({key})))
    assert list(differences("till", [TEA], [awarded], frozenset({key})))
    assert not list(differences("till", [TEA], [awarded], frozenset()))


def test_a_refusal_names_the_nearest_missing_condition_and_what_the_product_has() -> None:
    found = replace(FOUND, outcome="none", reason="condition", missing="1", grade=4, award=0)

    zh, en = reason_words(found, POLICIES)

    assert zh == "高效节能家电要求能效（水效）等级 ≤ 2，此商品为 4"
    assert "≤ 2" in en


def test_an_award_names_its_rule() -> None:
    assert reason_words(FOUND, POLICIES) == ("已奖励：高效节能家电", "awarded: Efficient appliances")


def test_words_of_certificate_and_label() -> None:
    address = replace(FOUND, label="https://example.invalid/x", key="energy_label:7")

    assert certificate_words(FOUND) == "能源效率标识 1 级 202401-02-99000001-990000000001"
    assert certificate_words(replace(FOUND, certificate=None)) == "—"
    assert label_words(address) == "energy_label:7"
    assert label_words(FOUND) == "9521234000013"


def test_an_empty_city_has_decided_nothing_and_spent_no_label(engine_db: Database) -> None:
    assert decided_since(engine_db, CITY, NOW) == []
    assert spent_labels(engine_db, goods_of(picture_sales(1))) == frozenset()
