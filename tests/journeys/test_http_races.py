"""A hundred racers for the last of something, over HTTP, against the server's own processes and connections."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from threading import Barrier
from typing import Any

import httpx
import pytest

from backend.kernel.ids import new_id
from backend.kernel.periods import milliseconds
from tests.http.conftest import bearer
from tests.http.shop import BATCH, Shop, batch, open_shop, states
from tests.journeys.town import Town, current, utc_now
from tests.journeys.witness import assert_books_are_sound
from tests.worlds import books, rules
from tests.worlds.city import FRIDGE, City, read, unit_label

RACERS = 100
API = "/api/resident/v1"
RATES = {level: {"P0": 10_000, "P2": 10_000, "P3": 10_000} for level in "UM"}
"""Ten points for a label, seen by a phone or sold at a till."""
_cities = count(340_100, 100)
_tills = count(1)
Entry = Callable[[httpx.Client], httpx.Response]


@dataclass(frozen=True)
class Racer:
    """A resident with a phone."""

    resident: str
    headers: dict[str, str]


@pytest.fixture(scope="module")
def http(served: Town) -> Iterator[httpx.Client]:
    with a_client(served) as client:
        yield client


def a_client(town: Town) -> httpx.Client:
    """Of one thread: in a pool that many share, one may close the idle connection that another was just given (EBADF)."""
    return httpx.Client(base_url=town.address.backend_url, timeout=60, trust_env=False, verify=False)  # noqa: S501 - no TLS


def open_city(town: Town, **policy: Any) -> City:
    """A city of this test's own."""
    return town.open_city(current(rules.rule("ten", rules.fixed(10), rates=RATES), **policy), str(next(_cities)))


def sign_in(http: httpx.Client, city: City, number: int) -> Racer:
    answer = http.post(
        f"{API}/sessions", json={"way": "development", "code": f"dev:{city.code}-{number}", "city": city.code}
    )
    assert answer.status_code == 201
    return Racer(answer.json()["resident"], bearer(answer.json()["token"]))


def by_phone(racer: Racer, label: dict[str, Any]) -> Entry:
    body = {"scan_id": new_id(), "code": label["code"], "symbology": label["sym"]}
    return lambda http: http.post(f"{API}/scans", json=body, headers=racer.headers)


def at_a_till(town: Town, city: City, racer: Racer, label: dict[str, Any]) -> Entry:
    """A shop's system hands on the message of a till that no other racer uses."""
    till = new_till(town, city)
    code = city.issue_code(racer.resident, utc_now() + timedelta(seconds=100))
    body = batch(till.delivery(till.message(till.line(label, member=code))))
    return lambda http: http.post(BATCH, json=body, headers=bearer(town.token))


def new_till(town: Town, city: City) -> Shop:
    till = open_shop(town.owner, city.code, next(_tills))
    till.sold_at_ms = milliseconds(utc_now())
    return till


def race(town: Town, entries: Sequence[Entry]) -> list[httpx.Response]:
    start = Barrier(len(entries))

    def run(entry: Entry) -> httpx.Response:
        with a_client(town) as http:
            start.wait()
            return entry(http)

    with ThreadPoolExecutor(len(entries)) as threads:
        return list(threads.map(run, entries))


def assert_all_were_answered(town: Town, answers: Sequence[httpx.Response]) -> None:
    """Every phone by a decision with its sentence, every till by a receipt."""
    phones = [answer for answer in answers if answer.request.url.path.endswith("/scans")]
    tills = [answer for answer in answers if answer not in phones]
    assert {answer.status_code for answer in phones} <= {201}, Counter(answer.text for answer in phones)
    assert {answer.status_code for answer in tills} <= {200}, Counter(answer.text for answer in tills)
    assert all(answer.json()["sentence"] for answer in phones)
    key = town.keyring.load_signing("receipt").public_key()
    assert all(states(answer.json()["results"], key) == [["recorded"]] for answer in tills)


