"""A server that was restarted has ended every connection of every pool: one is missed, not each of them in turn."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import psycopg
import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from backend.storage.transaction import Database, hot

POOL = 8
"""More than a write has attempts."""


def _ask(connection: Connection) -> int:
    row = hot(connection, "SELECT 7").fetchone()
    assert row is not None
    answer: int = row[0]
    return answer


def _fill(database: Database) -> None:
    """Opens every connection of the pool."""
    together = Barrier(POOL)

    def hold(_number: int) -> None:
        with database.read() as connection:
            _ask(connection)
            together.wait(10)

    with ThreadPoolExecutor(POOL) as threads:
        list(threads.map(hold, range(POOL)))


def _end_all(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as owner:
        ended = owner.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'greenpoints_engine'"
        ).fetchone()
    assert ended == (POOL,)


@pytest.fixture
def database(database_url: str) -> Database:
    return Database(database_url, role="greenpoints_engine", pool_size=POOL)


def test_a_write_is_done_although_every_connection_was_ended(database: Database, database_url: str) -> None:
    _fill(database)
    _end_all(database_url)

    assert database.write(_ask) == 7
    database.close()


def test_a_read_fails_once_and_the_next_finds_a_connection(database: Database, database_url: str) -> None:
    _fill(database)
    _end_all(database_url)

    with pytest.raises((psycopg.Error, DBAPIError)), database.read() as connection:
        _ask(connection)
    for _ in range(POOL):
        with database.read() as connection:
            assert _ask(connection) == 7
    database.close()


def test_a_connection_that_is_ended_in_the_middle_of_a_write_has_it_done_again(
    database: Database, database_url: str
) -> None:
    attempts = 0

    def work(connection: Connection) -> int:
        nonlocal attempts
        attempts += 1
        pid = hot(connection, "SELECT pg_backend_pid()").fetchone()
        if attempts == 1:
            with psycopg.connect(database_url, autocommit=True) as owner:
                owner.execute("SELECT pg_terminate_backend(%s)", pid)
        return _ask(connection)

    assert database.write(work) == 7
    assert attempts == 2
    database.close()
