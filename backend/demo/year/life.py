"""The year is lived: day by day, each use case at the moment at which it would have been called."""

import hashlib
import random
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection
from sqlalchemy.engine import make_url

from backend.audit.acting import acting
from backend.certificates.cache import RegistryCache
from backend.certificates.imports import Source, import_rows
from backend.demo.year import goods
from backend.demo.year.counting_house import keep_house
from backend.demo.year.desk import Desk
from backend.demo.year.founding import FOUNDER
from backend.demo.year.register import register_rows
from backend.demo.year.sales import BASKETS_A_DAY, DAYS, RESIDENTS, Sale, Way, joins_on, sales_of
from backend.demo.year.shops import SUZHOU
from backend.demo.year.tills import Sent, Tills
from backend.kernel.periods import CHINA, civil_date, milliseconds
from backend.ledger import chart
from backend.policies.model import Outcome
from backend.policies.store import PolicyCache
from backend.redemptions.codes import CodeBook, Purpose
from backend.redemptions.model import At, LimitReached, SoldOut
from backend.residents import session_life
from backend.residents import store as resident_store
from backend.residents.member_code import VALID_S_MAX, MemberCode, encode
from backend.residents.people import Home
from backend.scans.decide import Decision
from backend.storage.transaction import Database
from backend.usecases.claim_basket import ClaimBasket
from backend.usecases.confirm_redemption import ConfirmRedemption
from backend.usecases.file_appeal import AskedAppeal, file_appeal
from backend.usecases.hold_redemption import Asked, HoldRedemption
from backend.usecases.learn_prices import learn_prices
from backend.usecases.record_baskets import RecordBaskets
from backend.usecases.release_redemption import expire_redemptions, expire_vouchers
from backend.usecases.report_liability import freeze_liability
from backend.usecases.resolve_products import ResolveProducts
from backend.usecases.return_goods import AskedReturn, ReturnGoods
from backend.usecases.settle_due import settle_due
from backend.usecases.sign_in import Opening, Proof, SignIn
from backend.usecases.spend_points import TooLittleAvailable
from backend.usecases.take_back import Wanted
from backend.usecases.void_baskets import VoidBaskets

ROLE = "greenpoints_engine"
CLAIMED_BP = 6_500
REDEEMING_A_DAY = 4
APPEALED_BP, WORKING_DAYS = 400, 15
APPEALS = (
    "包装上有绿色食品标志，为什么没有积分？",
    "我买的是一级能效，小票可以提供。",
    "同样的商品上周有积分，这次没有，请核实。",
)
ENTRIES = ("sz-bike-hour", "sz-bike-hour", "sz-metro-day", "sz-garden-ticket")
PARTNER_OF = {"sz-metro-day": "sz-demo-metro", "sz-garden-ticket": "sz-demo-garden"}
Progress = Callable[[int, int], None]
"""Days lived, and of how many."""


class Keys(NamedTuple):
    """Secrets of the running system that the year's codes must agree with."""

    line: bytes
    identity: bytes
    member_key_id: str
    sign_member: Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Span:
    """The year ends before `ends`; a test lives a shorter one with fewer people."""

    ends: date
    days: int = DAYS
    residents: int = RESIDENTS
    baskets: int = BASKETS_A_DAY

    @property
    def begins(self) -> datetime:
        return datetime.combine(self.ends - timedelta(days=self.days), time(0), CHINA).astimezone(UTC)


@acting(FOUNDER)
def live(url: str, keys: Keys, span: Span, *, seed: int = 1, progress: Progress = lambda *_: None) -> None:
    """Suzhou must be there (`year.found`). Nothing else may happen in it meanwhile."""
    # A year that is cut off is made anew: its commits need not wait for the disk.
    hurried = make_url(url).update_query_dict({"options": "-c synchronous_commit=off"})
    with closing(Database(hurried.render_as_string(hide_password=False), role=ROLE, pool_size=2)) as database:
        year = _Year(database, keys, span, random.Random(seed))  # noqa: S311 - a play, no secret
        for day in range(span.days):
            year.live_day(day)
            progress(day + 1, span.days)
        freeze_liability(database, SUZHOU, datetime.combine(span.ends, time(1), CHINA).astimezone(UTC))


