"""Rows of a large result in slices, by a cursor of the server: verification of millions of rows in bounded memory."""

from collections.abc import Iterator, Mapping
from typing import Any

import psycopg
from sqlalchemy import Connection

from backend.kernel.ids import new_id

SLICE_ROWS = 5_000
LONG_READ_TIMEOUT_MS = 3_600_000
# Kept small, it makes what is sorted and grouped of millions of rows go through files many times over.
LONG_READ_MEMORY = "64MB"


def snapshot(connection: Connection) -> None:
    """All that follows on `connection` reads one state of the database, and each statement may take an hour.

    Must come before the first query of the transaction. It reads whole tables: a nested loop, which the planner takes where
    it knows nothing of a table's size yet, would be quadratic.
    """
    connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    connection.exec_driver_sql("SET LOCAL enable_nestloop = off")
    connection.exec_driver_sql(f"SET LOCAL work_mem = '{LONG_READ_MEMORY}'")
    allow_long_reads(connection)


def allow_long_reads(connection: Connection) -> None:
    """For the transaction of a job that reads millions of rows: an hour a statement."""
    connection.exec_driver_sql(f"SET LOCAL statement_timeout = {LONG_READ_TIMEOUT_MS}")


def streamed(connection: Connection, statement: str, params: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    driver: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]  # psycopg below
    with driver.cursor(name=f"slice_{new_id().replace('-', '')}") as cursor:
        cursor.itersize = SLICE_ROWS
        cursor.execute(statement, params)
        yield from cursor
