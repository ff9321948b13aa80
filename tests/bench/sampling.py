"""Where the engine's own CPU goes: its stack is looked at every millisecond of CPU, and each sample has one name."""

import signal
from collections import Counter
from datetime import timedelta
from types import FrameType

from tests.bench import engine
from tests.bench.ground import Place
from tests.bench.report import say

INTERVAL_S = 0.001
BATCHES = 20
# The innermost frame of ours that a sample is in decides; a driver's frame below it counts as the server's client side.
_PARTS = (
    ("psycopg", "server (driver)"),
    ("backend/storage/columns", "build arrays"),
    ("backend/scans/store", "build arrays"),
    ("backend/ledger/post", "build arrays"),
    ("backend/residents/store", "build arrays"),
    ("backend/scans/lines", "parse"),
    ("backend/scans/identity", "parse"),
    ("backend/scans/sale_time", "parse"),
    ("backend/labels", "parse"),
    ("backend/residents/member_code", "parse"),
    ("backend/kernel/strict_json", "parse"),
    ("backend/scans/decide", "decide"),
    ("backend/policies", "decide"),
    ("backend/certificates", "decide"),
)


def explain(place: Place) -> None:
    """One writer, in this process, so that the samples are its own."""
    first = place.take(BATCHES * engine.BASKETS)
    counted: Counter[str] = Counter()

    def look(_number: int, frame: FrameType | None) -> None:
        counted[_part_of(frame)] += 1

    former = signal.signal(signal.SIGPROF, look)
    try:
        signal.setitimer(signal.ITIMER_PROF, INTERVAL_S, INTERVAL_S)
        run = engine.write_batches(place.url, 7, BATCHES, first, place.sold_at + timedelta(seconds=1), 77)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, former)
    counted.pop("making the baskets", None)
    whole = sum(counted.values())
    parts = ", ".join(f"{name} {run.client_us * count / whole:.0f}" for name, count in counted.most_common())
    say(f"  CPU µs a scan: PostgreSQL {run.server_us:.0f}; engine {run.client_us:.0f}: {parts}")


def _part_of(frame: FrameType | None) -> str:
    walk = frame
    while walk is not None:
        if "tests/bench/city" in walk.f_code.co_filename:
            return "making the baskets"
        walk = walk.f_back
    while frame is not None:
        for part, name in _PARTS:
            if part in frame.f_code.co_filename:
                return name
        frame = frame.f_back
    return "other"
