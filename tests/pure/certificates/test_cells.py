from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.certificates import cells
from backend.certificates.cells import CellRefused
from backend.certificates.model import CertificateState
from backend.certificates.timeline import FOREVER_DAY, day_number

LAST_OF_JANUARY = day_number(date(2026, 1, 31))


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-31",
        "2026-1-31",
        "2026/1/31",
        "2026.01.31",
        "2026年1月31日",
        "20260131",
        "２０２６－０１－３１",
        "2026-01-31 00:00:00",
    ],
)
def test_one_day_in_every_usual_spelling(text: str) -> None:
    assert cells.day(text) == LAST_OF_JANUARY


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("31.01.2026", "date_format"),
        ("2026-02-30", "date_impossible"),
        ("1949-10-01", "date_range"),
        ("2101-01-01", "date_range"),
        ("46053", "date_format"),
    ],
)
def test_what_is_no_day_is_refused_by_name(text: str, code: str) -> None:
    with pytest.raises(CellRefused) as refused:
        cells.day(text)

    assert refused.value.code == code


@given(st.text(max_size=30))
def test_any_text_is_a_day_or_refused(text: str) -> None:
    try:
        number = cells.day(text)
    except CellRefused as refused:
        number, code = None, refused.code
    else:
        code = None

    assert (code or "").startswith("date_") if number is None else number <= day_number(date(2100, 12, 31))


def test_the_last_day_of_a_document_is_included() -> None:
    assert cells.last_day("2026-01-31") == LAST_OF_JANUARY + 1
    assert cells.last_day("长期") == FOREVER_DAY


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("有效", CertificateState.VALID),
        ("Valid", CertificateState.VALID),
        ("暂停", CertificateState.SUSPENDED),
        ("撤销", CertificateState.WITHDRAWN),
        ("注销", CertificateState.CANCELLED),
        ("过期失效", CertificateState.EXPIRED),
    ],
)
def test_states_are_known_in_both_languages(text: str, state: CertificateState) -> None:
    assert cells.state(text) is state


@pytest.mark.parametrize(("text", "grade"), [("1", 1), ("2级", 2), ("三级", 3), ("Ⅱ级", 2), ("５", 5)])
def test_a_grade_is_read_however_it_is_written(text: str, grade: int) -> None:
    assert cells.grade(text) == grade


@pytest.mark.parametrize("text", ["0", "6", "A", "1.5", "一二"])
def test_a_grade_outside_one_to_five_is_refused(text: str) -> None:
    with pytest.raises(CellRefused, match="grade_unknown"):
        cells.grade(text)


@pytest.mark.parametrize(("text", "tier"), [("3", 3), ("二星级", 2), ("1星", 1), ("★★", 2)])
def test_a_tier_is_read_however_it_is_written(text: str, tier: int) -> None:
    assert cells.tier(text) == tier


def test_a_code_that_a_spreadsheet_shortened_is_refused() -> None:
    with pytest.raises(CellRefused, match="scientific_notation"):
        cells.not_scientific("6.9394E+12")


def test_blanks_are_folded_and_invisible_characters_dropped() -> None:
    assert cells.cleaned(" 家用\u3000电\u200b冰箱\n一级 ") == "家用 电冰箱 一级"


@pytest.mark.parametrize("text", ["a\x00b", "a\x1b[31m", "safe\u202egnp", "\x07"])
def test_control_and_direction_characters_are_refused(text: str) -> None:
    with pytest.raises(CellRefused, match="control_characters"):
        cells.cleaned(text)


def test_a_cell_has_at_most_a_thousand_characters() -> None:
    assert cells.cleaned("字" * 1000) == "字" * 1000
    with pytest.raises(CellRefused, match="cell_too_long"):
        cells.cleaned("字" * 1001)


@given(st.text(max_size=50))
def test_a_cleaned_text_stays_as_it_is(text: str) -> None:
    try:
        once = cells.cleaned(text)
    except CellRefused:
        return
    assert cells.cleaned(once) == once
