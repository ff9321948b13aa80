import io
import random
import zipfile
from collections.abc import Callable
from datetime import date

import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.certificates import sheets
from backend.certificates.sheets import FileRefused


def workbook(fill: Callable[[xlsxwriter.worksheet.Worksheet], object]) -> bytes:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"default_date_format": "yyyy-mm-dd"}) as book:
        fill(book.add_worksheet())
    return content.getvalue()


def repacked(content: bytes, replace: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new:
        parts = {name: old.read(name) for name in old.namelist()} | replace
        for name, part in parts.items():
            new.writestr(name, part)
    return packed.getvalue()


def read_or_refusal(content: bytes) -> tuple[str, ...] | str:
    try:
        return sheets.read(content).header
    except FileRefused as refused:
        return refused.sentence_en


TWO_ROWS = workbook(lambda sheet: [sheet.write_row(0, 0, ["产品", "型号"]), sheet.write_row(2, 0, ["冰箱", "A"])])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_csv_reads_alike_in_every_usual_encoding(encoding: str) -> None:
    sheet = sheets.read("产品,型号\r\n冰箱,A\r\n".encode(encoding))

    assert (sheet.header, sheet.rows) == (("产品", "型号"), ((2, ("冰箱", "A")),))


def test_lines_are_counted_as_an_editor_counts_them() -> None:
    sheet = sheets.read(b'h\n"one\ntwo"\n\nthree\n')

    assert sheet.rows == ((2, ("one\ntwo",)), (5, ("three",)))


def test_rows_of_a_workbook_carry_their_own_numbers_and_blank_ones_are_left_out() -> None:
    sheet = sheets.read(TWO_ROWS)

    assert (sheet.header, sheet.rows) == (("产品", "型号"), ((3, ("冰箱", "A")),))


def test_cells_become_the_text_that_people_see() -> None:
    content = workbook(lambda sheet: sheet.write_row(0, 0, [6939400204821, 2.5, 1, True, date(2026, 1, 31), "007"]))

    assert sheets.read(content).header == ("6939400204821", "2.5", "1", "TRUE", "2026-01-31", "007")


def test_a_number_that_lost_its_last_digits_does_not_pass_for_a_code() -> None:
    content = workbook(lambda sheet: sheet.write(0, 0, 123456789012345678))

    assert "E+17" in sheets.read(content).header[0]


def test_what_looks_like_a_formula_stays_text() -> None:
    content = workbook(lambda sheet: sheet.write_string(0, 0, "=HYPERLINK(1)"))

    assert sheets.read(content).header == ("=HYPERLINK(1)",)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"\n\n , \n", "empty"),
        (b"\x00\x01\x02garbage", "neither CSV"),
        ("产品,型号".encode("utf-16"), "neither CSV"),
        (b"\xff\xff\xfe\xfd\x81\x20", "neither UTF-8"),
        (b'a,b\n"open,quote\n1,2\n', "line 2"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + b"old", "old .xls"),
        (b"PK\x03\x04garbage", "damaged"),
        (TWO_ROWS[: len(TWO_ROWS) // 2], "damaged"),
        (repacked(TWO_ROWS, {"xl/vbaProject.bin": b"macro"}), "macros"),
        (repacked(TWO_ROWS, {"xl/worksheets/sheet1.xml": b"<worksheet><sheetData><row"}), "damaged"),
        (repacked(TWO_ROWS, {"xl/media/bomb.png": b"\0" * 5_000_000}), "unpacks to far more"),
        (b",".join(b"%d" % number for number in range(61)) + b"\n1,2\n", "more than 60 columns"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_by_name(content: bytes, reason: str) -> None:
    with pytest.raises(FileRefused) as refused:
        sheets.read(content)

    assert reason in refused.value.sentence_en
    assert refused.value.sentence_zh.startswith("文件无法导入：")


def test_another_archive_is_no_workbook() -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("readme.txt", "hello")

    with pytest.raises(FileRefused, match="no XLSX workbook"):
        sheets.read(content.getvalue())


@pytest.mark.parametrize("cell", ["XFD1", "A1048576", "BI2"])
def test_cells_far_apart_are_refused_before_memory_is_taken_for_the_space_between(cell: str) -> None:
    far = f'<worksheet><sheetData><row r="1"><c r="{cell}"><v>1</v></c></row></sheetData></worksheet>'

    with pytest.raises(FileRefused, match="beyond 60 columns"):
        sheets.read(repacked(TWO_ROWS, {"xl/worksheets/sheet1.xml": far.encode()}))


@pytest.mark.parametrize("prefix", ["", "x:"])
def test_one_long_text_in_many_cells_is_refused_before_it_is_copied_for_each(prefix: str) -> None:
    """A megabyte shown by two hundred cells takes two hundred, and packs to a few thousand bytes."""
    cells = "".join(
        f'<{prefix}row r="{row}"><{prefix}c r="A{row}" t="s"><{prefix}v>0</{prefix}v></{prefix}c></{prefix}row>'
        for row in range(1, 201)
    )
    name = ' xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    sheet = f"<{prefix}worksheet{name}><{prefix}sheetData>{cells}</{prefix}sheetData></{prefix}worksheet>"
    noise = random.Random(1).randbytes(30_000).hex()
    texts = f"<sst><si><t>{'x' * 1_000_000}</t></si><si><t>{noise}</t></si></sst>"

    with pytest.raises(FileRefused, match="too much text"):
        sheets.read(
            repacked(TWO_ROWS, {"xl/worksheets/sheet1.xml": sheet.encode(), "xl/sharedStrings.xml": texts.encode()})
        )


def test_xml_entities_are_refused() -> None:
    bomb = b'<!DOCTYPE w [<!ENTITY a "aaaa">]><worksheet>&a;</worksheet>'

    with pytest.raises(FileRefused, match="entities"):
        sheets.read(repacked(TWO_ROWS, {"xl/worksheets/sheet1.xml": bomb}))


def test_a_file_of_more_rows_than_allowed_is_refused() -> None:
    with pytest.raises(FileRefused, match="200,000 rows"):
        sheets.read(b"h\n" + b"1\n" * (sheets.ROWS_MAX + 1))


def test_a_file_of_more_bytes_than_allowed_is_refused() -> None:
    with pytest.raises(FileRefused, match="50 MB"):
        sheets.read(b"x" * (sheets.FILE_BYTES_MAX + 1))


@given(st.binary(max_size=300))
def test_any_bytes_are_a_table_or_refused(content: bytes) -> None:
    assert read_or_refusal(content)


@settings(max_examples=60)
@given(st.integers(0, 2**32))
def test_a_damaged_workbook_is_a_table_or_refused(seed: int) -> None:
    chance = random.Random(seed)
    with zipfile.ZipFile(io.BytesIO(TWO_ROWS)) as archive:
        name = chance.choice(archive.namelist())
        part = bytearray(archive.read(name))
    for _ in range(chance.randrange(1, 5)):
        part[chance.randrange(len(part))] = chance.randrange(256)

    assert read_or_refusal(repacked(TWO_ROWS, {name: bytes(part)}))
