"""The verdict of the show: any read that is missing, extra or decided otherwise is told."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from backend.demo.city import CITY, all_goods, picture_sales
from backend.demo.decided import Decided, certificate_words, decided_since
from backend.demo.show import differences, goods_of, label_key, spent_labels
from backend.policies.words import Sentence
from backend.scans.decide import Decision
from backend.storage.transaction import Database

NOW = datetime(2026, 11, 22, tzinfo=UTC)
DECISION = Decision(**dict.fromkeys(Decision._fields))._replace(  # type: ignore[arg-type]  # filled below
    basket="b",
    line_no=0,
    label_key="gtin:09521234000013",
    code_text="9521234000013",
    certificate="202401-02-99000001-990000000001",
    certificate_scheme="energy_label",
    grade=1,
    outcome="awarded",
    reason="awarded",
    award=500,
)
FOUND = Decided("nj-market-01", 1, NOW, left_over=False, decision=DECISION, certificate_words="", why=Sentence("", ""))
FRIDGE = next(goods for goods in all_goods(1) if goods.code == "9521234000013")
TEA = picture_sales(1)[0].goods[0]


def _decided(**changed: object) -> Decided:
    return replace(FOUND, decision=DECISION._replace(**changed))


def _tea(outcome: str, reason: str, award: int) -> Decided:
    return _decided(outcome=outcome, reason=reason, award=award)


def test_what_is_due_is_no_difference() -> None:
    assert list(differences("till", [FRIDGE], [FOUND], frozenset())) == []


@pytest.mark.parametrize("changed", [{"award": 499}, {"reason": "awarded_in_part"}, {"outcome": "held"}])
def test_any_other_decision_is_told(changed: dict[str, object]) -> None:
    told = list(differences("till", [FRIDGE], [_decided(**changed)], frozenset()))

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


def test_words_of_certificate_and_label() -> None:
    schemes = {"energy_label": Sentence("能源效率标识", "China Energy Label")}
    address = _decided(code_text="https://example.invalid/x", label_key="energy_label:7")

    assert certificate_words(DECISION, schemes) == "能源效率标识 1 级 202401-02-99000001-990000000001"
    assert certificate_words(DECISION._replace(certificate=None), schemes) == "—"
    assert address.label_words == "能效标识 7"
    assert FOUND.label_words == "9521234000013"


def test_an_empty_city_has_decided_nothing_and_spent_no_label(engine_db: Database) -> None:
    assert decided_since(engine_db, CITY, NOW) == []
    assert spent_labels(engine_db, goods_of(picture_sales(1))) == frozenset()
