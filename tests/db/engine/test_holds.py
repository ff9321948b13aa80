"""What is held waits for a person: released, it is decided as any scan; refused, it says so; nobody is asked twice."""

import json
from datetime import timedelta
from hashlib import sha256

import pytest
from sqlalchemy.exc import IntegrityError

from backend.certificates.cache import RegistryCache
from backend.kernel.errors import DomainError
from backend.ledger import chart
from backend.policies.store import PolicyCache
from backend.residents.people import Home
from backend.scans.holds.rulings import FIRST, NotHeld, ReleaseNeedsAnother, Said, held_scans, ruled_by
from backend.scans.sale_time import Clock
from backend.storage.transaction import Database
from backend.usecases.claim_basket import ClaimBasket
from backend.usecases.rule_on_hold import Place, RuleOnHold
from backend.usecases.two_persons import SecondPersonNeeded
from tests.db.operator.typed import Run
from tests.worlds import books, rules
from tests.worlds.city import FRIDGE, NANJING, NOON, City, open_city, read, resident
from tests.worlds.later import assert_verified
from tests.worlds.threads import Threads

LI = resident(1)
SAID = Said("王处长", "小票齐全")
LATER = NOON + timedelta(hours=1)
BY_ONE_TWICE = """
INSERT INTO hold_rulings
SELECT city, basket, line_no, 9, ruling, reason, ruled_by, ruled_at, ruled_by FROM hold_rulings"""


@pytest.fixture
def city(engine_db: Database) -> City:
    """Where a person's third award of a day is held."""
    watch = {"cap": "velocity", "per": ["person"], "period": "day", "limit": 2, "counts": "awards", "partial": False}
    return open_city(
        engine_db, rules.document(caps=[{**watch, "beyond": "hold"}, rules.cap("life", "lifetime", 10**9)])
    )


def ruling(city: City) -> RuleOnHold:
    return RuleOnHold(city.database, RegistryCache(), PolicyCache(chart.budget))


def held(city: City) -> list[Place]:
    with city.database.read() as connection:
        return [Place(scan.basket, scan.line_no) for scan in held_scans(connection, NANJING)]


def buy(city: City, number: int) -> None:
    till = city.till()
    city.record(*(till.basket(read(FRIDGE), resident=LI) for _ in range(number)))


def decisions(city: City) -> list[tuple[object, ...]]:
    return books.columns(city.database, NANJING, "d.decision_no, d.outcome, d.reason, d.award")


def test_what_is_beyond_a_watch_is_held_and_earns_nothing_yet(city: City) -> None:
    buy(city, 3)

    assert [row[1:] for row in decisions(city)] == [
        ("awarded", "awarded", 10),
        ("awarded", "awarded", 10),
        ("held", "signal", 0),
    ]
    assert len(held(city)) == 1
    assert books.wallets(city.database, NANJING) == {f"resident:{LI}:points": 20}
    assert_verified(city.database, NANJING)


def test_a_released_scan_is_decided_as_any_other(city: City) -> None:
    buy(city, 3)
    (place,) = held(city)

    decision = ruling(city).release(NANJING, place, SAID, LATER)

    assert (decision.decision_no, decision.outcome, decision.award) == (2, "awarded", 10)
    assert held(city) == []
    assert books.wallets(city.database, NANJING) == {f"resident:{LI}:points": 30}
    assert_verified(city.database, NANJING)


def test_much_is_released_by_two_and_both_have_ruled(engine_db: Database) -> None:
    watch = {"cap": "velocity", "per": ["person"], "period": "day", "limit": 1, "counts": "awards", "partial": False}
    caps = [{**watch, "beyond": "hold"}, rules.cap("life", "lifetime", 10**9)]
    city = open_city(engine_db, rules.document(rules.rule("much", rules.fixed(5_001)), caps=caps))
    buy(city, 2)
    (place,) = held(city)

    for approved_by, refusal in (
        (None, SecondPersonNeeded),
        ("王处长", ReleaseNeedsAnother),
        ("", ReleaseNeedsAnother),
    ):
        with pytest.raises(refusal):
            ruling(city).release(NANJING, place, SAID, LATER, approved_by)
    assert held(city) == [place]
    decision = ruling(city).release(NANJING, place, SAID, LATER, "赵军")

    assert decision.award == 5_001
    with city.database.read() as connection:
        assert ruled_by(connection, NANJING, *place) == {"王处长", "赵军"}
    with pytest.raises(IntegrityError, match="ck_hold_rulings_two"):
        engine_db.write(lambda connection: connection.exec_driver_sql(BY_ONE_TWICE))
    assert_verified(city.database, NANJING)


