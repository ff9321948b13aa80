"""A catalogue file: every fault at once, each at its place; what is sound says the same however it is spelled."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.redemptions.document import CatalogueRefused, load_catalogue
from tests.worlds.redeeming import USUAL, entry, text_of, voucher

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
)


def faults(content: bytes) -> list[str]:
    with pytest.raises(CatalogueRefused) as refused:
        load_catalogue(content)
    found: dict[str, list[str]] = refused.value.facts["faults"]  # type: ignore[assignment]
    return sorted(found)


def test_the_usual_catalogue_is_sound_and_its_digests_are_its_contents() -> None:
    first, again = load_catalogue(text_of(*USUAL)), load_catalogue(json.dumps({"catalogue": USUAL}, indent=2).encode())

    assert first == again
    assert len({one.sha256 for one in first}) == len(USUAL)
    (other,) = load_catalogue(text_of(entry("point", points=2)))
    assert other.sha256 not in {one.sha256 for one in first}


@pytest.mark.parametrize(
    ("changes", "places"),
    [
        ({"points": 0}, ["points"]),
        ({"points": "5"}, ["points"]),
        ({"points": 1.5}, ["points"]),
        ({"title_zh": ""}, ["title_zh"]),
        ({"text_en": "a\u0000b"}, ["text_en"]),
        ({"entry": "No Name"}, ["entry"]),
        ({"kind": "cash"}, ["kind"]),
        ({"stock": -1}, ["stock"]),
        ({"limit": {"pieces": 1, "period": "week"}}, ["limit.period"]),
        ({"until": "2026-01-01T00:00:00+08:00"}, ["until"]),
        ({"from": "2026-01-01T00:00:00"}, ["from"]),
        ({"from": "0001-01-01T00:00:00+08:00"}, ["from"]),
        ({"at_till": True}, ["stores"]),
        ({"stores": ["s1"]}, ["stores"]),
        ({"voucher_days": 3, "points_back": True}, ["points_back", "voucher_days"]),
        ({"recipient": "fund"}, ["recipient"]),
        ({"price_fen": 5, "points": 0}, ["points", "price_fen"]),
    ],
)
def test_each_fault_has_its_place(changes: dict[str, Any], places: list[str]) -> None:
    assert faults(text_of(entry("sound"), entry("wrong", **changes))) == [f"catalogue.1.{name}" for name in places]


def test_a_voucher_is_one_at_a_time_and_used_somewhere() -> None:
    assert faults(text_of(voucher("tea", pieces_max=2, stores=[]))) == ["catalogue.0.pieces_max", "catalogue.0.stores"]
    assert faults(text_of(voucher("tea", at_till=True))) == ["catalogue.0.at_till"]


def test_what_stands_twice_or_is_no_document_is_refused() -> None:
    assert faults(text_of(entry("one"), entry("one"))) == ["one"]
    assert faults(b"[]") == faults(b"\xff") == faults(b" " * 2_000_000) == [""]
    assert faults(b'{"catalogue": [], "catalogue": []}') == [""]
    assert faults(b'{"catalogue": []}') == ["catalogue"]


@given(st.sampled_from(sorted(voucher("x"))), VALUES)
def test_any_value_is_taken_or_refused(name: str, value: Any) -> None:
    try:
        (written,) = load_catalogue(json.dumps({"catalogue": [voucher("x") | {name: value}]}).encode())
    except CatalogueRefused:
        return
    assert len(written.sha256) == 32
