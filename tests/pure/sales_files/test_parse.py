"""Files of sales: what is written comes back, what is wrong is answered on its line, and no bytes make the parser fail."""

import csv
import io
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.certificates.sheets import FileRefused
from backend.kernel.periods import CHINA, instant, milliseconds
from backend.sales_files import model
from backend.sales_files.answers import answer_file
from backend.sales_files.headings import HEADINGS, template
from backend.sales_files.model import RowAnswer, RowState, Sale, SalesFile, SalesFileColumns, SoldLine
from backend.sales_files.parse import parse_sales
from backend.scans import line_limits as lines
from backend.scans.model import READS_MAX
from tests.worlds.city import FRIDGE, NOON

ROW = {
    "event_id": "S1",
    "store": "s1",
    "sold_at": "2026-11-22 12:00:00",
    "code": FRIDGE,
    "quantity": "1",
    "price_fen": "10000",
}


def csv_of(rows: Sequence[Mapping[str, str]], heads: Mapping[str, str] | None = None) -> str:
    """`heads`: how columns are called; by their own names where nothing is said."""
    names = list(dict.fromkeys(name for row in rows for name in row)) or list(ROW)
    text = io.StringIO()
    sheet = csv.writer(text)
    sheet.writerow([(heads or {}).get(name, name) for name in names])
    sheet.writerows([[row.get(name, "") for name in names] for row in rows])
    return text.getvalue()


def parsed(*rows: Mapping[str, str]) -> SalesFile:
    return parse_sales(csv_of([ROW | dict(row) for row in rows]).encode())


def refused(found: SalesFile) -> list[tuple[int, str]]:
    return [(one.file_line, one.code) for one in found.refused]


PLAIN = st.text("甲乙，。€é,;\"'=-#0123aZ", min_size=1, max_size=12)
VISIBLE = st.text("!\"',;=-+#~0123aZ", min_size=1, max_size=12)
SLIPS = st.text("09aZ", min_size=1, max_size=40)
LINE = st.builds(
    SoldLine,
    st.just(0),
    st.just(0),
    PLAIN,
    st.integers(1, model.QUANTITY_MAX),
    st.none() | st.integers(0, model.PRICE_FEN_MAX),
    st.none() | PLAIN,
)
SALES = st.lists(
    st.builds(
        Sale,
        VISIBLE,
        PLAIN,
        st.integers(946_684_800, 4_000_000_000).map(lambda second: second * 1000),
        st.none() | VISIBLE,
        st.none() | SLIPS,
        st.none() | PLAIN,
        st.lists(LINE, min_size=1, max_size=5).map(tuple),
    ),
    min_size=1,
    max_size=5,
    unique_by=lambda sale: sale.event,
)
ENCODINGS = {"utf-8": "utf-8", "with a mark": "utf-8-sig", "gb18030": "gb18030"}


def written(sale: Sale, number: int, line: SoldLine) -> dict[str, str]:
    return {
        "event_id": sale.event,
        "store": sale.store,
        "sold_at": iso(sale.sold_at_ms),
        "line_no": str(number),
        "code": line.code,
        "quantity": str(line.quantity),
        "price_fen": "" if line.price_fen is None else str(line.price_fen),
        "member": sale.member or "",
        "slip_no": sale.slip_no or "",
        "cashier": sale.cashier or "",
        "serial": line.serial or "",
    }


def iso(at_ms: int) -> str:
    return instant(at_ms).astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SALES, st.sampled_from(sorted(ENCODINGS)), st.sampled_from(["name", "zh", "en"]))
def test_what_is_written_comes_back_in_every_encoding_and_language(
    sales: list[Sale], encoding: str, language: str
) -> None:
    rows = [written(sale, number, line) for sale in sales for number, line in enumerate(sale.lines, 1)]
    heads = {} if language == "name" else {name: getattr(one, language) for name, one in HEADINGS.items()}

    found = parse_sales(csv_of(rows, heads).encode(ENCODINGS[encoding]))

    assert (found.refused, found.ignored) == ((), ())
    file_lines = iter(range(2, len(rows) + 2))
    assert list(found.sales) == [
        sale._replace(
            lines=tuple(
                line._replace(file_line=next(file_lines), line_no=number) for number, line in enumerate(sale.lines, 1)
            )
        )
        for sale in sales
    ]


@given(
    st.binary(max_size=300) | st.text(max_size=100).map(lambda text: (csv_of([ROW]) + text).encode("utf-8", "replace"))
)
def test_no_bytes_make_the_parser_fail(content: bytes) -> None:
    try:
        found = parse_sales(content)
    except (FileRefused, SalesFileColumns):
        return
    assert all(one.event.isprintable() for one in found.refused)


WRONG = {
    "event_id": [
        ("", "cell-missing"),
        ("x" * 65, "cell-too-long"),
        ("编号 1", "cell-malformed"),
        ("2.026112E+19", "code-cut-off"),
    ],
    "store": [("", "cell-missing"), ("x" * 65, "cell-too-long")],
    "sold_at": [
        ("", "cell-missing"),
        ("昨天", "time-malformed"),
        ("2026-02-30 12:00", "time-malformed"),
        ("1999-01-01 00:00", "time-malformed"),
        ("2026-11-22T12:00:00+99:00", "time-malformed"),
        ("2026-11-22", "time-malformed"),
        ("2026112212", "time-malformed"),
        ("202611221", "time-malformed"),
        ("2026122 12:00", "time-malformed"),
        ("2026-11/22 12:00", "time-malformed"),
    ],
    "code": [
        ("", "cell-missing"),
        ("9.52123E+12", "code-cut-off"),
        ("x" * 2049, "cell-too-long"),
        ("95\u202e21", "cell-malformed"),
    ],
    "quantity": [
        ("", "cell-missing"),
        ("0", "number-malformed"),
        ("1.5", "number-malformed"),
        ("10000", "number-malformed"),
    ],
    "price_fen": [("-1", "number-malformed"), ("19.90", "number-malformed"), ("١", "number-malformed")],
    "slip_no": [("小票1", "cell-malformed")],
    "member": [("a b", "cell-malformed"), ("1.234567E+15", "code-cut-off")],
    "serial": [("8.6E+14", "code-cut-off")],
}


