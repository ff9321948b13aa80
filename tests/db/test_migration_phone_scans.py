"""Revision 0005 takes the ids of scans that residents made away from home before it, so that they count nowhere else."""

from collections.abc import Iterator
from typing import Any
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


RECORD = """
INSERT INTO baskets (city, basket, device, stream, seq, sha256, line, channel, resident, sold_at, clock_quality, online,
                     received_at, recorded_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"""


def recorded_before(owner: "psycopg.Connection[Any]", city: str, scan_id: str) -> None:
    """The basket as the release of that revision wrote it: today's names columns that it does not have yet."""
    b = arrival(city, scan_id).basket
    facts = [b.basket, b.device, b.stream, b.seq, b.sha256, b.line, b.channel, b.resident]
    owner.execute(RECORD, [city, *facts, NOON, b.clock_quality, b.online, NOON, NOON])


def test_a_scan_made_away_before_counts_at_home_no_more(older: str) -> None:
    away, at_home, new = (str(uuid4()) for _ in range(3))
    database = Database(older, role="greenpoints_engine", pool_size=2)
    with psycopg.connect(older, autocommit=True) as owner:
        owner.execute(
            "INSERT INTO residents (city, resident, state, joined_at) VALUES (%s, %s, 'active', %s)",
            [NANJING, LI, NOON],
        )
        recorded_before(owner, SUZHOU, away)
        recorded_before(owner, NANJING, at_home)

    migrate.upgrade(older)
    migrate.upgrade(older)

    nanjing, suzhou = open_city(database), open_city(database, code=SUZHOU)
    recorded = nanjing.record(*(arrival(NANJING, scan_id) for scan_id in (away, at_home, new)))
    assert states(recorded) == ["quarantined", "duplicate", "recorded"]
    assert states(suzhou.record(arrival(SUZHOU, away))) == ["duplicate"]
    assert books.rows(database, "SELECT count(*) FROM baskets WHERE channel = 'elsewhere'") == [(1,)]
    database.close()
