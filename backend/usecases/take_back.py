"""What every way to a return shares: its lines are loaded, what they take back is worked out and saved, in one transaction."""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import psycopg
from sqlalchemy import Connection

from backend.kernel.periods import milliseconds
from backend.ledger import chart, lapses, post, queries
from backend.ledger.model import Reason
from backend.policies.compiled import CompiledPolicy, PolicySet
from backend.policies.limits import CounterKey
from backend.policies.model import Outcome
from backend.residents import people
from backend.retailers import queries as shops
from backend.scans import hand_ins, return_rows, store
from backend.scans.decide import Decision
from backend.scans.explain import DecidedScan
from backend.scans.replay import decisions_of
from backend.scans.return_rows import EarlierReturn, ReturnedLine, ReturnHead, Sold, StoredReturn
from backend.scans.returns import RETURNED, UNDECIDED, Back, SoldLine, backs, counters_back
from backend.settlements import prepaid
from backend.storage.transaction import pipelined
from backend.usecases.follow_merge import follow_residents
from backend.usecases.races import LostRace
from backend.usecases.return_postings import AwardKey, Paid, accounts_of, award_no_of, paid_by, step_of, transfers_of

LineKey = tuple[str, int]


class Sales(NamedTuple):
    """What is known of the lines of some baskets, all locked."""

    sold: Mapping[LineKey, Sold]
    earlier: Mapping[LineKey, Sequence[EarlierReturn]]
    hand_ins: Mapping[LineKey, str]
    """Of sold lines for which an old unit was handed in later, that hand-in's basket: among `sold` too."""

    def returned(self, key: LineKey) -> int:
        return sum(each.earlier.quantity for each in self.earlier.get(key, ()))


class Wanted(NamedTuple):
    """One line of a return: how many pieces of which sold line come back."""

    basket: str
    line_no: int
    quantity: int


class _Line(NamedTuple):
    row: ReturnedLine
    line: SoldLine
    found: list[Back]


def load_sales(connection: Connection, city: str, baskets: Collection[str]) -> Sales:
    """Locks `baskets` first, then the hand-ins that belong to them: what is read then stays so until COMMIT."""
    return_rows.lock_baskets(connection, city, baskets)
    linked = hand_ins.of_sales(connection, city, baskets)
    if linked:
        return_rows.lock_baskets(connection, city, linked.values())
    every = {*baskets, *linked.values()}
    return Sales(return_rows.sold(connection, city, every), return_rows.earlier(connection, city, every), linked)


def shown_to(connection: Connection, city: str, store: str, sales: Sales) -> Sales:
    """`sales` without those of other retailers' shops: of them a shop is told nothing, not even that they are."""
    others = {sold.store for sold in sales.sold.values() if sold.store is not None} - {store}
    if not others:
        return sales
    own = {None, store, *shops.siblings(connection, city, store, others)}
    return sales._replace(sold={key: sold for key, sold in sales.sold.items() if sold.store in own})


def linked_id(return_id: str) -> str:
    """The id of the return of what was handed in for the goods of `return_id`."""
    return str(UUID(bytes=hashlib.sha256(f"hand_ins of {return_id}".encode()).digest()[:16]))


def take_back(
    connection: Connection,
    city: str,
    return_id: str,
    head: ReturnHead,
    wanted: Sequence[Wanted],
    sales: Sales,
    policies: PolicySet,
) -> StoredReturn:
    """Records the return and takes back what it takes back, also of what was handed in for the goods. `wanted` was checked
    against `sales`.
    """
    given = _take_back(connection, city, return_id, head, wanted, sales, policies)
    linked = [
        Wanted(sales.hand_ins[one.basket, one.line_no], 0, one.quantity)
        for one in wanted
        if (one.basket, one.line_no) in sales.hand_ins
    ]
    if linked:
        _take_back(connection, city, linked_id(return_id), head, linked, sales, policies)
    return given


def _take_back(
    connection: Connection,
    city: str,
    return_id: str,
    head: ReturnHead,
    wanted: Sequence[Wanted],
    sales: Sales,
    policies: PolicySet,
) -> StoredReturn:
    """Locks in the order that all keep to: baskets (the caller's `load_sales`), counters, residents' accounts, budgets.
    Raises LostRace where the same return came by another way at the same moment.
    """
    by_version = {policy.version: policy for policy in policies}
    lines = _lines(connection, city, head, wanted, sales, by_version)
    paid = _paid(connection, city, lines, sales)

    counters = _counters(lines, head, by_version)
    if counters:
        return_rows.lock_counters(connection, city, counters)
    now = head.recorded_at
    held = _locked(connection, city, lines, paid, now) if paid else {}
    waited = [account for account in held if account.startswith(f"{chart.Kind.COLLECT.value}:")]
    lapsed = lapses.lapsed(connection, city, waited)
    transfers = transfers_of(return_id, [(one.row.place, one.line, one.found) for one in lines], paid, held, lapsed)
    given = StoredReturn(head, tuple(one.row for one in lines))
    _save(connection, city, return_id, given, [_decided_returned(one) for one in lines], now, counters)
    post.post(connection, city, transfers, now)
    # What could not be taken where it had lapsed is owed by whoever absorbed that account.
    follow_residents(
        connection, city, {owner for one in paid.values() if (owner := chart.place_of(one.own).resident)}, now
    )
    return given


