"""A phone's scan id counts once, ever: whoever sends it for a second city is refused there, whichever comes first."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from backend.bootstrap import Backend
from backend.storage.transaction import observed
from backend.web.app import create_app
from tests.http.conftest import Clock, SignIn
from tests.worlds import rules
from tests.worlds.books import count, quarantined, rows, wallets
from tests.worlds.city import FRIDGE, NANJING, SUZHOU, WASHER, City, open_city
from tests.worlds.later import assert_sound

WUXI = "320200"
CITIES = (NANJING, SUZHOU, WUXI)
SCANS = "/api/resident/v1/scans"
DISCOVERY = {"M": {"P0": 1_000}}
Scan = Callable[..., TestResponse]


@pytest.fixture
def cities(city: City) -> list[City]:
    """Three cities that pay a phone's scan one point; `zhang` is at home in the first."""
    doc = rules.document(rules.rule("found", rules.fixed(10), rates=DISCOVERY), policy="find")
    opened = [city, open_city(city.database, code=SUZHOU), open_city(city.database, code=WUXI)]
    for each in opened:
        each.publish(doc)
    return opened


@pytest.fixture
def app(backend: Backend, clock: Clock) -> Flask:
    return create_app(backend, clock)


@pytest.fixture
def scan(app: Flask, sign_in: SignIn, cities: list[City]) -> Scan:
    """Sends a scan of a resident of Nanjing."""
    headers = sign_in()

    def sent(scan_id: str, city: str, code: str = FRIDGE) -> TestResponse:
        body = {"scan_id": scan_id, "code": code, "symbology": "EAN_13", "city": city}
        return app.test_client().post(SCANS, json=body, headers=headers)

    return sent


def earned(city: City) -> list[int]:
    """What wallets of each city hold."""
    return [sum(wallets(city.database, code).values()) for code in CITIES]


def sound(city: City) -> None:
    for code in CITIES:
        assert_sound(city.database, code)


@pytest.mark.parametrize(
    ("first", "second"), [(NANJING, SUZHOU), (SUZHOU, NANJING), (SUZHOU, WUXI)], ids=["home", "away", "away twice"]
)
def test_a_scan_id_of_one_city_is_refused_in_another(city: City, scan: Scan, first: str, second: str) -> None:
    scan_id = str(uuid4())
    assert scan(scan_id, first).status_code == 201

    other = scan(scan_id, second)

    assert (other.status_code, other.get_json()["code"]) == (409, "basket-conflict")
    assert "城市不同" in other.get_json()["detail"]
    assert sum(earned(city)) == earned(city)[CITIES.index(first)] == 1
    assert quarantined(city.database, second) == ["basket-conflict"]
    assert count(city.database, "decisions", second) == 0
    sound(city)


def test_a_scan_away_from_home_sent_again_answers_the_same(city: City, scan: Scan) -> None:
    scan_id = str(uuid4())
    first = scan(scan_id, SUZHOU)
    scan(scan_id, WUXI)

    again = scan(scan_id, SUZHOU)

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.get_data() == first.get_data()
    assert earned(city) == [0, 1, 0]


def test_other_content_away_from_home_is_refused_too(city: City, scan: Scan) -> None:
    scan_id = str(uuid4())
    scan(scan_id, SUZHOU)

    other = scan(scan_id, SUZHOU, WASHER)

    assert (other.status_code, other.get_json()["code"]) == (409, "basket-conflict")
    assert earned(city) == [0, 1, 0]
    sound(city)


def test_what_names_a_person_is_told_apart_too(city: City, scan: Scan) -> None:
    """Its line is not kept, and its hash under a key."""
    scan_id, number = str(uuid4()), "11010519491231002X"

    answers = [scan(scan_id, where, number).status_code for where in (SUZHOU, SUZHOU, NANJING, WUXI)]

    assert answers == [201, 200, 409, 409]
    assert rows(city.database, "SELECT count(DISTINCT sha256) FROM baskets") == [(1,)]


def test_three_cities_that_race_for_one_id_earn_in_one(city: City, scan: Scan) -> None:
    for _ in range(8):
        scan_id, together = str(uuid4()), Barrier(len(CITIES))

        def send(where: str, scan_id: str = scan_id, together: Barrier = together) -> int:
            together.wait(10)
            return scan(scan_id, where).status_code

        with ThreadPoolExecutor(len(CITIES)) as threads:
            assert sorted(threads.map(send, CITIES)) == [201, 409, 409]
    assert sum(earned(city)) == 8
    sound(city)


def test_the_home_city_shows_nothing_of_a_scan_made_elsewhere(
    client: FlaskClient, city: City, scan: Scan, sign_in: SignIn
) -> None:
    scan(str(uuid4()), SUZHOU)
    headers = sign_in()

    at_home, away = (client.get(SCANS, query_string={"city": where}, headers=headers) for where in (NANJING, SUZHOU))

    assert at_home.get_json()["scans"] == []
    assert len(away.get_json()["scans"]) == 1
    assert rows(city.database, "SELECT channel, line, resident FROM baskets WHERE city = :c", c=NANJING) == [
        ("elsewhere", None, None)
    ]


def test_a_scan_at_home_pays_nothing_for_it(city: City, scan: Scan) -> None:
    scan(str(uuid4()), NANJING)
    scan(str(uuid4()), SUZHOU)
    statements: dict[str, list[str]] = {}

    for where in (NANJING, SUZHOU):
        with observed(statements.setdefault(where, []).append):
            scan(str(uuid4()), where)

    assert len(statements[SUZHOU]) == len(statements[NANJING]) + 1
