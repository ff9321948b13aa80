"""Several workers at once, recorders under way, kill -9: every waiting scan is decided exactly once and none is forgotten."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest
from sqlalchemy import Connection

from backend.certificates.model import Entry
from backend.ledger import chart
from backend.policies.store import PolicyCache
from backend.scans.pending import close
from backend.storage.transaction import Database, observed
from backend.usecases.record_baskets import RecordBaskets
from backend.usecases.resolve_products import Resolved
from tests.worlds import books, rules
from tests.worlds.city import (
    FRIDGE,
    LINE_KEY,
    NANJING,
    UNCERTIFIED,
    City,
    gtin,
    open_city,
    read,
    register,
    resident,
    unit_label,
)
from tests.worlds.later import LATER, assert_sound, open_codes, resolve, resolver

Result = TypeVar("Result")
LI = resident(1)
KEY = f"gtin:0{UNCERTIFIED}"
DECIDED_TWICE = """
SELECT basket, line_no FROM decisions WHERE city = :c AND outcome <> 'pending_product'
GROUP BY basket, line_no HAVING count(*) > 1"""


@pytest.fixture
def city(engine_db: Database) -> City:
    return open_city(engine_db, rules.document(caps=[rules.cap("day", "day", 200)], budget=3_000))


def _waiting(city: City, baskets: int, reads: int = 4) -> None:
    """Baskets of ten residents with unknown products and, in each, one piece that no other basket has."""
    products = [gtin(number) for number in range(300, 310)]
    for first in range(0, baskets, 100):
        till = city.till(1 + first // 100)
        arrivals = []
        for number in range(first, min(first + 100, baskets)):
            codes = [products[(number + i) % 10] for i in range(reads - 1)]
            piece = unit_label(f"S{number}", products[number % 10])
            arrivals.append(till.basket(*map(read, [*codes, piece]), resident=resident(number % 10)))
        city.record(*arrivals)


def _learn(city: City) -> None:
    register(city.database, *({"code": gtin(number), "grade": "1"} for number in range(300, 310)), now=LATER)


def test_four_workers_at_once_decide_each_scan_once(city: City, database_url: str) -> None:
    _waiting(city, 300)
    _learn(city)
    databases = [Database(database_url, role="greenpoints_engine", pool_size=1) for _ in range(4)]

    with ThreadPoolExecutor(4) as threads:
        done = list(threads.map(lambda database: resolver(database).resolve(NANJING, LATER), databases))

    for database in databases:
        database.close()
    assert sum(one.scans for one in done) == 1_200
    assert books.rows(city.database, DECIDED_TWICE, c=NANJING) == []
    assert books.budget_left(city.database, NANJING) == 3_000 - 10 * 200  # the caps of ten residents
    assert open_codes(city.database, NANJING) == []
    assert_sound(city.database, NANJING)


def test_tills_that_sell_meanwhile_share_the_same_caps_and_budget(city: City, database_url: str) -> None:
    _waiting(city, 100)
    _learn(city)
    databases = [Database(database_url, role="greenpoints_engine", pool_size=1) for _ in range(3)]

    def sell(number: int) -> None:
        recorder, till = city.another_process(databases[number]), city.till(50 + number)
        for _ in range(20):
            recorder.record(NANJING, [till.basket(read(FRIDGE), resident=resident(n)) for n in range(10)], LATER)

    with ThreadPoolExecutor(3) as threads:
        selling = [threads.submit(sell, number) for number in range(2)]
        resolving = threads.submit(resolver(databases[2]).resolve, NANJING, LATER)
        results = [future.result() for future in [*selling, resolving]]

    for database in databases:
        database.close()
    assert results[2] == Resolved(codes=110, scans=400, awarded=results[2].awarded)  # type: ignore[union-attr]  # the last is it
    assert books.rows(city.database, "SELECT DISTINCT used FROM cap_counters WHERE city = :c", c=NANJING) == [(200,)]
    assert_sound(city.database, NANJING)


def test_a_worker_killed_at_any_moment_loses_and_doubles_nothing(city: City, database_url: str) -> None:
    _waiting(city, 400, reads=10)
    _learn(city)
    script = (
        "import sys; from backend.storage.transaction import Database; from tests.worlds.later import LATER, resolver;"
        "resolver(Database(sys.argv[1], role='greenpoints_engine')).resolve('320100', LATER)"
    )
    seen = []

    for _ in range(3):
        before = books.count(city.database, "decisions", NANJING)
        process = subprocess.Popen([sys.executable, "-c", script, database_url])
        while process.poll() is None and books.count(city.database, "decisions", NANJING) == before:
            time.sleep(0.002)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        seen.append(books.count(city.database, "decisions", NANJING) - 4_000)
        assert_sound(city.database, NANJING)
    last = resolve(city)

    assert 0 < seen[0] < seen[1] <= seen[2] < 4_000
    assert last.scans == 4_000 - seen[2]
    assert books.rows(city.database, DECIDED_TWICE, c=NANJING) == []
    assert open_codes(city.database, NANJING) == []
    assert_sound(city.database, NANJING)


class _Outdated:
    """The registry as a recorder sees it whose transaction began before an import was committed."""

    def lookup(self, _connection: Connection, _keys: Iterable[str]) -> Mapping[str, tuple[Entry, ...]]:
        return {}

    def as_of(self, connection: Connection, keys: set[str], version: int) -> Mapping[str, tuple[Entry, ...]]:  # noqa: ARG002
        return self.lookup(connection, keys)


class _Slow:
    """A database whose transactions wait for `go` just before COMMIT, and say when they have come so far."""

    def __init__(self, database: Database) -> None:
        self.database, self.arrived, self.go = database, threading.Event(), threading.Event()

    def write(self, work: Callable[[Connection], Result]) -> Result:
        def slowly(connection: Connection) -> Result:
            result = work(connection)
            self.arrived.set()
            assert self.go.wait(20)
            return result

        return self.database.write(slowly)


def test_a_scan_that_comes_after_its_code_was_closed_opens_it_again(city: City) -> None:
    city.record(city.till().basket(read(UNCERTIFIED), resident=LI))
    register(city.database, {"code": UNCERTIFIED, "grade": "1"})
    resolve(city)
    outdated = RecordBaskets(city.database, _Outdated(), PolicyCache(chart.budget), line_key=LINE_KEY)

    outdated.record(NANJING, [city.till(2).basket(read(UNCERTIFIED), resident=LI)], LATER)

    assert open_codes(city.database, NANJING) == [KEY]
    assert resolve(city) == Resolved(codes=1, scans=1, awarded=1)
    assert_sound(city.database, NANJING)


def test_a_code_is_not_closed_over_a_scan_that_is_just_being_recorded(city: City) -> None:
    city.record(city.till().basket(read(UNCERTIFIED), resident=LI))
    register(city.database, {"code": UNCERTIFIED, "grade": "1"})
    slow = _Slow(city.database)
    recorder = RecordBaskets(slow, _Outdated(), PolicyCache(chart.budget), line_key=LINE_KEY)
    arrival = city.till(2).basket(read(UNCERTIFIED), resident=LI)

    with ThreadPoolExecutor(2) as threads:
        recording = threads.submit(recorder.record, NANJING, [arrival], LATER)
        assert slow.arrived.wait(20)
        resolving = threads.submit(resolve, city)
        time.sleep(0.3)
        waited = not resolving.done()
        slow.go.set()
        recording.result()
        first = resolving.result()

    assert waited
    assert first == Resolved(codes=0, scans=1, awarded=1)
    assert open_codes(city.database, NANJING) == [KEY]
    assert resolve(city) == Resolved(codes=1, scans=1, awarded=1)
    assert_sound(city.database, NANJING)


def test_a_recorder_waits_for_a_code_that_is_just_being_closed_and_opens_it_again(city: City) -> None:
    city.record(city.till().basket(read(UNCERTIFIED), resident=LI))
    register(city.database, {"code": UNCERTIFIED, "grade": "1"})
    baskets = books.rows(city.database, "SELECT basket::text FROM baskets WHERE city = :c", c=NANJING)
    resolver(city.database)._decided(NANJING, [basket for (basket,) in baskets], LATER)
    outdated = RecordBaskets(city.database, _Outdated(), PolicyCache(chart.budget), line_key=LINE_KEY)
    arrival = city.till(2).basket(read(UNCERTIFIED), resident=LI)
    slow = _Slow(city.database)

    with ThreadPoolExecutor(2) as threads:
        closing = threads.submit(slow.write, lambda connection: close(connection, NANJING, [KEY], LATER))
        assert slow.arrived.wait(20)
        recording = threads.submit(outdated.record, NANJING, [arrival], LATER)
        time.sleep(0.3)
        waited = not recording.done()
        slow.go.set()
        closed = closing.result()
        recording.result()

    assert waited
    assert closed == 1
    assert open_codes(city.database, NANJING) == [KEY]
    assert_sound(city.database, NANJING)


def test_a_pass_costs_the_same_statements_for_one_scan_as_for_five_hundred(engine_db: Database) -> None:
    city = open_city(engine_db)
    city.record(city.till(99).basket(read(FRIDGE), resident=LI))  # opens the wallet
    counts = []
    for number, scans in enumerate((1, 500)):
        code = gtin(400 + number)
        for first in range(0, scans, 50):
            reads = [read(code)] * min(50, scans - first)
            city.record(city.till(number * 20 + first // 50).basket(*reads, resident=LI))
        register(engine_db, {"code": code, "grade": "1"})
        statements: list[str] = []

        with observed(statements.append):
            assert resolve(city).scans == scans

        counts.append(len(statements))
    assert counts[0] == counts[1]


def test_a_worker_is_stopped_between_batches(city: City) -> None:
    _waiting(city, 300)
    _learn(city)
    asked = 0

    def stopping() -> bool:
        nonlocal asked
        asked += 1
        return asked > 3

    worker = resolver(city.database)
    first = worker.resolve(NANJING, LATER, stopping)

    assert 0 < first.scans < 1_200
    assert worker.resolve(NANJING, LATER).scans == 1_200 - first.scans
    assert_sound(city.database, NANJING)


def test_what_a_run_decides_bears_its_own_moment_and_not_that_at_which_the_run_began(city: City) -> None:
    _waiting(city, 300)
    _learn(city)

    assert resolve(city).failed == 0

    found = books.rows(city.database, "SELECT DISTINCT decided_at FROM decisions WHERE decision_no > 1 ORDER BY 1")
    assert len(found) > 1
    assert found[0] > (LATER,)


def test_the_registry_is_asked_once_for_codes_that_stay_unknown(city: City) -> None:
    """A city has far more unknown codes than products; a pass over what was looked up already reads no registry table."""
    _waiting(city, 100)
    worker = resolver(city.database)
    worker.resolve(NANJING, LATER)
    statements: list[str] = []

    with observed(statements.append):
        assert worker.resolve(NANJING, LATER) == Resolved()

    assert not any("certified_products" in statement for statement in statements)
