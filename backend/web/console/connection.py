"""The only two ways from the console to the database."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy import Connection

from backend.web.context import backend

Result = TypeVar("Result")


@contextmanager
def read(city: str) -> Iterator[Connection]:
    """A read-only transaction that sees `city` alone."""
    with backend().console_database.within(city).read() as connection:
        yield connection


class Writer:
    """For use cases that begin their own transaction: every one of them sees the one city alone."""

    def __init__(self, city: str) -> None:
        self._city = city

    def write(self, work: Callable[[Connection], Result]) -> Result:
        return write(self._city, work)


def write(city: str, work: Callable[[Connection], Result]) -> Result:
    """What `work`, a use case, returns once it is committed; it may run again, so it has database effects only."""
    return backend().console_database.within(city).write(work)
