"""What a till credited to nobody is claimed by the shop's slip: found by number, day, shop and amount together, once; what is
not there and what is somebody else's are answered alike, and decided by officials in time.
"""

import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Connection, text
from structlog.testing import capture_logs

from backend.bootstrap import Backend
from backend.certificates.cache import RegistryCache
from backend.ledger import chart
from backend.missing_points.model import MissingClaim, MissingNeedsAnother, MissingVerdict
from backend.policies.store import PolicyCache
from backend.residents.people import Home
from backend.retailers.store import Store
from backend.usecases import find_missing_points
from backend.usecases.claim_missing_points import AskedMissing
from backend.usecases.decide_missing_points import DecideMissingPoints
from backend.usecases.find_missing_points import FindMissingPoints, Looked
from backend.usecases.open_store import open_store
from tests.db.operator.conftest import run
from tests.db.operator.typed import Run, done, listed
from tests.http.conftest import Clock, SignIn
from tests.worlds import books, rules
from tests.worlds.city import FRIDGE, NANJING, NOON, WASHER, City, read, resident
from tests.worlds.later import assert_sound, assert_verified
from tests.worlds.returning import bring_back

__all__ = ["run"]
ROUNDS = int(os.environ.get("MISSING_ROUNDS", "3"))
"""Races for one slip; more of them by the environment."""
SLIP = "S01-20261122/0042"
TYPED: dict[str, Any] = {"store": "s1", "bought_on": "2026-11-22", "slip_no": SLIP, "amount_fen": 30_000}
GOOD = MissingVerdict("王处长", None, "小票与销售相符。")


@pytest.fixture
def sold(city: City) -> City:
    """Two fridges of 100 and 200 yuan, for a shopper without a code; ten points each by a claim code."""
    rates = {"M": {"P3": 10_000, "P2": 10_000, "P1": 10_000}}
    city.publish(rules.document(rules.rule("ten", rules.fixed(10), rates=rates), policy="claims"))
    city.database.write(lambda c: open_store(c, Store(NANJING, "s1", "r1", "鼓楼示范店", "320106"), NOON))
    sell(city)
    return city


def sell(city: City, till: int = 1, slip_no: str | None = SLIP, **changes: object) -> str:
    """The sale of the slip, at another till where it is said again."""
    reads = read(FRIDGE), read(FRIDGE, price_fen=20_000)
    arrival = city.till(till).basket(*reads, slip_no=slip_no, claim_sha256=f"{till:064x}", **changes)
    city.record(arrival)
    return arrival.basket.basket


Claim = Callable[..., tuple[int, Any]]


@pytest.fixture
def claim(client: FlaskClient, sign_in: SignIn) -> Claim:
    def asked(who: str = "li", number: str | None = None, **changes: Any) -> tuple[int, Any]:
        body = {"claim_id": number or str(uuid4()), **TYPED, **changes}
        answered = client.post("/api/resident/v1/missing-points", json=body, headers=sign_in(who))
        return answered.status_code, answered.get_json()

    return asked


def deciding(city: City) -> DecideMissingPoints:
    return DecideMissingPoints(city.database, RegistryCache(), PolicyCache(chart.budget))


def earned(city: City) -> int:
    return sum(books.wallets(city.database, NANJING).values())


@pytest.mark.parametrize("amount_fen", [30_000, 20_000])
def test_the_holder_of_the_slip_is_credited_by_its_total_or_one_line(claim: Claim, sold: City, amount_fen: int) -> None:
    number = str(uuid4())

    first = claim(number=number, slip_no=" s01 20261122 0042 ", amount_fen=amount_fen)
    again = claim(number=number, slip_no=SLIP, amount_fen=amount_fen)

    assert (first[0], again[0]) == (201, 200)
    assert first[1] == again[1]
    assert (first[1]["state"], first[1]["store_name"]) == ("found", "鼓楼示范店")
    assert [scan["outcome"] for scan in first[1]["scans"]] == ["awarded", "awarded"]
    assert earned(sold) == 20
    assert claim()[1]["type"] == "/problems/missing-points-repeated"
    assert_sound(sold.database, NANJING)


