"""What no city may publish, as files: each is refused, at its place, for the right reason."""

import json
from pathlib import Path

import pytest

from backend.policies.document import PolicyRefused, load_policy
from backend.policies.lint import blockers, lint_text

FIXTURES = Path(__file__).parent / "fixtures" / "negative"
REFUSED_FOR = {
    "petrol-five-times": [("contrary_to_aim", "rules.0.when.0")],
    "photo-without-evidence": [
        ("points_without_evidence", "rules.0.rates.S"),
        ("points_without_evidence", "rules.0.rates.S.P0"),
        ("points_without_evidence", "rules.0.reward"),
    ],
    "no-budget": [("no_budget", "budget")],
    "starts-after-it-ends": [("ends_before_it_starts", "until")],
    "credit-taken-for-returns": [("negative_credit", "rules.0.reward.amount")],
    "no-document-number": [("no_document", "document.number")],
}
BY_THE_LOADER = {"no-budget", "starts-after-it-ends", "credit-taken-for-returns", "no-document-number"}


def text_of(name: str) -> str:
    return (FIXTURES / f"{name}.json").read_text(encoding="utf-8")


def test_every_file_is_judged() -> None:
    assert {file.stem for file in FIXTURES.glob("*.json")} == REFUSED_FOR.keys()


@pytest.mark.parametrize("name", sorted(REFUSED_FOR))
def test_each_is_refused_for_the_right_reason_and_for_nothing_else(name: str) -> None:
    found = blockers(lint_text(text_of(name)))

    assert [(one.code, one.place) for one in found] == REFUSED_FOR[name]
    assert all(one.sentence_zh and one.sentence_en for one in found)


@pytest.mark.parametrize("name", sorted(BY_THE_LOADER))
def test_what_has_no_meaning_does_not_even_load(name: str) -> None:
    with pytest.raises(PolicyRefused) as refused:
        load_policy(text_of(name))

    assert list(refused.value.faults) == [place for _, place in REFUSED_FOR[name]]


def test_the_refusal_of_negative_credit_says_that_credit_is_only_given() -> None:
    (found,) = lint_text(text_of("credit-taken-for-returns"))

    assert "只增不减" in found.sentence_zh
    assert "never negative" in found.sentence_en


def test_all_faults_of_a_document_are_said_at_once() -> None:
    """One that breaks four laws: dates, budget, number, and a condition of which the fact is unknown."""
    doc = json.loads(text_of("starts-after-it-ends"))
    del doc["budget"], doc["document"]["number"]
    doc["rules"][0]["when"].append({"fact": "weather", "op": "=", "value": "sunny"})

    found = {(one.code, one.place) for one in lint_text(json.dumps(doc))}

    assert found == {
        ("ends_before_it_starts", "until"),
        ("no_budget", "budget"),
        ("no_document", "document.number"),
        ("unknown_fact", "rules.0.when.1"),
    }
