"""The console's pages among millions of scans, each beside its own statements replayed bare in the same minutes.

A city with one object of each kind is made as many times as large by SQL (`tests.worlds.grown`), then its jobs run while its
books are verified. A page is asked for over HTTP, then what it had asked of the database is asked again on a bare connection.
"""

import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from multiprocessing import get_context
from multiprocessing.synchronize import Event
from pathlib import Path
from statistics import median
from typing import Any

import psycopg

from backend.bootstrap import build
from backend.kernel.ids import new_id
from backend.kernel.periods import civil_date, milliseconds
from backend.officials.model import Role
from backend.settlements.model import Booked
from backend.storage.migrate import upgrade
from backend.storage.transaction import Database
from backend.usecases.count_scans import count_scans, keep_outlooks
from backend.usecases.pay_settlements import book_payment, prepare_payment, release_payment
from backend.usecases.reconcile_shops import keep_reconciliation
from backend.usecases.report_liability import freeze_liability
from backend.usecases.verify_ledger import verify_ledger
from backend.web.app import create_app
from tests.bench import city, engine, server
from tests.bench.ground import Ground, Place
from tests.bench.plain_http import PlainClient, plain_client
from tests.bench.report import Ratio, say
from tests.http.conftest import Keys, settings_of
from tests.http.console.test_foreign import World, built
from tests.http.console.test_rows_read import pages, seat_of
from tests.worlds import grown, officials
from tests.worlds.city import NANJING, resident
from tests.worlds.settling import QIAN, ZHAO, Office
from tests.worlds.statements import Asked, read_by, recorded

SCANS = int(os.environ.get("GREENPOINTS_BENCH_PAGES_SCANS", "5000000"))
SOLD, SHOPPERS, MONTHS = 45, 100, 11
"""Sales a month, residents and months of the city that is copied: some 500 scans of 100 people."""
CASES, SHOPS = 2_000, 250
"""Copies of each case and of each shop; there are eight shops."""
ROWS_MAX = 20_000
"""Rows that one page may look at, wanted or not."""
BAR = 5.0
NOTABLE_S = 0.01
"""Below it a page is the work of drawing it, whatever the city's size."""
TOLD = 12
"""How many of the worst are told, and all that are beyond the bar."""
MEASURED_WITHIN = timedelta(minutes=50)
BATCHES = 10


def pages_vs_bare(ground: Ground, alternations: int) -> Ratio:
    """The worst page; a page that looks at more than 20,000 rows fails altogether."""
    url = ground.database()
    upgrade(url)
    with grown_city(url, ground.home, SCANS) as world:
        return compared(url, ground.home, world, alternations)


@contextmanager
def grown_city(url: str, keys: Path, scans: int) -> Iterator[World]:
    copies = scans // (SOLD * MONTHS)
    with built(url, keys, _a_year) as world:
        say(f"  {scans:,} 次扫码 / scans …")
        grown.grow(url, NANJING, range(1, copies), grown.SCANS, writers=2)
        grown.grow(url, NANJING, range(1, copies), grown.PEOPLE)
        grown.grow(url, NANJING, range(1, CASES), grown.CASES)
        grown.grow(url, NANJING, range(1, SHOPS), grown.SHOPS)
        grown.grow(url, NANJING, range(1, copies), grown.REGISTRY)
        grown.add_up(url, NANJING, copies)
        with psycopg.connect(url, autocommit=True) as owner:
            owner.execute("VACUUM ANALYZE")
        say("  后台任务与核对 / jobs, and the books verified …")
        with ThreadPoolExecutor(1) as beside:
            verifying = beside.submit(_verify, world.engine)
            work(world.engine)
            verifying.result()
        yield world


def _verify(database: Database) -> None:
    """Every invariant over all rows; but of decisions, which are copies by one rule, those of the last month are taken again."""
    for verified in verify_ledger(database, NANJING, replay_since=datetime(2026, MONTHS, 1, tzinfo=UTC)):
        assert verified.sound, verified


