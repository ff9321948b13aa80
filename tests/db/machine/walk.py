"""What people, officials, workers and time do to a city, each beside the model; and what must hold after each."""

import hashlib
import itertools
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from backend.certificates.cache import RegistryCache
from backend.kernel.errors import DomainError
from backend.ledger import chart
from backend.policies.lifecycle import Turn
from backend.policies.store import PolicyCache
from backend.redemptions.model import RedemptionCancelled, RedemptionExpired, RedemptionVoided
from backend.residents.people import Home
from backend.scans.holds.rulings import Said
from backend.scans.returns import ReturnedTooMuch
from backend.storage.transaction import Database
from backend.usecases.claim_basket import ClaimBasket, ClaimExpired, ClaimSpent
from backend.usecases.collect_awards import CollectAwards
from backend.usecases.resolve_products import ResolveProducts
from backend.usecases.return_goods import ReturnGoods
from backend.usecases.rule_on_hold import Place, RuleOnHold
from backend.usecases.settle_due import settle_due
from backend.usecases.spend_points import DebtFirst, TooLittleAvailable
from backend.usecases.turn_policy import turn_policy
from backend.usecases.void_baskets import VoidBaskets
from tests.db.machine import model, spelling
from tests.db.machine.model import Basket, Bucket, Line, Model, Terms
from tests.db.machine.spelling import KNOWN, POLICIES, accounts_of, address, document
from tests.worlds.city import (
    NOON,
    City,
    Till,
    gtin,
    read,
    register,
    resident,
    states,
    unit_label,
)
from tests.worlds.later import assert_verified
from tests.worlds.redeeming import HELD, open_counter
from tests.worlds.returning import asked

PEOPLE = (resident(1), resident(2))
SAID = Said("王处长", "小票齐全")
LEAPS = [
    timedelta(seconds=1),
    timedelta(hours=1),
    timedelta(hours=11),
    timedelta(days=1),
    timedelta(days=3),
    timedelta(days=31),
]
RECLAIMED = date(2026, 12, 20)
_WALKS = itertools.count(1)

wares = st.tuples(st.sampled_from([*KNOWN, "unit 1", "unit 2", "unknown 1", "unknown 2"]), st.integers(1, 3))
owners = st.sampled_from([*PEOPLE, *PEOPLE, None, "claim"])
terms = st.tuples(
    st.integers(1, 9),
    st.integers(1, 40),
    st.sampled_from([None, 1, 3]),
    st.sampled_from([None, 1, 3]),
    st.sampled_from([None, RECLAIMED, RECLAIMED]),
)
grants, shards = st.integers(1, 90), st.integers(1, 3)
places = st.integers(0, 1_000)
Drawn = tuple[int, int, int | None, int | None, date | None]


@dataclass
class Sold:
    """A basket as it was sent; what was reserved before has no till here."""

    till: Till | None
    line: bytes
    basket: str
    seq: int


@dataclass
class Redeemed:
    """A redemption, from which parts, and what became of it."""

    redemption: str
    person: str
    parts: list[tuple[Bucket, int]]
    held_at: datetime
    state: str = "held"


