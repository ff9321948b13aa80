"""A number that a till gave to a basket and that never came is found after a day, and forgotten once it comes."""

import hashlib
from datetime import timedelta

from backend.retailers.store import Store
from backend.scans import gaps
from backend.scans.gaps import without
from backend.scans.quarantine import Quarantined, set_aside
from backend.storage.transaction import Database
from backend.usecases.enrol_device import Enrolment, enrol_device
from backend.usecases.find_gaps import TOLD_FOR, find_gaps
from backend.usecases.open_store import open_store
from tests.worlds.city import FRIDGE, NANJING, NOON, City, Till, read

DAY = timedelta(days=1)


def sold(city: City, till: Till, *numbers: int) -> None:
    for number in numbers:
        till.seq = number - 1
        city.record(till.basket(read(FRIDGE), sold_at=NOON), now=NOON)


def told(database: Database) -> list[tuple[str, int, int]]:
    with database.read() as connection:
        found = gaps.gaps(connection, NANJING, NOON - TOLD_FOR)
        assert gaps.tills_with_gaps(connection, NANJING, NOON - TOLD_FOR) == len({one.device for one in found})
    return sorted((one.device, one.first, one.last) for one in found)


def test_a_hole_is_found_after_a_day_and_forgotten_once_it_fills(engine_db: Database) -> None:
    city = City(engine_db, NANJING)
    shop = Store(NANJING, "s1", "苏果", "店", "320102")
    engine_db.write(lambda c: open_store(c, shop, NOON))
    holed, whole = city.till(1), city.till(2)
    for till in (holed, whole):
        entered = Enrolment(till.device, NANJING, "s1", "k1", till.device.encode().ljust(32)[:32])
        engine_db.write(lambda c: enrol_device(c, entered, NOON))  # noqa: B023 - called at once
    line = b'{"seq":8}'
    refused = Quarantined(
        "malformed-basket", line, hashlib.sha256(line).digest(), NOON, None, holed.device, None, NANJING
    )
    engine_db.write(lambda c: set_aside(c, NANJING, [refused], NOON))
    sold(city, holed, 1, 2, 4, 7, 10)
    sold(city, whole, 5, 6, 7)

    assert find_gaps(engine_db, NANJING, NOON + DAY / 2) == 0
    assert find_gaps(engine_db, NANJING, NOON + DAY) == 3
    assert told(engine_db) == [(holed.device, 3, 3), (holed.device, 5, 6), (holed.device, 9, 9)]

    sold(city, holed, 3, 6)
    find_gaps(engine_db, NANJING, NOON + 20 * DAY)
    assert told(engine_db) == [(holed.device, 5, 5), (holed.device, 9, 9)]
    sold(city, holed, 5, 9)
    assert find_gaps(engine_db, NANJING, NOON + 21 * DAY) == 0
    assert told(engine_db) == []


def test_what_was_refused_is_taken_out_of_a_hole() -> None:
    assert list(without(3, 9, {3, 6, 9, None})) == [(4, 5), (7, 8)]
    assert list(without(3, 3, {3})) == []
    assert list(without(1, 10**9, {5})) == [(1, 10**9)]
