"""A paper card at a shop's own system: quotes and claims credit its holder as tills do, and a lost or spent one nobody."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from backend.bootstrap import Backend
from backend.usecases.issue_card import DrawnCard, block_card
from backend.web.app import create_app
from tests.db.residents.test_cards import issue
from tests.http.conftest import Clock
from tests.http.shop import open_shop
from tests.http.test_claims import at_shop, unclaimed
from tests.http.test_quotes import Ask, act, ask, line
from tests.worlds import books
from tests.worlds.city import FRIDGE, NANJING, City, resident
from tests.worlds.later import assert_sound, assert_verified

__all__ = ["ask", "unclaimed"]
LI = resident(1)
A_DAY = 10


@pytest.fixture
def app(backend: Backend, clock: Clock) -> Flask:
    return create_app(backend, clock)


@pytest.fixture
def card(city: City) -> DrawnCard:
    return issue(city)


def lose(city: City, card: DrawnCard, clock: Clock) -> None:
    city.database.write(lambda connection: block_card(connection, card.number, "窗口", clock.now))


def reason(answer: Any) -> str:
    return str(answer.get_json()["lines"][0]["reason"])


def test_a_dry_run_counts_no_sale_of_the_card(ask: Ask, city: City, card: DrawnCard) -> None:
    told = [ask(line(FRIDGE), member=card.number.text).get_json()["totals"] for _ in range(A_DAY + 1)]

    assert told == [{"points": 10}] * (A_DAY + 1)
    assert books.count(city.database, "card_uses", NANJING) == 0


def test_a_quote_by_card_is_paid_out_to_its_holder_and_tells_no_number(
    ask: Ask, client: FlaskClient, city: City, card: DrawnCard
) -> None:
    held, again = (ask(line(FRIDGE), member=card.number.text, hold=True, key="order-0001") for _ in range(2))
    other = ask(line(FRIDGE), hold=True, key="order-0001")
    done = act(client, held.get_json()["quote"], "capture")

    assert (held.status_code, again.get_json(), other.status_code) == (201, held.get_json(), 409)
    assert done.get_json()["totals"] == {"points": 10}
    assert books.wallet(city.database, NANJING, LI) == 10
    assert books.count(city.database, "card_uses", NANJING) == 1
    assert_verified(city.database, NANJING)


def test_a_card_quotes_ten_sales_of_a_day_and_none_once_it_is_lost(
    ask: Ask, city: City, card: DrawnCard, clock: Clock
) -> None:
    quoted = [
        reason(ask(line(FRIDGE), member=card.number.text, hold=True, key=f"order-{number:04d}"))
        for number in range(A_DAY + 1)
    ]
    busy = reason(ask(line(FRIDGE), member=card.number.text))
    lose(city, card, clock)

    assert quoted == ["awarded"] * A_DAY + ["member_card_limit"]
    assert busy == "member_card_limit"
    assert reason(ask(line(FRIDGE), member=card.number.text)) == "member_card_blocked"
    assert reason(ask(line(FRIDGE), member="GPC1.3201000000000000000")) in {"member_malformed", "member_card_unknown"}


def test_a_slip_is_claimed_with_the_card_once(
    client: FlaskClient, unclaimed: City, card: DrawnCard, clock: Clock
) -> None:
    open_shop(unclaimed.database, NANJING, 9)

    first, again = (at_shop(client, "s9", card.number.text) for _ in range(2))

    assert first == again
    assert (first[0], [one["outcome"] for one in first[1]["lines"]]) == (200, ["awarded", "awarded"])
    assert books.wallet(unclaimed.database, NANJING, LI) == 20
    assert books.count(unclaimed.database, "card_uses", NANJING) == 1
    assert_sound(unclaimed.database, NANJING)


def test_a_lost_card_claims_nothing(client: FlaskClient, unclaimed: City, card: DrawnCard, clock: Clock) -> None:
    open_shop(unclaimed.database, NANJING, 9)
    lose(unclaimed, card, clock)

    status, told = at_shop(client, "s9", card.number.text)

    assert (status, told["type"]) == (409, "/problems/card-refused")
    assert "挂失" in told["detail"]
    assert books.wallets(unclaimed.database, NANJING) == {}