def _lines(
    connection: Connection,
    city: str,
    head: ReturnHead,
    wanted: Sequence[Wanted],
    sales: Sales,
    policies: Mapping[str, CompiledPolicy],
) -> list[_Line]:
    decided = {
        (scan.decision.basket, scan.decision.line_no): scan
        for scan in _owned(connection, decisions_of(connection, city, sorted({one.basket for one in wanted})))
    }
    lines = []
    for place, (basket, line_no, quantity) in enumerate(wanted):
        key, scan = (basket, line_no), decided[basket, line_no]
        line = SoldLine(scan, sales.sold[key].bought, tuple(each.earlier for each in sales.earlier.get(key, ())))
        number = scan.decision.decision_no
        row = ReturnedLine(place, basket, line_no, number, quantity, line.returned, line.bought)
        lines.append(_Line(row, line, list(backs(line, quantity, milliseconds(head.returned_at), policies))))
    return lines


def _owned(connection: Connection, scans: Sequence[DecidedScan]) -> list[DecidedScan]:
    """`scans` as those of whoever their residents are by now, who has what was awarded."""
    merged = people.merged(connection, {scan.decision.resident for scan in scans if scan.decision.resident})
    if not merged:
        return list(scans)

    def owned(scan: DecidedScan) -> DecidedScan:
        found = merged.get(scan.decision.resident or "")
        if found is None:
            return scan
        return scan._replace(decision=scan.decision._replace(resident=found.survivor.resident))

    return [owned(scan) for scan in scans]


def _paid(connection: Connection, city: str, lines: Sequence[_Line], sales: Sales) -> Mapping[AwardKey, Paid]:
    taking = [one for one in lines if any(back.amount for back in one.found)]
    if not taking:
        return {}
    awards = queries.postings(connection, city, {one.row.basket for one in taking}, Reason.AWARD)
    places = {
        (each.return_id, step_of(each.place)): (*key, each.earlier.decision_no)
        for key, found in sales.earlier.items()
        for each in found
    }
    before = queries.postings(connection, city, {return_id for return_id, _ in places}, Reason.RETURN) if places else []
    returned = [
        ((*places[row.reference, row.step], award_no_of(row.line)), row)
        for row in before
        if (row.reference, row.step) in places
    ]
    paid = paid_by(awards, returned)
    owners = {(one.row.basket, one.row.line_no, one.row.decision_no): one.line.scan.decision.resident for one in taking}
    gave = prepaid.shops_of(connection, city, {one.row.basket for one in taking})
    # What a shop gave at its till it gives back itself: its customer got back what was paid, less the subsidy.
    return {
        key: award._replace(own=chart.shop(gave[key], chart.unit_of(award.own)))
        if key in gave
        else _now_of(connection, city, award, owners.get(key[:3]))
        for key, award in paid.items()
    }


def _now_of(connection: Connection, city: str, award: Paid, owner: str | None) -> Paid:
    """Where the award is by now: with whoever absorbed its account, but for what had lapsed before that."""
    own = chart.place_of(award.own)
    if owner is None or own.resident in (None, owner):  # None: a shop's fee, which no merger of residents moves
        return award
    lapsed = lapses.lapsed(connection, city, [award.own]) if own.kind == chart.Kind.COLLECT else {}
    if any(one.amount for one in lapsed.values()):
        return award
    return award._replace(own=chart.held_by(award.own, owner))


def _counters(
    lines: Sequence[_Line], head: ReturnHead, policies: Mapping[str, CompiledPolicy]
) -> dict[CounterKey, int]:
    total: defaultdict[CounterKey, int] = defaultdict(int)
    for one in lines:
        for key, amount in counters_back(one.line, one.row.quantity, milliseconds(head.returned_at), policies).items():
            total[key] += amount
    return dict(total)


def _locked(
    connection: Connection, city: str, lines: Sequence[_Line], paid: Mapping[AwardKey, Paid], now: datetime
) -> dict[str, int]:
    """Balances of all that the return may touch, locked: residents' accounts and budgets, in the ledger's order.

    Raises LostRace where a lot was opened while the locks were waited for: a debt is for what no lot can pay.
    """
    wanted = _accounts(connection, city, lines, paid)
    held = post.lock(connection, city, wanted, now)
    if not _accounts(connection, city, lines, paid) <= wanted:
        raise LostRace
    return held


def _accounts(connection: Connection, city: str, lines: Sequence[_Line], paid: Mapping[AwardKey, Paid]) -> set[str]:
    found: set[str] = set()
    residents: set[str] = set()
    for one in lines:
        for back in one.found:
            if back.amount:
                award = paid[one.row.basket, one.row.line_no, one.row.decision_no, back.award_no]
                found |= accounts_of(award.own) | award.left.keys()
                residents.add(one.line.scan.decision.resident or "")
    for resident in sorted(residents):
        holdings = queries.holdings(connection, city, resident)
        found.update(held.account for held in holdings if held.place.kind == chart.Kind.LOT)
    return found


def _decided_returned(one: _Line) -> Decision | None:
    """The last decision of a line that came back, all of it, before it was decided."""
    decision = one.line.scan.decision
    if decision.outcome not in UNDECIDED or one.line.returned + one.row.quantity < one.line.bought:
        return None
    return decision._replace(
        decision_no=decision.decision_no + 1,
        policy_version=None,
        rule=None,
        outcome=Outcome.NONE.value,
        reason=RETURNED,
        missing=None,
        unit=None,
        gross=0,
        award=0,
        limit_name=None,
        limit_left=None,
    )


def _save(
    connection: Connection,
    city: str,
    return_id: str,
    given: StoredReturn,
    decided: Sequence[Decision | None],
    now: datetime,
    counters: Mapping[CounterKey, int],
) -> None:
    decisions = [decision for decision in decided if decision is not None]
    try:
        with pipelined(connection):
            return_rows.insert(connection, city, return_id, given)
            if counters:
                return_rows.give_back(connection, city, counters)
            if decisions:
                store.save_decisions(connection, city, decisions, now)
    except psycopg.errors.UniqueViolation:
        raise LostRace from None
