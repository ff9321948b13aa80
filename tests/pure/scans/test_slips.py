"""The number of a sales slip: the till's and the server's rule are one, however people type it; a person's number is none."""

import json

import pytest

from backend.labels.parse import parse
from backend.scans import slips
from backend.scans.lines import MalformedBasket, Origin, read_line
from backend.scans.redact import redact
from backend.scans.sale_time import Clock
from firmware_bridge.wire import messages
from tests.contracts import golden, golden_parties

LINE = (golden.FOLDER / "basket-slip.json").read_bytes()
CLOCK = Clock("ntp", 0, golden_parties.BOOT, 88_140_000)
ORIGIN = Origin(
    "320100", golden_parties.DEVICE, golden_parties.STREAM, "s1", "320102", "till", CLOCK, golden_parties.SOLD_MS
)


def said(slip_no: object) -> bytes:
    return json.dumps({**json.loads(LINE), "slip_no": slip_no}).encode()


def test_the_backend_reads_the_golden_basket() -> None:
    assert slips.SLIP_NO.pattern == messages.SLIP_NO.pattern
    assert messages.decode_basket(LINE).slip_no == "S01-20261127/0042"
    assert read_line(LINE, ORIGIN).basket.slip_no == "S01202611270042"


@pytest.mark.parametrize("typed", ["s01-20261127/0042", "S01 20261127 0042", "Ｓ01-20261127/0042".replace("Ｓ", "s")])
def test_marks_and_spaces_are_typed_as_people_like(typed: str) -> None:
    assert slips.canonical(typed) == "S01202611270042"


@pytest.mark.parametrize("wrong", [7, "", "-1", "a b", "小票", "x" * 41, "S1\n"])
def test_what_is_no_slip_number_sets_its_basket_aside(wrong: object) -> None:
    with pytest.raises(MalformedBasket):
        read_line(said(wrong), ORIGIN)


@pytest.mark.parametrize(
    ("slip_no", "kept"),
    [
        ("13812345678", None),
        ("86-138-1234-5678", None),
        ("11010519491231002X", None),
        ("20261127130042", "20261127130042"),
    ],
)
def test_a_shops_number_for_its_customer_is_not_kept_nor_the_line_that_holds_it(slip_no: str, kept: str | None) -> None:
    basket = read_line(said(slip_no), ORIGIN).basket

    redact(basket, [parse(read.code, read.symbology) for read in basket.reads], lambda sha256: sha256)

    assert basket.slip_no == kept
    assert (basket.line is None) == (kept is None)
