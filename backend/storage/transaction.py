import random
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from typing import Any, NamedTuple, TypeVar

import psycopg
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from backend.kernel.errors import DomainError
from backend.storage.row_security import SETTING

Result = TypeVar("Result")
Params = Mapping[str, Any] | Sequence[Any]
Observer = Callable[[str], None]

ROLES = ("greenpoints_engine", "greenpoints_console", "greenpoints_auditor")
ATTEMPTS_MAX = 5
RETRY_BASE_S = 0.01
POOL_TIMEOUT_S = 10
STATEMENT_TIMEOUT_MS = 30_000
LOCK_TIMEOUT_MS = 10_000
NEVER_BY_COUNT = 2**31
"""Statements are prepared where `hot` is told so; the driver's own way, after some repetitions, would take others too."""
_RETRYABLE = frozenset({"40001", "40P01", "55P03"})
_SHUT_DOWN = frozenset({"57P01", "57P02", "57P03"})
"""The server ends, crashed, or is starting: to a client a lost connection, with a state that says why."""
_NOT_NOW = frozenset({"57014", "25006"})
"""A statement that was cancelled or took too long; a server that takes no writes, as a standby."""
_SHORT_OF_RESOURCES = "53"

_CITY = re.compile(r"[0-9]{6}")

_observers: list[Observer] = []


class DatabaseBusy(DomainError):
    code = "database-busy"
    text_zh = "系统正忙，请稍后再试；重复提交不会重复计分。"
    text_en = "The system is busy, try again shortly; sending again never counts twice."