class Walk(RuleBasedStateMachine):
    def __init__(self, database: Database) -> None:
        super().__init__()
        self.number = next(_WALKS)
        self.city = City(database, f"{100_000 + self.number}")
        self.till = self.city.till()
        self.now, self.model = NOON, Model()
        self.baskets: list[Basket] = []
        self.sent: list[Sold] = []
        self.redemptions: list[Redeemed] = []
        self.counter = open_counter(database, city=self.city.code)
        caches = RegistryCache(), PolicyCache(chart.budget)
        self.resolver = ResolveProducts(database, *caches)
        self.claims = ClaimBasket(database, *caches)
        self.holds = RuleOnHold(database, *caches)
        self.shop = ReturnGoods(database, caches[1])
        self.voids = VoidBaskets(database, caches[1])
        self.collecting = CollectAwards(database)
        self.returns = 0
        self.learned: dict[str, str] = {}

    # Policies

    @initialize(drawn=st.lists(st.tuples(terms, grants, shards), min_size=3, max_size=3))
    def open(self, drawn: list[tuple[Drawn, int, int]]) -> None:
        for policy, (one, grant, parts) in zip(POLICIES, drawn, strict=True):
            self.publish(policy, one, grant, parts)

    @rule(policy=st.sampled_from([*POLICIES]), drawn=terms, grant=grants, parts=shards)
    def publish(self, policy: str, drawn: Drawn, grant: int, parts: int) -> None:
        amount, day_cap, watch, return_days, reclaim_on = drawn
        new = Terms(
            amount,
            day_cap,
            watch,
            pending_days=2 * (policy == "green"),
            collect_hours=30 * (policy == "forest"),
            months=int(policy != "plain"),
            return_days=return_days,
            reclaim_on=reclaim_on,
        )
        start = self.now + timedelta(seconds=1)
        self.city.publish(document(policy, new, grant, parts, start), self.now)
        book = self.model.books.setdefault(policy, model.Book())
        book.versions.append((start, new))
        book.budget += grant
        self.now = start

    @rule(policy=st.sampled_from([*POLICIES]), turn=st.sampled_from(["suspend", "resume", "suspend", "resume", "end"]))
    def turn(self, policy: str, turn: str) -> None:
        book = self.model.books[policy]
        if book.state in (turn, "end") or (turn == "end" and policy == "green"):
            return
        moment = self.now + timedelta(seconds=1)
        said = {"notice_zh": "暂停", "reason": "核查", "by": "tests"}
        self.city.database.write(
            lambda c: turn_policy(c, self.city.code, policy, Turn(turn), **said, now=self.now, from_at=moment)
        )
        book.turns.append((turn, moment))

    # Sales

    @rule(
        sold=st.lists(
            st.tuples(st.lists(wares, min_size=1, max_size=3), owners, st.integers(0, 5)), min_size=1, max_size=2
        ),
        wrong_clock=st.sampled_from([False, False, False, True]),
    )
    def sell(self, sold: list[tuple[list[tuple[str, int]], str | None, int]], *, wrong_clock: bool) -> None:
        """Baskets of one till in one batch, some of them sold days ago."""
        till = Till(self.city.code, 2, len(self.baskets)) if wrong_clock else self.till
        if wrong_clock:
            till.clock = till.clock._replace(source="none", boot="b9")
        arrivals, baskets = [], []
        for goods, owner, late in sold:
            sold_at = self.now if wrong_clock else self.now - timedelta(days=late)
            person = None if owner in (None, "claim") else owner
            claim = f"{self.number:08d}{len(self.baskets) + len(baskets):08d}" if owner == "claim" else None
            digest = None if claim is None else hashlib.sha256(claim.encode()).hexdigest()
            lines = [self._line(*one) for one in goods]
            reads = [read(line.code, qty=line.bought) for line in lines]
            raw = till.line(*reads, sold_at=sold_at, claim_sha256=digest)
            arrivals.append(till.arrival(raw, self.now))
            arrivals[-1].basket.resident = person
            baskets.append(Basket(lines, person, sold_at, wrong_clock, claim))
            self.sent.append(Sold(till, raw, arrivals[-1].basket.basket, till.seq))
        assert set(states(self.city.record(*arrivals, now=self.now))) == {"recorded"}
        for basket in sorted(baskets, key=lambda one: one.sold_at):
            for line in basket.lines:
                self.model.decide(basket, line)
        self.baskets += baskets
        self.now += timedelta(seconds=1)  # no two are sold at one moment but those of a batch

    def _line(self, ware: str, pieces: int) -> Line:
        kind, _, number = ware.partition(" ")
        if kind == "unit":
            return Line(unit_label(f"W{self.number}N{number}"), "green", pieces, unit=True)
        if kind == "unknown":
            code = gtin(10_000 * self.number + int(number))
            return Line(code, self.learned.get(code), pieces)
        return Line(ware, KNOWN[ware], pieces)

    @precondition(lambda self: self.sent)
    @rule(place=places)
    def repeat(self, place: int) -> None:
        one = self.sent[place % len(self.sent)]
        if one.till is None:
            return
        assert states(self.city.record(one.till.arrival(one.line, self.now), now=self.now)) == ["duplicate"]

    # What was undecided

    @rule(policy=st.sampled_from([*POLICIES]))
    def learn(self, policy: str) -> None:
        """The registry comes to know a product that was sold, and a worker decides what waited for it."""
        waiting = list(model.lines_of(self.baskets, "pending_product"))
        if not waiting:
            return
        code = waiting[0][3].code
        if code not in self.learned:  # a quote of it may have been captured since
            self.learned[code] = policy
            register(self.city.database, {"code": code, "grade": str(POLICIES[policy])}, now=self.now)
        self.resolver.resolve(self.city.code, self.now)
        for _, _, basket, line in sorted(waiting, key=lambda one: (one[2].sold_at, one[0])):
            line.policy = self.learned.get(line.code)
            if line.policy:
                self.model.decide(basket, line)

    @rule(place=places, release=st.booleans())
    def rule_on_hold(self, place: int, *, release: bool) -> None:
        held = list(model.lines_of(self.baskets, "held"))
        if not held:
            return
        at, number, basket, line = held[place % len(held)]
        where = Place(self.sent[at].basket, number)
        if release:
            self.holds.release(self.city.code, where, SAID, self.now)
            line.released = True
            self.model.decide(basket, line)
        else:
            self.holds.refuse(self.city.code, where, SAID, self.now)
            line.outcome = "none"

    @rule(place=places, person=st.sampled_from(PEOPLE))
    def claim(self, place: int, person: str) -> None:
        claimable = [basket for basket in self.baskets if basket.claim]
        if not claimable:
            return
        basket = claimable[place % len(claimable)]
        assert basket.claim is not None
        if basket.person not in (None, person):
            with pytest.raises(ClaimSpent):
                self.claims.claim(self.city.code, basket.claim, Home(self.city.code, person), self.now)
        elif basket.person is None and self.now > basket.sold_at + timedelta(days=model.CLAIM_DAYS):
            with pytest.raises(ClaimExpired):
                self.claims.claim(self.city.code, basket.claim, Home(self.city.code, person), self.now)
        else:
            self.claims.claim(self.city.code, basket.claim, Home(self.city.code, person), self.now)
            basket.person = person
            for line in basket.lines:
                if line.outcome == "unclaimed":
                    self.model.decide(basket, line)

    # Returns

    @precondition(lambda self: self.baskets)
    @rule(place=places, number=st.integers(0, 2), pieces=st.integers(1, 3))
    def bring_back(self, place: int, number: int, pieces: int) -> None:
        at = place % len(self.baskets)
        basket = self.baskets[at]
        line = basket.lines[number % len(basket.lines)]
        self.returns += 1
        wanted = (self.sent[at].basket, number % len(basket.lines), pieces)
        ask = asked(wanted, number=f"R{self.returns}", at=self.now, city=self.city.code)
        if line.returned + pieces > line.bought:
            with pytest.raises(ReturnedTooMuch):
                self.shop.give_back(ask, self.now)
            return
        assert self.shop.give_back(ask, self.now).new
        self.model.give_back(basket, line, pieces, self.now)
        assert not self.shop.give_back(ask, self.now).new

    @precondition(lambda self: any(one.till is self.till for one in self.sent))
    @rule(place=places)
    def void(self, place: int) -> None:
        found = [at for at, one in enumerate(self.sent) if one.till is self.till]
        at = found[place % len(found)]
        self.city.record(self.till.basket(void_of=self.sent[at].seq, sold_at=self.now), now=self.now)
        assert self.voids.work(self.city.code, self.now).voided == 1
        basket = self.baskets[at]
        for line in basket.lines:
            if line.returned < line.bought:
                self.model.give_back(basket, line, line.bought - line.returned, self.now)

    # Points

    @rule(person=st.sampled_from(PEOPLE), amount=st.integers(1, 30))
    def redeem(self, person: str, amount: int) -> None:
        number = len(self.redemptions)
        try:
            parts = self.model.hold(person, amount, self.now)
        except model.TooLittle:
            with pytest.raises(TooLittleAvailable):
                self.counter.hold(person, f"{self.number} {number}", pieces=amount, now=self.now)
            return
        redemption = self.counter.hold(person, f"{self.number} {number}", pieces=amount, now=self.now)
        found = self.counter.parts(redemption)
        assert found == tuple((address(person, bucket), part) for bucket, part in parts)
        assert self.counter.hold(person, f"{self.number} {number}", pieces=amount, now=self.now) == redemption
        self.redemptions.append(Redeemed(redemption, person, parts, self.now))

    @precondition(lambda self: self.redemptions)
    @rule(place=places)
    def confirm(self, place: int) -> None:
        one = self.redemptions[place % len(self.redemptions)]
        refusal = self._refusal(one)
        if refusal is None and self.model.purse(one.person).debt and one.state == "held":
            refusal = DebtFirst
        if refusal is not None:
            with pytest.raises(refusal):
                self.counter.confirm(one.redemption, one.person, self.now)
            return
        self.counter.confirm(one.redemption, one.person, self.now)
        if one.state == "held":
            self.model.spend(one.parts)
            one.state = "confirmed"

    def _refusal(self, one: Redeemed) -> type[DomainError] | None:
        if one.state == "held" and self.now >= one.held_at + HELD:
            return RedemptionExpired
        return {"cancelled": RedemptionCancelled, "expired": RedemptionExpired, "voided": RedemptionVoided}.get(
            one.state
        )

    @precondition(lambda self: self.redemptions)
    @rule(place=places)
    def undo(self, place: int) -> None:
        """Its owner cancels what is held, officials void what is confirmed; what is over stays as it is."""
        one = self.redemptions[place % len(self.redemptions)]
        if one.state in ("held", "cancelled", "expired"):
            self.counter.cancel(one.redemption, one.person, self.now)
        elif one.state == "confirmed":
            self.counter.void(one.redemption, self.now)
        if one.state in ("held", "confirmed"):
            self.model.undo(one.person, one.parts, self.now, spent=one.state == "confirmed")
            over = "expired" if self.now >= one.held_at + HELD else "cancelled"
            one.state = over if one.state == "held" else "voided"

    @rule()
    def let_redemptions_run_out(self) -> None:
        over = [one for one in self.redemptions if one.state == "held" and self.now >= one.held_at + HELD]
        assert self.counter.expire(self.now) == len(over)
        for one in sorted(over, key=lambda one: (one.held_at, one.redemption)):
            self.model.undo(one.person, one.parts, self.now, spent=False)
            one.state = "expired"

    @rule(person=st.sampled_from(PEOPLE))
    def collect(self, person: str) -> None:
        got = self.model.collect(person, self.now)
        found = self.collecting.collect(self.city.code, person, self.now)
        assert sum(one.amount for one in found) == got

    # Time

    @rule(leap=st.sampled_from(LEAPS))
    def wait(self, leap: timedelta) -> None:
        self.now += leap

    @rule()
    def let_the_job_run(self) -> None:
        settle_due(self.city.database, self.city.code, self.now, lambda: False)
        for person in PEOPLE:
            self.model.settle(person, self.now)

    # What must hold

    @invariant()
    def all_is_as_the_model_says(self) -> None:
        assert spelling.accounts(self.city) == accounts_of(self.model)
        assert spelling.decided(self.city) == {
            (sent.basket, number, line.outcome, line.award)
            for sent, basket in zip(self.sent, self.baskets, strict=True)
            for number, line in enumerate(basket.lines)
        }
        used = {(f"{policy}/{cap}", who, str(day)): n for (policy, cap, who, day), n in self.model.used.items() if n}
        assert spelling.counters(self.city) == used
        assert_verified(self.city.database, self.city.code)
