"""A city's ledger, sealed, with the checkpoints that somebody outside has kept."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection

from backend.audit.acts import What
from backend.audit.model import Act
from backend.audit.store import record
from backend.checkpoints.model import verifier_key
from backend.storage.transaction import Database
from backend.usecases.seal_ledger import LogKey, SealedNow, seal_ledger
from tests.worlds import rules
from tests.worlds.city import FRIDGE, NANJING, NOON, City, open_city, read, resident

PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY = LogKey(PRIVATE.public_key().public_bytes_raw(), PRIVATE.sign)
VKEY = verifier_key(NANJING, KEY.public)
LATER = NOON + timedelta(days=2)


class Trade(NamedTuple):
    """A city that sells and seals. `url` is the owner's, a superuser of the test's server."""

    city: City
    url: str

    def sell(self, baskets: int, *, till: int = 1, at: datetime = NOON) -> None:
        """One posting a basket, recorded at `at`."""
        counter = self.city.till(till)
        self.city.record(*(counter.basket(read(FRIDGE), resident=resident(n % 7)) for n in range(baskets)), now=at)

    def act(self, acts: int, *, at: datetime = NOON) -> None:
        """What an official does, recorded at `at`."""

        def work(connection: Connection) -> None:
            for number in range(acts):
                record(
                    connection,
                    Act(What.STORE_OPENED, NANJING, "store", f"S{number}", at, "新店", after={"number": number}),
                )

        self.city.database.write(work)

    def seal(self, *, minutes: int = 0, batch: int = 50, since_ever: bool = False) -> SealedNow:
        now = LATER + timedelta(minutes=minutes)
        return seal_ledger(self.city.database, NANJING, now, KEY, lambda: False, since_ever=since_ever, batch=batch)

    def run(self, statement: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []


@pytest.fixture
def trade(engine_db: Database, database_url: str) -> Trade:
    return Trade(open_city(engine_db, rules.document(caps=[rules.cap("day", "day", 10_000)])), database_url)
