"""A city lived at random, whatever is asked: people who sell, merge and leave, officials who settle, adjust and rule.

No model stands beside it: what must hold is what the verification proves of any books, and that each shop's account is what its
claims come to. What is refused by name changes nothing and is walked past; anything else is a fault.
"""

import hashlib
import random
from collections import Counter as Counts
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from backend.appeals.model import Verdict
from backend.appeals.queries import waiting
from backend.certificates.cache import RegistryCache
from backend.kernel.errors import DomainError
from backend.kernel.ids import new_id
from backend.kernel.periods import civil_date, milliseconds
from backend.ledger import chart
from backend.policies.store import PolicyCache
from backend.residents.people import Home
from backend.scans.holds.rulings import Said, held_scans
from backend.storage.transaction import Database
from backend.usecases.claim_basket import ClaimBasket
from backend.usecases.close_account import settle_closed
from backend.usecases.collect_awards import CollectAwards
from backend.usecases.decide_appeal import DecideAppeal
from backend.usecases.file_appeal import AskedAppeal, file_appeal
from backend.usecases.hand_in_unit import AskedHandIn, HandInUnit
from backend.usecases.release_quote import expire_quotes
from backend.usecases.resolve_products import ResolveProducts
from backend.usecases.return_goods import ReturnGoods
from backend.usecases.rule_on_hold import Place, RuleOnHold
from backend.usecases.settle_due import settle_due
from backend.usecases.void_baskets import VoidBaskets
from tests.worlds import rules
from tests.worlds.city import (
    FRIDGE,
    NOON,
    RICE,
    TELEVISION,
    UNCERTIFIED,
    WASHER,
    City,
    Till,
    open_city,
    read,
    register,
    states,
    unit_label,
)
from tests.worlds.people import People
from tests.worlds.quotes import Quoted, open_desk
from tests.worlds.redeeming import BUS, POINT, TEA, TREES, entry, open_counter, voucher
from tests.worlds.returning import asked

_LEVELS = {"P3": 10_000, "P2": 5_000, "P1": 7_000, "P0": 3_333}
RATES = dict.fromkeys(("U", "M", "E"), _LEVELS)
SHOPS = ("s1", "s2", "s3")
NAMES = ("一", "二", "三", "四")
OLD_UNITS = [f"{number}" * 32 for number in range(1, 6)]
LEAPS = [timedelta(minutes=10), timedelta(hours=5), timedelta(days=1), timedelta(days=3), timedelta(days=12)]
CATALOGUE = (
    entry(POINT, limit={"pieces": 9, "period": "year"}),
    entry(BUS, points=5, at_till=True, stores=["r1"], shop_fen=40),
    voucher(TEA, points=8, shop_fen=700, limit={"pieces": 2, "period": "lifetime"}),
    entry(TREES, kind="donation", points=2, recipient="green-fund"),
)
Step = Callable[[], object]


def policies() -> tuple[rules.Doc, ...]:
    """Points that wait, money to be collected, money at once with a fee, and a bonus for old units."""
    watch = {**rules.cap("watch", "day", 3), "counts": "awards", "partial": False, "beyond": "hold"}
    green = rules.document(
        rules.rule("ten", rules.fixed(11), rules.where("quantity", ">=", 1), rates=RATES),
        caps=[rules.cap("day", "day", 60), rules.cap("life", "lifetime", 400), watch],
        budget=2_000,
    ) | {"pending": {"days": 2}, "expiry": {"months": 1}, "returns": {"days": 20}}
    green["milestones"] = [{"milestone": "m", "unit": "points", "period": "lifetime", "steps": {"1": 7, "3": 9}}]
    money = rules.document(
        rules.rule("pct", rules.percent(1_000), rules.where("grade", "<=", 2), rates=RATES),
        policy="money",
        unit="fen",
        caps=[rules.cap("yr", "year", 9_000)],
        budget=40_000,
    ) | {"pending": {"collect_hours": 30}, "stacking": {"group": "money", "mode": "first"}}
    money["budget"]["shards"] = 3
    once = {
        **rules.cap("old-unit", "lifetime", 1, partial=False),
        "per": "trade_in",
        "counts": "awards",
        "citywide": True,
    }
    bonus = rules.document(
        rules.rule("old", rules.fixed(20), rules.where("trade_in_days", "<=", 30), rates=RATES),
        policy="bonus",
        caps=[rules.cap("life", "lifetime", 10**6), once],
    ) | {
        "scope": {"channels": ["till", "hand_in"]},
        "stacking": {"group": "old", "mode": "first"},
        "returns": {"days": 60},
    }
    return green, money, bonus, _with_fees()


def _with_fees() -> rules.Doc:
    piece = rules.rule("piece", {}, rates=RATES)
    del piece["reward"]
    piece["rewards"] = [
        {"kind": "per_unit", "unit": "fen", "amount": 500},
        {"kind": "per_unit", "unit": "fee", "amount": 3},
    ]
    budgets = [{"unit": "fen", "amount": 60_000, "shards": 2}, {"unit": "fee", "amount": 2_000, "shards": 2}]
    caps = [{**rules.cap("life", "lifetime", 10**6), "unit": "fen"}]
    doc = rules.document(piece, policy="fees", caps=caps) | {
        "budgets": budgets,
        "stacking": {"group": "f", "mode": "first"},
    }
    del doc["budget"]
    return doc


