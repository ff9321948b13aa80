"""Our table of application identifiers and prefixes against biip's, which tracks GS1's own."""

import json
import re
from importlib import resources

import pytest
from biip.gs1_prefixes import GS1Prefix
from hypothesis import given
from hypothesis import strategies as st

from backend.labels.carriers.gtin import _SPECIAL
from backend.labels.carriers.identifiers import IDENTIFIERS, fits, fixed_length, identifier_at

_FILE = resources.files("biip") / "gs1_application_identifiers" / "_application_identifiers.json"
THEIRS = {entry["ai"]: entry for entry in json.loads(_FILE.read_text())}


def test_both_tables_know_the_same_identifiers() -> None:
    assert set(IDENTIFIERS) == set(THEIRS)


def test_both_tables_agree_where_no_separator_is_needed() -> None:
    ours = {identifier for identifier in IDENTIFIERS if fixed_length(identifier) is not None}

    assert ours == {identifier for identifier, entry in THEIRS.items() if not entry["separator_required"]}


def test_no_identifier_begins_another() -> None:
    for identifier in IDENTIFIERS:
        assert identifier_at(identifier + "0000", 0) == identifier


@pytest.mark.parametrize("identifier", sorted({fields["ai"] for fields in THEIRS.values()}))
def test_a_value_fits_ours_when_it_fits_theirs(identifier: str) -> None:
    # Samples of every length and kind; `\d` of biip would take other digits, so the samples are ASCII.
    samples = ["", "A", "0/1", "-", *("9" * n for n in range(1, 40)), *("1" * n for n in range(1, 40))]
    samples += ["0" * n for n in range(1, 40)] + ["ab-Z"[: n % 4 + 1] * n for n in range(1, 30)]
    samples += ["261231", "20261231", "2612312359", "261399", "A#B/12", "0" + "1" * 13 + "xyz", "$", "123456-"]
    theirs = re.compile(THEIRS[identifier]["pattern"])

    for value in samples:
        assert fits(identifier, value) == bool(theirs.match(identifier + value)), value


@given(st.sampled_from(sorted(THEIRS)), st.text(max_size=40))
def test_no_value_with_other_than_ascii_fits(identifier: str, value: str) -> None:
    assert value.isascii() or not fits(identifier, value)


def test_prefixes_that_nobody_holds_are_those_that_biip_does_not_know() -> None:
    unheld = {f"{n:03d}" for n in range(1, 981) if not GS1Prefix.extract(f"{n:03d}1111111111")}

    reserved = {f"{n:03d}" for n in range(50, 60)}  # biip: "GS1 US reserved for future use"
    assert {prefix for prefix, kind in _SPECIAL.items() if kind == "unassigned"} == unheld | reserved
