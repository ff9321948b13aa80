"""The only ways from the console to the database: each sees and writes one city, whatever a query forgets
(`storage.row_security`).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy import Connection

from backend.storage.transaction import Database
from backend.web.context import backend

Result = TypeVar("Result")


@contextmanager
def read(city: str) -> Iterator[Connection]:
    """A read-only transaction that sees `city` alone."""
    with within(city).read() as connection:
        yield connection


def within(city: str) -> Database:
    """For use cases that begin their own transactions: every one of them sees `city` alone."""
    return backend().console_database.within(city)


def write(city: str, work: Callable[[Connection], Result]) -> Result:
    """What `work`, a use case, returns once it is committed; it may run again, so it has database effects only."""
    return within(city).write(work)
