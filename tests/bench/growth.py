"""What a scan costs when the tables hold 5 million of them, against 50 thousand; floor D is grown alike beside it."""

from statistics import median

import psycopg

from backend.kernel.periods import civil_date, milliseconds, period_keys
from tests.bench import city, floors, recording
from tests.bench.ground import Ground, Place
from tests.bench.measure import Run
from tests.bench.report import Ratio, say

SMALL, LARGE = 50_000, 5_000_000
SLICE = 500_000

# As the engine writes them: two reads a basket, tills' numbers one after another, residents at random. The old rows have
# no history of their own, so what is verified is all that was recorded since.
# What new awards have moved, by every way of counting it.
MOVED = """
SELECT (SELECT coalesce(sum(d.award), 0) FROM decisions d JOIN baskets b ON b.city = d.city AND b.basket = d.basket
        WHERE d.city = %(city)s AND starts_with(b.device, 'bench-till-')),
       (SELECT coalesce(sum(t.amount), 0) FROM transfers t JOIN baskets b ON b.city = t.city AND b.basket = t.reference
        WHERE t.city = %(city)s AND t.reason = 'award' AND starts_with(b.device, 'bench-till-')),
       (SELECT coalesce(sum(balance), 0) FROM accounts WHERE city = %(city)s AND starts_with(account, 'resident:')),
       (SELECT -sum(balance) FROM accounts WHERE city = %(city)s AND starts_with(account, 'treasury:'))
         - (SELECT sum(balance) FROM accounts WHERE city = %(city)s AND starts_with(account, 'budget:')),
       (SELECT coalesce(sum(used), 0) FROM cap_counters WHERE city = %(city)s AND period = %(month)s)"""

BASKETS = """
INSERT INTO baskets (city, device, stream, seq, basket, sha256, line, channel, store, district, resident, closed_by,
                     cashier, sold_at, clock_quality, online, received_at, recorded_at)
SELECT %(city)s, 'old-till-' || lpad((g %% 500)::text, 3, '0'), lpad(to_hex(g %% 500), 32, '0')::uuid, g / 500 + 1,
       (lpad(to_hex(g %% 500), 8, '0') || '-0000-0000-0000-' || lpad(to_hex(g / 500 + 1), 12, '0'))::uuid,
       sha256(g::text::bytea), decode(repeat(md5(g::text), 20), 'hex'), 'till', 's1', '320102',
       ('01900000-0000-7000-8000-' || lpad(to_hex(hashint8(g) & 131071), 12, '0'))::uuid, 'finish', 'c07',
       %(now)s::timestamptz - make_interval(secs => 86400 * 300 - g), 'ntp', true, %(now)s, %(now)s
FROM generate_series(%(first)s::bigint, %(last)s::bigint) g"""

DECISIONS = """
INSERT INTO decisions (city, basket, line_no, decision_no, label_key, scheme, code_text, symbology, quantity, price_fen,
                       resident, certificate, certificate_row, certificate_scheme, category, grade, level, proof,
                       policy_version, rule, outcome, reason, unit, gross, award, decided_at)
SELECT %(city)s, b.basket, n, 1, 'gtin:06900000000007', 'gtin', '6900000000007', 'EAN13', 1, 10000, b.resident,
       '202601-14-10000001-000000000000', %(row)s::uuid, 'energy_label', '显示器', 1, 'M', 'P3', %(version)s::uuid,
       'appliances', 'awarded', 'awarded', 'points', 200, 200, b.recorded_at
FROM baskets b, generate_series(0, 1) n
WHERE b.city = %(city)s AND starts_with(b.device, 'old-till-') AND b.seq BETWEEN %(first)s AND %(last)s"""