def test_a_refused_scan_says_so_and_earns_nothing(city: City) -> None:
    buy(city, 3)
    (place,) = held(city)

    decision = ruling(city).refuse(NANJING, place, SAID, LATER)

    assert (decision.decision_no, decision.outcome, decision.reason) == (2, "none", "held_refused")
    assert books.wallets(city.database, NANJING) == {f"resident:{LI}:points": 20}
    assert books.rows(
        city.database, "SELECT ruling, reason, ruled_by FROM hold_rulings WHERE city = :c", c=NANJING
    ) == [("refuse", "小票齐全", "王处长")]
    assert_verified(city.database, NANJING)


def test_nobody_is_asked_twice(city: City) -> None:
    buy(city, 3)
    (place,) = held(city)
    ruling(city).refuse(NANJING, place, SAID, LATER)

    for again in (ruling(city).release, ruling(city).refuse):
        with pytest.raises(NotHeld):
            again(NANJING, place, SAID, LATER)
    with pytest.raises(NotHeld):
        ruling(city).release(NANJING, Place(place.basket, 9), SAID, LATER)


def test_of_many_who_rule_at_once_one_is_first(city: City) -> None:
    buy(city, 3)
    (place,) = held(city)

    def rule(number: int) -> str:
        own = ruling(city)
        try:
            (own.release if number % 2 else own.refuse)(NANJING, place, SAID, LATER)
        except DomainError as refusal:
            return refusal.code
        return "ruled"

    with Threads(8) as pool:
        ruled = list(pool.map(rule, range(8)))

    assert sorted(ruled) == ["ruled"] + ["scan-not-held"] * 7
    assert_verified(city.database, NANJING)


def test_a_decision_after_a_hold_without_a_ruling_is_a_break(city: City, database_url: str) -> None:
    import psycopg

    from backend.usecases.verify_ledger import verify_ledger

    buy(city, 3)
    (place,) = held(city)
    ruling(city).refuse(NANJING, place, SAID, LATER)
    with psycopg.connect(database_url) as owner:
        owner.execute("DELETE FROM hold_rulings")

    broken = [one for one in verify_ledger(city.database, NANJING)[0].findings if one.broken]

    assert [(one.invariant, one.breaks[0].found) for one in broken] == [
        ("I9", "a held scan was decided without a ruling")
    ]


def test_an_official_rules_on_the_command_line(city: City, run: Run) -> None:
    buy(city, 3)
    listed = run("holds", "list", "--city", NANJING)
    (scan,) = json.loads(run("holds", "list", "--city", NANJING, "--json").stdout)

    assert "触发核查（velocity），应得 10 分" in listed.stdout
    given = ("--city", NANJING, "--reason", "小票齐全", "--by", "王处长")
    released = run("holds", "release", scan["basket"], str(scan["line_no"]), *given)
    assert released.stdout == "第 2 次核定：已奖励（awarded），10 分 / awarded\n"
    again = run("holds", "refuse", scan["basket"], str(scan["line_no"]), *given)
    assert isinstance(again.exception, NotHeld)


def test_pages_of_held_scans_pass_over_none(city: City) -> None:
    till = city.till()
    city.record(till.basket(*(read(FRIDGE) for _ in range(5)), resident=LI), till.basket(read(FRIDGE), resident=LI))

    pages: list[Place] = []
    after = FIRST
    while True:
        with city.database.read() as connection:
            page = held_scans(connection, NANJING, after=after, limit=2)
        if not page:
            break
        pages += [Place(scan.basket, scan.line_no) for scan in page]
        after = page[-1].basket

    assert sorted(pages) == held(city)
    assert len(pages) == 4


def test_a_claim_does_not_undo_a_release(engine_db: Database) -> None:
    """A till without a clock, a shopper without an account: a person rules once, and for the line alone that was looked at."""
    rates = {"M": {"P1": 10_000}}
    city = open_city(engine_db, rules.document(rules.rule("ten", rules.fixed(10), rates=rates)))
    till = city.till()
    till.clock = Clock("none", 0, "b9", 10_000)
    code = "1" * 16
    sale = till.basket(read(FRIDGE), read(FRIDGE), claim_sha256=sha256(code.encode()).hexdigest())
    city.record(sale)
    caches = RegistryCache(), PolicyCache(chart.budget)
    ruling(city).release(NANJING, Place(sale.basket.basket, 0), SAID, NOON)

    ClaimBasket(engine_db, *caches).claim(NANJING, code, Home(NANJING, LI), NOON)

    assert decisions(city) == [
        (1, "held", "clock_uncertain", 0),
        (2, "unclaimed", "claim_open", 0),
        (3, "awarded", "awarded", 10),
        (1, "held", "clock_uncertain", 0),
    ]
    assert_verified(engine_db, NANJING)
