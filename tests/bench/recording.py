"""Engine against floor D, and where the engine's CPU goes."""

from statistics import median

from tests.bench import engine, floors, sampling
from tests.bench.ground import Ground, Place
from tests.bench.measure import Run, median_ratio, side_by_side
from tests.bench.report import Ratio, say

WRITERS = 2
BATCHES = 20


def engine_vs_floor_d(ground: Ground, alternations: int) -> Ratio:
    """Two writers each; both get fresh tables, one alternation to warm up, and their invariants are verified."""
    place, floor = ground.place(), ground.floor()
    pairs: list[tuple[Run, Run]] = []
    for number in range(alternations + 1):
        ours = run_engine(place, number)
        theirs = run_floor(floor, number)
        if number:
            pairs.append((ours, theirs))
            say(
                f"  engine {ours.rate:7.0f} scans/s {ours.server_us:5.1f} + {ours.client_us:5.1f} µs"
                f"   floor D {theirs.rate:7.0f} scans/s {theirs.server_us:5.1f} + {theirs.client_us:5.1f} µs"
            )
    place.verify()
    floors.verify(floor)
    cpu = median((o.server_us + o.client_us) / (t.server_us + t.client_us) for o, t in pairs)
    say(f"  CPU 每次扫码为下限的 {cpu:.2f} 倍 / CPU a scan, times the floor's (server + client)")
    sampling.explain(place)
    return Ratio("engine_vs_floor_d", median_ratio([(o.rate, t.rate) for o, t in pairs]), 0.50)


def run_engine(place: Place, number: int) -> Run:
    first = place.take(WRITERS * BATCHES * engine.BASKETS)
    arguments = [
        (
            place.url,
            writer,
            BATCHES,
            first + writer * BATCHES * engine.BASKETS,
            place.sold_at,
            number * WRITERS + writer,
        )
        for writer in range(WRITERS)
    ]
    return side_by_side(engine.write_batches, arguments)


def run_floor(url: str, number: int) -> Run:
    first = number * BATCHES * floors.BATCH
    arguments = [(url, writer, BATCHES, first, number * WRITERS + writer) for writer in range(WRITERS)]
    return side_by_side(floors.write_batches, arguments)
