"""A basket of nobody becomes somebody's by the code on the sales slip: once, in time, under the policy of the sale."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from hashlib import sha256

import pytest
from flask.testing import FlaskClient

from backend.bootstrap import Backend
from tests.http.conftest import Clock, SignIn
from tests.worlds import books, rules
from tests.worlds.city import FRIDGE, NANJING, City, read
from tests.worlds.later import assert_sound

CODE = "K7QM-3T9A-XY4W-0B1C"
PLAIN = CODE.replace("-", "")


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
    from tests.worlds.city import resident

    def attempt(number: int) -> str:
        try:
            backend.claim_basket.claim(NANJING, CODE, resident(number), clock.now + timedelta(minutes=1))
        except DomainError as refusal:
            return refusal.code
        return "claimed"

    with ThreadPoolExecutor(8) as pool:
        outcomes = sorted(pool.map(attempt, range(1, 13)))

    assert outcomes == ["claim-spent"] * 11 + ["claimed"]
    assert sum(books.wallets(unclaimed.database, NANJING).values()) == 20
    assert_sound(unclaimed.database, NANJING)
