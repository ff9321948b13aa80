"""What waits for a person or a shopper and comes back meanwhile: what was kept is decided, and no more."""

from collections.abc import Callable
from hashlib import sha256

import pytest

from backend.certificates.cache import RegistryCache
from backend.ledger import chart
from backend.policies.store import PolicyCache
from backend.residents.people import Home
from backend.scans.holds.rulings import NotHeld, Said
from backend.storage.transaction import Database
from backend.usecases.claim_basket import ClaimBasket
from backend.usecases.rule_on_hold import Place, RuleOnHold
from tests.worlds import books, rules
from tests.worlds.city import FRIDGE, NANJING, NOON, open_city, read, resident
from tests.worlds.later import assert_sound, assert_verified
from tests.worlds.returning import bring_back

LI = resident(1)
SAID = Said("王处长", "小票齐全")
CODE = "K7QM-3T9A-XY4W-0B1C"
PER_PIECE = rules.rule("ten", {"kind": "per_unit", "amount": 10})
Rule = Callable[[RuleOnHold, Place], object]


@pytest.fixture
def held(engine_db: Database) -> Place:
    """A line of three pieces that waits for a person."""
    watch = {"cap": "velocity", "per": ["person"], "period": "day", "limit": 5, "partial": False, "beyond": "hold"}
    city = open_city(engine_db, rules.document(PER_PIECE, caps=[watch, rules.cap("life", "lifetime", 10**9)]))
    sale = city.till().basket(read(FRIDGE, qty=3), resident=LI)
    city.record(sale)
    return Place(sale.basket.basket, 0)


def ruling(database: Database) -> RuleOnHold:
    return RuleOnHold(database, RegistryCache(), PolicyCache(chart.budget))


def test_a_released_line_earns_what_was_kept(engine_db: Database, held: Place) -> None:
    bring_back(engine_db, (*held, 1))

    decision = ruling(engine_db).release(NANJING, held, SAID, NOON)

    assert (decision.quantity, decision.price_fen, decision.award) == (2, 6_666, 20)
    bring_back(engine_db, (*held, 2), number="R2")
    assert books.wallet(engine_db, NANJING, LI) == 0
    assert_verified(engine_db, NANJING)


def test_a_refused_line_keeps_its_facts(engine_db: Database, held: Place) -> None:
    bring_back(engine_db, (*held, 1))

    ruling(engine_db).refuse(NANJING, held, SAID, NOON)

    (line,) = bring_back(engine_db, (*held, 2), number="R2").answer.lines
    assert line.state == "no_award"
    assert_verified(engine_db, NANJING)


@pytest.mark.parametrize(
    "rule",
    [lambda by, place: by.release(NANJING, place, SAID, NOON), lambda by, place: by.refuse(NANJING, place, SAID, NOON)],
    ids=["release", "refuse"],
)
def test_what_came_back_whole_waits_for_nobody(engine_db: Database, held: Place, rule: Rule) -> None:
    bring_back(engine_db, (*held, 3))

    with pytest.raises(NotHeld):
        rule(ruling(engine_db), held)

    assert [one.reason for one in books.decided(engine_db, NANJING)] == ["signal", "returned"]
    assert_verified(engine_db, NANJING)


@pytest.mark.parametrize(("pieces", "earned"), [(1, 20), (3, 0)], ids=["some", "all"])
def test_a_claimed_basket_earns_what_was_kept(engine_db: Database, pieces: int, earned: int) -> None:
    rates = {"M": {"P3": 10_000, "P1": 10_000}}
    city = open_city(engine_db, rules.document(PER_PIECE | {"rates": rates}))
    sale = city.till().basket(read(FRIDGE, qty=3), claim_sha256=sha256(CODE.replace("-", "").encode()).hexdigest())
    city.record(sale)
    bring_back(engine_db, (sale.basket.basket, 0, pieces))

    ClaimBasket(engine_db, RegistryCache(), PolicyCache(chart.budget)).claim(NANJING, CODE, Home(NANJING, LI), NOON)

    assert books.wallet(engine_db, NANJING, LI) == earned
    assert_sound(engine_db, NANJING)
