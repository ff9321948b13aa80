"""A changed digit never keeps certainty."""

from hypothesis import given
from hypothesis import strategies as st
from stdnum import ean
from stdnum.cn import uscc

from backend.labels.carriers.gtin import check_digit_right
from backend.labels.model import Confidence, Scheme
from backend.labels.parse import parse
from tests.pure.labels.numbers import USCC_ALPHABET, digits, gtin13, serials, usccs


@given(gtin13(), st.integers(0, 12), st.integers(1, 9))
def test_a_changed_digit_leaves_no_product(number: str, place: int, step: int) -> None:
    changed = number[:place] + str((int(number[place]) + step) % 10) + number[place + 1 :]

    for spelled in (
        parse(changed),
        parse(changed, "EAN13", "]E0"),
        parse(f"https://id.gs1.org/01/{changed}"),
        parse("]C1010" + changed),
    ):
        assert (spelled.scheme, spelled.key, spelled.usable) == (Scheme.GTIN, None, False)
        assert "check_digit" in spelled.warnings


@given(gtin13(), serials(), st.integers(1, 9))
def test_a_unit_of_a_product_with_a_wrong_check_digit_is_no_unit(number: str, serial: str, step: int) -> None:
    changed = number[:-1] + str((int(number[-1]) + step) % 10)

    assert parse(f"https://id.gs1.org/01/{changed}/21/{serial}").key is None


@given(st.one_of(*map(digits, (8, 12, 13, 14))))
def test_the_check_digit_is_that_of_stdnum(number: str) -> None:
    assert check_digit_right(number.zfill(14).encode()) == ean.is_valid(number)
    assert (parse(number).key is not None) == ean.is_valid(number)


@given(usccs(), st.integers(0, 17), st.sampled_from(USCC_ALPHABET))
def test_a_changed_character_never_keeps_an_enterprise(number: str, place: int, character: str) -> None:
    changed = number[:place] + character + number[place + 1 :]

    reading = parse(changed)

    assert (reading.key == f"uscc:{number}") == (changed == number)
    assert changed == number or not (reading.scheme is Scheme.USCC and reading.confidence is Confidence.CERTAIN)


@given(usccs())
def test_a_code_that_stdnum_accepts_is_an_enterprise(number: str) -> None:
    # The other way does not hold: stdnum refuses first letters N and A, which rural collectives and the army have.
    if uscc.is_valid(number):
        assert parse(number).scheme is Scheme.USCC


def test_first_letters_n_and_a_are_enterprises() -> None:
    from tests.pure.labels.numbers import uscc_check

    for payload in ("N2320583MF1234567", "A1110000MC7654321"):
        number = payload + uscc_check(payload)
        assert parse(number).key == f"uscc:{number}"


@given(digits(17), st.integers(0, 17), st.integers(1, 9))
def test_a_changed_digit_leaves_no_logistic_unit(payload: str, place: int, step: int) -> None:
    from tests.pure.labels.numbers import mod_ten

    number = payload + mod_ten(payload)
    changed = number[:place] + str((int(number[place]) + step) % 10) + number[place + 1 :]

    assert parse("]C100" + number).scheme is not Scheme.UNREADABLE
    assert parse("]C100" + changed).key is None
