"""A shop's own system that asks what a basket earns, holds it, and captures or voids it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from backend.certificates.cache import RegistryCache
from backend.ledger import chart
from backend.policies.store import PolicyCache
from backend.retailers.store import Store
from backend.scans.evidence import read_evidence
from backend.scans.model import Read
from backend.scans.quotes import FinalLine
from backend.storage.transaction import Database
from backend.usecases.capture_quote import CaptureQuote, Paid
from backend.usecases.open_store import open_store
from backend.usecases.quote_basket import QuoteBasket, Quoted, QuoteRequest
from backend.usecases.release_quote import expire_quotes, void_quote
from tests.worlds import books
from tests.worlds.city import LINE_KEY, NOON, City

STORE = "s1"


@dataclass
class Desk:
    """One shop system with caches of its own; each hold takes the next key unless one is given."""

    city: City
    database: Database
    service: str = "till-system"
    keys: int = 0
    quotes: QuoteBasket = field(init=False)
    captures: CaptureQuote = field(init=False)

    def __post_init__(self) -> None:
        registry, policies = RegistryCache(), PolicyCache(chart.budget)
        self.quotes = QuoteBasket(self.database, registry, policies, line_key=LINE_KEY)
        self.captures = CaptureQuote(self.database, policies)

    def request(
        self, *reads: Mapping[str, Any], person: str | None = None, now: datetime = NOON, **more: Any
    ) -> QuoteRequest:
        """`person` shows a fresh code of theirs; `member` in `more` is a code as text."""
        member = self.city.issue_code(person, now + timedelta(seconds=60)) if person is not None else None
        usual = {"service": self.service, "city": self.city.code, "store": STORE, "member": member}
        return QuoteRequest(reads=tuple(as_read(read) for read in reads), **{**usual, **more})

    def dry_run(self, *reads: Mapping[str, Any], now: datetime = NOON, **more: Any) -> Quoted:
        return self.quotes.dry_run(self.request(*reads, now=now, **more), now)

    def hold(
        self, *reads: Mapping[str, Any], now: datetime = NOON, minutes: int = 15, key: str | None = None, **more: Any
    ) -> Quoted:
        self.keys += 1
        key = key or f"{self.service}-{self.keys:08d}"
        return self.quotes.hold(self.request(*reads, now=now, **more), key, minutes, now)

    def capture(self, quote: Quoted, *lines: tuple[int, int, int | None], now: datetime = NOON) -> Quoted:
        """`lines` are (line, pieces, price in fen); none pays for all."""
        assert quote.quote is not None
        final = tuple(FinalLine(*line) for line in lines) or None
        self.captures.capture(Paid(self.city.code, quote.quote, self.service, final), now)
        return self.quotes.find(self.city.code, quote.quote)

    def void(self, quote: Quoted, now: datetime = NOON) -> Quoted:
        assert quote.quote is not None
        void_quote(self.database, self.city.code, quote.quote, service=self.service, now=now)
        return self.quotes.find(self.city.code, quote.quote)

    def expire(self, now: datetime) -> int:
        return expire_quotes(self.database, self.city.code, now)


def open_desk(city: City, database: Database | None = None) -> Desk:
    store = Store(city.code, STORE, "示例超市", "示例超市新街口店", f"{city.code[:4]}02")
    city.database.write(lambda c: open_store(c, store, NOON))
    return Desk(city, database or city.database)


def as_read(read: Mapping[str, Any]) -> Read:
    """What `tests.worlds.city.read` makes, as the web hands it on."""
    code: str = read["code"]
    return Read(
        code.encode(),
        code,
        read.get("sym"),
        read.get("aim"),
        read.get("qty", 1),
        read.get("price_fen"),
        read.get("sn"),
        read_evidence(read.get("evidence")),
    )


def awards(quote: Quoted) -> list[int]:
    """What each line earns, all units together."""
    return [sum(award.amount for award in line.awards) for line in quote.lines]


def reserved(database: Database, city: str) -> int:
    found = books.rows(
        database,
        "SELECT coalesce(sum(balance), 0) FROM accounts WHERE city = :city AND account LIKE 'reserved:%'",
        city=city,
    )
    return int(found[0][0])


def counters(database: Database, city: str) -> dict[str, int]:
    """What each counter holds that is not 0, by its cap."""
    found = books.rows(database, "SELECT cap, used FROM cap_counters WHERE city = :city AND used > 0", city=city)
    return dict(found)