def _a_year(office: Office) -> None:
    """Every month is closed and paid but the last."""
    sold = 0
    for month in range(1, MONTHS + 1):
        for number in range(SOLD):
            at = datetime(2026, month, 1 + number * 27 // SOLD, 3 + number % 3, sold % 60, tzinfo=UTC)
            shop, person = ("s1", "s2", "s3")[sold % 3], resident(1 + sold % SHOPPERS)
            office.sell(1 + sold % 3, shop, at=at, person=person)
            sold += 1
        if month < MONTHS:
            _close(office, month)


def _close(office: Office, month: int) -> None:
    now = datetime(2026, month + 1, 1, 16, 30, tzinfo=UTC)
    office.close(f"2026-{month:02d}", now=now)
    paid_at = now + timedelta(days=9)
    payment = prepare_payment(office.database, NANJING, new_id(), ZHAO, paid_at).payment
    release_payment(office.database, NANJING, payment, QIAN, paid_at)
    book_payment(
        office.database,
        NANJING,
        payment,
        Booked(civil_date(milliseconds(paid_at)).isoformat(), f"ICBC-{month}", ZHAO),
        paid_at,
    )


def work(database: Database) -> None:
    """The jobs that pages rely on."""
    now = datetime.now(UTC)
    count_scans(database, NANJING, now)
    keep_outlooks(database, NANJING, now)
    keep_reconciliation(database, NANJING, now)
    freeze_liability(database, NANJING, now)


@dataclass
class Page:
    """`token` is of an official who may open it. Seconds of each time that it was asked for, and of its statements alone."""

    path: str
    token: str
    asked: list[Asked] = field(default_factory=list)
    rows: int = 0
    blocks: int = 0
    served_s: list[float] = field(default_factory=list)
    bare_s: list[float] = field(default_factory=list)

    @property
    def cookies(self) -> str:
        return "; ".join(f"{cookie}={self.token}" for cookie in officials.COOKIES)

    @property
    def ratio(self) -> float:
        return median(self.served_s) / median(self.bare_s)


def compared(url: str, home: Path, world: World, alternations: int) -> Ratio:
    found = listened(url, home, world)
    for one in sorted(found, key=lambda page: -page.rows)[:TOLD]:
        say(f"  {one.rows:6} rows {one.blocks:6} blocks  {one.path}")
    beyond = {one.path: one.rows for one in found if one.rows > ROWS_MAX}
    assert beyond == {}
    with server.backend(url, home / "served") as address:
        alone = _worst(found, address, url, alternations, "")
        with driven(Place(url, datetime.now(UTC))) as rate:
            busy = _worst(
                found, address, url, alternations, f" beside {rate:.0f} scans/s, half of what the engine does"
            )
    return Ratio("pages_vs_bare", max(alone, busy), BAR, at_most=True)


def listened(url: str, home: Path, world: World) -> list[Page]:
    """Every page with its statements, as they are asked once connections are open, and the rows that they look at."""
    now = datetime.now(UTC)
    keys = home / "listened"
    keys.mkdir(exist_ok=True)
    with recorded() as heard, psycopg.connect(url, autocommit=True) as owner:
        backend = build(settings_of(url, Keys(), keys))
        client = create_app(backend).test_client()
        found = []
        # Money and exports ask for a code of the last ten minutes, and so does a page that is measured an hour later.
        tokens = {role: _signed_in(world.engine, now + MEASURED_WITHIN, role) for role in Role}
        for path, role in pages(world):
            page = Page(path, tokens[role])
            for cookie in officials.COOKIES:
                client.set_cookie(cookie, page.token, path="/")
            for _ in range(2):
                heard.clear()
                # A file is sent while it is read: unless all of it is taken, its later statements are never asked.
                status = client.get(path, buffered=True).status_code
            if status != HTTPStatus.OK:
                continue
            # What is written (who fetched a file, that a session goes on) was committed, and cannot be written again.
            page.asked = [one for one in heard if one.reads or one.begins]
            reads = [read_by(owner, NANJING, one) for one in page.asked if one.reads]
            page.rows, page.blocks = sum(one.rows for one in reads), sum(one.blocks for one in reads)
            found.append(page)
        backend.close()
    return found


def _signed_in(database: Database, now: datetime, role: Role) -> str:
    seat = seat_of(role)
    return officials.session(database, now, officials.enter(database, now, role, **seat), seat["city"])


def _worst(found: Sequence[Page], address: str, url: str, alternations: int, said: str) -> float:
    """The largest ratio, after each page was asked for and its statements replayed in turns."""
    for page in found:
        page.served_s, page.bare_s = [], []
    with plain_client(address) as client, bare(url, found) as drivers:
        for number in range(alternations + 1):
            for page in found:
                served, alone = _served(client, page), _replayed(drivers, page)
                if number:
                    page.served_s.append(served)
                    page.bare_s.append(alone)
    worst = sorted(found, key=lambda page: -page.ratio)
    beyond = [page for page in found if page.ratio > BAR]
    slow = sum(median(page.bare_s) >= NOTABLE_S for page in beyond)
    say(f"  {len(found)} pages{said}: the median one {median(page.ratio for page in found):.2f} x its bare statements")
    say(f"  {len(beyond)} beyond {BAR}, of which {slow} have statements of {NOTABLE_S * 1e3:.0f} ms and more")
    for page in worst[: max(TOLD, len(beyond))]:
        took, alone = median(page.served_s) * 1e3, median(page.bare_s) * 1e3
        say(f"  {page.ratio:5.2f} = {took:7.1f} / {alone:6.1f} ms ({len(page.asked)} statements)  {page.path}")
    return worst[0].ratio


def _served(client: PlainClient, page: Page) -> float:
    began = time.perf_counter()
    status = client.get(page.path, page.cookies)
    took = time.perf_counter() - began
    assert status == HTTPStatus.OK, (page.path, status)
    return took


@contextmanager
def bare(url: str, found: Sequence[Page]) -> Iterator[dict[str, psycopg.Connection[Any]]]:
    """A connection of each role that asked anything, which begins nothing by itself: that is among what was asked."""
    with ExitStack() as stack:
        drivers = {}
        for role in {one.role for page in found for one in page.asked}:
            drivers[role] = stack.enter_context(psycopg.connect(url, autocommit=True, prepare_threshold=None))
            drivers[role].execute(f'SET ROLE "{role}"')  # type: ignore[call-overload]  # a name of ours
        yield drivers


def _replayed(drivers: dict[str, psycopg.Connection[Any]], page: Page) -> float:
    began = time.perf_counter()
    for one in page.asked:
        if one.begins:
            drivers[one.role].rollback()
        cursor = drivers[one.role].execute(one.statement, one.params)  # type: ignore[call-overload]  # as it was asked
        if cursor.description is not None:
            cursor.fetchall()
    for role in {one.role for one in page.asked}:
        drivers[role].rollback()
    return time.perf_counter() - began


@contextmanager
def driven(place: Place) -> Iterator[float]:
    """The engine at half of what one writer reaches here, meanwhile; yields scans a second."""
    city.create(place.url, place.sold_at)
    full = engine.write_batches(place.url, 0, BATCHES, place.take(BATCHES * engine.BASKETS), place.sold_at, 0).rate
    stop = get_context("fork").Event()
    writer = get_context("fork").Process(target=_drive, args=(place, full / 2, stop))
    writer.start()
    try:
        yield full / 2
    finally:
        stop.set()
        writer.join()


def _drive(place: Place, rate: float, stop: Event) -> None:
    scans, began = 0, time.perf_counter()
    while not stop.is_set():
        first = place.take(engine.BASKETS)
        engine.write_batches(place.url, 1, 1, first, place.sold_at, first)
        scans += engine.BASKETS * 2
        time.sleep(max(0.0, scans / rate - (time.perf_counter() - began)))
