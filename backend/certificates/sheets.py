"""Tables in files: CSV (UTF-8 or GB18030) and XLSX, with limits, as rows of text. Nothing in them is ever executed."""

import csv
import io
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import zip_longest
from xml.parsers import expat

from python_calamine import CalamineError, CalamineWorkbook

from backend.kernel.errors import DomainError

FILE_BYTES_MAX = 50 * 1024 * 1024
ROWS_MAX = 200_000
COLUMNS_MAX = 60
ZIP_RATIO_MAX = 100
ZIP_MEMBERS_MAX = 1_000
TEXT_CHARS_MAX = 100_000_000
"""Of all cells of a sheet. A workbook keeps a text once, and the reader copies it for every cell that shows it."""
UNPACKED_BYTES_MAX = 500 * 1024 * 1024
_EXACT_FLOAT = 10**15
"""Spreadsheets keep numbers to 15 digits; a longer one has lost its end and is no code any more."""
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")


class FileRefused(DomainError):
    code = "import-file-refused"
    text_zh = "文件无法导入：{detail_zh}"
    text_en = "The file cannot be imported: {detail_en}"


@dataclass(frozen=True, slots=True)
class Sheet:
    """The header and the rows below it, each with its line in the file (counted from 1). Blank rows are left out."""

    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]


def read(content: bytes) -> Sheet:
    """The first sheet of an XLSX file, or a CSV file. Raises FileRefused naming what is wrong with the file."""
    if len(content) > FILE_BYTES_MAX:
        raise _refusal("文件超过 50 MB。", "it is larger than 50 MB.")
    if content.startswith(_OLE):
        raise _refusal(
            "旧版 .xls 或加密的工作簿，请另存为 .xlsx。", "an old .xls or encrypted workbook: save it as .xlsx."
        )
    lines = _xlsx(content) if content.startswith(b"PK") else _csv(content)
    return _sheet(lines)


def _sheet(lines: Iterator[tuple[int, Sequence[str]]]) -> Sheet:
    filled = ((line, tuple(cells)) for line, cells in lines if any(cell.strip() for cell in cells))
    header = next(filled, None)
    if header is None:
        raise _refusal("文件是空的。", "it is empty.")
    if len(header[1]) > COLUMNS_MAX:
        raise _refusal("超过 60 列。", "it has more than 60 columns.")
    rows = []
    for row in filled:
        rows.append(row)
        if len(rows) > ROWS_MAX:
            raise _refusal("超过 200,000 行，请分成几个文件。", "it has more than 200,000 rows: split it.")
    return Sheet(header=header[1], rows=tuple(rows))


def _csv(content: bytes) -> Iterator[tuple[int, Sequence[str]]]:
    reader = csv.reader(io.StringIO(_text(content), newline=""), strict=True)
    line = 1
    try:
        for cells in reader:
            yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise _refusal(
            f"第 {line} 行引号未闭合或格式错误，文件可能不完整。",
            f"line {line} has an open quote or is malformed; the file may be cut off.",
        ) from error


def _text(content: bytes) -> str:
    if b"\x00" in content or content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise _refusal("不是 CSV 或 XLSX 文件（文字须为 UTF-8 或 GB18030）。", "neither CSV (UTF-8, GB18030) nor XLSX.")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding).removeprefix("\ufeff")
        except UnicodeDecodeError:
            continue
    raise _refusal("文字编码既不是 UTF-8 也不是 GB18030。", "its text is neither UTF-8 nor GB18030.")


def _xlsx(content: bytes) -> Iterator[tuple[int, Sequence[str]]]:
    _check_archive(content)
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(content))
        sheet = workbook.get_sheet_by_index(0)
        rows = sheet.to_python(skip_empty_area=False)
    except (CalamineError, IndexError) as error:
        raise _broken_workbook() from error
    for line, cells in enumerate(rows, start=1):
        yield line, [_cell_text(cell) for cell in cells]


def _cell_text(cell: object) -> str:
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        if abs(cell) >= _EXACT_FLOAT:
            return f"{cell:E}"
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(" ")
    return cell.isoformat() if isinstance(cell, date) else str(cell)


