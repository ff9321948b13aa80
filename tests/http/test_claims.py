"""A basket of nobody becomes somebody's by the code on the sales slip: once, in time, under the policy of the sale."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from backend.bootstrap import Backend
from backend.residents.people import Home
from backend.usecases.claim_basket import ClaimSpent
from tests.http.conftest import POS_TOKEN, Clock, SignIn, bearer
from tests.http.shop import open_shop
from tests.worlds import books, rules
from tests.worlds.city import FRIDGE, NANJING, City, read, resident
from tests.worlds.later import assert_sound, assert_verified

CODE = "K7QM-3T9A-XY4W-0B1C"
CANONICAL = Path(__file__).parent.parent / "pure" / "policies" / "canonical"
PLAIN = CODE.replace("-", "")
ROUNDS = int(os.environ.get("CLAIM_ROUNDS", "5"))
"""Races of two claims; more of them by the environment."""


@pytest.fixture
def unclaimed(city: City) -> City:
    """A till recorded a basket of two fridges for a shopper without an account, where a claim code earns as well."""
    rates = {"M": {"P3": 10_000, "P1": 10_000}}
    city.publish(rules.document(rules.rule("ten", rules.fixed(10), rates=rates), policy="claims"))
    claim = sha256(PLAIN.encode()).hexdigest()
    city.record(city.till().basket(read(FRIDGE), read(FRIDGE), claim_sha256=claim))
    return city


def claim(client: FlaskClient, who: dict[str, str], code: str = CODE) -> tuple[int, dict[str, object]]:
    answered = client.post("/api/resident/v1/claims", json={"code": code}, headers=who)
    return answered.status_code, answered.json  # type: ignore[return-value]  # a JSON answer


def test_the_holder_of_the_slip_is_credited(client: FlaskClient, sign_in: SignIn, unclaimed: City) -> None:
    status, body = claim(client, sign_in("li"))

    assert status == 200
    assert [scan["outcome"] for scan in body["scans"]] == ["awarded", "awarded"]  # type: ignore[attr-defined,union-attr]
    assert sum(books.wallets(unclaimed.database, NANJING).values()) == 20
    assert_sound(unclaimed.database, NANJING)


@pytest.mark.parametrize("typed", [CODE.lower(), PLAIN, f" {CODE} ", CODE.replace("0", "O").replace("1", "l")])
def test_the_code_may_be_typed_as_people_type(
    client: FlaskClient, sign_in: SignIn, unclaimed: City, typed: str
) -> None:
    assert claim(client, sign_in("li"), typed)[0] == 200


def test_claimed_again_it_changes_nothing(client: FlaskClient, sign_in: SignIn, unclaimed: City) -> None:
    who = sign_in("li")

    first, second = claim(client, who), claim(client, who)

    assert first == second
    assert sum(books.wallets(unclaimed.database, NANJING).values()) == 20


def test_another_cannot_claim_it(client: FlaskClient, sign_in: SignIn, unclaimed: City) -> None:
    claim(client, sign_in("li"))

    status, body = claim(client, sign_in("wang"))

    assert (status, body["type"]) == (409, "/problems/claim-spent")


@pytest.mark.parametrize(
    ("code", "status", "problem"),
    [("K7QM-3T9A-XY4W-0B1D", 404, "claim-unknown"), ("K7QM-3T9A", 422, "claim-code-malformed")],
)
def test_what_is_no_code_of_a_basket_is_refused_by_name(
    client: FlaskClient, sign_in: SignIn, unclaimed: City, code: str, status: int, problem: str
) -> None:
    refused, body = claim(client, sign_in("li"), code)

    assert (refused, body["type"]) == (status, f"/problems/{problem}")


def test_it_is_good_for_seven_days(client: FlaskClient, sign_in: SignIn, unclaimed: City, clock: Clock) -> None:
    clock.forward(days=7, seconds=1)

    status, body = claim(client, sign_in("li"))

    assert (status, body["type"]) == (410, "/problems/claim-expired")
    assert "7 天" in str(body["detail"])


def test_of_many_who_claim_at_once_one_is_credited(backend: Backend, unclaimed: City, clock: Clock) -> None:
    from backend.kernel.errors import DomainError

    def attempt(number: int) -> str:
        try:
            backend.claim_basket.claim(NANJING, CODE, Home(NANJING, resident(number)), clock.now + timedelta(minutes=1))
        except DomainError as refusal:
            return refusal.code
        return "claimed"

    with ThreadPoolExecutor(8) as pool:
        outcomes = sorted(pool.map(attempt, range(1, 13)))

    assert outcomes == ["claim-spent"] * 11 + ["claimed"]
    assert sum(books.wallets(unclaimed.database, NANJING).values()) == 20
    assert_sound(unclaimed.database, NANJING)


def at_shop(client: FlaskClient, store: str, member: str, code: str = CODE) -> tuple[int, dict[str, Any]]:
    body = {"city": NANJING, "store": store, "code": code, "member": member}
    answered = client.post("/api/pos/v1/claims", json=body, headers=bearer(POS_TOKEN))
    return answered.status_code, answered.get_json()


def deposit() -> dict[str, Any]:
    """The deposit of the canonical policies, for what this city sells."""
    doc = json.loads((CANONICAL / "p12-deposit.json").read_text(encoding="utf-8"))
    for rule in doc["rules"]:
        rule["when"] = [rules.where("category", "=", "冰箱")]
    return {**doc, "from": "2026-01-01T00:00:00+08:00"}


def test_a_deposit_is_claimed_in_the_shop_that_sold_it(
    client: FlaskClient, sign_in: SignIn, city: City, backend: Backend
) -> None:
    """15 fen a container for the buyer and 2 for the shop, and nowhere else."""
    for number in (1, 2):
        open_shop(city.database, NANJING, number)
    city.publish(deposit() | {"stacking": {"group": "deposit", "mode": "first"}})
    claim_sha256 = sha256(PLAIN.encode()).hexdigest()
    city.record(city.till().basket(read(FRIDGE, qty=3), claim_sha256=claim_sha256))
    who = sign_in("li")

    def code() -> str:
        return str(client.post("/api/resident/v1/member-codes", headers=who).get_json()["code"])

    assert claim(client, who)[1]["type"] == "/problems/claim-in-store"
    assert at_shop(client, "s2", code())[1]["type"] == "/problems/claim-in-store"
    member = code()
    first, again = at_shop(client, "s1", member), at_shop(client, "s1", member)

    assert first == again
    status, body = first
    assert status == 200
    (line,) = body["lines"]
    assert [(one["unit"], one["amount"]) for one in line["awards"]] == [("fen", 45), ("fee", 6)]
    assert line["sentence"] == "奖励 0.45 元。"
    assert at_shop(client, "s1", code())[1] == body
    assert at_shop(client, "s1", "no-code")[1]["type"] == "/problems/member-code-refused"
    assert books.balance(backend.database, NANJING, "shop:s1:fee") == 6
    assert_verified(backend.database, NANJING)


def test_other_baskets_may_be_claimed_at_any_shop(client: FlaskClient, sign_in: SignIn, unclaimed: City) -> None:
    code = client.post("/api/resident/v1/member-codes", headers=sign_in("li")).get_json()["code"]

    open_shop(unclaimed.database, NANJING, 9)
    status, body = at_shop(client, "s9", code)

    assert (status, [line["outcome"] for line in body["lines"]]) == (200, ["awarded", "awarded"])


def test_of_two_who_claim_one_code_one_is_credited_every_time(backend: Backend, unclaimed: City, clock: Clock) -> None:
    till = unclaimed.till(7)

    def attempt(code: str, person: str) -> str:
        try:
            backend.claim_basket.claim(NANJING, code, Home(NANJING, person), clock.now)
        except ClaimSpent:
            return "spent"
        return "claimed"

    with ThreadPoolExecutor(2) as pool:
        for number in range(ROUNDS):
            code = f"{number:016d}"
            unclaimed.record(till.basket(read(FRIDGE), claim_sha256=sha256(code.encode()).hexdigest()))
            racers = resident(2 * number + 1), resident(2 * number + 2)
            assert sorted(pool.map(attempt, (code, code), racers)) == ["claimed", "spent"], number
    assert sum(books.wallets(unclaimed.database, NANJING).values()) == 10 * ROUNDS
    assert_sound(unclaimed.database, NANJING)
