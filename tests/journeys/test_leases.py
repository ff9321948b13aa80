"""Through every real program: a till is lent a budget, loses the broker, promises, is killed amid a promise, and comes back.
What it promised is paid, once, although everybody else has spent the budget meanwhile; never more than it was lent.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from backend.demo.phone import Phones, Resident
from backend.leases.model import Terms
from backend.leases.queries import lent_to_tills
from backend.ledger import chart
from backend.policies.store import PolicyCache
from backend.usecases.grant_leases import grant_leases
from backend.usecases.make_snapshot import MakeSnapshot
from backend.usecases.set_lease_terms import set_lease_terms
from scanner.lease.book import read_book
from tests.journeys.town import BROKER, YEAR, Town, current, till_of, utc_now, wait_until
from tests.journeys.witness import assert_books_are_sound
from tests.scanner.till.scene import TillProcess
from tests.worlds import books, rules
from tests.worlds.city import FRIDGE, City, read, resident
from tests.worlds.city import Till as SoldBy

CITY = "320600"
TILL = till_of(13)
TERMS = Terms("green", "points", amount=100, awards=40, hours=8, grace_hours=72, share_bp=5_000)
EACH = 20
LATE_TOO = {"M": {"P3": 10_000, "P2": 10_000}}
"""What arrives late earns as much: else a promise would be of less than the usual."""


def lend(town: Town, city: City) -> None:
    """As the official's command and the jobs do."""
    policies = PolicyCache(chart.budget)
    town.owner.write(lambda c: set_lease_terms(c, policies, CITY, TERMS, "tests", utc_now()))
    MakeSnapshot(city.database, policies).make(CITY, utc_now())

    def granted() -> bool:
        return grant_leases(city.database, policies, CITY, utc_now()).granted == 1

    wait_until(granted, "the till to be there, and to be lent something")


def held(place: Path) -> int:
    """What stands on the till's own disk: how many leases it holds."""
    with closing(sqlite3.connect(place / f"{TILL.device}.sqlite")) as connection:
        (text,) = connection.execute("SELECT value FROM meta WHERE key = 'leases'").fetchone()
    return len(read_book(text).held)


def spend_the_rest(city: City) -> None:
    """Whoever is online takes all that the budget has left."""
    others = SoldBy(CITY, 99)
    while left := books.budget_left(city.database, CITY):
        goods = [read(FRIDGE)] * min(left // EACH + 1, 50)
        now = utc_now()
        city.record(others.basket(*goods, resident=resident(99), sold_at=now), now=now)


def sell(till: TillProcess, code: str, count: int) -> list[str]:
    """Reads of one member, who is told something at each: the states of what was said."""
    before = len(till.of("read"))
    till.say(code, *[{"code": FRIDGE, "sym": "EAN13", "price_fen": 10_000}] * count)
    till.wait_for("read", before + count)
    return [event["expected"]["state"] for event in till.of("read")[before:]]  # type: ignore[index]  # JSON of the till's


def paid(town: Town, person: Resident) -> int:
    return books.wallet(town.owner, CITY, person.resident)


def test_what_an_offline_till_promised_is_paid_once_and_never_beyond_its_lease(town: Town, tmp_path: Path) -> None:
    graded = rules.rule("twenty", rules.fixed(EACH), rules.where("grade", "=", 1), rates=LATE_TOO)
    city = town.open_city(current(graded, budget=1_000), CITY)
    town.enrol(TILL, CITY)
    wait_until(lambda: TILL.device in town.admitted(), "the broker to know the till")
    phones = Phones(town.address.backend_url)
    li, wang = (phones.sign_in(name, int(utc_now().timestamp() * 1000)) for name in ("lease-li", "lease-wang"))
    service = town.till(TILL, tmp_path, SNAPSHOT_INTERVAL_S="0.2")
    settings = dict(service.environment)
    till = TillProcess(settings | {"GREENPOINTS_TILL_CHAOS_POINT": "lease_drawn", "GREENPOINTS_TILL_CHAOS_HIT": "3"})
    try:
        till.wait_for("state", state="connected")
        lend(town, city)
        wait_until(lambda: held(tmp_path) == 1, "the lease to be on the till's disk")
        wait_until(lambda: b"l:" in _content(tmp_path), "the snapshot to say who pays")
        codes = [phones.member_code(person) for person in (li, wang)]
        town.programs.kill(BROKER)
        till.wait_for("state", state="disconnected")
        spend_the_rest(city)

        assert sell(till, codes[0], 2) == ["reserved", "reserved"]
        till.say({"code": FRIDGE, "sym": "EAN13", "price_fen": 10_000})
        assert till.wait() == -9, "killed between the disk and the beep"
        till.close()
        till = TillProcess(settings)
        till.wait_for("basket_closed")
        said = sell(till, codes[1], 4)
        till.say("GPFIN")
        till.wait_for("basket_closed", 2)

        # Of 100 points 60 were used before it was killed, of the third twenty nobody was told.
        assert said == ["reserved", "reserved", "likely", "likely"]
        town.mend()
        town.wait_ready()
        till.wait_for("receipt", 2, timeout_s=40)
    finally:
        till.close()
        town.mend()
        town.wait_ready()
        phones.close()

    assert (paid(town, li), paid(town, wang)) == (60, 40)
    with town.owner.read() as connection:
        (lent,) = lent_to_tills(connection, CITY, utc_now() - YEAR, utc_now())
    assert (lent.granted, lent.used, lent.usable, lent.promises) == (100, 100, 0, 5)
    assert books.budget_left(town.owner, CITY) == 0
    assert_books_are_sound(town.owner, CITY)


def _content(place: Path) -> bytes:
    return b"".join(path.read_bytes() for path in place.glob(f"{TILL.device}.sqlite.snapshot*"))
