"""One's own data, whole: every table that holds the person, in the words of the tables, bounded and logged."""

import csv
import io
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple
from unicodedata import normalize

import orjson
from sqlalchemy import Connection

from backend.kernel.errors import DomainError
from backend.ledger import chart
from backend.residents import people
from backend.residents.access.log import Look, Purpose, Role, What, count_since, write
from backend.residents.standing import standing_of
from backend.storage.columns import ids, words
from backend.storage.transaction import Database, hot
from backend.usecases.change_consent import Who
from backend.usecases.person_tables import AT_HOME, EVERYWHERE
from backend.usecases.verify_ledger import all_cities

ROWS_MAX = 20_000
"""Of one table and city; where there are more, the file says so."""
A_DAY_MAX = 5
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0")


class ExportsUsedUp(DomainError):
    code = "exports-used-up"
    text_zh = "每天最多导出 {most} 次，请明天再试。"
    text_en = "Data can be exported {most} times a day; please try again tomorrow."


class Table(NamedTuple):
    """Rows of one table in one city; `complete` is False where the bound cut it."""

    name: str
    city: str
    columns: tuple[str, ...]
    rows: list[tuple[object, ...]]
    complete: bool


class ExportPerson:
    def __init__(self, database: Database) -> None:
        self._database = database

    def export(self, who: Who, now: datetime) -> list[Table]:
        """One snapshot in one transaction with its line in the access log. Raises ExportsUsedUp, ResidentClosed."""

        def work(connection: Connection) -> list[Table]:
            standing_of(connection, *who, locked=True)
            if count_since(connection, *who, What.EXPORT, now - timedelta(days=1)) >= A_DAY_MAX:
                raise ExportsUsedUp(most=A_DAY_MAX, wait_s=86_400)
            write(connection, *who, Look(Role.SELF, "self", Purpose.OWN_COPY, What.EXPORT), now)
            return list(_tables(connection, who))

        return self._database.write(work)


def as_json(tables: Sequence[Table], now: datetime) -> bytes:
    """One document; every row an object by column."""
    found = [
        {
            "table": table.name,
            "city": table.city,
            "complete": table.complete,
            "rows": [dict(zip(table.columns, map(_plain, row), strict=True)) for row in table.rows],
        }
        for table in tables
    ]
    return orjson.dumps({"exported_at": now, "tables": found})


def as_zip(tables: Sequence[Table], now: datetime) -> bytes:
    """A ZIP with one CSV file for each table and city, in UTF-8 with the mark by which spreadsheets know it."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for table in tables:
            name = zipfile.ZipInfo(f"{table.city}-{table.name}.csv", now.timetuple()[:6])
            archive.writestr(name, _csv(table), zipfile.ZIP_DEFLATED)
    return content.getvalue()


def _csv(table: Table) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(table.columns)
    writer.writerows([_cell(value) for value in row] for row in table.rows)
    if not table.complete:
        writer.writerow([f"仅前 {ROWS_MAX} 行 / the first {ROWS_MAX} rows only"])
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def _cell(value: object) -> object:
    """Texts that a spreadsheet would take for a formula begin with an apostrophe (OWASP ASVS 1.2.10)."""
    plain = _plain(value)
    if isinstance(plain, str) and normalize("NFKC", plain).lstrip(" ").startswith(_FORMULA):
        return f"'{plain}"
    return plain


def _plain(value: object) -> object:
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    if isinstance(value, datetime | date):
        return value.isoformat()
    if value is None or isinstance(value, bool | int | str):
        return value
    return str(value)


def _tables(connection: Connection, who: Who) -> Iterator[Table]:
    absorbed = people.absorbed_by(connection, people.Home(*who))
    residents = [who.resident, *(one.resident for one in absorbed)]
    for name, statement in AT_HOME.items():
        yield _table(connection, name, who.city, residents, statement)
    elsewhere = [(city, AT_HOME) for city in sorted({one.city for one in absorbed} - {who.city})]
    for city, statements in [*elsewhere, *((city, EVERYWHERE) for city in all_cities(connection))]:
        for name, statement in statements.items():
            found = _table(connection, name, city, residents, statement)
            if found.rows:
                yield found


def _table(connection: Connection, name: str, city: str, residents: Sequence[str], statement: str) -> Table:
    """Of one person, `residents`: the account, and those that were merged into it."""
    prefixes = words([f"{prefix}%" for resident in residents for prefix in chart.prefixes(resident)])
    given = {"city": city, "residents": ids(residents), "limit": ROWS_MAX + 1, "prefixes": prefixes}
    cursor = hot(connection, f"{statement} LIMIT %(limit)s", given)
    columns = tuple(column.name for column in cursor.description or ())
    rows = cursor.fetchall()
    return Table(name, city, columns, rows[:ROWS_MAX], len(rows) <= ROWS_MAX)