def test_what_is_not_there_and_what_is_somebody_elses_are_answered_alike(claim: Claim, sold: City) -> None:
    claim("wang")

    taken = claim("li")
    absent = [
        claim("zhao", **wrong) for wrong in ({"slip_no": "S01-1"}, {"amount_fen": 29_999}, {"bought_on": "2026-11-21"})
    ]

    hidden = ("claim", "slip_no", "amount_fen", "bought_on")
    told = [{k: v for k, v in body.items() if k not in hidden} for _, body in (taken, *absent)]
    assert {status for status, _ in (taken, *absent)} == {201}
    assert all(one == told[0] for one in told)
    assert (told[0]["state"], told[0]["due_on"], told[0]["scans"]) == ("open", "2026-12-11", [])
    assert earned(sold) == 20


def test_a_mistyped_claim_is_found_with_the_one_that_follows(
    client: FlaskClient, claim: Claim, sold: City, sign_in: SignIn
) -> None:
    assert [claim(amount_fen=fen)[1]["state"] for fen in (3_000, 30_000)] == ["open", "found"]

    told = client.get("/api/resident/v1/missing-points", headers=sign_in("li")).get_json()["claims"]
    assert [one["state"] for one in told] == ["found", "found"]


def test_two_sales_that_fit_are_an_officials_to_tell_apart(claim: Claim, sold: City) -> None:
    sell(sold, till=2)

    assert claim()[1]["state"] == "open"


def test_a_sale_whose_member_code_named_nobody_is_claimed_as_by_a_claim_code(claim: Claim, sold: City) -> None:
    spent = sold.issue_code(resident(7))
    sold.record(sold.till(3).basket(read(WASHER), member=spent))
    sold.record(sold.till(4).basket(read(FRIDGE, price_fen=700), member=spent, slip_no="A7"))

    body = claim(slip_no="a-7", amount_fen=700)[1]

    assert [scan["outcome"] for scan in body["scans"]] == ["awarded"]
    proofs = books.rows(sold.database, "SELECT proof FROM decisions WHERE city = :c AND decision_no = 2", c=NANJING)
    assert proofs == [("P1",)]
    assert_sound(sold.database, NANJING)


@pytest.mark.parametrize("till_back", [True, False], ids=["found by the job", "claimed at once"])
def test_of_a_sale_whose_member_code_named_nobody_what_came_back_earns_nothing(
    claim: Claim, sold: City, *, till_back: bool
) -> None:
    spent = sold.issue_code(resident(7))
    sold.record(sold.till(3).basket(read(WASHER), member=spent))
    asked = {"slip_no": "A7", "amount_fen": 2_100}
    before = earned(sold)
    if till_back:
        claim(**asked)
    arrival = sold.till(4).basket(
        read(FRIDGE, qty=2, price_fen=1_400), read(FRIDGE, price_fen=700), member=spent, slip_no="A7"
    )
    sold.record(arrival)
    bring_back(sold.database, (arrival.basket.basket, 0, 1), (arrival.basket.basket, 1, 1))

    if till_back:
        finder = FindMissingPoints(sold.database, RegistryCache(), PolicyCache(chart.budget))
        assert finder.look(NANJING, NOON) == Looked(1, 1)
    else:
        assert claim(**asked)[1]["state"] == "found"

    decided = books.rows(
        sold.database,
        "SELECT line_no, quantity, reason FROM decisions WHERE basket = :b AND decision_no = 2",
        b=arrival.basket.basket,
    )
    assert decided == [(0, 1, "awarded")]
    assert earned(sold) == before + 10
    assert_sound(sold.database, NANJING)


@pytest.mark.parametrize(
    ("changes", "status", "problem"),
    [
        ({"bought_on": "2026-11-23"}, 422, "missing-points-ahead"),
        ({"bought_on": "2026-10-22"}, 409, "missing-points-too-late"),
        ({"store": "s9"}, 404, "missing-points-store-unknown"),
        ({"slip_no": "小票"}, 422, "invalid-fields"),
        ({"amount_fen": 0}, 422, "invalid-fields"),
    ],
)
def test_what_cannot_be_claimed_is_refused_by_name(
    claim: Claim, sold: City, changes: dict[str, Any], status: int, problem: str
) -> None:
    refused, body = claim(**changes)

    assert (refused, body["type"]) == (status, f"/problems/{problem}")


def test_five_times_a_day_is_too_few_to_fish(claim: Claim, sold: City, clock: Clock) -> None:
    assert [claim(slip_no=f"S{number}")[0] for number in range(6)] == [201] * 5 + [429]

    clock.forward(days=1)
    assert claim()[1]["state"] == "found"


