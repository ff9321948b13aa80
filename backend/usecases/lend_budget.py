"""What leases pay of a batch: found and locked before it is decided, taken from them with what was decided."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.leases import store
from backend.leases.judge import fault_of
from backend.leases.model import Lease
from backend.leases.store import Kept, Use
from backend.ledger import chart
from backend.ledger.model import Reason, Transfer
from backend.policies.compiled import PolicySet, pool_of
from backend.scans.decide import Taken
from backend.scans.lent import Backed, Draw, Lent
from backend.scans.model import Basket
from backend.storage.transaction import Sent
from backend.usecases.award_postings import turn_of

Places = Mapping[tuple[str, int], tuple[int, int]]
"""(basket, place among the waiting) -> (line, number of the next decision)."""


class Lending(NamedTuple):
    """`promises`: what a batch names for the first time, with why a lease does not pay; none of one that is decided again."""

    leases: Mapping[str, Lease]
    lent: Lent
    promises: Sequence[Kept]

    def transfers(self, taken: Taken, policies: PolicySet, left: dict[str, int]) -> list[Transfer]:
        """From the leases' accounts back to those of their budgets, which then pay: added to what these have `left`."""
        turn = turn_of(taken)
        numbers = {lease: one.postings for lease, one in self.leases.items()}
        moved = []
        for draw in taken.draws:
            lease = self.leases[draw.lease]
            numbers[draw.lease] += 1
            source, into = account_of(lease), _paying(policies, lease, turn)
            left[into] = left.get(into, 0) + draw.amount
            step = numbers[draw.lease]
            moved.append(Transfer(draw.lease, step, 0, Reason.UNRESERVE.value, lease.unit, source, into, draw.amount))
        return moved

    def send(self, connection: Connection, city: str, draws: Sequence[Draw]) -> list[Sent]:
        """Inside the pipeline of the save."""
        drawn: defaultdict[str, int] = defaultdict(int)
        for draw in draws:
            drawn[draw.lease] += draw.amount
        postings = Counter(draw.lease for draw in draws)
        accepted = Counter(one.lease for one in self.promises if one.fault is None)
        uses = {lease: Use(drawn[lease], accepted[lease], postings[lease]) for lease in {*postings, *accepted}}
        kept = self._kept(draws)
        return store.send_uses(connection, city, uses, kept) if kept else []

    def _kept(self, draws: Sequence[Draw]) -> list[Kept]:
        paid = {(draw.basket, draw.line_no, draw.lease): draw for draw in draws}
        if self.promises:
            return [_with_draw(one, paid.get(one[:3])) for one in self.promises]
        return [Kept(d.basket, d.line_no, d.lease, d.amount, None, d.amount, d.decision_no) for d in draws]


def lend(
    connection: Connection, city: str, baskets: Sequence[Basket], now: datetime, places: Places | None
) -> Lending | None:
    """None where nothing was promised. `places`: of lines that are decided again, whose promises were judged before."""
    if places is not None:
        return _again(connection, city, baskets, places)
    if not any(basket.promised for basket in baskets):
        return None
    leases = store.lock(connection, city, {one.lease for basket in baskets for one in basket.promised})
    taken: Counter[str] = Counter()
    promises = []
    for basket in baskets:
        sold_at_ms = None if basket.clock_held else basket.sold_at_ms
        for one in basket.promised:
            fault = fault_of(
                leases.get(one.lease),
                basket.device,
                _uuid(basket.stream),
                sold_at_ms=sold_at_ms,
                now=now,
                taken=taken[one.lease],
            )
            taken[one.lease] += fault is None
            promises.append(Kept(basket.basket, one.line_no, one.lease, one.amount, fault and fault.value, 0, None))
    backed = _backed(leases, [(one.basket, one.line_no, one.lease, one.amount) for one in promises if not one.fault])
    return Lending(leases, Lent(backed, _left(leases), []), promises)


def account_of(lease: Lease) -> str:
    return chart.reserved(lease.lease, lease.policy, lease.unit)


def _again(connection: Connection, city: str, baskets: Sequence[Basket], places: Places) -> Lending | None:
    found = store.open_promises(connection, city, [basket.basket for basket in baskets])
    if not found:
        return None
    leases = store.lock(connection, city, {lease for _, _, lease, _ in found})
    at = {(basket, line): place for (basket, place), (line, _) in places.items()}
    waiting = [
        (basket, at[basket, line], lease, amount) for basket, line, lease, amount in found if (basket, line) in at
    ]
    return Lending(leases, Lent(_backed(leases, waiting), _left(leases), []), ())


def _backed(
    leases: Mapping[str, Lease], promises: Sequence[tuple[str, int, str, int]]
) -> dict[tuple[str, int], list[Backed]]:
    backed: dict[tuple[str, int], list[Backed]] = {}
    for basket, line, name, amount in promises:
        lease = leases[name]
        backed.setdefault((basket, line), []).append(Backed(name, pool_of(lease.policy, lease.unit), amount))
    return backed


def _left(leases: Mapping[str, Lease]) -> dict[str, int]:
    return {name: lease.left for name, lease in leases.items()}


def _paying(policies: PolicySet, lease: Lease, turn: int) -> str:
    """The account of the budget that an award of this batch is asked of first."""
    pool = pool_of(lease.policy, lease.unit)
    accounts = next(one.accounts for policy in policies for one in policy.budgets if one.pool == pool)
    return accounts[turn % len(accounts)]


def _with_draw(promise: Kept, draw: Draw | None) -> Kept:
    return promise if draw is None else promise._replace(drawn=draw.amount, decision_no=draw.decision_no)


def _uuid(stream: str) -> str:
    """A stream stands in a line as 32 hexadecimal digits, in the database as a UUID."""
    plain = stream.replace("-", "")
    return f"{plain[:8]}-{plain[8:12]}-{plain[12:16]}-{plain[16:20]}-{plain[20:]}"