class Database:
    """Connections of one role. `write` is the only place of the project that commits."""

    def __init__(self, url: str, *, role: str | None, pool_size: int = 8) -> None:
        """`role` is taken by SET ROLE on every connection; None stays the owner, for migrations alone."""
        self._engine = _engine(make_url(url), role, pool_size)
        self._city: str | None = None

    def within(self, city: str) -> "Database":
        """The same connections, each transaction of which sees and writes `city` alone where rows have a wall
        (`row_security`): those of the console's role. Raises ValueError where it is no code of six digits.
        """
        if not _CITY.fullmatch(city):
            raise ValueError(f"no code of a city: {city!r}")
        one = copy(self)
        one._city = city  # noqa: SLF001 - one of its own kind
        return one

    def write(self, work: Callable[[Connection], Result]) -> Result:
        """What `work` returns, after COMMIT. `work` may run again after a deadlock, a serialisation failure or a lost
        connection, so it has only database effects and is idempotent. Raises DatabaseBusy when five attempts failed.
        """
        for attempt in range(ATTEMPTS_MAX):
            try:
                # `begin` is explicit: hot statements bypass SQLAlchemy, which would see nothing to commit.
                with self._connected() as connection, connection.begin() as transaction:
                    for statement in self._entering():
                        _driver(connection).execute(statement)
                    result = work(connection)
                    transaction.commit()
                    return result
            except (DBAPIError, psycopg.Error) as error:
                if not is_retryable(error):
                    raise
                time.sleep(RETRY_BASE_S * 2**attempt * random.random())  # noqa: S311 - jitter, no secret
        raise DatabaseBusy

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One read-only transaction: nothing read here can be written here."""
        with self._connected() as connection:
            driver = _driver(connection)
            # The driver would begin by itself, but alone: with the city beside it that is one round trip less.
            driver.autocommit = True
            try:
                driver.execute("; ".join(("BEGIN READ ONLY", *self._entering())))
                yield connection
                # There is nothing to commit, but a ROLLBACK would make the driver forget its prepared statements.
                driver.commit()
            finally:
                driver.rollback()
                driver.autocommit = False

    @contextmanager
    def glance(self) -> Iterator[Connection]:
        """For hot SELECTs that need no common moment: each is its own transaction, which saves two round trips. Within a city
        it is a read like any other, since what is said of a city holds for a transaction.
        """
        if self._city is not None:
            with self.read() as connection:
                yield connection
            return
        with self._connected() as connection:
            driver = _driver(connection)
            driver.autocommit = True
            try:
                yield connection
            finally:
                driver.autocommit = False

    def close(self) -> None:
        self._engine.dispose()

    def _entering(self) -> tuple[str, ...]:
        """Says which city it is about. A literal, since Citus hands that on to its nodes, and a call of set_config not."""
        return () if self._city is None else (f"SET LOCAL {SETTING} = '{self._city}'",)

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        """With a connection that is lost the whole pool is given up: what ended one has ended those opened before."""
        with self._engine.connect() as connection:
            try:
                yield connection
            except (DBAPIError, psycopg.Error) as error:
                if is_lost(error):
                    connection.invalidate()
                    self._engine.dispose()
                raise


def hot(connection: Connection, statement: str, params: Params = (), *, prepared: bool = False) -> psycopg.Cursor[Any]:
    """Runs one statement on the driver itself. Arrays are bound as text literals (`storage.columns`): a tenth of
    the cost of the driver's own list adaptation. Observers see every statement, so tests can count and read them.

    `prepared` for what has one good plan whatever the sizes of its arrays: it is parsed and planned once a connection.
    What joins with an array is planned each time, since the plan for ten rows is quadratic at five hundred.
    """
    for observe in _observers:
        observe(statement)
    return _driver(connection).execute(statement, params, prepare=prepared)


class Sent(NamedTuple):
    """A statement on its way that must change `rows` rows; whether it did is known after its pipeline."""

    cursor: psycopg.Cursor[Any]
    rows: int

    @property
    def complete(self) -> bool:
        return self.cursor.rowcount == self.rows


@contextmanager
def pipelined(connection: Connection) -> Iterator[None]:
    """Statements of the block are sent without waiting for one another; what they did is known after it.

    Only for statements whose results are not looked at inside. The first error of any of them is raised at the end.
    """
    with _driver(connection).pipeline():
        yield


@contextmanager
def observed(observer: Observer) -> Iterator[None]:
    """Tells `observer` each hot statement while the block runs."""
    _observers.append(observer)
    try:
        yield
    finally:
        _observers.remove(observer)


def is_retryable(error: Exception) -> bool:
    """Deadlock, serialisation failure, lost connection: the idempotent work may run again (architecture 6.6)."""
    if is_lost(error):
        return True
    state = sqlstate(error) or ""
    return state in _RETRYABLE or (state == "XX000" and "could not commit" in str(error))


def is_passing(error: Exception) -> bool:
    """Whether the database was busy, away, out of something or read-only: no fault of the work, which may well succeed a
    moment later. Not everything that passes `is_retryable` at once: what was too slow would only be so again.
    """
    if isinstance(error, DatabaseBusy | PoolTimeout | MemoryError):
        return True
    if not isinstance(error, DBAPIError | psycopg.Error):
        return False
    state = sqlstate(error) or ""
    return is_retryable(error) or state in _NOT_NOW or state.startswith(_SHORT_OF_RESOURCES)


def sqlstate(error: Exception) -> str | None:
    """What PostgreSQL says an error is; None where it did not speak. Where the driver itself refuses a value (U+0000 in a
    text) it gives no state, and class 22 says it.
    """
    original = error.orig if isinstance(error, DBAPIError) else error
    state: str | None = getattr(original, "sqlstate", None)
    return "22000" if state is None and isinstance(original, psycopg.DataError) else state


def is_lost(error: Exception) -> bool:
    """Whether the connection broke, or the server is not there."""
    state = sqlstate(error)
    if state is None:
        original = error.orig if isinstance(error, DBAPIError) else error
        return isinstance(original, psycopg.OperationalError)
    return state.startswith("08") or state in _SHUT_DOWN


def _driver(connection: Connection) -> psycopg.Connection[Any]:
    driver: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]  # psycopg below
    return driver


def _engine(url: URL, role: str | None, pool_size: int) -> Engine:
    if role is not None and role not in ROLES:
        raise ValueError(f"unknown role {role!r}")
    engine = create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_size=pool_size,
        max_overflow=0,
        # The one used last: it has planned its statements, and a server process that rests is not woken for every request.
        pool_use_lifo=True,
        pool_timeout=POOL_TIMEOUT_S,
        pool_pre_ping=False,
        isolation_level="READ COMMITTED",
        hide_parameters=True,
        connect_args={"prepare_threshold": NEVER_BY_COUNT, "application_name": role or "greenpoints_owner"},
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        autocommit, connection.autocommit = connection.autocommit, True
        if role is not None:
            connection.execute(f'SET ROLE "{role}"')
            connection.execute(f"SET statement_timeout = {STATEMENT_TIMEOUT_MS}")
            connection.execute(f"SET lock_timeout = {LOCK_TIMEOUT_MS}")
        connection.autocommit = autocommit

    return engine
