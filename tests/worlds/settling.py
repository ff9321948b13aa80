"""Shops of two retailers that are owed fees, and the officials who settle with them."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from backend.kernel.ids import new_id
from backend.kernel.periods import civil_date, milliseconds
from backend.retailers import store as shops
from backend.retailers.store import Store
from backend.settlements import queries
from backend.settlements.model import Booked, LineKey, Said
from backend.storage.transaction import Database
from backend.usecases.close_settlement import Closed, close_settlement
from backend.usecases.dispute_statement import dispute_line
from backend.usecases.pay_settlements import PaymentFile, book_payment, prepare_payment, release_payment
from tests.worlds import rules
from tests.worlds.city import FRIDGE, NANJING, NOON, City, open_city, read, resident
from tests.worlds.returning import asked, shop_system

BIG, SMALL = "苏果示例", "街角示例"
RETAILERS = {"s1": BIG, "s2": BIG, "s3": SMALL}
MONTH, NEXT = "2026-11", "2026-12"
CLOSING = datetime(2026, 11, 30, 16, 30, tzinfo=UTC)
"""Half an hour into December in China."""
ZHAO, QIAN = "赵会计", "钱处长"
DAY = timedelta(days=1)


def fees(amount: int = 3, **more: object) -> rules.Doc:
    """A point a piece for the buyer, `amount` fen for the shop."""
    rule = rules.rule("bottle", {})
    rule["rewards"] = [{"kind": "per_unit", "unit": "points", "amount": 1}]
    rule["rewards"].append({"kind": "per_unit", "unit": "fee", "amount": amount})
    del rule["reward"]
    budgets = [{"unit": "points", "amount": 1_000_000}, {"unit": "fee", "amount": 1_000_000, "shards": 2}]
    caps = [{**rules.cap("day", "day", 100_000), "unit": "points"}]
    doc = rules.document(rule, caps=caps) | {"budgets": budgets, **more}
    del doc["budget"]
    return doc


@dataclass
class Office:
    """A city with three shops, and its finance."""

    city: City
    sold: int = 0
    shops: dict[str, str] = field(default_factory=dict)

    @property
    def database(self) -> Database:
        return self.city.database

    def sell(self, pieces: int, store: str = "s1", at: datetime = NOON, person: str | None = None) -> str:
        """Which basket was sold; the shop is owed three fen a piece."""
        self.sold += 1
        arrival = self.city.till(self.sold).basket(read(FRIDGE, qty=pieces), resident=person or resident(1), sold_at=at)
        arrival.basket.store = self.shops[arrival.basket.basket] = store
        self.city.record(arrival, now=at)
        return arrival.basket.basket

    def bring_back(self, basket: str, pieces: int, at: datetime) -> None:
        given = asked((basket, 0, pieces), number=new_id(), store=self.shops[basket], at=at)
        shop_system(self.database).give_back(given, at)

    def close(self, month: str = MONTH, now: datetime = CLOSING) -> Closed:
        return close_settlement(self.database, NANJING, month, ZHAO, now)

    def dispute(self, line_no: int, retailer: str = BIG, month: str = MONTH, now: datetime = CLOSING + DAY) -> LineKey:
        key = LineKey(month, retailer, line_no)
        dispute_line(self.database, NANJING, key, Said("店长", "件数不符"), now)
        return key

    def prepare(self, now: datetime = CLOSING + 6 * DAY) -> PaymentFile:
        return prepare_payment(self.database, NANJING, new_id(), ZHAO, now)

    def pay(self, now: datetime = CLOSING + 6 * DAY) -> PaymentFile:
        """Prepared by one, released by another, paid by the bank."""
        made = self.prepare(now)
        release_payment(self.database, NANJING, made.payment, QIAN, now)
        paid_on = civil_date(milliseconds(now)).isoformat()
        book_payment(self.database, NANJING, made.payment, booked()._replace(paid_on=paid_on), now)
        return made

    def amounts(self, retailer: str = BIG, month: str = MONTH) -> list[tuple[str, int]]:
        """Causes and fen of the lines of a statement."""
        with self.database.read() as connection:
            found = queries.lines(connection, NANJING, month, retailer)
        return [(one.receipt.cause, one.receipt.amount) for one in found]


def booked(reference: str = "ICBC-1") -> Booked:
    """On the sixth day after the close, when `Office.pay` pays."""
    return Booked("2026-12-07", reference, ZHAO)


def open_office(database: Database, doc: rules.Doc | None = None) -> Office:
    city = open_city(database, doc or fees())
    for number, retailer in RETAILERS.items():
        shop = Store(NANJING, number, retailer, f"示例店 {number}", "320102")
        database.write(lambda c, s=shop: shops.insert_store(c, s, NOON))  # type: ignore[misc]
    return Office(city)
