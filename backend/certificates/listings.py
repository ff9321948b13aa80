"""Official lists of enterprises: 严重违法失信名单 (serious) and 经营异常名录 (abnormal). Imported, never made here.

One line a listing: 名单 list, 统一社会信用代码 uscc, 文号 document, 列入机关 authority, 列入日期 listed_on, and once it ended
移出日期 removed_on with 移出文号 removal_document. A listing holds from its first day up to, not including, the day
of its removal: dates alone decide, nobody switches anything. Names are not kept, nor is any line whose code is a person's.

A list informs whoever looks at an enterprise. It blocks nothing by itself: what a city does about it is its own act, with due
process (suspensions of shops).
"""

import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from sqlalchemy import Connection

from backend.certificates import sheets
from backend.certificates.cells import CellRefused, cleaned, day
from backend.certificates.reasons import RowError
from backend.certificates.timeline import civil_day
from backend.kernel.errors import DomainError
from backend.kernel.ids import new_id
from backend.labels.model import Scheme
from backend.labels.parse import parse
from backend.storage.columns import unquoted, words
from backend.storage.transaction import hot

BATCH_ROWS = 2_000
PAGE_MAX = 100
TEXT_MAX = 200
HEADINGS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "list": ("名单", "名单类型", "list"),
        "uscc": ("统一社会信用代码", "信用代码", "uscc"),
        "document": ("文号", "列入文号", "决定书文号", "document"),
        "authority": ("列入机关", "作出决定机关", "authority"),
        "listed_on": ("列入日期", "listedon"),
        "removed_on": ("移出日期", "修复日期", "removedon"),
        "removal_document": ("移出文号", "修复文号", "removaldocument"),
    }
)
REQUIRED = ("list", "uscc", "document", "authority", "listed_on")
_NAMES = {spelling: name for name, spellings in HEADINGS.items() for spelling in spellings}
_DECORATION = re.compile(r"\s+|[*＊_]|[(（]?必填[)）]?")


class List(StrEnum):
    SERIOUS = "serious"
    ABNORMAL = "abnormal"


_LISTS = {
    "严重违法失信名单": List.SERIOUS,
    "严重违法失信": List.SERIOUS,
    "serious": List.SERIOUS,
    "经营异常名录": List.ABNORMAL,
    "经营异常": List.ABNORMAL,
    "abnormal": List.ABNORMAL,
}

INSERT = """
INSERT INTO enterprise_listings (id, list, uscc, document, authority, listed_on, removed_on, removal_document, source,
                                 recorded_at, recorded_by, approved_by)
SELECT t.id, t.list, t.uscc, t.document, t.authority, t.listed_on, t.removed_on, t.removal_document, %(source)s, %(now)s,
       %(by)s, %(approved_by)s
FROM unnest(%(ids)s::uuid[], %(lists)s::text[], %(usccs)s::text[], %(documents)s::text[], %(authorities)s::text[],
            %(listed)s::date[], %(removed)s::date[], %(removals)s::text[])
     t(id, list, uscc, document, authority, listed_on, removed_on, removal_document)"""

KNOWN = """
SELECT DISTINCT ON (uscc, list, document, listed_on) list, uscc, document, authority, listed_on, removed_on, removal_document
FROM enterprise_listings WHERE uscc = ANY(%(usccs)s::text[])
ORDER BY uscc, list, document, listed_on, id DESC"""

ON_LISTS = """
SELECT l.list, l.uscc, l.document, l.authority, l.listed_on, l.removed_on, l.removal_document, e.name
FROM (SELECT DISTINCT ON (uscc, list, document, listed_on) * FROM enterprise_listings
      WHERE uscc > %(after)s ORDER BY uscc, list, document, listed_on, id DESC) l
LEFT JOIN enterprises e ON e.uscc = l.uscc
WHERE l.listed_on <= %(on)s AND (l.removed_on IS NULL OR l.removed_on > %(on)s)
ORDER BY l.uscc, l.list, l.document LIMIT %(limit)s"""

