import psycopg
import pytest

from backend.storage.transaction import Database
from tests.db.updates.rollouts import FLEET, till
from tests.worlds.city import NANJING, NOON, SUZHOU


@pytest.fixture
def fleet(database_url: str, engine_db: Database) -> Database:
    """60 tills in Nanjing, one of them revoked, and one in Suzhou."""
    with psycopg.connect(database_url) as owner, owner.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO device_directory VALUES (%s, %s, 's1', %s, %s, %s, %s)",
            [
                *((till(n), NANJING, "320102", "active", NOON, None) for n in range(FLEET - 1)),
                (till(FLEET - 1), NANJING, "320102", "revoked", NOON, NOON),
                ("sz-till-0001", SUZHOU, "320508", "active", NOON, None),
            ],
        )
    return engine_db
