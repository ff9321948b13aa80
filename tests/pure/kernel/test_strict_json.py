"""One strict reading of JSON from outside: anything else is refused by name, and nothing raises anything else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.kernel.strict_json import DEPTH_MAX, NotStrictJson, load_object


def nested(depth: int) -> bytes:
    """An object in which lists stand in each other, `depth` brackets in all."""
    return b'{"a":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"


@pytest.mark.parametrize("spaces", [b"", b" "])
def test_a_document_may_be_as_deep_as_the_limit(spaces: bytes) -> None:
    assert load_object(nested(DEPTH_MAX) + spaces)


@pytest.mark.parametrize("depth", [DEPTH_MAX + 1, 250, 254, 255, 1_000, 1_024, 1_025, 100_000])
@pytest.mark.parametrize("spaces", [b"", b" "])
def test_a_deeper_document_is_refused_by_name(depth: int, spaces: bytes) -> None:
    for deep in (nested(depth) + spaces, b'{"a":' * depth + b"1" + b"}" * depth + spaces):
        with pytest.raises(NotStrictJson):
            load_object(deep)


def test_many_brackets_are_not_depth() -> None:
    assert load_object(b'{"reads":[' + b",".join([b'{"a":[1]}'] * 50) + b"]}")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"null",
        b'{"a":1,"a":2}',
        b'{"a":{"b":1,"b":1}}',
        b'{"a":NaN}',
        b'{"a":1e999}',
        b'{"a":' + b"9" * 5_000 + b"}",
        b'{"a":"\\ud800"}',
        b'{"a":1}{}',
        b'\xef\xbb\xbf{"a":1}',
        '{"a":1}'.encode("utf-16"),
        b'{"a":"\xff"}',
    ],
)
def test_what_two_readers_could_read_differently_is_refused(raw: bytes) -> None:
    with pytest.raises(NotStrictJson):
        load_object(raw)


@given(st.binary(max_size=300) | st.text(alphabet='{}[]":,01e-\\ud8N ', max_size=200).map(str.encode))
def test_any_bytes_give_an_object_or_that_refusal(raw: bytes) -> None:
    try:
        assert isinstance(load_object(raw), dict)
    except NotStrictJson:
        return
