"""The short way to read a till's line says what reading it field by field says, or nothing."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.scans.lines import stated_by
from backend.scans.plain_line import plain_line
from firmware_bridge.wire import messages
from firmware_bridge.wire.messages import Basket, ClosedBy, Read
from tests.contracts import golden

texts = st.text(max_size=70)
values = (
    st.none() | st.booleans() | st.integers(-2, 2**60) | st.floats(allow_nan=False) | texts | st.just([]) | st.just({})
)
odd = st.sampled_from(
    [0, 1, -1, 2**48 - 1, 2**48, 10**10 + 1, 2**53 + 1, 1.0, "", " ", "c07", "]E0", "é", "\x1d", "x" * 65]
)
clean = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=40)

reads = st.builds(
    Read,
    sym=st.sampled_from(["EAN13", "QRCODE", "DATAMATRIX", "CODE128"]),
    code=clean | st.text("中国能效é\x1d1", min_size=1, max_size=60),
    src=st.sampled_from(["cam0", "pos", "usb:1"]),
    mono=st.integers(0, 10**9),
    aim=st.none() | st.sampled_from(["]E0", "]Q1", "]d2"]),
    votes=st.integers(0, 60),
    qty=st.integers(1, 9_999),
    price_fen=st.none() | st.integers(0, 10**10),
    sn=st.none() | clean,
)


@st.composite
def baskets(draw: st.DrawFn) -> Basket:
    opened = draw(st.integers(0, 10**9))
    return Basket(
        seq=draw(st.integers(1, 2**48 - 1)),
        boot="b1",
        opened_mono=opened,
        closed_mono=opened + draw(st.integers(0, 10**6)),
        ts=draw(st.integers(0, 10**14)),
        closed_by=draw(st.sampled_from(list(ClosedBy))),
        reads=tuple(draw(st.lists(reads, min_size=1, max_size=4))),
        member=draw(st.none() | st.just("GPM1." + "A" * 123)),
        claim_sha256=draw(st.none() | st.just("ab" * 32)),
        cashier=draw(st.none() | st.just("c07")),
        part_of=draw(st.none() | st.integers(1, 2**48 - 1)),
        slip_no=draw(st.none() | st.just("S01-20261127/0042")),
    )


@given(baskets())
def test_what_a_till_writes_is_read_in_one_go_and_says_the_same(basket: Basket) -> None:
    line = messages.encode_basket(basket)

    said = plain_line(line)

    assert said == stated_by(line)


@given(st.data())
def test_whatever_is_changed_in_a_line_the_short_way_says_the_same_or_nothing(data: st.DataObject) -> None:
    doc: dict[str, Any] = orjson.loads(messages.encode_basket(data.draw(baskets())))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.sampled_from([doc, *(read for read in doc["reads"] if type(read) is dict)]))
        field = data.draw(st.sampled_from([*place, "raw", "evidence", "promised", "void_of", "slip_no", "later"]))
        if field != "reads" or data.draw(st.booleans()):
            place[field] = data.draw(values | odd)
        if type(doc["reads"]) is not list:
            break
    line = data.draw(st.sampled_from([orjson.dumps, _spaced, _sorted]))(doc)

    said = plain_line(line)

    assert said is None or said == stated_by(line)


@given(baskets(), st.data())
def test_whatever_bytes_are_changed_the_short_way_says_the_same_or_nothing(basket: Basket, data: st.DataObject) -> None:
    line = bytearray(messages.encode_basket(basket))
    at = data.draw(st.integers(0, len(line) - 1))
    line[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))

    said = plain_line(bytes(line))

    assert said is None or said == stated_by(bytes(line))


@pytest.mark.parametrize("name", ["basket-slip.json"])
def test_a_golden_basket_is_plain(name: str) -> None:
    assert plain_line((golden.FOLDER / name).read_bytes()) is not None


@pytest.mark.parametrize(
    "change",
    [
        (b'"seq":7', b'"seq":7,"seq":7'),
        (b'"seq":7', b'"seq":7.0'),
        (b'"seq":7', b'"seq":07'),
        (b'"votes":1', b'"votes":true'),
        (b'"src":"cam0"', b'"src":"cam0","src":"cam0"'),
    ],
    ids=["a key twice", "a fraction", "a leading zero", "a truth value", "a key of a read twice"],
)
def test_what_two_readers_could_read_differently_is_not_plain(change: tuple[bytes, bytes]) -> None:
    read = Read(sym="EAN13", code="6901234567892", src="cam0", mono=1)
    basket = Basket(
        seq=7, boot="b1", opened_mono=0, closed_mono=0, ts=0, closed_by=ClosedBy.FINISH, reads=(read,)
    )  # fmt: skip
    line = messages.encode_basket(basket)
    assert change[0] in line
    assert plain_line(line) is not None

    assert plain_line(line.replace(*change)) is None


def _spaced(doc: dict[str, Any]) -> bytes:
    return orjson.dumps(doc, option=orjson.OPT_INDENT_2)


def _sorted(doc: dict[str, Any]) -> bytes:
    return orjson.dumps(doc, option=orjson.OPT_SORT_KEYS)
