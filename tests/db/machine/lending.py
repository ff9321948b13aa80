"""What tills are lent and promise offline, beside the model. Ends of leases are read from the tables, amounts never."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from backend.leases.model import Terms
from backend.storage.transaction import Database
from tests.db.machine.model import WAITING, Basket
from tests.db.machine.walk import PEOPLE, Sold, Walk, places, wares
from tests.worlds import lending
from tests.worlds.city import states

TERMS = Terms("green", "points", amount=30, awards=6, hours=8, grace_hours=72, share_bp=5_000)
TOLERANCE, KEPT = timedelta(minutes=15), timedelta(days=30)
ENDS = """
SELECT lease::text, granted_at, least(expires_at, ended_at), settles_at, due_at FROM leases WHERE city = :city
ORDER BY lease"""


@dataclass
class Known:
    """A lease as the model knows it; what it holds is the model's."""

    granted_at: datetime
    ends_at: datetime
    settles_at: datetime
    due_at: datetime
    promises: int = 0
    gave_back: bool = False


class Lending(Walk):
    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.leases: dict[str, Known] = {}
        self.births = 0

    @rule()
    def lend(self) -> None:
        if not self.births:
            lending.lend(self.city, self.till, terms=TERMS, now=self.now)
        self.births += 1
        lending.be_there(self.city, self.till, self.now, session=1 + self.births)
        before = set(self.leases)
        lending.grant(self.city, self.now)
        self._look()
        for lease in lending.leases(self.city):
            if lease.lease not in before:
                assert 0 < lease.amount <= TERMS.amount
                self.model.lent[lease.lease] = lease.amount
                self.model.books["green"].budget -= lease.amount
                self.model.reserved += lease.amount

    @precondition(lambda self: self.leases)
    @rule(
        goods=st.lists(st.tuples(wares, places, st.integers(1, 12)), min_size=1, max_size=3),
        person=st.sampled_from([*PEOPLE, None]),
        late=st.sampled_from([timedelta(), timedelta(hours=5), timedelta(days=3)]),
    )
    def sell_offline(self, goods: list[tuple[tuple[str, int], int, int]], person: str | None, late: timedelta) -> None:
        """The till says that it promised something for each line, whether it could or not."""
        names, sold_at = sorted(self.leases), self.now - late
        lines, reads = [], []
        for ware, place, amount in goods:
            line = self._line(*ware)
            line.lease, line.promise = names[place % len(names)], amount
            lines.append(line)
            reads.append(lending.promised((line.lease, amount), code=line.code, qty=line.bought))
        raw = self.till.line(*reads, sold_at=sold_at)
        arrival = self.till.arrival(raw, self.now)
        arrival.basket.resident = person
        assert states(self.city.record(arrival, now=self.now)) == ["recorded"]
        basket = Basket(lines, person, sold_at)
        left = dict(self.model.lent)
        for line in lines:
            if not self._accepts(line.lease or "", left, sold_at):
                line.lease = None
        for line in lines:
            self.model.decide(basket, line)
        self.sent.append(Sold(self.till, raw, arrival.basket.basket, self.till.seq))
        self.baskets.append(basket)
        self.now += timedelta(seconds=1)

    @rule()
    def let_leases_settle(self) -> None:
        self._look()
        before = {name: (known.due_at, known.ends_at) for name, known in self.leases.items()}
        lending.settle(self.city, self.now)
        for name, (_, ends_at, settles_at, _due) in self._ends().items():
            due_at, ended_at = before[name]
            is_due = due_at <= self.now or ends_at != ended_at
            if is_due and settles_at <= self.now and self.model.lent[name]:
                self._give_back(name, settles_at)
        self._look()

    def _give_back(self, name: str, settles_at: datetime) -> None:
        waits = 0
        if self.now < settles_at + KEPT:
            lines = [line for basket in self.baskets for line in basket.lines]
            waits = sum(line.promise for line in lines if line.lease == name and line.outcome in WAITING)
        back = self.model.lent[name] - min(waits, self.model.lent[name])
        self.model.lent[name] -= back
        self.model.books["green"].budget += back
        self.model.reserved -= back
        self.leases[name].gave_back |= back > 0

    def _accepts(self, name: str, left: dict[str, int], sold_at: datetime) -> bool:
        self._look()
        known = self.leases[name]
        in_time = known.granted_at - TOLERANCE <= sold_at <= known.ends_at + TOLERANCE
        late = known.gave_back or self.now >= known.settles_at
        if late or not in_time or not left[name] or known.promises == TERMS.awards:
            return False
        known.promises += 1
        return True

    def _ends(self) -> dict[str, tuple[datetime, datetime, datetime, datetime]]:
        return {name: ends for name, *ends in lending.books.rows(self.city.database, ENDS, city=self.city.code)}  # type: ignore[misc]

    def _look(self) -> None:
        """When each lease ends, as policies were turned and tills were there."""
        for name, (granted_at, ends_at, settles_at, due_at) in self._ends().items():
            known = self.leases.setdefault(name, Known(granted_at, ends_at, settles_at, due_at))
            known.ends_at, known.settles_at, known.due_at = ends_at, settles_at, due_at
