"""Anyone may ask which shops sold goods lately; nobody's purchase is told by it."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from backend.retailers.store import Store
from backend.usecases.learn_sellers import SELLERS_TERMS, learn_sellers
from backend.usecases.open_store import open_store
from tests.db.operator.conftest import run
from tests.db.operator.typed import Run, done
from tests.worlds.city import FRIDGE, NANJING, NOON, RICE, UNCERTIFIED, City, read, resident

__all__ = ["run"]


@pytest.fixture
def shops(city: City) -> City:
    city.database.write(lambda c: open_store(c, Store(NANJING, "s1", "r1", "鼓楼示范店", "320106"), NOON))
    return city


def sell(city: City, code: str, *people: int, days_ago: int = 0) -> None:
    for till, person in enumerate(people, start=1):
        sold_at = NOON - timedelta(days=days_ago, minutes=till)
        city.record(city.till(10 * till + days_ago).basket(read(code), resident=resident(person), sold_at=sold_at))


def sellers(client: FlaskClient, code: str, city: str | None = NANJING) -> list[str]:
    answer = client.post("/api/public/v1/labels:read", json={"text": code, "city": city})
    assert answer.status_code == 200
    return [one["name"] for one in answer.get_json()["sellers"]]


def test_a_shop_is_named_once_enough_people_bought_there(client: FlaskClient, shops: City) -> None:
    sell(shops, FRIDGE, 1, 2, 3, 4)
    sell(shops, RICE, 7, 7, 7, 7, 7, 7)
    sell(shops, UNCERTIFIED, 1, 2, 3, 4, 5)
    learn_sellers(shops.database, NANJING, SELLERS_TERMS, NOON)
    assert [sellers(client, code) for code in (FRIDGE, RICE, UNCERTIFIED)] == [[], [], []]

    sell(shops, FRIDGE, 5, days_ago=29)
    assert learn_sellers(shops.database, NANJING, SELLERS_TERMS, NOON) == 1

    assert sellers(client, FRIDGE) == ["鼓楼示范店"]
    assert sellers(client, f"(01)0{FRIDGE}(21)A1") == ["鼓楼示范店"]
    assert sellers(client, FRIDGE, None) == sellers(client, "11010519491231002X") == []
    learn_sellers(shops.database, NANJING, SELLERS_TERMS, NOON + timedelta(days=2))
    assert sellers(client, FRIDGE) == []


def test_a_city_says_how_lately_and_how_many(
    client: FlaskClient, shops: City, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    sell(shops, FRIDGE, 1, 2, 3)
    monkeypatch.setenv("GREENPOINTS_SELLERS_BUYERS_MIN", "3")
    monkeypatch.setenv("GREENPOINTS_SELLERS_DAYS", "365")

    assert "shops 1" in done(run("jobs", "run", "learn_sellers"))

    assert sellers(client, FRIDGE) == ["鼓楼示范店"]
    monkeypatch.setenv("GREENPOINTS_SELLERS_BUYERS_MIN", "1")
    assert run("jobs", "run", "learn_sellers").exit_code == 1