@pytest.mark.parametrize(
    ("column", "text", "code"), [(column, *case) for column, cases in WRONG.items() for case in cases]
)
def test_a_wrong_cell_is_answered_on_its_line_and_the_other_sales_stand(column: str, text: str, code: str) -> None:
    found = parsed({column: text}, {"event_id": "S2"})

    assert refused(found) == [(2, code)]
    assert [sale.event for sale in found.sales] == ["S2"]


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22 12:00:00",
        "2026/11/22 12:00",
        "20261122120000",
        "2026-11-22T12:00:00+08:00",
        "2026-11-22T04:00:00Z",
        "20261122 12:00",
        "202611221200",
        "２０２６／１１／２２\u3000１２：００",
        "2026-11-22 12:00:00.000001",
    ],
)
def test_a_moment_is_read_in_the_ways_that_systems_write_it(text: str) -> None:
    (sale,) = parsed({"sold_at": text}).sales

    assert sale.sold_at_ms == milliseconds(NOON)


def test_what_was_typed_in_full_width_is_the_same_sale_of_the_same_piece() -> None:
    wide = {"event_id": "Ｓ１", "store": "ｓ１", "quantity": "２", "price_fen": "１００００", "serial": "ＡＢ９"}

    (sale,) = parsed({**wide, "code": "９５２１２３４００００１３"}).sales

    assert (sale.event, sale.store) == ("S1", "s1")
    assert sale.lines == (SoldLine(2, 1, "9521234000013", 2, 10_000, "AB9"),)


def test_a_sale_with_one_wrong_line_is_refused_whole() -> None:
    found = parsed({"line_no": "1"}, {"line_no": "2", "quantity": "x"}, {"event_id": "S2"}, {"line_no": "3"})

    assert refused(found) == [(2, "sale-incomplete"), (3, "number-malformed"), (5, "sale-incomplete")]
    assert "第 3 行" in found.refused[0].zh
    assert [sale.event for sale in found.sales] == ["S2"]


def test_lines_of_a_sale_agree_on_when_where_and_who() -> None:
    member = {"member": "M1"}
    assert parsed({"line_no": "1"}, {"line_no": "2", **member}).sales[0].member == "M1"
    found = parsed({"line_no": "1", **member}, {"line_no": "2", "member": "M2"}, {"line_no": "1", **member})

    assert refused(found) == [(2, "sale-incomplete"), (3, "sale-differs"), (4, "line-repeated")]


def test_a_sale_has_as_many_lines_as_a_tills() -> None:
    assert len(parsed(*[{}] * READS_MAX).sales) == 1
    assert refused(parsed(*[{}] * (READS_MAX + 1)))[-1] == (READS_MAX + 2, "sale-too-long")


def test_lines_are_taken_in_the_order_of_their_numbers() -> None:
    (sale,) = parsed({"line_no": "9", "quantity": "9"}, {"line_no": "2", "quantity": "2"}).sales

    assert [(line.line_no, line.quantity, line.file_line) for line in sale.lines] == [(2, 2, 3), (9, 9, 2)]


def test_the_mark_that_some_editors_put_before_gb18030_is_no_part_of_the_first_heading() -> None:
    assert len(parse_sales(("\ufeff" + csv_of([ROW])).encode("gb18030")).sales) == 1


@pytest.mark.parametrize("heading", ["", "event_id,store,sold_at,code", "event_id,store,sold_at,code,件数,数量"])
def test_a_file_without_its_headings_is_refused(heading: str) -> None:
    with pytest.raises((SalesFileColumns, FileRefused)):
        parse_sales(f"{heading}\n1,2,3,4,5,6\n".encode())


def test_the_template_is_a_file_that_can_be_uploaded() -> None:
    found = parse_sales(template().encode())

    assert (len(found.sales), found.refused, found.ignored) == (1, (), ())


def test_the_limits_are_those_of_a_till() -> None:
    assert (model.LINES_MAX, model.QUANTITY_MAX, model.PRICE_FEN_MAX, model.CODE_BYTES_MAX) == (
        READS_MAX,
        lines.QUANTITY_MAX,
        lines.PRICE_FEN_MAX,
        lines.CODE_BYTES_MAX,
    )
    assert (model.TEXT_MAX, model.MEMBER_CODE_MAX) == (lines.TEXT_MAX, lines.MEMBER_CODE_MAX)


def test_what_is_downloaded_holds_no_formula() -> None:
    answer = RowAnswer(2, "=1+1", None, RowState.REFUSED, "cell-missing", "@x", "+y")

    (_, line) = csv.reader(io.StringIO("".join(answer_file([answer]))))

    assert [line[1], line[5], line[6]] == ["'=1+1", "'@x", "'+y"]
