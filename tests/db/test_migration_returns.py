"""Revision 0012 queues the baskets that an older release recorded as voids, so that what they took back is taken back."""

from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy.engine import make_url

from backend.kernel.ids import new_id
from backend.scans.identity import basket_id
from backend.storage import migrate
from tests.worlds.city import NANJING, NOON

STREAM = "9f3c0a1b2c3d4e5f60718293a4b5c6d7"
RECORD = """
INSERT INTO baskets (city, basket, device, stream, seq, sha256, channel, void_of, sold_at, clock_quality, online, received_at,
                     recorded_at)
VALUES (%(city)s, %(basket)s, %(device)s, %(stream)s, %(seq)s, %(sha256)s, 'till', %(void_of)s, %(at)s, 'ntp', true, %(at)s,
        %(at)s)"""


@pytest.fixture
def older(server_url: str) -> Iterator[str]:
    """The address of a database as the revision before left it."""
    name = f"t_{new_id().replace('-', '')}"
    with psycopg.connect(server_url, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"')
        url = make_url(server_url).set(database=name).render_as_string(hide_password=False)
        migrate.upgrade(url, "0011_points_in_time")
        yield url
        server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def record(url: str, device: str, seq: int, void_of: int | None = None) -> str:
    basket = basket_id(device, STREAM, seq)
    given = {"city": NANJING, "basket": basket, "device": device, "stream": STREAM, "seq": seq, "void_of": void_of}
    with psycopg.connect(url) as owner:
        owner.execute(RECORD, {**given, "sha256": bytes(32), "at": NOON})
    return basket


def test_voids_that_were_recorded_before_wait_in_the_queue(older: str) -> None:
    sale = record(older, "till-a", 1)
    record(older, "till-b", 1)
    void = record(older, "till-a", 2, void_of=1)
    record(older, "till-b", 3, void_of=2)  # of a sale that never came

    migrate.upgrade(older)

    with psycopg.connect(older) as owner:
        queued = owner.execute("SELECT basket::text, voided::text FROM open_voids").fetchall()
    assert queued == [(void, sale)]
