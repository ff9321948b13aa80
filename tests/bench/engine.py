"""The engine: `record_baskets` on batches of 500 scans in baskets of two reads."""

from datetime import datetime, timedelta

from backend.certificates.cache import RegistryCache
from backend.kernel import collector
from backend.labels.parse import parse
from backend.ledger import chart
from backend.policies.store import PolicyCache
from backend.scans.lines import Origin, read_line
from backend.scans.sale_time import Clock
from backend.storage.transaction import Database
from backend.usecases.accept_messages import arrival_of
from backend.usecases.record_baskets import Arrival, RecordBaskets
from tests.bench import city
from tests.bench.measure import Run, Watch

BASKETS = 250


def origin(writer: int, now_ms: int) -> Origin:
    return Origin(
        city.CITY,
        f"bench-till-{writer}",
        city.stream(writer),
        "s1",
        "320102",
        "till",
        Clock("ntp", 0, "b1", 10_000),
        now_ms,
    )


def write_batches(url: str, writer: int, batches: int, first: int, sold_at: datetime, seed: int) -> Run:
    """One writer's `batches` x 500 scans, from the bytes of the lines to COMMIT."""
    lines = city.basket_lines(first, batches * BASKETS, sold_at, seed)
    database = Database(url, role="greenpoints_engine", pool_size=1)
    registry = RegistryCache()
    recorder = RecordBaskets(database, registry, PolicyCache(chart.budget), line_key=bytes(32))
    now = sold_at + timedelta(seconds=1)
    place = origin(writer, int(now.timestamp() * 1000))
    collector.settle()
    with database.read() as connection:
        registry.lookup(
            connection, [parse(city.gtin(n)).key or "" for n in range(city.PRODUCTS)]
        )  # as in a running city
        backend_pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
    watch = Watch(backend_pid)
    for number in range(batches):
        arrivals = [_arrival(line, place) for line in lines[number * BASKETS : (number + 1) * BASKETS]]
        states = {recorded.state for recorded in recorder.record(city.CITY, arrivals, now)}
        assert states == {"recorded"}
    run = watch.stop(batches * BASKETS * 2)
    database.close()
    return run


def _arrival(line: bytes, place: Origin) -> Arrival:
    return arrival_of(read_line(line, place))
