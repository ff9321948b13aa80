"""Floor D: one database transaction for 500 scans. Floor H: a bare route, one scan a POST, one PL/pgSQL call."""

import random

import psycopg
from psycopg import sql

from tests.bench.measure import Run, Watch

RESIDENTS = 200_000
BATCH = 500
BUDGET = 10**15

SCHEMA = """
CREATE SCHEMA floor; SET search_path = floor;
CREATE TABLE scan (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, device_id int NOT NULL, seq bigint NOT NULL,
  resident_id int NOT NULL, gtin bigint NOT NULL, points int NOT NULL, scanned_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (device_id, seq));
CREATE TABLE entry (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, scan_id bigint NOT NULL,
  account_id bigint NOT NULL, amount bigint NOT NULL, created_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE resident_balance (resident_id int PRIMARY KEY, balance bigint NOT NULL DEFAULT 0 CHECK (balance >= 0),
  version bigint NOT NULL DEFAULT 0) WITH (fillfactor = 70);
CREATE TABLE city_budget (city_id int, shard int, remaining bigint NOT NULL CHECK (remaining >= 0),
  PRIMARY KEY (city_id, shard)) WITH (fillfactor = 10);
CREATE FUNCTION post_scan(d int, q bigint, r int, g bigint, p int) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE i bigint; BEGIN
  INSERT INTO scan (device_id, seq, resident_id, gtin, points) VALUES (d, q, r, g, p) ON CONFLICT DO NOTHING
    RETURNING id INTO i;
  IF i IS NULL THEN RETURN NULL; END IF;
  INSERT INTO entry (scan_id, account_id, amount) VALUES (i, 1000000000, -p), (i, r, p);
  UPDATE resident_balance SET balance = balance + p, version = version + 1 WHERE resident_id = r;
  UPDATE city_budget SET remaining = remaining - p WHERE city_id = 1 AND shard = 0 AND remaining >= p;
  IF NOT FOUND THEN RAISE EXCEPTION 'budget exhausted'; END IF; RETURN i; END $$;
"""

SCAN = """
INSERT INTO scan (device_id, seq, resident_id, gtin, points) SELECT d, q, r, 6901234567892, p
FROM unnest(%s::int[], %s::bigint[], %s::int[], %s::int[]) t(d, q, r, p)
ON CONFLICT DO NOTHING RETURNING id, resident_id, points"""
ENTRY = """
INSERT INTO entry (scan_id, account_id, amount) SELECT s, v.a, v.m
FROM unnest(%s::bigint[], %s::bigint[], %s::int[]) t(s, r, p),
     LATERAL (VALUES (1000000000::bigint, -p), (r, p)) v(a, m)"""
LOCK = "SELECT 1 FROM resident_balance WHERE resident_id = ANY(%s) ORDER BY resident_id FOR UPDATE"
BALANCE = """
UPDATE resident_balance b SET balance = b.balance + t.p, version = b.version + 1
FROM unnest(%s::int[], %s::bigint[]) t(r, p) WHERE b.resident_id = t.r"""
SPEND = "UPDATE city_budget SET remaining = remaining - %s WHERE city_id = 1 AND shard = 0 AND remaining >= %s"


def create(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(SCHEMA)  # type: ignore[arg-type]  # a constant
        connection.execute("INSERT INTO floor.city_budget VALUES (1, 0, %s)", [BUDGET])
        connection.execute("INSERT INTO floor.resident_balance SELECT g FROM generate_series(0, %s) g", [RESIDENTS - 1])
        connection.execute("VACUUM ANALYZE floor.resident_balance")


def grow(url: str, scans: int) -> None:
    """Fills the floor's tables with `scans` old scans, so that it is measured as old as the engine's tables are."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET search_path = floor")
        connection.execute(
            "INSERT INTO scan (device_id, seq, resident_id, gtin, points)"
            " SELECT -1, g, (random() * %s)::int, 6901234567892, 5 FROM generate_series(1, %s) g",
            [RESIDENTS - 1, scans],
        )
        connection.execute(
            "INSERT INTO entry (scan_id, account_id, amount) SELECT s.id, v.a, v.m FROM scan s,"
            " LATERAL (VALUES (1000000000::bigint, -5), (s.resident_id::bigint, 5)) v(a, m) WHERE s.device_id = -1"
        )
        for table in ("scan", "entry"):
            connection.execute(sql.SQL("VACUUM ANALYZE floor.{}").format(sql.Identifier(table)))


def write_batches(url: str, writer: int, batches: int, first_seq: int, seed: int) -> Run:
    """One writer's `batches` x 500 scans; they are drawn before the clock starts."""
    rng = random.Random(seed)
    drawn = [
        ([rng.randrange(RESIDENTS) for _ in range(BATCH)], [rng.randint(1, 50) for _ in range(BATCH)])
        for _ in range(batches)
    ]
    with psycopg.connect(url, prepare_threshold=None) as connection:
        connection.execute("SET search_path = floor")
        connection.commit()
        watch = Watch(connection.info.backend_pid)
        for number, (residents, points) in enumerate(drawn):
            first = first_seq + number * BATCH
            _one_batch(connection, writer, list(range(first, first + BATCH)), residents, points)
        return watch.stop(batches * BATCH)


def _one_batch(
    connection: psycopg.Connection, writer: int, seqs: list[int], residents: list[int], points: list[int]
) -> None:
    rows = connection.execute(SCAN, [[writer] * len(seqs), seqs, residents, points]).fetchall()
    totals: dict[int, int] = {}
    for _, resident, amount in rows:
        totals[resident] = totals.get(resident, 0) + amount
    spent = sum(totals.values())
    with connection.pipeline():
        connection.execute(ENTRY, [[r[0] for r in rows], [r[1] for r in rows], [r[2] for r in rows]])
        connection.execute(LOCK, [list(totals)])
        connection.execute(BALANCE, [list(totals), list(totals.values())])
        connection.execute(SPEND, [spent, spent])
        connection.commit()


def verify(url: str) -> None:
    """The floor must have done its work: entries balance, balances are their fold, the budget paid them all."""
    with psycopg.connect(url) as connection:
        connection.execute("SET search_path = floor")
        balanced = connection.execute("SELECT coalesce(sum(amount), 0) FROM entry").fetchone()
        paid = connection.execute(
            "SELECT (SELECT sum(balance) FROM resident_balance), (SELECT sum(points) FROM scan WHERE device_id >= 0),"
            " %s - (SELECT remaining FROM city_budget)",
            [BUDGET],
        ).fetchone()
    assert balanced == (0,)
    assert paid is not None
    assert paid[0] == paid[1] == paid[2]