# One import at a time: what is known is compared before it is written.
LOCK = "SELECT version FROM registry_version FOR UPDATE"


class Listing(NamedTuple):
    """In force from `listed_on` up to, not including, `removed_on`."""

    list: List
    uscc: str
    document: str
    authority: str
    listed_on: date
    removed_on: date | None
    removal_document: str | None

    def holds_on(self, on: date) -> bool:
        return self.listed_on <= on and (self.removed_on is None or on < self.removed_on)


class ListColumnsMissing(DomainError):
    code = "list-columns-missing"
    text_zh = "表头缺少这些列：{columns}。"
    text_en = "The header lacks these columns: {columns}."


class NamedListing(NamedTuple):
    listing: Listing
    name: str | None
    """As the registry of certificates knows the enterprise."""


@dataclass(frozen=True, slots=True)
class Report:
    """Rows of the file: new listings, removals and corrections of known ones, what was known, what was refused."""

    added: int
    changed: int
    unchanged: int
    errors: tuple[RowError, ...]
    differences: tuple[Listing, ...]
    """What is added, and then what is changed."""

    @property
    def digest(self) -> bytes:
        """SHA-256 of all that the file changes, whatever else stands in it."""
        lines = [str(self.added), *("\x1f".join(str(cell) for cell in one) for one in self.differences)]
        return hashlib.sha256("\n".join(lines).encode()).digest()


class Imported(NamedTuple):
    """Where the file came from, who wants it imported when, and who approved it."""

    source: str
    by: str
    now: datetime
    approved_by: str


def compare(connection: Connection, content: bytes) -> Report:
    """What an import would change. Raises sheets.FileRefused, ListColumnsMissing."""
    sheet = sheets.read(content)
    rows, errors = _read(sheet.rows, _columns(sheet.header), sheet.header)
    added, changed = _compared(connection, rows)
    unchanged = len(rows) - len(added) - len(changed)
    return Report(len(added), len(changed), unchanged, tuple(errors), (*added, *changed))


def store(connection: Connection, content: bytes, origin: Imported) -> Report:
    """Stores good lines, and reports the others. Raises what `compare` does."""
    hot(connection, LOCK)
    report = compare(connection, content)
    for start in range(0, len(report.differences), BATCH_ROWS):
        _insert(connection, report.differences[start : start + BATCH_ROWS], origin)
    return report


def listings_of(connection: Connection, usccs: Sequence[str]) -> list[Listing]:
    """All that is known of these enterprises, also what has ended."""
    return [_listing(row) for row in hot(connection, KNOWN, {"usccs": words(list(usccs))})]


def on_lists(connection: Connection, on: date, *, after: str = "", limit: int = PAGE_MAX) -> list[NamedListing]:
    """Who is on a list on a day, by code, above the code `after`; at most `limit`, at most 100."""
    rows = hot(connection, ON_LISTS, {"on": on, "after": after, "limit": min(limit, PAGE_MAX)})
    return [NamedListing(_listing(row[:-1]), row[-1]) for row in rows]


def _listing(row: Sequence[object]) -> Listing:
    found = Listing(*row)  # type: ignore[arg-type]  # columns in the order of its fields
    return found._replace(list=List(found.list))


def _columns(header: Sequence[str]) -> Mapping[str, int]:
    found: dict[str, int] = {}
    for place, heading in enumerate(header):
        name = _NAMES.get(_DECORATION.sub("", unicodedata.normalize("NFKC", heading)).strip("\ufeff").casefold())
        if name is not None:
            found.setdefault(name, place)
    missing = [f"{HEADINGS[name][0]} ({name})" for name in REQUIRED if name not in found]
    if missing:
        raise ListColumnsMissing(columns="、".join(missing))
    return found


