"""The policies that any city must be able to write have nothing that forbids their submission."""

from pathlib import Path

import pytest

from backend.policies.lint import blockers, lint_text

FILES = sorted((Path(__file__).parent / "canonical").glob("*.json"))
ONLY_OLD_UNITS = {"p07-tokyo", "p13-trade-in-bonus"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_canonical_policy_has_no_blocker(file: Path) -> None:
    findings = lint_text(file.read_text(encoding="utf-8"))

    assert blockers(findings) == []
    assert ("bounded_by_old_units" in {one.code for one in findings}) is (file.stem in ONLY_OLD_UNITS)


def test_there_are_canonical_policies() -> None:
    assert len(FILES) >= 15