def test_a_till_that_was_offline_is_waited_for(claim: Claim, city: City, sold: City) -> None:
    late = claim(slip_no="LATE-1")[1]
    finder = FindMissingPoints(sold.database, RegistryCache(), PolicyCache(chart.budget))
    assert finder.look(NANJING, NOON) == Looked(1, 0)

    sell(sold, till=2, slip_no="LATE1")

    assert finder.look(NANJING, NOON) == Looked(1, 1)
    assert earned(sold) == 20
    assert finder.look(NANJING, NOON) == Looked(0, 0)
    assert_sound(sold.database, NANJING)
    assert books.rows(sold.database, "SELECT claim::text, state FROM missing_points WHERE city = :c", c=NANJING) == [
        (late["claim"], "found")
    ]


def test_a_claim_that_fails_keeps_none_of_the_others_waiting(
    claim: Claim, sold: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, late = claim(slip_no="BROKEN")[1], claim("wang", slip_no="LATE-1")[1]
    find_as_ever = find_missing_points.give_sale

    def breaks_at_one(connection: Connection, city: str, one: MissingClaim) -> list[str]:
        if one.claim == broken["claim"]:
            raise ZeroDivisionError
        return find_as_ever(connection, city, one)

    monkeypatch.setattr(find_missing_points, "give_sale", breaks_at_one)
    sold.database.write(
        lambda c: c.execute(
            text("UPDATE missing_points SET due_on = due_on - 1 WHERE claim = :c"), {"c": broken["claim"]}
        )
    )
    sell(sold, till=2, slip_no="LATE1")

    with capture_logs() as logs:
        assert (
            FindMissingPoints(sold.database, RegistryCache(), PolicyCache(chart.budget)).look(NANJING, NOON).found == 1
        )

    assert [(line["doing"], line["item"]) for line in logs] == [("find_missing_points", broken["claim"])]
    assert _states(sold) == {broken["claim"]: "open", late["claim"]: "found"}


def test_claims_that_nobody_finds_keep_none_behind_them_from_being_found(
    claim: Claim, sold: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(find_missing_points, "PAGE", 2)
    hopeless = [claim(slip_no=f"NEVER-{number}")[1]["claim"] for number in range(4)]
    late = claim("wang", slip_no="LATE-1")[1]["claim"]
    sold.database.write(
        lambda c: c.execute(text("UPDATE missing_points SET due_on = due_on + 1 WHERE claim = :c"), {"c": late})
    )
    sell(sold, till=2, slip_no="LATE1")

    finder = FindMissingPoints(sold.database, RegistryCache(), PolicyCache(chart.budget))

    assert finder.look(NANJING, NOON) == Looked(5, 1)
    assert _states(sold) == {**dict.fromkeys(hopeless, "open"), late: "found"}


def _states(city: City) -> dict[str, str]:
    return dict(books.rows(city.database, "SELECT claim::text, state FROM missing_points WHERE city = :c", c=NANJING))


def test_of_many_who_claim_one_slip_at_once_one_is_credited(backend: Backend, sold: City) -> None:
    day = (NOON + timedelta(hours=8)).date()

    def attempt(number: int, slip_no: str) -> str:
        asked = AskedMissing(NANJING, slip_no, "s1", day, slip_no, 30_000)
        return backend.claim_missing_points.claim(asked, Home(NANJING, resident(number)), NOON).claim.state.value

    for one in range(ROUNDS):
        slip_no = f"R{one}"
        sell(sold, till=10 + one, slip_no=slip_no)
        with ThreadPoolExecutor(6) as pool:
            outcomes = sorted(pool.map(lambda n, s=slip_no: attempt(n, s), range(6 * one + 1, 6 * one + 7)))  # type: ignore[misc]
        assert outcomes == ["found", *["open"] * 5]

    assert earned(sold) == 20 * ROUNDS
    assert_sound(sold.database, NANJING)


def test_where_the_shop_is_the_place_it_is_not_claimed_from_afar(claim: Claim, sold: City) -> None:
    rates = {"M": {"P3": 10_000, "P2": 10_000, "P1": 10_000}}
    deposit = rules.document(rules.rule("ten", rules.fixed(10), rates=rates), policy="deposit")
    sold.publish({**deposit, "claims": "same_store", "stacking": {"group": "deposit", "mode": "first"}})

    status, body = claim()

    assert (status, body["type"]) == (409, "/problems/claim-in-store")
    assert earned(sold) == books.count(sold.database, "missing_points", NANJING) == 0


def test_claims_follow_into_another_account_and_nothing_of_a_slip_stays_behind_a_closed_one(
    client: FlaskClient, claim: Claim, sold: City, sign_in: SignIn
) -> None:
    claim("li")
    claim("li", slip_no="WAITS-1")
    survivor, other = sign_in("wang"), sign_in("li")
    proof = {"way": "session", "code": other["Authorization"].removeprefix("Bearer ")}
    assert client.post("/api/resident/v1/merges", json=proof, headers=survivor).status_code == 200
    told = client.get("/api/resident/v1/missing-points", headers=survivor).get_json()["claims"]
    assert sorted(one["state"] for one in told) == ["found", "open"]
    assert_verified(sold.database, NANJING)

    closing = client.get("/api/resident/v1/account/closing", headers=survivor).get_json()["told_sha256"]
    closed = client.post("/api/resident/v1/account/closing", json={"told_sha256": closing}, headers=survivor)

    assert closed.status_code < 300, closed.text
    left = books.rows(sold.database, "SELECT slip_no, state FROM missing_points WHERE city = :c ORDER BY 2", c=NANJING)
    assert left == [("-", "found"), ("-", "rejected")]
    assert books.rows(sold.database, "SELECT slip_no FROM baskets WHERE city = :c", c=NANJING) == [(None,)]
    assert claim("zhao")[1]["state"] == "open"


def test_an_official_rejects_and_another_looks_again_and_gives_the_sale(
    client: FlaskClient, claim: Claim, sold: City, sign_in: SignIn, run: Run
) -> None:
    one = claim(slip_no="S01-20261122-9999")[1]["claim"]
    assert listed(run, "missing", "--city", NANJING)[0]["slip_no"] == "S01202611229999"
    (sale,) = json.loads(done(run("missing", "show", one, "--city", NANJING, "--json")))["sales"]
    assert (sale["slip_no"], sale["prices_fen"]) == ("S01202611220042", [10_000, 20_000])

    deciding(sold).reject(NANJING, one, MissingVerdict("王处长", None, "当日没有这个号码。"), NOON)

    asked = client.post(
        f"/api/resident/v1/missing-points/{one}/review", json={"text": "号码看错了"}, headers=sign_in("li")
    )
    assert (asked.status_code, asked.get_json()["state"]) == (200, "open")
    for by, second in (("王处长", None), ("李主任", "王处长"), ("李主任", "李主任")):
        with pytest.raises(MissingNeedsAnother):
            deciding(sold).grant(NANJING, one, sale["basket"], MissingVerdict(by, second, "好"), NOON)
    grant = ("missing", "grant", one, "--city", NANJING, "--basket", sale["basket"], "--explanation", "号码写错一位。")
    assert "10 分" in done(run(*grant, "--by", "李主任"))
    assert earned(sold) == 20
    told = client.get("/api/resident/v1/missing-points", headers=sign_in("li")).get_json()["claims"]
    assert [(each["state"], each["sentence"]) for each in told] == [("granted", "已核实并补记：号码写错一位。")]
    assert_sound(sold.database, NANJING)


def test_a_claim_is_its_residents_alone(client: FlaskClient, claim: Claim, sold: City, sign_in: SignIn) -> None:
    one = claim(slip_no="S2")[1]["claim"]
    deciding(sold).reject(NANJING, one, GOOD, NOON)

    other = client.post(
        f"/api/resident/v1/missing-points/{one}/review", json={"text": "请复核"}, headers=sign_in("wang")
    )

    assert (other.status_code, other.get_json()["type"]) == (404, "/problems/missing-points-unknown")
    assert client.get("/api/resident/v1/missing-points", headers=sign_in("wang")).get_json()["claims"] == []


def test_shops_are_found_by_a_part_of_their_name(client: FlaskClient, sold: City) -> None:
    for name in ("示范", "s1"):
        found = client.get(f"/api/public/v1/stores?city={NANJING}&name={name}").get_json()["stores"]
        assert found == [{"store": "s1", "name": "鼓楼示范店", "district": "320106"}]
    assert client.get(f"/api/public/v1/stores?city={NANJING}&name=%25").get_json()["stores"] == []
