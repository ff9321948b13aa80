"""An act stands with its row or not at all, and the row stands for ever."""

from datetime import UTC, datetime

import psycopg
import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from backend.audit.acting import acting
from backend.audit.model import Actor
from backend.retailers.store import Store
from backend.storage.transaction import Database, hot
from backend.usecases.open_store import open_store
from tests.worlds.city import NANJING

SHOP = Store(NANJING, "S-1", "张三 13812345678", "某店", "320102")
AT = datetime(2026, 11, 27, 8, tzinfo=UTC)


def rows(database: Database, statement: str) -> list[tuple[object, ...]]:
    with database.read() as connection:
        return list(hot(connection, statement))


def test_an_act_is_recorded_with_who_what_and_when(engine_db: Database) -> None:
    with acting(Actor("0190f0a0", "fleet", "request-1")):
        engine_db.write(lambda connection: open_store(connection, SHOP, AT))

    assert rows(engine_db, "SELECT at, who, role, what, kind, key, before, after, request FROM acts") == [
        (AT, "0190f0a0", "fleet", "store-opened", "store", "S-1", None,
         '{"district":"320102","retailer":"张三 138****5678","shop":"某店"}', "request-1")
    ]  # fmt: skip


def test_what_changes_nothing_is_no_act(engine_db: Database) -> None:
    for _ in range(2):
        engine_db.write(lambda connection: open_store(connection, SHOP, AT))

    assert rows(engine_db, "SELECT count(*) FROM acts") == [(1,)]


def test_an_act_whose_row_cannot_be_written_is_not_done(engine_db: Database) -> None:
    with acting(Actor("", "fleet")), pytest.raises((psycopg.Error, DBAPIError), match="ck_acts_who"):
        engine_db.write(lambda connection: open_store(connection, SHOP, AT))

    assert rows(engine_db, "SELECT count(*) FROM stores") == [(0,)]


@pytest.mark.parametrize("statement", ["UPDATE acts SET reason = 'x'", "DELETE FROM acts", "TRUNCATE acts"])
@pytest.mark.parametrize("role", ["greenpoints_engine", "greenpoints_console", "greenpoints_auditor"])
def test_no_role_changes_an_act(database_url: str, role: str, statement: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute(f"SET ROLE {role}")

        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement)


def test_a_transaction_that_rolls_back_leaves_no_act(engine_db: Database) -> None:
    def fail(connection: Connection) -> None:
        open_store(connection, SHOP, AT)
        raise RuntimeError("undone")

    with pytest.raises(RuntimeError, match="undone"):
        engine_db.write(fail)

    assert rows(engine_db, "SELECT count(*) FROM acts") == [(0,)]
