"""Counters and times of one process, or of all workers together where PROMETHEUS_MULTIPROC_DIR names a folder.

That variable is the client library's own: it is read when the library is imported, so it stands in the environment of the
server and not among our settings. The folder must be empty when the server starts.
"""

import os
from functools import cache

from prometheus_client import REGISTRY as OF_THIS_PROCESS
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, multiprocess

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)

requests = Counter("greenpoints_http_requests", "Answered requests.", ["route", "status"])
request_s = Histogram(
    "greenpoints_http_request_seconds", "From first byte read to answer.", ["route"], buckets=_SECONDS
)
messages = Counter("greenpoints_messages", "Tills' messages by what became of them.", ["outcome"])
scans = Counter("greenpoints_phone_scans", "Phone scans by what was decided.", ["outcome"])
culprits = Counter("greenpoints_culprits", "Baskets that made the work on many fail and were left out.", ["doing"])
shared = Histogram(
    "greenpoints_shared_transaction_requests",
    "Requests that shared one database transaction.",
    buckets=(1, 2, 4, 8, 16, 32, 64),
)


def answered(route: str, status: int, total_s: float) -> None:
    """Counts one answered request."""
    counted, timed = _of(route, status)
    counted.inc()
    timed.observe(total_s)


@cache
def _of(route: str, status: int) -> tuple[Counter, Histogram]:
    """The children of these labels: finding them costs more than counting. Routes and statuses are few."""
    return requests.labels(route, str(status)), request_s.labels(route)


def exposition() -> bytes:
    """All metrics as Prometheus reads them."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(OF_THIS_PROCESS)
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the library types half of itself
    return generate_latest(registry)
