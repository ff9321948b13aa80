"""Texts of strangers in tables of ours."""

import pytest

from backend.kernel.inert import inert


@pytest.mark.parametrize("begins", [*"=+-@\t\r\n＝＋－＠", "=cmd|' /C calc'!A0", " =1", "　=1", "\ufeff=1"])
def test_what_a_spreadsheet_could_run_is_marked_as_text(begins: str) -> None:
    assert inert(f"{begins}x") == f"'{begins}x"


def test_an_ordinary_text_stays_as_it_is() -> None:
    assert [inert(text) for text in ("苏果超市", "a=b", "", "'x")] == ["苏果超市", "a=b", "", "'x"]
