"""Rows as an XLSX file in flat memory: every text is a text cell, whatever it begins with."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from pathlib import Path

import xlsxwriter  # type: ignore[import-untyped]  # has no annotations

from backend.kernel.periods import CHINA

ROWS_MAX = 1_000_000
"""Of one sheet; Excel ends at 1,048,576."""
_PLAIN = {"constant_memory": True, "strings_to_formulas": False, "strings_to_numbers": False, "strings_to_urls": False}
Cell = str | int | date | datetime | None


def write_sheet(path: Path, heads: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    """Numbers are numbers; moments are texts in China's time, as people read them. Further sheets begin after a million rows."""
    with xlsxwriter.Workbook(path, _PLAIN) as book:
        sheet, row_no = None, ROWS_MAX
        for row in rows:
            if row_no == ROWS_MAX:
                sheet, row_no = _sheet(book, heads), 0
            row_no += 1
            for column, cell in enumerate(row):
                _write(sheet, row_no, column, cell)
        if sheet is None:
            _sheet(book, heads)


def _sheet(book: "xlsxwriter.Workbook", heads: Sequence[str]) -> "xlsxwriter.worksheet.Worksheet":
    sheet = book.add_worksheet()
    for column, head in enumerate(heads):
        sheet.write_string(0, column, head)
    return sheet


def _write(sheet: "xlsxwriter.worksheet.Worksheet", row: int, column: int, cell: Cell) -> None:
    if isinstance(cell, int):
        sheet.write_number(row, column, cell)
    elif cell is not None:
        sheet.write_string(row, column, _text(cell))


def _text(cell: str | date | datetime) -> str:
    if isinstance(cell, datetime):
        return cell.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")
    return cell if isinstance(cell, str) else cell.isoformat()