def _check_archive(content: bytes) -> None:
    """Refuses macros, bombs and sheets whose cells lie far apart: the reader allocates the whole rectangle."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            _check_members(members, len(content))
            texts = _texts(archive, members)
            for member in members:
                if member.filename.lower().endswith(".xml"):
                    _check_extent(archive, member, texts)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, LookupError, ValueError) as error:
        raise _broken_workbook() from error
    except expat.ExpatError as error:
        raise _broken_workbook() from error


def _check_members(members: Sequence[zipfile.ZipInfo], size_bytes: int) -> None:
    names = {member.filename.lower() for member in members}
    if any(name.endswith("vbaproject.bin") for name in names):
        raise _refusal("工作簿含有宏，请另存为不含宏的 .xlsx。", "the workbook has macros: save it as a plain .xlsx.")
    if "xl/workbook.xml" not in names:
        raise _refusal("压缩包不是 XLSX 工作簿。", "the archive is no XLSX workbook.")
    unpacked = sum(member.file_size for member in members)
    most = min(ZIP_RATIO_MAX * size_bytes, UNPACKED_BYTES_MAX)
    if unpacked > most or len(members) > ZIP_MEMBERS_MAX:
        raise _refusal("压缩比异常，拒绝解压。", "it unpacks to far more than its size.")


def _texts(archive: zipfile.ZipFile, members: Sequence[zipfile.ZipInfo]) -> list[int]:
    """How long each text is that cells show by its number; the longest, where an archive holds the part twice."""
    parts = [_lengths(archive, one) for one in members if one.filename.lower() == "xl/sharedstrings.xml"]
    return [max(lengths) for lengths in zip_longest(*parts, fillvalue=0)]


def _lengths(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> list[int]:
    found: list[int] = []

    def begin(name: str, _: dict[str, str]) -> None:
        if _local(name) == "si":
            found.append(0)

    def characters(text: str) -> None:
        if found:
            found[-1] += len(text)

    _parse(archive, member, begin, characters)
    return found


def _check_extent(archive: zipfile.ZipFile, member: zipfile.ZipInfo, texts: Sequence[int]) -> None:
    shared = 0

    def begin(name: str, attributes: dict[str, str]) -> None:
        nonlocal shared
        if name == "c" or name.endswith(":c"):
            reference = attributes.get("r", "")
            letters = reference.rstrip("0123456789")
            if _column(letters) > COLUMNS_MAX or int(reference[len(letters) :] or 0) > ROWS_MAX + 1:
                raise _refusal("表格超出 60 列或 200,001 行的范围。", "cells lie beyond 60 columns or 200,001 rows.")
            shared += attributes.get("t") == "s"

    _parse(archive, member, begin)
    # Hardly a sheet needs to be read once more.
    if shared * max(texts, default=0) > TEXT_CHARS_MAX and _chars(archive, member, texts) > TEXT_CHARS_MAX:
        raise _refusal("单元格文字过多，拒绝读取。", "its cells hold too much text.")


def _chars(archive: zipfile.ZipFile, member: zipfile.ZipInfo, texts: Sequence[int]) -> int:
    """Of all cells that show a text by its number."""
    total, is_shared = 0, False
    value: list[str] | None = None

    def begin(name: str, attributes: dict[str, str]) -> None:
        nonlocal is_shared, value
        if _local(name) == "c":
            is_shared = attributes.get("t") == "s"
        value = [] if is_shared and _local(name) == "v" else None

    def characters(text: str) -> None:
        if value is not None:
            value.append(text)

    def end(_: str) -> None:
        nonlocal total, value
        if value:
            number = int("".join(value))
            total += texts[number] if number < len(texts) else 0
        value = None

    _parse(archive, member, begin, characters, end)
    return total


def _parse(
    archive: zipfile.ZipFile,
    member: zipfile.ZipInfo,
    begin: Callable[[str, dict[str, str]], None],
    characters: Callable[[str], None] | None = None,
    end: Callable[[str], None] | None = None,
) -> None:
    def entity(*_: object) -> None:
        raise _refusal("工作簿定义了 XML 实体，拒绝读取。", "the workbook defines XML entities.")

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = begin
    parser.EndElementHandler = end
    parser.CharacterDataHandler = characters
    parser.EntityDeclHandler = entity
    with archive.open(member) as part:
        parser.ParseFile(part)


def _local(name: str) -> str:
    """Without the prefix of its namespace."""
    return name.rpartition(":")[2]


def _column(letters: str) -> int:
    number = 0
    for letter in letters.upper()[:4]:
        number = number * 26 + ord(letter) - 64
    return number


def _broken_workbook() -> FileRefused:
    return _refusal("XLSX 文件已损坏或不完整。", "the XLSX file is damaged or cut off.")


def _refusal(detail_zh: str, detail_en: str) -> FileRefused:
    return FileRefused(detail_zh=detail_zh, detail_en=detail_en)
