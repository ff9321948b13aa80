from collections.abc import Iterator

import pytest

from backend.storage.transaction import Database


@pytest.fixture
def owner(database_url: str) -> Iterator[Database]:
    database = Database(database_url, role=None, pool_size=1)
    yield database
    database.close()
