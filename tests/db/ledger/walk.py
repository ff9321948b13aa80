"""A city whose policies pay by the number of pieces, one for each way in which points wait and end."""

from datetime import UTC, datetime

from backend.ledger import queries
from backend.storage.transaction import Database
from backend.usecases.verify_ledger import verify_ledger
from tests.worlds import rules
from tests.worlds.city import FRIDGE, NOON, City, open_city, read, resident
from tests.worlds.returning import bring_back, spend

LI = resident(1)
PLAIN, SHORT, YEAR, FOREST = PLENTY = (1, 2, 3, 4)
"""Pieces bought; each is worth ten points under the policy of its kind."""
NOVEMBER = datetime(2026, 11, 30, 16, 0, tzinfo=UTC)
"""When November is over in Nanjing."""
OWING = 9
TERMS: dict[int, dict[str, object]] = {
    PLAIN: {},
    SHORT: {"expiry": {"on": "2026-11-30"}},
    YEAR: {"pending": {"days": 7}, "expiry": {"months": 12}},
    FOREST: {"pending": {"collect_hours": 72}},
}


def never() -> bool:
    return False


def walled(database: Database, code: str = "320100") -> City:
    city: City | None = None
    for pieces, terms in TERMS.items():
        ten = rules.rule("ten", rules.fixed(10), rules.where("quantity", "=", pieces))
        doc = rules.document(ten, policy=f"kind-{pieces}") | terms
        if city is None:
            city = open_city(database, doc, code)
        else:
            city.publish(doc)
    assert city is not None
    return city


def held(city: City, person: str = LI) -> dict[str, int]:
    with city.database.read() as connection:
        return {one.account: one.amount for one in queries.holdings(connection, city.code, person)}


def owe(city: City, person: str, amount: int) -> None:
    """Points that were spent before their goods came back, by one who has no lots yet."""
    owing = rules.rule("owing", rules.fixed(amount), rules.where("quantity", "=", OWING))
    city.publish(rules.document(owing, policy="owing"))
    sale = city.till(9).basket(read(FRIDGE, qty=OWING), resident=person)
    city.record(sale)
    spend(city.database, amount, person)
    bring_back(city.database, (sale.basket.basket, 0, OWING), at=NOON)


def assert_sound(city: City) -> None:
    (verified,) = verify_ledger(city.database, city.code)
    assert [finding for finding in verified.findings if finding.broken] == []
