"""A catalogue for a world's city, and residents who redeem of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from backend.ledger import queries as ledger
from backend.ledger.model import Reason
from backend.redemptions import judge, queries
from backend.redemptions.codes import CodeBook, Purpose
from backend.redemptions.document import load_catalogue
from backend.redemptions.model import Approved, At
from backend.redemptions.queries import Redeemed
from backend.retailers import store as shops
from backend.retailers.store import Store
from backend.storage.transaction import Database
from backend.usecases.confirm_redemption import ConfirmRedemption
from backend.usecases.hold_redemption import Asked, HoldRedemption
from backend.usecases.publish_catalogue import PublishedEntry, Said, publish_catalogue
from backend.usecases.release_redemption import (
    cancel_redemption,
    expire_redemptions,
    expire_vouchers,
    void_redemption,
)
from backend.usecases.use_voucher import use_voucher
from tests.worlds.city import NANJING, NOON

KEY = bytes(range(32))
HELD = timedelta(minutes=15)
POINT, BUS, TEA, TREES = "point", "bus", "tea", "trees"
"""A service of one point a piece without end, one at a partner's till, a voucher, a donation."""
SHOP, OTHER_SHOP = "r1", "r2"
PARTNERS = "示例商户"
"""Whose shops both are."""
APPROVED = Approved("王处长", "李主任", "未能提供")
JOIN = """
INSERT INTO residents (city, resident, state, joined_at) VALUES (%(city)s, %(resident)s, 'active', %(now)s)
ON CONFLICT DO NOTHING"""
Doc = dict[str, Any]


def entry(name: str, **changes: Any) -> Doc:
    usual = {
        "entry": name,
        "kind": "service",
        "title_zh": f"兑换 {name}",
        "title_en": f"Entry {name}",
        "text_zh": "说明",
        "text_en": "What it is",
        "points": 1,
        "pieces_max": 1_000,
        "from": "2026-01-01T00:00:00+08:00",
        "until": "2029-01-01T00:00:00+08:00",
    }
    return {**usual, **changes}


def voucher(name: str, **changes: Any) -> Doc:
    usual = {"kind": "voucher", "pieces_max": 1, "voucher_days": 30, "points_back": True, "stores": [SHOP]}
    return entry(name, **{**usual, **changes})


USUAL = (
    entry(POINT),
    entry(BUS, points=5, at_till=True, stores=[SHOP]),
    voucher(TEA, points=8),
    entry(TREES, kind="donation", points=2, recipient="green-fund"),
)


def text_of(*entries: Mapping[str, Any]) -> bytes:
    return json.dumps({"catalogue": list(entries)}, ensure_ascii=False).encode()


def publish(
    database: Database, *entries: Mapping[str, Any], city: str = NANJING, now: datetime = NOON
) -> list[PublishedEntry]:
    written = load_catalogue(text_of(*entries))
    return publish_catalogue(database, city, written, Said("tests", "试行"), now)


class Part(NamedTuple):
    lot: str
    amount: int


@dataclass
class Counter:
    """Where a city's residents redeem, as one process of the backend does it."""

    database: Database
    city: str = NANJING
    codes: CodeBook = field(default_factory=lambda: CodeBook(KEY))
    people: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.holding = HoldRedemption(self.database, self.codes)
        self.confirming = ConfirmRedemption(self.database, self.codes)

    def hold(
        self, person: str, number: object = 1, *, entry: str = POINT, pieces: int = 1, now: datetime = NOON
    ) -> str:
        self.settle_in(person)
        asked = Asked(self.city, self.city, person, str(number), entry, pieces)
        return self.holding.hold(asked, now).redemption

    def settle_in(self, person: str) -> None:
        """Has an account there: who only stands in baskets has none."""
        if person not in self.people:
            given = {"city": self.city, "resident": person, "now": NOON}
            self.database.write(lambda c: c.exec_driver_sql(JOIN, given))
            self.people.add(person)

    def named(self, person: str, number: object = 1) -> str:
        return judge.redemption_id(self.city, person, str(number))

    def confirm(self, redemption: str, person: str, now: datetime = NOON) -> None:
        self.confirming.online(self.city, redemption, person, now)

    def at_till(self, redemption: str, number: str = "u1", store: str = SHOP, now: datetime = NOON) -> str:
        code = self.codes.code(Purpose.REDEMPTION, self.city, redemption)
        return self.confirming.at_till(self.city, code, At("a shop", store, number), now)

    def use(self, redemption: str, number: str = "u1", store: str = SHOP, now: datetime = NOON) -> str:
        code = self.codes.code(Purpose.VOUCHER, self.city, redemption)
        return use_voucher(self.database, self.city, code, At("a shop", store, number), now)

    def cancel(self, redemption: str, person: str, now: datetime = NOON) -> None:
        cancel_redemption(self.database, self.city, redemption, person, now)

    def void(self, redemption: str, now: datetime = NOON, approved: Approved = APPROVED) -> None:
        void_redemption(self.database, self.city, redemption, approved, now)

    def expire(self, now: datetime) -> int:
        return expire_redemptions(self.database, self.city, now)

    def expire_vouchers(self, now: datetime) -> int:
        return expire_vouchers(self.database, self.city, now)

    def redeem(self, person: str, amount: int, number: object = 1, now: datetime = NOON) -> tuple[Part, ...]:
        """Points for services, held and confirmed; which lots they came from, in order."""
        redemption = self.hold(person, number, pieces=amount, now=now)
        self.confirm(redemption, person, now)
        return self.parts(redemption)

    def parts(self, redemption: str) -> tuple[Part, ...]:
        with self.database.read() as connection:
            rows = ledger.postings(connection, self.city, [redemption], Reason.HOLD)
        return tuple(Part(row.source, row.amount) for row in rows)

    def seen(self, redemption: str) -> Redeemed:
        with self.database.read() as connection:
            found = queries.redeemed(connection, self.city, redemption)
        assert found is not None
        return found


def open_counter(database: Database, *entries: Mapping[str, Any], city: str = NANJING) -> Counter:
    """With two partner shops, and the usual entries unless others are given."""
    for number in (SHOP, OTHER_SHOP):
        shop = Store(city, number, PARTNERS, f"示例网点 {number}", f"{city[:4]}02")
        database.write(lambda c, s=shop: shops.insert_store(c, s, NOON))  # type: ignore[misc]
    publish(database, *(entries or USUAL), city=city)
    return Counter(database, city)
