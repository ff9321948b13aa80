"""The ripple: what a lost certificate or a false serial has cost, to the point; nobody loses anything by looking."""

import json
from datetime import date, timedelta

import pytest

from backend.cases.ripple import Ripple, awards, ripple
from backend.certificates import amend
from backend.certificates.amend import CertificateUnknown
from backend.certificates.model import CertificateState
from backend.storage.transaction import Database
from backend.usecases.ripple import subject_of
from tests.db.operator.conftest import run
from tests.db.operator.typed import Run, done
from tests.worlds import books, rules
from tests.worlds.city import (
    FRIDGE,
    NANJING,
    NOON,
    WASHER,
    City,
    certificate_row,
    open_city,
    read,
    resident,
    unit_label,
)
from tests.worlds.later import assert_verified
from tests.worlds.returning import bring_back

__all__ = ["run"]
NUMBER = certificate_row(code=FRIDGE)["certificate_no"]
EARLIER = NOON - timedelta(days=10)


@pytest.fixture
def city(usual_city: City) -> City:
    return usual_city


def withdraw(city: City, on: date, state: CertificateState = CertificateState.WITHDRAWN) -> None:
    change = amend.StateChange(NUMBER, None, state, on, "抽查不合格", "发证机构", NOON + timedelta(days=1))
    amend.change_state(city.database, change)


def sell(city: City, *codes: str, person: str, days_ago: int = 0) -> str:
    till = city.till(1 + books.count(city.database, "baskets", NANJING))
    at = NOON - timedelta(days=days_ago)
    arrival = till.basket(*[read(code) for code in codes], resident=person, sold_at=at)
    city.record(arrival, now=at)
    return arrival.basket.basket


def found(city: City, text: str = NUMBER) -> Ripple:
    with city.database.read() as connection:
        return ripple(connection, NANJING, subject_of(connection, text).lost)


def test_only_what_was_sold_after_the_withdrawal_took_effect_is_counted(city: City) -> None:
    sell(city, FRIDGE, person=resident(1), days_ago=20)
    sell(city, FRIDGE, WASHER, person=resident(1), days_ago=5)
    sell(city, FRIDGE, FRIDGE, person=resident(2), days_ago=1)
    assert found(city).awards == 0
    wallets = books.wallets(city.database, NANJING)

    withdraw(city, EARLIER.date())

    cost = found(city)
    assert (cost.awards, cost.baskets, cost.stores, cost.residents, cost.whole) == (3, 2, 1, 2, True)
    assert [(one.unit, one.awarded, one.returned) for one in cost.amounts] == [("points", 30, 0)]
    assert [(shop.store, shop.awards, shop.points) for shop in cost.shops] == [("s1", 3, 30)]
    assert books.wallets(city.database, NANJING) == wallets
    assert_verified(city.database, NANJING)


def test_a_suspension_that_ended_counts_its_own_days_alone(city: City) -> None:
    for days_ago in (9, 5, 1):
        sell(city, FRIDGE, person=resident(1), days_ago=days_ago)

    withdraw(city, (NOON - timedelta(days=6)).date(), CertificateState.SUSPENDED)
    withdraw(city, (NOON - timedelta(days=3)).date(), CertificateState.VALID)

    assert found(city).awards == 1


def test_goods_that_came_back_cost_nothing_any_more(city: City) -> None:
    basket = sell(city, FRIDGE, person=resident(1), days_ago=2)
    sell(city, FRIDGE, person=resident(2), days_ago=2)
    bring_back(city.database, (basket, 0, 1), at=NOON)
    withdraw(city, EARLIER.date())

    (amount,) = found(city).amounts
    assert (amount.awarded, amount.returned, amount.net) == (20, 10, 10)


def test_a_false_serial_leads_to_its_one_award(city: City) -> None:
    label = unit_label("A1")
    basket = sell(city, label, person=resident(1))
    sell(city, label, person=resident(2))

    with city.database.read() as connection:
        (award,) = awards(connection, NANJING, subject_of(connection, label).lost)
    assert (award.basket, award.award) == (basket, 10)
    with city.database.read() as connection, pytest.raises(CertificateUnknown):
        subject_of(connection, "没有的证书")


def test_further_awards_are_counted_in_their_units(engine_db: Database) -> None:
    both = rules.rule("both", {}) | {
        "rewards": [rules.fixed(10) | {"unit": "points"}, rules.fixed(250) | {"unit": "fen"}]
    }
    budgets = [{"unit": unit, "amount": 10**6} for unit in ("points", "fen")]
    doc = rules.document(caps=[rules.cap("life", "lifetime", 10**9) | {"unit": "points"}]) | {
        "budgets": budgets,
        "rules": [{k: v for k, v in both.items() if k != "reward"}],
    }
    city = open_city(engine_db, {k: v for k, v in doc.items() if k != "budget"})
    sell(city, FRIDGE, person=resident(1))
    withdraw(city, EARLIER.date())

    assert {one.unit: one.net for one in found(city).amounts} == {"points": 10, "fen": 250}


def test_pages_of_awards_end_where_the_next_begins(city: City) -> None:
    for number in range(5):
        sell(city, FRIDGE, FRIDGE, person=resident(number + 1))
    withdraw(city, EARLIER.date())

    pages, after = [], None
    with city.database.read() as connection:
        lost = subject_of(connection, NUMBER).lost
        while page := awards(connection, NANJING, lost, after=after, limit=3):
            pages.append(page)
            after = (page[-1].basket, page[-1].line_no)

    places = [(one.basket, one.line_no) for page in pages for one in page]
    assert (len(places), len(set(places)), places) == (10, 10, sorted(places))


def test_the_command_says_what_it_has_cost(run: Run, city: City) -> None:
    sell(city, FRIDGE, person=resident(1))
    withdraw(city, EARLIER.date())

    said = done(run("certificates", "ripple", NUMBER, "--city", NANJING))
    facts = json.loads(done(run("certificates", "ripple", NUMBER, "--city", NANJING, "--json")))

    assert "奖励 1 笔" in said
    assert (facts["awards"], facts["amounts"][0]["net"], facts["shops"][0]["store"]) == (1, 10, "s1")