class _Year:
    def __init__(self, database: Database, keys: Keys, span: Span, rng: random.Random) -> None:
        self._database, self._keys, self._span, self._rng = database, keys, span, rng
        registry, policies = RegistryCache(), PolicyCache(chart.budget)
        self._recorder = RecordBaskets(database, registry, policies, line_key=keys.line)
        self._resolver = ResolveProducts(database, registry, policies)
        self._claims = ClaimBasket(database, registry, policies)
        self._returns = ReturnGoods(database, policies)
        self._voids = VoidBaskets(database, policies)
        self._codes = CodeBook(keys.identity)
        self._hold, self._confirm = HoldRedemption(database, self._codes), ConfirmRedemption(database, self._codes)
        self._sign_in = SignIn(database, keys.identity, None, development=True)
        self._desk = Desk(database, registry, policies, rng)
        self._tills = Tills(self._show_code)
        self._shown: list[tuple[bytes, str, datetime]] = []
        self._waiting: list[Sent] = []
        self._later: list[tuple[date, Sent]] = []
        self._joined = 0

    def live_day(self, day: int) -> None:
        on = self._span.ends - timedelta(days=self._span.days - day)
        evening = datetime.combine(on, time(22, 30), CHINA).astimezone(UTC)
        self._let_join(day, evening)
        self._learn(on, evening)
        settle_due(self._database, SUZHOU, evening - timedelta(hours=14), lambda: False)
        self._sell(day, on, evening)
        self._follow_up(on, evening)
        self._redeem(on, evening)
        if on.weekday() == 0:
            learn_prices(self._database, SUZHOU, evening)
        self._desk.open(on, evening)
        keep_house(self._database, on, evening)

    def _let_join(self, day: int, now: datetime) -> None:
        while self._joined < self._span.residents and joins_on(self._joined, self._span.residents) <= day:
            number = self._joined
            proof = Proof(way=session_life.Way.DEVELOPMENT, code=f"dev:苏州居民{number}")
            token = self._rng.randbytes(32).hex()
            opening = Opening(city=SUZHOU, resident=resident_of(number), session=_id("session", number), token=token)
            self._sign_in.sign_in(proof, opening, now)
            self._joined += 1

    def _learn(self, on: date, now: datetime) -> None:
        """What the registry comes to know: a product that was not there, a certificate that no longer is."""
        if on == goods.known_from(self._span.ends):
            rows = goods.registry_rows(learned=True)
        elif on == goods.withdrawn_from(self._span.ends):
            rows = goods.registry_rows(withdrawn_on=on)
        elif on == civil_date(milliseconds(self._span.begins)):
            rows = []
        else:
            return
        rows += register_rows(self._span.ends, on)
        import_rows(self._database, rows, Source("苏州演示名录（虚构）", f"{on}.csv", "沈书瑶", now))
        self._resolver.resolve(SUZHOU, now)

    def _sell(self, day: int, on: date, evening: datetime) -> None:
        span = self._span
        sold = sales_of(day, on, span.ends, rng=self._rng, residents=span.residents, baskets=span.baskets)
        for sale in sold:
            self._waiting += self._tills.send(sale, self._rng)
        self._database.write(self._issue_codes)
        self._shown.clear()
        come = [sent for sent in self._waiting if sent.received_at <= evening]
        self._waiting = [sent for sent in self._waiting if sent.received_at > evening]
        if come:
            settled = self._recorder.decide(SUZHOU, [sent.arrival for sent in come], evening)
            self._voids.work(SUZHOU, evening)
            self._appeal([decision for one in settled for decision in one.decisions], evening)
        self._later += [(on + timedelta(days=_days_until(sent.sale, self._rng)), sent) for sent in come]

    def _appeal(self, decisions: Sequence[Decision], now: datetime) -> None:
        """Few of those who got nothing say that it is wrong, at once."""
        for one in decisions:
            if one.outcome == Outcome.NONE and one.resident and self._rng.randrange(10_000) < APPEALED_BP:
                number = _id(f"appeal {one.basket}", one.line_no)
                asked = AskedAppeal(SUZHOU, one.resident, number, one.basket, one.line_no, self._rng.choice(APPEALS))
                file_appeal(self._database, asked, WORKING_DAYS, now)

    def _show_code(self, number: int, at: datetime) -> str:
        handle = self._rng.randbytes(16)
        expires_at = (at + timedelta(seconds=VALID_S_MAX // 2)).replace(microsecond=0)
        self._shown.append((handle, resident_of(number), expires_at))
        code = MemberCode(self._keys.member_key_id, SUZHOU, handle, int(expires_at.timestamp()))
        return encode(code, self._keys.sign_member)

    def _issue_codes(self, connection: Connection) -> None:
        for handle, resident, expires_at in self._shown:
            resident_store.issue_code(connection, SUZHOU, handle, resident, expires_at)

    def _follow_up(self, on: date, now: datetime) -> None:
        """Slips are claimed, goods brought back."""
        due = [sent for day, sent in self._later if day <= on]
        self._later = [(day, sent) for day, sent in self._later if day > on]
        for sent in due:
            if sent.sale.returned_days is not None and sent.arrival.basket.reads:
                self._bring_back(sent, now)
            elif sent.sale.way is Way.CLAIM and sent.claim and self._rng.randrange(10_000) < CLAIMED_BP:
                self._claims.claim(SUZHOU, sent.claim, Home(SUZHOU, resident_of(sent.sale.resident)), now)

    def _bring_back(self, sent: Sent, now: datetime) -> None:
        basket = sent.arrival.basket
        first = basket.reads[0]
        asked = AskedReturn(
            city=SUZHOU,
            store=sent.sale.shop.store.store,
            number=f"R{basket.basket}",
            caller="demo",
            cashier=sent.sale.cashier,
            reason="changed_mind",
            exchange_basket=None,
            returned_at_ms=milliseconds(now - timedelta(hours=3)),
            lines=(Wanted(basket.basket, 0, first.quantity),),
        )
        self._returns.give_back(asked, now)

    def _redeem(self, on: date, now: datetime) -> None:
        expire_redemptions(self._database, SUZHOU, now)
        expire_vouchers(self._database, SUZHOU, now)
        for number in range(REDEEMING_A_DAY):
            person = int(self._joined * self._rng.random() ** 1.6)
            entry = self._rng.choice(ENTRIES)
            asked = Asked(SUZHOU, SUZHOU, resident_of(person), _id(f"redemption {on}", number), entry, 1)
            try:
                held = self._hold.hold(asked, now - timedelta(minutes=20))
            except (TooLittleAvailable, LimitReached, SoldOut):
                continue
            self._use(held.redemption, asked, now)

    def _use(self, redemption: str, asked: Asked, now: datetime) -> None:
        """At the partner's counter or online; one in ten changes their mind, and has the points back within the hour."""
        at = now - timedelta(minutes=12)
        if self._rng.randrange(10) == 0:
            return
        if asked.entry in PARTNER_OF:
            code = self._codes.code(Purpose.REDEMPTION, SUZHOU, redemption)
            self._confirm.at_till(SUZHOU, code, At("demo", PARTNER_OF[asked.entry], redemption), at)
        else:
            self._confirm.online(SUZHOU, redemption, asked.resident, at)


def _days_until(sale: Sale, rng: random.Random) -> int:
    return sale.returned_days if sale.returned_days is not None else rng.randint(0, 4)


def _id(of: str, number: int | None) -> str:
    return str(UUID(bytes=hashlib.sha256(f"suzhou {of} {number}".encode()).digest()[:16], version=4))


def resident_of(number: int | None) -> str:
    """The id of Suzhou's resident `number`."""
    return _id("resident", number)