TRANSFERS = """
INSERT INTO transfers (city, reference, step, line, reason, unit, source, destination, amount, recorded_at)
SELECT %(city)s, b.basket, 1, n, 'award', 'points', 'budget:' || %(policy)s || ':points',
       'resident:' || b.resident || ':points', 200, b.recorded_at
FROM baskets b, generate_series(0, 1) n
WHERE b.city = %(city)s AND starts_with(b.device, 'old-till-') AND b.seq BETWEEN %(first)s AND %(last)s"""


def cost_growth_100x(ground: Ground, alternations: int) -> Ratio:
    places = {SMALL: ground.place(), LARGE: ground.place()}
    floor_urls = {SMALL: ground.floor(), LARGE: ground.floor()}
    for scans in (SMALL, LARGE):
        say(f"  {scans:,} 次旧扫码 / old scans …")
        _grow(places[scans], scans)
        floors.grow(floor_urls[scans], scans)
    grown, floor_grown = [], []
    for number in range(alternations + 1):
        ours = {scans: recording.run_engine(place, 5_000 + number) for scans, place in places.items()}
        theirs = {scans: recording.run_floor(url, number) for scans, url in floor_urls.items()}
        if number:
            grown.append((_growth(ours), _wall_growth(ours)))
            floor_grown.append((_growth(theirs), _wall_growth(theirs)))
            say(
                f"  engine {_us(ours[SMALL]):5.1f} → {_us(ours[LARGE]):5.1f} µs a scan (wall x {_wall_growth(ours):.2f})"
                f"   floor D {_us(theirs[SMALL]):5.1f} → {_us(theirs[LARGE]):5.1f} µs (wall x {_wall_growth(theirs):.2f})"
            )
    for place in places.values():
        _verify(place)
    for url in floor_urls.values():
        floors.verify(url)
    floor, wall, floor_wall = (median(each) for each in _columns(grown, floor_grown))
    say(f"  CPU: floor D x {floor:.2f}; wall: engine x {wall:.2f}, floor D x {floor_wall:.2f}")
    return Ratio("cost_growth_100x", median(cpu for cpu, _ in grown), 1.20, at_most=True)


def _verify(place: Place) -> None:
    month = period_keys(civil_date(milliseconds(place.sold_at)))[1]
    with psycopg.connect(place.url) as connection:
        moved = connection.execute(MOVED, {"city": city.CITY, "month": month}).fetchone()
    assert moved is not None
    assert moved[0] > 0
    assert len(set(moved)) == 1, moved


def _columns(ours: list[tuple[float, float]], floor: list[tuple[float, float]]) -> tuple[list[float], ...]:
    return [cpu for cpu, _ in floor], [wall for _, wall in ours], [wall for _, wall in floor]


def _us(run: Run) -> float:
    return run.client_us + run.server_us


def _growth(runs: dict[int, Run]) -> float:
    """CPU of server and client a scan, times what it is among few scans."""
    return _us(runs[LARGE]) / _us(runs[SMALL])


def _wall_growth(runs: dict[int, Run]) -> float:
    return runs[SMALL].rate / runs[LARGE].rate


def _grow(place: Place, scans: int) -> None:
    with psycopg.connect(place.url, autocommit=True) as connection:
        found = connection.execute(
            "SELECT v.version::text, v.policy, (SELECT id::text FROM certificate_states LIMIT 1) FROM policy_versions v"
        ).fetchone()
        assert found is not None
        facts = {"city": city.CITY, "now": place.sold_at, "version": found[0], "policy": found[1], "row": found[2]}
        for first in range(0, scans // 2, SLICE):
            last = min(first + SLICE, scans // 2) - 1
            connection.execute(BASKETS, {**facts, "first": first, "last": last})
        for first in range(1, scans // 1_000 + 1, SLICE // 500):
            rows = {**facts, "first": first, "last": first + SLICE // 500 - 1}
            connection.execute(DECISIONS, rows)
            connection.execute(TRANSFERS, rows)
        for table in ("baskets", "decisions", "transfers"):
            connection.execute(f"VACUUM ANALYZE {table}")  # type: ignore[call-overload]  # names of ours
