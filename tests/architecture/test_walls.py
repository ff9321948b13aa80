"""The second wall between cities: with every filter of ours absent, the console's role sees and writes one city."""

from collections.abc import Iterator
from typing import NamedTuple

import psycopg
import pytest
from sqlalchemy import Column, Table
from sqlalchemy.dialects import postgresql

from backend.storage.base import metadata
from backend.storage.transaction import Database, hot
from tests.architecture.project import REGISTRIES, modules
from tests.conftest import copied

POSTGRESQL = postgresql.dialect()  # type: ignore[no-untyped-call]  # as SQLAlchemy has it
OWN, FOREIGN = "320100", "320500"
CITY_COLUMNS = {"closed_residents": "home", "merged_residents": "home", "service_tokens": "of_city"}
"""Where the column that names a city is not called so."""
BY_DEVICE = frozenset({"device_keys", "device_certificates"})
"""Walled by the directory's rows."""
SAMPLES = {
    "TEXT": "'{n}'",
    "UUID": "'00000000-0000-4000-8000-{n:0>12}'",
    "BYTEA": "'\\x{n}'",
    "TIMESTAMP WITH TIME ZONE": "'2026-01-0{k} 00:00+00'",
    "DATE": "'2026-01-0{k}'",
    "BOOLEAN": "true",
    "JSONB": "'{{}}'",
}
PRIVILEGES = """
SELECT c.relname, a.attname, p.privilege FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
CROSS JOIN unnest('{SELECT,INSERT,UPDATE}'::text[]) p(privilege)
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
  AND has_column_privilege('greenpoints_console', c.oid, a.attnum, p.privilege)"""

RULES = """
SELECT c.relname, k.conname FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
WHERE c.relnamespace = 'public'::regnamespace AND c.relname NOT LIKE 'procrastinate%' AND k.contype IN ('c', 'x', 'f')"""


class Granted(NamedTuple):
    """Columns that the console's role may read, write into new rows and change, by table."""

    SELECT: dict[str, list[str]]
    INSERT: dict[str, list[str]]
    UPDATE: dict[str, list[str]]


def walled() -> dict[str, Table]:
    """Every table that names a city, or a device of one."""
    modules()
    named = BY_DEVICE | CITY_COLUMNS.keys()
    return {name: table for name, table in metadata.tables.items() if "city" in table.columns or name in named}


def value(column: Column[object], city: str) -> str:
    """A literal of the column's type; two cities' differ, where the type allows it."""
    number = 1 if city == OWN else 2
    if column.name == CITY_COLUMNS.get(column.table.name, "city"):
        return f"'{city}'"
    if column.name == "device":
        return f"'device-{city}'"
    kind = column.type.compile(POSTGRESQL)
    return "'{}'" if kind.endswith("[]") else SAMPLES.get(kind, "{k}").format(n=f"{number:02}", k=number)


def quoted(columns: list[str]) -> str:
    return ", ".join(f'"{column}"' for column in columns)


def insertion(table: Table, city: str, columns: list[str] | None = None) -> str:
    given = [column for column in table.columns if columns is None or column.name in columns]
    values = ", ".join(value(column, city) for column in given)
    return f"INSERT INTO {table.name} ({quoted([column.name for column in given])}) VALUES ({values})"


@pytest.fixture(scope="module")
def two_cities(server_url: str, template: str) -> Iterator[str]:
    """A row of each of two cities in every walled table; what rows must be like beside that is not asked here."""
    with copied(server_url, template) as url:
        with psycopg.connect(url, autocommit=True) as owner:
            for table, name in owner.execute(RULES).fetchall():
                owner.execute(f'ALTER TABLE {table} DROP CONSTRAINT IF EXISTS "{name}"')
            for city in (OWN, FOREIGN):
                for table in walled().values():
                    owner.execute(insertion(table, city))
        yield url


@pytest.fixture(scope="module")
def granted(two_cities: str) -> Granted:
    found = Granted({}, {}, {})
    with psycopg.connect(two_cities) as owner:
        for table, column, privilege in owner.execute(PRIVILEGES):
            getattr(found, privilege).setdefault(table, []).append(column)
    return found


@pytest.fixture
def console(two_cities: str) -> Iterator[Database]:
    database = Database(two_cities, role="greenpoints_console", pool_size=1)
    yield database
    database.close()


def seen(database: Database, granted: Granted) -> dict[str, int]:
    """Rows of each walled table that the role may read at all."""
    with database.read() as connection:
        return {
            name: len(hot(connection, f"SELECT {quoted(granted.SELECT[name])} FROM {name}").fetchall())
            for name in walled()
            if name in granted.SELECT
        }


def run(database: Database, statement: str) -> int:
    return database.write(lambda connection: hot(connection, statement).rowcount)


def test_every_table_that_names_a_city_is_walled_also_for_its_owner(database_url: str) -> None:
    with psycopg.connect(database_url) as owner:
        forced = owner.execute("SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity").fetchall()
        policies = owner.execute("SELECT tablename, policyname FROM pg_policies").fetchall()
    both = {(name, policy) for name in walled() for policy in ("own_city", "every_city")}

    # A migration that makes a table of a city ends with `raise_wall(op.get_bind(), "<table>")` (backend.storage.row_security).
    assert walled().keys() - {name for (name,) in forced} == set()
    assert both - set(policies) == set()


def test_what_has_no_wall_is_a_registry_or_is_closed_to_the_console(granted: Granted) -> None:
    opened = {table for by_table in granted for table in by_table}

    assert (opened & metadata.tables.keys()) - walled().keys() - REGISTRIES == set()


def test_without_a_filter_no_row_of_another_city_is_seen(console: Database, granted: Granted) -> None:
    found = seen(console.within(OWN), granted)

    assert len(found) > 60
    assert {name: rows for name, rows in found.items() if rows != 1} == {}


def test_where_no_city_was_said_nothing_is_seen(console: Database, granted: Granted) -> None:
    assert sum(seen(console.within(OWN), granted).values()) > 0
    assert sum(seen(console, granted).values()) == 0


def test_no_row_is_written_into_another_city(console: Database, granted: Granted) -> None:
    """Neither a new one, nor by a change of every row that there is, nor by taking one over there."""
    inside = console.within(OWN)
    changed = {}
    for name, columns in granted.INSERT.items():
        if name in walled():
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
                run(inside, insertion(walled()[name], FOREIGN, columns))
    for name, columns in granted.UPDATE.items():
        if name in walled():
            column = next(one for one in sorted(columns) if one in granted.SELECT[name])
            changed[name] = run(inside, f'UPDATE {name} SET "{column}" = "{column}"')

    assert {name: rows for name, rows in changed.items() if rows != 1} == {}
    assert {column for columns in granted.UPDATE.values() for column in columns} & {"city"} == set()


def test_the_engine_and_the_auditor_see_every_city(two_cities: str) -> None:
    for role in ("greenpoints_engine", "greenpoints_auditor"):
        database = Database(two_cities, role=role, pool_size=1)
        with database.read() as connection:
            assert hot(connection, "SELECT count(*) FROM transfers").fetchone() == (2,)
        database.close()


@pytest.mark.parametrize("city", ["", "32010", "'; RESET ROLE; --", "３２０１００"])
def test_what_is_no_city_is_refused(console: Database, city: str) -> None:
    with pytest.raises(ValueError, match="no code of a city"):
        console.within(city)
