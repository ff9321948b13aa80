"""What a policy binds to the shop that sold the goods stays bound to it when a line of a claimed sale is decided later."""

from hashlib import sha256
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from backend.certificates.cache import RegistryCache
from backend.ledger import chart
from backend.policies.store import PolicyCache
from backend.scans.holds.rulings import Said
from backend.scans.sale_time import Clock as TillClock
from backend.usecases.rule_on_hold import Place, RuleOnHold
from tests.db.resolution.test_decisions import register
from tests.http.conftest import SignIn
from tests.http.shop import open_shop
from tests.http.test_claims import PLAIN, at_shop, claim, deposit
from tests.http.test_missing_points import SLIP
from tests.worlds import books
from tests.worlds.city import FRIDGE, NANJING, UNCERTIFIED, City, read
from tests.worlds.later import LATER, assert_verified, resolve

IN_STORE = ("none", "claim_in_store", 0)
GIVEN = ("awarded", "awarded", 45)


@pytest.fixture
def deposits(city: City) -> City:
    """15 fen a container for the buyer and 2 for the shop, claimed in the shop that sold it."""
    open_shop(city.database, NANJING, 1)
    city.publish(deposit() | {"stacking": {"group": "deposit", "mode": "first"}})
    return city


def sell(city: City, code: str, clock: TillClock | None = None) -> str:
    till = city.till()
    till.clock = clock or till.clock
    arrival = till.basket(read(code, qty=3), claim_sha256=sha256(PLAIN.encode()).hexdigest())
    city.record(arrival)
    return arrival.basket.basket


def decided_last(city: City) -> tuple[object, ...]:
    *_, (_, *last) = books.columns(city.database, NANJING, "d.decision_no, d.outcome, d.reason, d.award")
    return tuple(last)


def is_known_now(city: City) -> None:
    register(city.database, {"code": UNCERTIFIED, "grade": "1", "category": "冰箱"})
    resolve(city)


def test_goods_unknown_when_the_code_was_claimed_by_phone_earn_no_deposit_once_they_are_known(
    client: FlaskClient, sign_in: SignIn, deposits: City
) -> None:
    basket, who = sell(deposits, UNCERTIFIED), sign_in("li")
    assert claim(client, who)[0] == 200

    is_known_now(deposits)

    assert decided_last(deposits) == IN_STORE
    assert not books.wallets(deposits.database, NANJING)
    assert books.balance(deposits.database, NANJING, "shop:s1:fee") == 0
    told = client.get(f"/api/resident/v1/scans/{basket}/lines/0", headers=who).get_json()
    assert told["recomputed_equal"]
    assert told["scan"]["sentence"] == "按政策，这件商品的奖励须在售出的门店领取；这张小票是在别处领取的，本次不奖励。"
    assert_verified(deposits.database, NANJING)


def test_claimed_in_the_shop_that_sold_them_they_earn_it(client: FlaskClient, sign_in: SignIn, deposits: City) -> None:
    sell(deposits, UNCERTIFIED)
    member = client.post("/api/resident/v1/member-codes", headers=sign_in("li")).get_json()["code"]
    assert at_shop(client, "s1", member)[0] == 200

    is_known_now(deposits)

    assert decided_last(deposits) == GIVEN
    assert_verified(deposits.database, NANJING)


def test_a_held_line_of_a_sale_that_was_claimed_by_phone_earns_no_deposit_when_it_is_released(
    client: FlaskClient, sign_in: SignIn, deposits: City
) -> None:
    basket = sell(deposits, FRIDGE, TillClock("none", 0, "b9", 10_000))
    assert claim(client, sign_in("li"))[0] == 200
    ruling = RuleOnHold(deposits.database, RegistryCache(), PolicyCache(chart.budget))

    ruling.release(NANJING, Place(basket, 0), Said("王处长", "小票齐全"), LATER)

    assert decided_last(deposits) == IN_STORE
    assert not books.wallets(deposits.database, NANJING)
    assert_verified(deposits.database, NANJING)


def test_goods_of_a_slip_that_was_cited_by_phone_earn_no_deposit_once_they_are_known(
    client: FlaskClient, sign_in: SignIn, deposits: City
) -> None:
    deposits.record(deposits.till().basket(read(UNCERTIFIED, qty=3, price_fen=900), slip_no=SLIP))
    asked = {"claim_id": str(uuid4()), "store": "s1", "bought_on": "2026-11-22", "slip_no": SLIP, "amount_fen": 900}
    filed = client.post("/api/resident/v1/missing-points", json=asked, headers=sign_in("li"))
    assert filed.get_json()["state"] == "found", filed.text

    is_known_now(deposits)

    assert decided_last(deposits) == IN_STORE
    assert not books.wallets(deposits.database, NANJING)
    assert_verified(deposits.database, NANJING)


def test_what_was_decided_stands_when_the_resident_leaves(client: FlaskClient, sign_in: SignIn, deposits: City) -> None:
    sell(deposits, UNCERTIFIED)
    who = sign_in("li")
    claim(client, who)
    is_known_now(deposits)
    told = client.get("/api/resident/v1/account/closing", headers=who).get_json()["told_sha256"]

    closed = client.post("/api/resident/v1/account/closing", json={"told_sha256": told}, headers=who)

    assert closed.status_code < 300, closed.text
    assert decided_last(deposits) == IN_STORE
    assert_verified(deposits.database, NANJING)
