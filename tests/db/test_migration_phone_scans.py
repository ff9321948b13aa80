"""Revision 0005 takes the ids of scans that residents made away from home before it, so that they count nowhere else."""

from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy.engine import make_url

from backend.kernel.ids import new_id
from backend.kernel.periods import milliseconds
from backend.storage import migrate
from backend.storage.transaction import Database
from backend.usecases.record_baskets import Arrival
from backend.usecases.scan_label import LabelScan, basket_of
from tests.worlds import books
from tests.worlds.city import FRIDGE, NANJING, NOON, SUZHOU, open_city, resident, states

LI = resident(1)


@pytest.fixture
def older(server_url: str) -> Iterator[str]:
    """The address of a database as the revision before left it."""
    name = f"t_{new_id().replace('-', '')}"
    with psycopg.connect(server_url, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"')
        url = make_url(server_url).set(database=name).render_as_string(hide_password=False)
        migrate.upgrade(url, "0004_jobs")
        yield url
        server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def arrival(city: str, scan_id: str) -> Arrival:
    scan = LabelScan(LI, NANJING, city, scan_id, FRIDGE.encode(), FRIDGE, None, None)
    return Arrival(basket_of(scan, milliseconds(NOON)))


def test_a_scan_made_away_before_counts_at_home_no_more(older: str) -> None:
    away, at_home, new = (str(uuid4()) for _ in range(3))
    database = Database(older, role="greenpoints_engine", pool_size=2)
    nanjing, suzhou = open_city(database), open_city(database, code=SUZHOU)
    with psycopg.connect(older, autocommit=True) as owner:
        owner.execute(
            "INSERT INTO residents (city, resident, state, joined_at) VALUES (%s, %s, 'active', %s)",
            [NANJING, LI, NOON],
        )
    suzhou.record(arrival(SUZHOU, away))
    nanjing.record(arrival(NANJING, at_home))

    migrate.upgrade(older)
    migrate.upgrade(older)

    recorded = nanjing.record(*(arrival(NANJING, scan_id) for scan_id in (away, at_home, new)))
    assert states(recorded) == ["quarantined", "duplicate", "recorded"]
    assert states(suzhou.record(arrival(SUZHOU, away))) == ["duplicate"]
    assert books.rows(database, "SELECT count(*) FROM baskets WHERE channel = 'elsewhere'") == [(1,)]
    database.close()