class Town:
    """One walk: `chance` decides everything. `log` counts what was done and what was refused."""

    def __init__(self, database: Database, code: str, seed: int) -> None:
        self.chance, self.database, self.code = random.Random(seed), database, code
        first, *others = policies()
        self.city: City = open_city(database, first, code)
        for doc in others:
            self.city.publish(doc)
        self.desk, self.counter = open_desk(self.city), open_counter(database, *CATALOGUE, city=code)
        self.people, caches = People(database), (RegistryCache(), PolicyCache(chart.budget))
        self.claims, self.holds = ClaimBasket(database, *caches), RuleOnHold(database, *caches)
        self.appeals, self.hands = DecideAppeal(database, *caches), HandInUnit(database, *caches)
        self.resolver, self.collecting = ResolveProducts(database, *caches), CollectAwards(database)
        self.shop, self.voids = ReturnGoods(database, caches[1]), VoidBaskets(database, caches[1])
        self.now, self.numbers, self.log = NOON, 0, Counts[str]()
        self.till, self.adrift = self.city.till(), self.city.till(2)
        self.adrift.clock = self.adrift.clock._replace(source="none", boot="b9")
        self.names = [f"{code}{name}" for name in NAMES]
        self.sold: list[tuple[Till | None, int, str, str, int]] = []
        """Till, number, basket, shop and lines of what was sold; a captured quote has no till."""
        self.unclaimed: list[str] = []
        self.quotes: list[tuple[Quoted, int]] = []
        self.redemptions: list[tuple[str, str, str]] = []

    def step(self) -> str:
        """What was done, by name."""
        act = self.chance.choice(self.acts())
        self.now += timedelta(seconds=1)
        said = act.__name__
        try:
            act()
        except DomainError as refusal:
            said += f" {refusal.code}"
        self.log[said] += 1
        return said

    def acts(self) -> list[Step]:
        weights: dict[Step, int] = {self.sell: 8, self.claim: 3, self.bring_back: 3, self.void: 1, self.hand_in: 2}
        weights |= {
            self.quote: 2,
            self.capture: 2,
            self.let_go: 1,
            self.redeem: 3,
            self.end_redemption: 3,
            self.collect: 2,
        }
        weights |= {self.merge: 1, self.leave: 1, self.rule: 2, self.appeal: 2, self.answer: 2, self.learn: 1}
        weights |= {self.wait: 2, self.run_jobs: 2}
        return [act for act, weight in weights.items() for _ in range(weight)]

    def number(self) -> str:
        self.numbers += 1
        return f"{self.code}-{self.numbers}"

    def person(self) -> str:
        """A resident, who signs in where it is their first time."""
        return self.home().resident

    def home(self) -> Home:
        found = self.people.sign_in(self.chance.choice(self.names), city=self.code, now=self.now)
        self.counter.people.add(found.resident)
        return Home(found.city, found.resident)

    # Shops

    def goods(self) -> list[dict[str, Any]]:
        found = []
        for _ in range(self.chance.randint(1, 3)):
            unit = unit_label(f"S{self.chance.randint(1, 6)}")
            code = self.chance.choice([FRIDGE, FRIDGE, WASHER, TELEVISION, RICE, UNCERTIFIED, unit])
            more: dict[str, object] = {
                "qty": self.chance.randint(1, 3),
                "price_fen": self.chance.choice([10_000, 3_333, None]),
            }
            if self.chance.random() < 0.2:
                more["evidence"] = {"trade_in": self.chance.choice(OLD_UNITS), "trade_in_age": 9}
            found.append(read(code, **more))
        return found

    def sell(self) -> None:
        till = self.till if self.chance.random() < 0.85 else self.adrift
        more: dict[str, object] = {}
        kind = self.chance.choice(["member", "member", "member", "claim", "none"])
        if kind == "member":
            more["member"] = self.city.issue_code(self.person(), self.now + timedelta(seconds=60))
        if kind == "claim":
            self.unclaimed.append(f"{self.code}{len(self.sold):010d}")
            more["claim_sha256"] = hashlib.sha256(self.unclaimed[-1].encode()).hexdigest()
        goods = self.goods()
        arrival = till.arrival(till.line(*goods, sold_at=self.now, **more), self.now)
        arrival.basket.store = self.chance.choice(SHOPS)
        assert states(self.city.record(arrival, now=self.now)) == ["recorded"]
        self.sold.append((till, till.seq, arrival.basket.basket, arrival.basket.store, len(goods)))

    def claim(self) -> None:
        if self.unclaimed:
            self.claims.claim(self.code, self.chance.choice(self.unclaimed), self.home(), self.now)

    def bring_back(self) -> None:
        if self.sold:
            _, _, basket, store, count = self.chance.choice(self.sold)
            lines = [(basket, line, self.chance.randint(1, 2)) for line in self._some(count)]
            ask = asked(*lines, number=self.number(), store=store, at=self.now, city=self.code)
            self.shop.give_back(ask, self.now)

    def _some(self, count: int) -> list[int]:
        return self.chance.sample(range(count), self.chance.randint(1, count))

    def void(self) -> None:
        tills = [one for one in self.sold if one[0] is not None]
        if tills:
            till, seq, *_ = self.chance.choice(tills)
            assert till is not None
            self.city.record(till.basket(void_of=seq, sold_at=self.now), now=self.now)
            assert not self.voids.work(self.code, self.now).failed

    def hand_in(self) -> None:
        if self.sold:
            _, _, basket, store, count = self.chance.choice(self.sold)
            today = civil_date(milliseconds(self.now))
            place, unit = self.chance.randrange(count), self.chance.choice(OLD_UNITS)
            given = AskedHandIn(self.code, store, self.number(), "shop", None, basket, place, unit, 9, today)
            self.hands.hand_in(given, self.now)

    def quote(self) -> None:
        goods = self.goods()
        self.quotes.append((self.desk.hold(*goods, person=self.person(), now=self.now), len(goods)))

    def capture(self) -> None:
        """As it was quoted, or a part of it for less."""
        if not self.quotes:
            return
        quote, count = self.chance.choice(self.quotes)
        lines = [] if self.chance.random() < 0.5 else quote.lines[: self.chance.randint(1, len(quote.lines))]
        final = [
            (
                line.scan.decision.line_no,
                self.chance.randint(1, line.scan.decision.quantity),
                line.scan.decision.price_fen and line.scan.decision.price_fen // 4,
            )
            for line in lines
        ]
        self.desk.capture(quote, *final, now=self.now)
        assert quote.quote is not None
        self.sold.append((None, 0, quote.quote, "s1", len(final) or count))

    def let_go(self) -> None:
        if self.quotes:
            self.desk.void(self.chance.choice(self.quotes)[0], now=self.now)

    # People

    def redeem(self) -> None:
        person, name = self.person(), self.chance.choice([POINT, BUS, TEA, TREES])
        pieces = self.chance.randint(1, 5) if name == POINT else 1
        held = self.counter.hold(person, self.number(), entry=name, pieces=pieces, now=self.now)
        self.redemptions.append((held, person, name))

    def end_redemption(self) -> None:
        if not self.redemptions:
            return
        held, owner, name = self.chance.choice(self.redemptions)
        match self.chance.choice(["confirm", "confirm", "cancel", "void", "use"]):
            case "confirm" if name == BUS:
                self.counter.at_till(held, number=f"c{held}", now=self.now)
            case "confirm":
                self.counter.confirm(held, owner, self.now)
            case "cancel":
                self.counter.cancel(held, self.chance.choice([owner, self.person()]), self.now)
            case "void":
                self.counter.void(held, self.now)
            case _:
                self.counter.use(held, number=f"u{held}", now=self.now)

    def collect(self) -> None:
        self.collecting.collect(self.code, self.person(), self.now)

    def merge(self) -> None:
        one, other = self.chance.sample(self.names, 2)
        kept = self.people.sign_in(one, city=self.code, now=self.now)
        self.people.sign_in(other, city=self.code, now=self.now)
        self.people.merge(kept, other, self.now)

    def leave(self) -> None:
        who = self.people.sign_in(self.chance.choice(self.names), city=self.code, now=self.now)
        self.people.leave(who, self.now, gives_up_money=True)

    def appeal(self) -> None:
        if self.sold:
            _, _, basket, _, count = self.chance.choice(self.sold)
            ask = AskedAppeal(self.code, self.person(), new_id(), basket, self.chance.randrange(count), "不对")
            file_appeal(self.database, ask, 15, self.now)

    # Officials and jobs

    def rule(self) -> None:
        with self.database.read() as connection:
            found = held_scans(connection, self.code)
        if found:
            one = self.chance.choice(found)
            decide = self.holds.release if self.chance.random() < 0.6 else self.holds.refuse
            decide(self.code, Place(one.basket, one.line_no), Said("王处长", "看过"), self.now)

    def answer(self) -> None:
        with self.database.read() as connection:
            found = waiting(connection, self.code, limit=50)
        if found:
            one = self.chance.choice(found).appeal
            if self.chance.random() < 0.8:
                self.appeals.uphold(self.code, one, Verdict("李科长", "张科长", "成立"), self.now)
            else:
                self.appeals.reject(self.code, one, Verdict("李科长", None, "不成立"), self.now)

    def learn(self) -> None:
        if self.chance.random() < 0.3:
            register(self.database, {"code": UNCERTIFIED, "grade": "1"}, now=self.now)
        self.resolver.resolve(self.code, self.now)

    def wait(self) -> None:
        self.now += self.chance.choice(LEAPS)

    def run_jobs(self) -> None:
        settle_due(self.database, self.code, self.now, lambda: False)
        self.counter.expire(self.now)
        self.counter.expire_vouchers(self.now)
        expire_quotes(self.database, self.code, self.now)
        settle_closed(self.database, self.now)
