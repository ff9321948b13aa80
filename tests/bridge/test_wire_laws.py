"""Laws of the wire: whatever is written is read again, and what nobody wrote is refused by name."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firmware_bridge.wire.envelope import (
    open_envelope,
    seal,
)
from firmware_bridge.wire.errors import WireError
from firmware_bridge.wire.messages import (
    Basket,
    ClosedBy,
    Read,
    decode_basket,
    decode_header,
    encode_basket,
)
from firmware_bridge.wire.strict_json import load_object

# The machine that runs the tests may be slow; the laws are not about time.
lawful = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
TEXT = st.text('a0 {}":\\,\x00\x1d\x7fé标🌱', max_size=8)
CODES = st.text(st.characters(exclude_categories=["Cs"]), max_size=680)
NUMBERS = st.integers(0, 2**53)
READS = st.builds(
    Read,
    sym=st.sampled_from(["EAN13", "QRCODE", "DATAMATRIX"]),
    code=CODES,
    src=st.just("cam0"),
    mono=NUMBERS,
    raw=st.none() | st.binary(max_size=2048),
    votes=st.integers(0, 1_000_000),
    qty=st.integers(1, 9_999),
    price_fen=st.none() | st.integers(0, 10**10),
    sn=st.none() | TEXT.filter(bool),
)
BASKETS = st.builds(
    Basket,
    seq=st.integers(1, 2**63 - 1),
    boot=st.uuids().map(str),
    opened_mono=NUMBERS,
    closed_mono=NUMBERS,
    ts=st.integers(0, 10**14),
    closed_by=st.sampled_from(ClosedBy),
    reads=st.lists(READS, min_size=1, max_size=4).map(tuple),
    void_of=st.none() | st.integers(1, 2**63 - 1),
)


@lawful
@given(BASKETS)
def test_a_basket_is_read_as_written_and_takes_one_line(basket: Basket) -> None:
    line = encode_basket(basket)

    assert decode_basket(line) == basket
    assert b"\n" not in line


@lawful
@given(st.lists(st.binary(min_size=1, max_size=40).filter(lambda line: b"\n" not in line), min_size=2, max_size=21))
def test_an_envelope_gives_back_the_exact_lines(lines: list[bytes]) -> None:
    payload = seal("t", lines[0], lines[1:], lambda _: bytes(64))

    opened = open_envelope(payload)

    assert (opened.header, *opened.lines) == tuple(lines)


@lawful
@given(st.binary(max_size=300) | st.binary(max_size=200).map(lambda tail: b"\x01" + bytes(64) + tail))
def test_random_bytes_are_refused_by_name(payload: bytes) -> None:
    with pytest.raises(WireError) as refusal:
        decode_header(open_envelope(payload).header)

    assert refusal.value.code


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@lawful
@given(st.dictionaries(st.sampled_from(["seq", "reads", "boot", "ts", "closed_by", "void_of"]), JSON))
def test_random_json_is_refused_by_name(value: dict[str, Any]) -> None:
    line = json.dumps(value, ensure_ascii=False).encode()

    with pytest.raises(WireError) as refusal:
        decode_basket(line)

    assert refusal.value.sentence_en


@lawful
@given(st.dictionaries(TEXT, JSON, min_size=1))
def test_a_key_written_twice_is_refused_wherever_it_stands(value: dict[str, Any]) -> None:
    inner = json.dumps(value, ensure_ascii=False)
    key = json.dumps(next(iter(value)), ensure_ascii=False)
    doubled = f'{{"a":[{{"b":{inner[:-1]},{key}:0}}}}]}}'.encode()

    with pytest.raises(WireError) as refusal:
        load_object(doubled)

    assert refusal.value.code == "duplicate_key"
