"""After random work, counted in between as it is in production: every summary says what somebody who reads all raw rows finds."""

import random
from collections import Counter, defaultdict
from datetime import timedelta
from typing import Any

from backend.kernel.periods import CHINA
from backend.retailers.store import Store
from backend.storage.transaction import Database
from backend.usecases.count_scans import count_scans
from backend.usecases.open_store import open_store
from tests.worlds import books, mixed
from tests.worlds.city import NANJING, City, read, resident
from tests.worlds.returning import asked, shop_system, voider

NOW = mixed.OPENS + timedelta(days=mixed.DAYS, hours=1)
RETAILERS = ("苏果", "另一超市")
MIDNIGHT = mixed.OPENS.replace(hour=16)
"""Of China, between the 1st and the 2nd; the one before it ends a month."""

LINES = """
SELECT DISTINCT ON (d.basket, d.line_no) d.basket::text AS basket, d.line_no, d.decision_no, d.outcome, d.reason, d.unit, d.award,
  d.quantity, d.price_fen, d.certificate_scheme AS scheme, b.resident::text, b.store, b.district, b.channel, b.sold_at
FROM decisions d JOIN baskets b USING (city, basket) WHERE d.city = :c AND b.void_of IS NULL
ORDER BY d.basket, d.line_no, d.decision_no DESC"""
FURTHER = "SELECT basket::text, line_no, decision_no, unit, award FROM further_awards WHERE city = :c AND unit <> 'fee'"
SOLD = """
SELECT basket::text, line_no, quantity, store, device, seq FROM baskets JOIN decisions USING (city, basket)
WHERE city = :c AND channel = 'till' AND decision_no = 1 ORDER BY basket, line_no"""
KEPT = """
SELECT period, begins::text, facet, key, scans, awarded, points, fen, persons, certified_units, certified_fen, baskets, certified
FROM scan_totals WHERE city = :c"""
REFUSED = "SELECT day::text, retailer, store, reason, lines FROM refusal_totals WHERE city = :c"
NAMES = (
    *("basket", "line_no", "decision_no", "outcome", "reason", "unit", "award", "quantity", "price_fen", "scheme"),
    *("resident", "store", "district", "channel", "sold_at"),
)

Line = dict[str, Any]


def test_every_summary_is_what_the_raw_rows_say(engine_db: Database) -> None:
    city = _lived(engine_db)
    lines = _lines(city)

    kept = {tuple(row[:4]): tuple(row[4:]) for row in books.rows(city.database, KEPT, c=NANJING)}
    groups: defaultdict[tuple[str, ...], list[Line]] = defaultdict(list)
    for line in lines:
        for place in _places(line):
            groups[place].append(line)
    assert kept == {place: _total(some) for place, some in groups.items()}

    refused: Counter[tuple[str, ...]] = Counter()
    for line in lines:
        if line["channel"] == "till" and line["outcome"] != "awarded" and line["reason"] != "returned":
            for store in ("", line["store"]):
                refused[line["day"], RETAILERS[int(line["store"][1:]) % 2], store, line["reason"]] += 1
    assert {tuple(row[:4]): row[4] for row in books.rows(city.database, REFUSED, c=NANJING)} == refused


def _lived(database: Database) -> City:
    """Sales, counted; then sales at midnights, returns, and voids, some of which say again what they take back; and counted."""
    rng, city = random.Random(7), mixed.fill(database, 100)
    for number in range(1, 13):
        shop = Store(NANJING, f"s{number}", RETAILERS[number % 2], "店", "320102")
        database.write(lambda connection, shop=shop: open_store(connection, shop, NOW))
    count_scans(database, NANJING, NOW)

    sold, later = books.rows(database, SOLD, c=NANJING), NOW + timedelta(hours=2)
    till = city.till(1)
    till.seq = 5_000
    for minute in (-1, 0):
        for midnight in (MIDNIGHT, MIDNIGHT - timedelta(days=1)):
            at = midnight + timedelta(minutes=minute)
            city.record(till.basket(read(mixed.KNOWN[0]), resident=resident(9), sold_at=at), now=later)
    for number, (basket, line_no, quantity, store, _, _) in enumerate(rng.sample(sold, 12)):
        line = (basket, line_no, rng.randint(1, quantity))
        shop_system(database).give_back(asked(line, number=f"R{number}", store=store, at=later), later)
    for _, _, _, store, device, seq in rng.sample(sold, 6):
        till = city.till(int(device.rsplit("-", 1)[1]))
        till.seq = 6_000 + seq
        reads = [read(rng.choice(mixed.KNOWN), qty=3, price_fen=19_900)] * rng.randrange(2)
        void = till.basket(*reads, sold_at=NOW, void_of=seq)
        void.basket.store = store
        city.record(void, now=later)
    voider(database).work(NANJING, later)
    count_scans(database, NANJING, NOW + timedelta(days=1))
    return city


def _lines(city: City) -> list[Line]:
    """As they stand after the last decision, with the awards of each unit."""
    further: defaultdict[tuple[str, int, int], Counter[str]] = defaultdict(Counter)
    for *line, unit, award in books.rows(city.database, FURTHER, c=NANJING):
        further[line[0], line[1], line[2]][unit] += award
    found = []
    for row in books.rows(city.database, LINES, c=NANJING):
        line = dict(zip(NAMES, row, strict=True))
        awards = further[line["basket"], line["line_no"], line["decision_no"]]
        awards[line["unit"]] += line["award"] or 0
        at = line["sold_at"].astimezone(CHINA)
        valid = line["scheme"] is not None and not line["reason"].startswith("certificate_")
        found.append({**line, "awards": awards, "valid": valid, "day": at.date().isoformat(), "hour": f"{at:%H}"})
    return found


def _places(line: Line) -> list[tuple[str, ...]]:
    """Every total that a line is in."""
    facets = {
        "city": "",
        "hour": line["hour"],
        "scheme": line["scheme"],
        "district": line["district"],
        "store": line["store"],
    }
    periods = {"day": line["day"], "month": f"{line['day'][:7]}-01"}
    return [(period, begins, facet, key or "") for period, begins in periods.items() for facet, key in facets.items()]


def _total(lines: list[Line]) -> tuple[int, ...]:
    valid = [line for line in lines if line["valid"]]
    return (
        len(lines),
        sum(any(line["awards"].values()) for line in lines),
        *(sum(line["awards"][unit] for line in lines) for unit in ("points", "fen")),
        len({line["resident"] for line in lines} - {None}),
        sum(line["quantity"] for line in valid),
        sum(line["price_fen"] or 0 for line in valid),
        len({line["basket"] for line in lines}),
        len(valid),
    )
