"""What is read of one resident, and what is due, is found along an index and not by reading the table."""

from datetime import timedelta

import psycopg

from backend.ledger import chart, post, queries
from backend.storage.transaction import Database
from tests.db.ledger.walk import LI
from tests.worlds.city import NANJING, NOON

PEOPLE = """
INSERT INTO accounts (city, account, unit, floor, balance, opened_at, due_at)
SELECT '320100', 'resident:01900000-0000-7000-a000-' || lpad(to_hex(g), 12, '0') || ':points', 'points', 0, 0, now(), NULL
FROM generate_series(1, 20000) g"""


def plan(url: str, statement: str, params: dict[str, object]) -> str:
    with psycopg.connect(url) as owner:
        owner.execute("ANALYZE accounts")
        return "\n".join(row[0] for row in owner.execute(f"EXPLAIN {statement}", params))


def test_a_residents_accounts_are_a_walk_along_the_key(engine_db: Database, database_url: str) -> None:
    with psycopg.connect(database_url) as owner:
        owner.execute(PEOPLE)
    prefixes = dict(zip(("collect", "debt", "held", "pending", "lots"), chart.prefixes(LI), strict=True))
    params: dict[str, object] = {"city": NANJING, **prefixes}

    found = plan(database_url, queries.HOLDINGS, params)

    assert found.count("Index Cond: ((city = '320100'::text) AND (account >= ") == 5, found
    assert "Seq Scan" not in found


def test_what_is_due_is_found_by_its_index(engine_db: Database, database_url: str) -> None:
    with psycopg.connect(database_url) as owner:
        owner.execute(PEOPLE)

    found = plan(database_url, post.DUE, {"city": NANJING, "now": NOON + timedelta(days=1), "limit": 1_000})

    assert "ix_accounts_due" in found
    assert "Seq Scan" not in found