def decided(town: Town, *cities: City) -> Counter[tuple[str, int]]:
    """Reason and award of every scan."""
    return Counter((one.reason, one.award) for city in cities for one in books.decided(town.owner, city.code))


DOORS = pytest.mark.parametrize("phones", [RACERS, 0, RACERS // 2], ids=["phones", "tills", "both"])


@DOORS
def test_the_last_points_of_a_budget_go_out_once(served: Town, http: httpx.Client, phones: int) -> None:
    city = open_city(served, budget=75)
    racers = [sign_in(http, city, number) for number in range(RACERS)]
    entries = [by_phone(racer, read(FRIDGE)) for racer in racers[:phones]]
    entries += [at_a_till(served, city, racer, read(FRIDGE)) for racer in racers[phones:]]

    answers = race(served, entries)

    assert_all_were_answered(served, answers)
    assert decided(served, city) == {("awarded", 10): 7, ("awarded_in_part", 5): 1, ("budget", 0): RACERS - 8}
    assert books.budget_left(served.owner, city.code) == 0
    assert_books_are_sound(served.owner, city.code)


@DOORS
@pytest.mark.parametrize("cities", [1, 2], ids=["one city", "two cities"])
def test_a_label_of_a_single_piece_is_paid_once(served: Town, http: httpx.Client, phones: int, cities: int) -> None:
    where = [open_city(served) for _ in range(cities)]
    label = read(unit_label(f"H{where[0].code}"))
    entries = []
    for number in range(RACERS):
        city = where[number % cities]
        racer = sign_in(http, city, number)
        entries.append(by_phone(racer, label) if number < phones else at_a_till(served, city, racer, label))

    answers = race(served, entries)

    assert_all_were_answered(served, answers)
    assert decided(served, *where) == {("awarded", 10): 1, ("unit_already_awarded", 0): RACERS - 1}
    for city in where:
        assert_books_are_sound(served.owner, city.code)


@DOORS
def test_the_last_of_a_cap_goes_out_once(served: Town, http: httpx.Client, phones: int) -> None:
    city = open_city(served, caps=[rules.cap("day", "day", 35), rules.cap("month", "month", 1_000)])
    li = sign_in(http, city, 0)
    labels = [read(unit_label(f"C{city.code}{number}")) for number in range(RACERS)]
    entries = [by_phone(li, label) for label in labels[:phones]]
    entries += [at_a_till(served, city, li, label) for label in labels[phones:]]

    answers = race(served, entries)

    assert_all_were_answered(served, answers)
    assert decided(served, city) == {("awarded", 10): 3, ("awarded_in_part", 5): 1, ("cap", 0): RACERS - 4}
    assert books.wallet(served.owner, city.code, li.resident) == 35
    assert_books_are_sound(served.owner, city.code)


def test_one_scan_sent_by_a_hundred_at_once_counts_once(served: Town, http: httpx.Client) -> None:
    city = open_city(served)
    entry = by_phone(sign_in(http, city, 0), read(FRIDGE))

    answers = race(served, [entry] * RACERS)

    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: RACERS - 1}
    assert len({answer.content for answer in answers}) == 1
    assert decided(served, city) == {("awarded", 10): 1}
    assert_books_are_sound(served.owner, city.code)


def test_one_message_sent_by_a_hundred_at_once_is_recorded_once(served: Town, http: httpx.Client) -> None:
    city = open_city(served)
    entry = at_a_till(served, city, sign_in(http, city, 0), read(FRIDGE))

    answers = race(served, [entry] * RACERS)

    key = served.keyring.load_signing("receipt").public_key()
    told = Counter(states(answer.json()["results"], key)[0][0] for answer in answers)
    assert {answer.status_code for answer in answers} == {200}
    assert told == {"recorded": 1, "duplicate": RACERS - 1}
    assert decided(served, city) == {("awarded", 10): 1}
    assert_books_are_sound(served.owner, city.code)
