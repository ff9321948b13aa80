"""What an official reads who checks a policy document."""

import re

import pytest

from backend.policies.document import PolicyRefused, load_policy

FAULTY = """{
  "policy": "Bad", "title_zh": "", "document": {"number": "x", "issuer": 1, "published_on": "2026-13-01", "url": "no"},
  "from": "2026-01-01", "until": 5, "budget": {"unit": "yuan", "amount": 0, "partial": "perhaps"},
  "rules": [{"rule": "r", "name_zh": "a", "name_en": null, "when": 1, "reward": {"kind": "percent"},
             "rates": {"M": {"P9": 1}}, "extra": 1}],
  "caps": []
}"""


def test_every_fault_is_said_at_once_with_its_place_and_in_both_languages() -> None:
    with pytest.raises(PolicyRefused) as refused:
        load_policy(FAULTY)

    faults = refused.value.faults
    said = [reason for reasons in faults.values() for reason in reasons]
    assert {
        "title_en",
        "document.issuer",
        "from",
        "budget.unit",
        "rules.0.when",
        "rules.0.extra",
        "caps",
    } <= faults.keys()
    assert [reason for reason in said if not re.search(r"[一-龥].* / .*[a-z]", reason)] == []


def test_a_document_that_is_no_json_is_refused_as_a_whole() -> None:
    with pytest.raises(PolicyRefused) as refused:
        load_policy("[")

    assert refused.value.faults == {"": ["不是有效的 JSON / not valid JSON"]}
