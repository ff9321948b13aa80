"""Pages of missing points: what the slip says beside what the shop sold, credited by one, by two where it is much, or refused."""

from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from backend.certificates.cache import RegistryCache
from backend.ledger import chart
from backend.officials.model import Role
from backend.policies.store import PolicyCache
from backend.residents.people import Home
from backend.retailers.store import Store
from backend.storage.transaction import Database
from backend.usecases.claim_missing_points import AskedMissing, ClaimMissingPoints, MissingTerms
from backend.usecases.open_store import open_store
from tests.http.conftest import Clock
from tests.http.console.test_cases import acts, another, desk, post, text
from tests.worlds import books, rules
from tests.worlds.city import FRIDGE, NANJING, NOON, City, open_city, read, resident

__all__ = ["desk"]
LI = resident(1)
SLIP = "S01-0042"
TERMS = MissingTerms(90, 15)


@pytest.fixture
def city(engine_db: Database) -> City:
    rates = {"M": {"P3": 10_000, "P2": 10_000, "P1": 10_000}}
    opened = open_city(engine_db, rules.document(rules.rule("all", rules.percent(10_000), rates=rates)))
    shop = Store(NANJING, "s1", "示例超市", "新街口店", "320102")
    engine_db.write(lambda connection: open_store(connection, shop, NOON))
    return opened


def sold(city: City, price_fen: int, slip_no: str = SLIP) -> str:
    arrival = city.till(1 + books.count(city.database, "baskets", NANJING)).basket(
        read(FRIDGE, price_fen=price_fen), slip_no=slip_no, claim_sha256=f"{uuid4().int:064x}"[:64]
    )
    city.record(arrival)
    return arrival.basket.basket


def claimed(city: City, clock: Clock, amount_fen: int) -> str:
    """Mistyped by the resident, so that it waits for a person: its address."""
    claiming = ClaimMissingPoints(city.database, RegistryCache(), PolicyCache(chart.budget), TERMS)
    asked = AskedMissing(NANJING, str(uuid4()), "s1", NOON.date(), SLIP, amount_fen)
    return f"/console/cases/slips/{claiming.claim(asked, Home(NANJING, LI), clock.now).claim.claim}"


def test_the_sale_that_the_slip_is_of_is_chosen_and_credited(desk: FlaskClient, city: City, clock: Clock) -> None:
    basket = sold(city, 1_200)
    url = claimed(city, clock, 1_300)
    listed, page = text(desk.get("/console/cases/slips")), text(desk.get(url))
    assert (url in listed, "新街口店" in listed, "¥13.00" in listed) == (True, True, True)
    assert (basket in page, "¥12.00" in page, "相同" in page) == (True, True, True)

    assert "请写明给居民的说明" in text(post(desk, url, verdict="grant", basket=basket, explanation=""), 422)
    unchosen = text(post(desk, url, verdict="grant", explanation="与小票底联相符"), 422)
    assert ("请先选定" in unchosen, ">与小票底联相符</textarea>" in unchosen) == (True, True)
    assert "没有这笔" in text(post(desk, url, verdict="grant", basket=uuid4(), explanation="相符"), 404)
    assert post(desk, url, verdict="grant", basket=basket, explanation="小票与销售相符。").status_code == 303

    assert books.wallet(city.database, NANJING, LI) == 1_200
    assert ("已补记" in text(desk.get(url)), "没有待办" in text(desk.get("/console/cases/slips"))) == (True, True)
    assert text(post(desk, url, verdict="reject", explanation="再来"), 409)
    assert acts(city)[-1] == "missing-points-granted"


def test_much_money_waits_for_a_second_person(desk: FlaskClient, client: FlaskClient, city: City, clock: Clock) -> None:
    basket = sold(city, 6_000)
    url = claimed(city, clock, 6_100)

    assert post(desk, f"{url}/approve").status_code == 404
    assert post(desk, url, verdict="grant", basket=basket, explanation="经核属实。").status_code == 303
    assert "待第二人复核" in text(desk.get("/console/cases/slips"))
    assert text(post(desk, f"{url}/approve"), 403)
    assert "已有人提出" in text(post(desk, url, verdict="grant", basket=basket, explanation="再提"), 409)
    assert books.wallet(city.database, NANJING, LI) == 0

    other = another(client, city, clock, "赵军")
    assert "经核属实。" in text(other.get(url))
    assert post(other, f"{url}/approve").status_code == 303

    assert books.wallet(city.database, NANJING, LI) == 6_000
    ((by, second),) = books.rows(city.database, "SELECT decided_by, approved_by FROM missing_points")
    assert by != second
    assert {"missing-points-proposed", "missing-points-granted"} <= set(acts(city))


def test_what_is_not_there_is_refused_with_a_reason(
    desk: FlaskClient, client: FlaskClient, city: City, clock: Clock
) -> None:
    url = claimed(city, clock, 500)
    assert "没有可以补记的销售" in text(desk.get(url))
    auditor = another(client, city, clock, "审计", Role.AUDITOR)
    assert 'name="verdict"' not in text(auditor.get(url))
    assert post(auditor, url, verdict="reject", explanation="x").status_code == 403

    assert post(desk, url, verdict="reject", explanation="该店当日没有这笔销售。").status_code == 303

    assert "未予补记" in text(desk.get(url))
    assert acts(city)[-1] == "missing-points-rejected"
