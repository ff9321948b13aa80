"""What every measurement stands on: a durable PostgreSQL of its own, a city, the floors; verified at the end."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp

import psycopg
from sqlalchemy.engine import make_url

from backend.kernel.ids import new_id
from backend.storage.embedded import EmbeddedPostgres
from backend.storage.migrate import upgrade
from backend.storage.transaction import Database
from backend.usecases.verify_ledger import verify_ledger
from tests.bench import city, floors
from tests.bench.report import say


@dataclass
class Place:
    """A migrated database with the measured city. Member codes and baskets are numbered from `next_number` on."""

    url: str
    sold_at: datetime
    next_number: int = 1

    def take(self, count: int) -> int:
        """The first of `count` numbers, with their member codes issued."""
        first = self.next_number
        self.next_number += count
        city.issue_codes(self.url, first, count, city.expiry(self.sold_at))
        return first

    def verify(self) -> None:
        """Raises AssertionError unless every invariant of the ledger holds."""
        owner = Database(self.url, role=None, pool_size=1)
        try:
            for verified in verify_ledger(owner):
                assert verified.sound, verified
        finally:
            owner.close()


@dataclass
class Ground:
    server: EmbeddedPostgres
    home: Path
    sold_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def database(self) -> str:
        name = f"b_{new_id().replace('-', '')}"
        with psycopg.connect(self.server.url(), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')  # type: ignore[call-overload]  # a name of ours
        return make_url(self.server.url()).set(database=name).render_as_string(hide_password=False)

    def place(self) -> Place:
        url = self.database()
        upgrade(url)
        city.create(url, self.sold_at)
        return Place(url, self.sold_at)

    def floor(self) -> str:
        url = self.database()
        floors.create(url)
        return url


@contextmanager
def prepared() -> Iterator[Ground]:
    """A server on a fresh disk place, with the settings that the embedded one always has: everything durable."""
    home = Path(mkdtemp(prefix="gp-bench-", dir="/var/tmp"))  # where the server's own user can enter
    home.rmdir()
    server = EmbeddedPostgres(home, settings={"shared_buffers": "512MB", "max_wal_size": "8GB"})
    server.start()
    try:
        yield Ground(server, home)
    finally:
        server.stop()
        shutil.rmtree(home, ignore_errors=True)
        say("  数据已核对并清除 / verified and removed")
