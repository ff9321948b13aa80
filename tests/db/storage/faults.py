"""A process of its own that meets faults of the database, each with somebody's number in it, and logs them."""

import logging
import os
from collections.abc import Callable

import psycopg
import structlog
from sqlalchemy import Connection, text

from backend import logs
from backend.storage.transaction import Database, hot

NUMBER = "11010519491231002X"
TWICE = "INSERT INTO kept VALUES (%(number)s), (%(number)s)"


def _nested(connection: Connection) -> None:
    try:
        hot(connection, TWICE, {"number": NUMBER})
    except psycopg.Error as error:
        raise RuntimeError("while it was being recorded") from error


def _grouped(connection: Connection) -> None:
    try:
        hot(connection, TWICE, {"number": NUMBER})
    except psycopg.Error as error:
        error.add_note(NUMBER)
        raise ExceptionGroup("several", [error, KeyError(NUMBER)]) from None


FAULTS: dict[str, Callable[[Connection], object]] = {
    "detail": lambda c: hot(c, TWICE, {"number": NUMBER}),
    "parameters": lambda c: c.execute(text("INSERT INTO kept VALUES (:one), (:one)"), {"one": NUMBER}),
    "value": lambda c: hot(c, "SELECT %(number)s::bigint", {"number": NUMBER}),
    "array": lambda c: hot(c, "SELECT %(array)s::bigint[]", {"array": f'{{1}} "{NUMBER}"'}),
    "row": lambda c: hot(c, "INSERT INTO kept VALUES (%(number)s, -1)", {"number": NUMBER}),
    "nested": _nested,
    "grouped": _grouped,
    "text": lambda c: hot(c, "SELECT %(text)s", {"text": f"\x00{NUMBER}"}),
}


def main() -> None:
    logs.configure("info")
    logs.forward_libraries()
    database = Database(os.environ["DATABASE_URL"], role=None, pool_size=1)
    for name, fault in FAULTS.items():
        try:
            database.write(fault)
        except Exception as error:
            structlog.get_logger().error(name, exc_info=error)
            logging.getLogger("library").warning("of %s", error, exc_info=True)
    database.close()


if __name__ == "__main__":
    main()
