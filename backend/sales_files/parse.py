"""From the bytes of a file to the sales in it. Pure; never fails for what stands in a line: such a line is answered."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, NoReturn

from backend.certificates.sheets import read
from backend.kernel.periods import CHINA, milliseconds
from backend.sales_files import headings
from backend.sales_files.headings import HEADINGS
from backend.sales_files.model import (
    CODE_BYTES_MAX,
    FILE_BYTES_MAX,
    LINES_MAX,
    MEMBER_CODE_MAX,
    PRICE_FEN_MAX,
    QUANTITY_MAX,
    ROWS_MAX,
    TEXT_MAX,
    RowAnswer,
    Sale,
    SalesFile,
    SalesFileTooLarge,
    SoldLine,
    refusal,
)

_NUMBER = re.compile(r"[0-9]{1,12}")
# Without separators every number has all its digits: 2026112212 is no moment, least of all 02:12 on the 2nd.
_TIME = re.compile(
    r"(?P<year>[0-9]{4})(?:(?P<parted>[-/])(?P<month>[0-9]{1,2})(?P=parted)(?P<day>[0-9]{1,2})|(?P<month2>[0-9]{2})(?P<day2>[0-9]{2}))"
    r"(?:[ T]|(?<=[0-9]{8}))"
    r"(?:(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:\.[0-9]{1,6})?)?|(?P<hour2>[0-9]{2})(?P<minute2>[0-9]{2})(?P<second2>[0-9]{2})?)"
    r"(?P<zone>Z|[+-][0-9]{2}:?[0-9]{2})?"
)
_PARTS = ("year", "month", "day", "hour", "minute", "second")
_EVENT = re.compile(r"[!-~]{1,64}")
_MEMBER = re.compile(rf"[!-~]{{1,{MEMBER_CODE_MAX}}}")
_SLIP = re.compile(r"[0-9A-Za-z][0-9A-Za-z./_-]{0,39}")
_CUT_OFF = re.compile(r"[0-9](?:\.[0-9]+)?[eE]\+[0-9]{1,3}")
_WIDE = {wide: wide - 0xFEE0 for first, last in ("０９", "ＡＺ", "ａｚ") for wide in range(ord(first), ord(last) + 1)}
"""Full-width digits and letters, which a Chinese input method leaves, are the half-width ones: else one piece would be two."""
_WIDE_TIME = {ord("："): ":", ord("／"): "/", ord("－"): "-", ord("\u3000"): " "}
_UNFIT = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_GROUP_SEPARATOR = "\x1d"
"""Parts the elements of a GS1 code (General Specifications, 7.8)."""
_FIRST_YEAR = 2000
_SHARED = ("store", "sold_at", "member", "slip_no", "cashier")


class _Refused(Exception):
    def __init__(self, code: str, column: str, **facts: object) -> None:
        super().__init__(code)
        self.code = code
        self.facts = {"zh": HEADINGS[column].zh, "en": HEADINGS[column].en, **facts}


class _Row(NamedTuple):
    file_line: int
    event: str
    store: str
    sold_at: int
    member: str | None
    slip_no: str | None
    cashier: str | None
    line_no: int | None
    code: str
    quantity: int
    price_fen: int | None
    serial: str | None


def parse_sales(content: bytes) -> SalesFile:
    """The sales that can be recorded, in the order of the file, and an answer for each line of any other.

    Raises FileRefused, SalesFileTooLarge, SalesFileColumns: of the file as a whole.
    """
    if len(content) > FILE_BYTES_MAX:
        raise SalesFileTooLarge(rows_max=ROWS_MAX)
    sheet = read(content)
    if len(sheet.rows) > ROWS_MAX:
        raise SalesFileTooLarge(rows_max=ROWS_MAX)
    places, ignored = headings.columns(sheet.header)
    rows: defaultdict[str, list[_Row]] = defaultdict(list)
    wrong: list[RowAnswer] = []
    for file_line, cells in sheet.rows:
        given = {name: _cell(cells[place]) if place < len(cells) else "" for name, place in places.items()}
        event = _shown(given["event_id"])
        try:
            row = _row(file_line, given)
        except _Refused as error:
            wrong.append(refusal(file_line, event, _line_no(given), error.code, **error.facts))
        else:
            rows[row.event].append(row)
    broken = {answer.event: answer.file_line for answer in reversed(wrong)}
    sales = []
    for event, some in rows.items():
        refused = list(_faults(event, some, broken.get(event)))
        if refused:
            wrong += refused
        else:
            sales.append(_sale(some))
    return SalesFile(tuple(sales), tuple(sorted(wrong)), ignored)


def _cell(text: str) -> str:
    return text.strip(" \t\u00a0\u3000").translate(_WIDE)


def _row(file_line: int, given: Mapping[str, str]) -> _Row:
    """Raises _Refused for the first cell that is wrong."""
    return _Row(
        file_line,
        _matched(given, "event_id", _EVENT, TEXT_MAX) or _missing("event_id"),
        _free(given, "store") or _missing("store"),
        _instant(given),
        _matched(given, "member", _MEMBER, MEMBER_CODE_MAX),
        _matched(given, "slip_no", _SLIP, 40),
        _free(given, "cashier"),
        _number(given, "line_no", 1, QUANTITY_MAX),
        _code(given),
        _number(given, "quantity", 1, QUANTITY_MAX) or _missing("quantity"),
        _number(given, "price_fen", 0, PRICE_FEN_MAX),
        _free(given, "serial"),
    )


def _missing(column: str) -> NoReturn:
    raise _Refused("cell-missing", column)


def _matched(given: Mapping[str, str], column: str, pattern: re.Pattern[str], most: int) -> str | None:
    text = given.get(column, "")
    if len(text) > most:
        raise _Refused("cell-too-long", column, most=most)
    if text and not pattern.fullmatch(text):
        raise _Refused("cell-malformed", column)
    _whole(text, column)
    return text or None


def _whole(text: str, column: str) -> None:
    """Raises _Refused where a spreadsheet has cut the end off: two numbers would be the same one."""
    if _CUT_OFF.fullmatch(text):
        raise _Refused("code-cut-off", column)


def _free(given: Mapping[str, str], column: str) -> str | None:
    text = given.get(column, "")
    if len(text) > TEXT_MAX:
        raise _Refused("cell-too-long", column, most=TEXT_MAX)
    if any(unicodedata.category(character) in _UNFIT for character in text):
        raise _Refused("cell-malformed", column)
    _whole(text, column)
    return text or None


def _code(given: Mapping[str, str]) -> str:
    text = given["code"]
    if not text:
        raise _Refused("cell-missing", "code")
    if len(text.encode()) > CODE_BYTES_MAX:
        raise _Refused("cell-too-long", "code", most=CODE_BYTES_MAX)
    if any(unicodedata.category(one) in _UNFIT for one in text.replace(_GROUP_SEPARATOR, "")):
        raise _Refused("cell-malformed", "code")
    _whole(text, "code")
    return text


def _number(given: Mapping[str, str], column: str, least: int, most: int) -> int | None:
    text = given.get(column, "")
    if not text:
        return None
    if not _NUMBER.fullmatch(text) or not least <= int(text) <= most:
        raise _Refused("number-malformed", column, least=least, most=most)
    return int(text)


def _instant(given: Mapping[str, str]) -> int:
    """Unix milliseconds; a time without a zone is China's."""
    text = (given["sold_at"] or _missing("sold_at")).translate(_WIDE_TIME)
    match = _TIME.fullmatch(text)
    if match is None:
        raise _Refused("time-malformed", "sold_at")
    year, month, day, hour, minute, second = (
        int(match[name] or match.groupdict().get(f"{name}2") or 0) for name in _PARTS
    )
    zone = match["zone"]
    if year < _FIRST_YEAR:
        raise _Refused("time-malformed", "sold_at")
    try:
        at = datetime(year, month, day, hour, minute, second, tzinfo=CHINA)
        if zone is not None:
            at = datetime.fromisoformat(f"{at.replace(tzinfo=None).isoformat()}{zone}").astimezone(UTC)
        return milliseconds(at)
    except (ValueError, OverflowError):
        raise _Refused("time-malformed", "sold_at") from None