def _read(
    lines: Sequence[tuple[int, Sequence[str]]], columns: Mapping[str, int], header: Sequence[str]
) -> tuple[list[Listing], list[RowError]]:
    rows: dict[tuple[str, str, str, date], Listing] = {}
    errors: list[RowError] = []
    for line, cells in lines:
        given = {name: cells[place] if place < len(cells) else "" for name, place in columns.items()}
        try:
            one = _row(given)
        except _Refused as refused:
            errors.append(RowError(line, header[columns[refused.column]], refused.code, refused.facts))
        else:
            rows[one.uscc, one.list, one.document, one.listed_on] = one
    return list(rows.values()), errors


class _Refused(CellRefused):
    def __init__(self, column: str, code: str, **facts: object) -> None:
        super().__init__(code, **facts)
        self.column = column


def _row(given: Mapping[str, str]) -> Listing:
    texts = {name: _cleaned(name, text) for name, text in given.items()}
    for name in REQUIRED:
        if not texts.get(name):
            raise _Refused(name, "required")
    for name, text in texts.items():
        if name != "uscc" and parse(text).personal:
            raise _Refused(name, "personal")
        if len(text) > TEXT_MAX:
            raise _Refused(name, "cell_too_long", limit=TEXT_MAX)
    kind = _LISTS.get(texts["list"].casefold())
    if kind is None:
        raise _Refused("list", "list_unknown")
    listed, removed = _day(texts, "listed_on"), _day(texts, "removed_on")
    assert listed is not None
    if removed is not None and removed < listed:
        raise _Refused("removed_on", "date_order")
    return Listing(
        kind,
        _enterprise(texts["uscc"]),
        texts["document"],
        texts["authority"],
        listed,
        removed,
        texts.get("removal_document") or None,
    )


def _cleaned(name: str, text: str) -> str:
    try:
        return cleaned(text)
    except CellRefused as refused:
        raise _Refused(name, refused.code, **refused.facts) from None


def _day(texts: Mapping[str, str], name: str) -> date | None:
    text = texts.get(name)
    if not text:
        return None
    try:
        return civil_day(day(text))
    except CellRefused as refused:
        raise _Refused(name, refused.code, **refused.facts) from None


def _enterprise(text: str) -> str:
    """A person's number is refused and not kept: on such lists a city acts on firms alone."""
    reading = parse(text.upper().replace(" ", ""))
    if reading.personal:
        raise _Refused("uscc", "personal")
    if reading.scheme is not Scheme.USCC or not reading.usable or reading.key is None:
        raise _Refused("uscc", "uscc_invalid")
    return reading.key.partition(":")[2]


def _compared(connection: Connection, rows: Sequence[Listing]) -> tuple[list[Listing], list[Listing]]:
    """What is new, and what says otherwise of a listing that is known."""
    known: dict[tuple[str, str, str, date], Listing] = {}
    usccs = sorted({row.uscc for row in rows})
    for start in range(0, len(usccs), BATCH_ROWS):
        for one in listings_of(connection, usccs[start : start + BATCH_ROWS]):
            known[one.uscc, one.list, one.document, one.listed_on] = one
    added, changed = [], []
    for row in rows:
        before = known.get((row.uscc, row.list, row.document, row.listed_on))
        if before is None:
            added.append(row)
        elif before != row and not (row.removed_on is None and before.removed_on is not None):
            changed.append(row)  # an older file that does not know of a removal undoes nothing
    return added, changed


def _insert(connection: Connection, rows: Sequence[Listing], origin: Imported) -> None:
    columns = {
        "ids": unquoted([new_id() for _ in rows]),
        "lists": unquoted([row.list.value for row in rows]),
        "usccs": unquoted([row.uscc for row in rows]),
        "documents": words([row.document for row in rows]),
        "authorities": words([row.authority for row in rows]),
        "listed": unquoted([row.listed_on.isoformat() for row in rows]),
        "removed": unquoted([None if row.removed_on is None else row.removed_on.isoformat() for row in rows]),
        "removals": words([row.removal_document for row in rows]),
    }
    hot(connection, INSERT, {**columns, **origin._asdict()})
