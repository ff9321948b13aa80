"""A queued code is a key alone: what the registry may know it under follows from it."""

import pytest
from hypothesis import given

from backend.labels.keys import registry_keys
from backend.labels.parse import parse
from tests.pure.labels.test_spellings import TEXT_LABELS

LABELS = (
    "6939400204821",
    "(01)06939400204821(21)ABC-1",
    "https://id.gs1.org/01/06939400204821/21/12345",
    "]C18003" + "06939400204821" + "CRATE7",
    "(8003)06939400204821",
    "有机码：10022012345678901",
    "100OP1200001-2",
    "100OP1200001",
    "GF320583231234",
    "LB-15-19012700330A",
    "FSC-C123456",
    "CQC20701123456",
)


@given(TEXT_LABELS)
def test_the_key_of_a_usable_label_leads_to_its_registry_keys(text: str) -> None:
    reading = parse(text)

    if reading.usable:
        assert reading.key is not None
        assert registry_keys(reading.key) == reading.registry_keys


@pytest.mark.parametrize("text", LABELS)
def test_so_does_that_of_a_piece_a_crate_and_a_part_of_a_certificate(text: str) -> None:
    reading = parse(text)

    assert reading.usable
    assert reading.key is not None
    assert registry_keys(reading.key) == reading.registry_keys
