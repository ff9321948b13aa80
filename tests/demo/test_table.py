import io

from hypothesis import given
from hypothesis import strategies as st

from backend.demo.table import Table, TableLine, _columns, fit

LINE = TableLine("12:00:00", "新街口 1 号台", "9521234000013", "能源效率标识 1 级", 500, "awarded", "已奖励", "awarded")


@given(st.text(max_size=60), st.integers(2, 40))
def test_a_cell_fills_its_columns_exactly_whatever_the_text(text: str, width: int) -> None:
    assert _columns(fit(text, width)) == width


@given(st.text(max_size=60))
def test_what_a_label_says_cannot_move_the_cursor(text: str) -> None:
    assert fit(text, 40).isprintable()


def test_a_log_gets_no_colours() -> None:
    out = io.StringIO()

    Table(out).line(LINE)

    assert "\x1b" not in out.getvalue()
    assert "+500" in out.getvalue()
