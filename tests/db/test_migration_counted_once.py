"""Revision 0076 takes off counters what accounts of one person, merged by an older release, carried from one departure twice."""

from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy.engine import make_url

from backend.kernel.ids import new_id
from backend.storage import migrate
from tests.worlds.city import NANJING, NOON

KEPT, GONE, OTHER, FIRST, SECOND = (new_id() for _ in range(5))
CARRIED = "INSERT INTO carried_caps (city, person, period, cap, departure, used) VALUES (%s, %s, '2026', %s, %s, %s)"
CAP = "INSERT INTO cap_counters (city, person, period, cap, used, allowed, version) VALUES (%s, %s, '2026', %s, %s, 200, 7)"
LIMIT = (
    "INSERT INTO redemption_counters (city, person, entry, period, used, allowed) VALUES (%s, %s, 'bag', '2026', %s, 8)"
)
MERGED = """
INSERT INTO merged_residents (absorbed, absorbed_home, survivor, home, merge, merged_at)
VALUES (%(gone)s, %(city)s, %(kept)s, %(city)s, %(gone)s, %(now)s)"""


@pytest.fixture
def older(server_url: str) -> Iterator[str]:
    """The address of a database as the revision before left it."""
    name = f"t_{new_id().replace('-', '')}"
    with psycopg.connect(server_url, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"')
        url = make_url(server_url).set(database=name).render_as_string(hide_password=False)
        migrate.upgrade(url, "0074_claimed_elsewhere")
        yield url
        server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def test_what_was_counted_twice_is_taken_off_once(older: str) -> None:
    with psycopg.connect(older) as owner:
        owner.execute(MERGED, {"kept": KEPT, "gone": GONE, "city": NANJING, "now": NOON})
        carried = [(KEPT, 10, FIRST), (GONE, 25, FIRST), (KEPT, 30, SECOND), (OTHER, 25, FIRST)]
        for person, used, departure in carried:
            owner.execute(CARRIED, (NANJING, person, "p/year", departure, used))
        for person in (KEPT, GONE):
            owner.execute(CARRIED, (NANJING, person, "redeemed:bag", FIRST, 2))
        for person, cap, used in ((KEPT, "p/year", 70), (GONE, "p/year", 0), (OTHER, "p/year", 25), (KEPT, "p/day", 5)):
            owner.execute(CAP, (NANJING, person, cap, used))
        owner.execute(LIMIT, (NANJING, KEPT, 5))

    migrate.upgrade(older)

    with psycopg.connect(older) as owner:
        caps = owner.execute("SELECT person::text, cap, used, version FROM cap_counters").fetchall()
        limits = owner.execute("SELECT used FROM redemption_counters").fetchall()
    assert set(caps) == {
        (KEPT, "p/year", 60, 8),
        (GONE, "p/year", 0, 7),
        (OTHER, "p/year", 25, 7),
        (KEPT, "p/day", 5, 7),
    }
    assert limits == [(3,)]