def _line_no(given: Mapping[str, str]) -> int | None:
    """As far as it can be read: an answer names it."""
    text = given.get("line_no", "")
    return int(text) if _NUMBER.fullmatch(text) and int(text) <= QUANTITY_MAX else None


def _shown(event: str) -> str:
    """The number of a line whose number may be wrong, safe to keep and to print."""
    return event if _EVENT.fullmatch(event) else "".join(one for one in event if one.isprintable())[:TEXT_MAX]


def _faults(event: str, rows: Sequence[_Row], broken: int | None) -> Iterator[RowAnswer]:
    """An answer for each of a sale's lines when it cannot be recorded as a whole."""
    found = {} if broken is not None else dict(_own_faults(rows))
    first = min(found, default=broken)
    if first is None:
        return
    for row in rows:
        code, facts = found.get(row.file_line, ("sale-incomplete", {"first": first}))
        yield refusal(row.file_line, event, row.line_no, code, **facts)


def _own_faults(rows: Sequence[_Row]) -> Iterator[tuple[int, tuple[str, dict[str, object]]]]:
    shared = {column: _first(rows, column) for column in _SHARED}
    seen: set[int | None] = set()
    for place, row in enumerate(rows):
        differs = next((one for one in _SHARED if getattr(row, one) not in (None, shared[one])), None)
        if differs is not None:
            heading = HEADINGS[differs]
            yield row.file_line, ("sale-differs", {"zh": heading.zh, "en": heading.en, "first": rows[0].file_line})
        elif row.line_no is not None and row.line_no in seen:
            yield row.file_line, ("line-repeated", {})
        elif place >= LINES_MAX:
            yield row.file_line, ("sale-too-long", {"most": LINES_MAX})
        seen.add(row.line_no)


def _first(rows: Sequence[_Row], column: str) -> Any:
    """What the first line says that says anything: some systems write it on one line of a sale alone."""
    return next((value for row in rows if (value := getattr(row, column)) is not None), None)


def _sale(rows: Sequence[_Row]) -> Sale:
    """By the shop's own numbers where it has given all of them, so that a repeat in another order is the same sale."""
    numbered = all(row.line_no is not None for row in rows)
    ordered = sorted(rows, key=lambda row: row.line_no or 0) if numbered else rows
    lines = tuple(
        SoldLine(row.file_line, row.line_no or place, row.code, row.quantity, row.price_fen, row.serial)
        for place, row in enumerate(ordered, start=1)
    )
    store, sold_at_ms, member, slip_no, cashier = (_first(rows, column) for column in _SHARED)
    return Sale(rows[0].event, store, sold_at_ms, member, slip_no, cashier, lines)
