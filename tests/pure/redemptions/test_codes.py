"""Codes: made from a key, typed by people, known by their hash."""

import contextlib
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.kernel.crockford import DIGITS, typed, written
from backend.redemptions.codes import CodeBook, Purpose, hash_of
from backend.redemptions.model import CodeMalformed

BOOK = CodeBook(bytes(32))
ID = "01900000-0000-7000-8000-000000000001"


def test_one_redemption_has_one_code_and_every_other_another() -> None:
    code = BOOK.code(Purpose.VOUCHER, "320100", ID)

    assert code == CodeBook(bytes(32)).code(Purpose.VOUCHER, "320100", ID)
    others = (
        CodeBook(bytes([1]) * 32).code(Purpose.VOUCHER, "320100", ID),
        BOOK.code(Purpose.VOUCHER, "320500", ID),
        BOOK.code(Purpose.VOUCHER, "320100", ID[:-1] + "2"),
    )
    assert code not in others
    assert not code.startswith(BOOK.code(Purpose.REDEMPTION, "320100", ID))


@pytest.mark.parametrize("purpose", Purpose)
def test_a_code_is_known_however_it_is_typed(purpose: Purpose) -> None:
    code = BOOK.code(purpose, "320100", ID)

    assert BOOK.hash(purpose, "320100", ID) == hash_of(purpose, code)
    for form in (code.lower(), code.replace("-", ""), f" {code.replace('-', ' ')} ", code.replace("0", "O")):
        assert hash_of(purpose, form) == hash_of(purpose, code)


def test_a_code_of_one_purpose_opens_nothing_of_the_other() -> None:
    assert hash_of(Purpose.REDEMPTION, "0000-0000") != hash_of(Purpose.VOUCHER, "0000-0000-0000-0000")


@given(st.text(alphabet=string.printable + "ÿ中", max_size=50))
def test_what_is_no_code_is_refused_and_nothing_else_fails(text: str) -> None:
    with contextlib.suppress(CodeMalformed):
        assert len(hash_of(Purpose.REDEMPTION, text)) == 32


@given(st.binary(min_size=10, max_size=32), st.integers(1, 16))
def test_what_is_written_is_read_again(octets: bytes, length: int) -> None:
    code = written(octets, length)

    assert set(code) <= set(DIGITS)
    assert typed(code.lower(), length) == code
    assert int.from_bytes(octets) >> (8 * len(octets) - 5 * length) == sum(
        DIGITS.index(one) << 5 * place for place, one in enumerate(reversed(code))
    )
