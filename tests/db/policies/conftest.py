from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from backend.storage.transaction import Database
from tests.db.policies.office import Office


@pytest.fixture
def office(engine_db: Database, database_url: str) -> Office:
    return Office(engine_db, database_url)


@pytest.fixture
def owner(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection
