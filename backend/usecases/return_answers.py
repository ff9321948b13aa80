"""What is answered of a return that is recorded: read from what was written, so that it is the same whenever asked."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from backend.kernel.periods import milliseconds
from backend.ledger import chart, queries
from backend.ledger.model import Reason
from backend.policies.compiled import CompiledPolicy, PolicySet
from backend.policies.words import Sentence
from backend.scans import return_rows
from backend.scans.explain import DecidedScan
from backend.scans.replay import decisions_of
from backend.scans.return_rows import EarlierReturn, ReturnedLine, StoredReturn
from backend.scans.return_words import ReturnState, TakenBack, TakenFrom, return_words, state_of, summed
from backend.scans.returns import RETURNED
from backend.usecases.return_postings import step_of

_FROM = {
    chart.Kind.PENDING: TakenFrom.PENDING,
    chart.Kind.COLLECT: TakenFrom.PENDING,
    chart.Kind.LOT: TakenFrom.BALANCE,
    chart.Kind.DEBT: TakenFrom.DEBT,
    chart.Kind.SHOP: TakenFrom.SHOP,
}


class LineAnswer(NamedTuple):
    """`left`: pieces of the line that the customer still has after this return."""

    line: ReturnedLine
    state: ReturnState
    taken: list[TakenBack]
    said: Sentence

    @property
    def left(self) -> int:
        return self.line.bought - self.line.returned_before - self.line.quantity


class ReturnAnswer(NamedTuple):
    return_id: str
    recorded: StoredReturn
    lines: list[LineAnswer]


class ReturnedScan(NamedTuple):
    """What came back of a line, in pieces, and what was taken back for it."""

    quantity: int
    taken: list[TakenBack]
    said: Sentence


LineKey = tuple[str, int]


def answer_of(
    connection: Connection, city: str, return_id: str, recorded: StoredReturn, policies: PolicySet
) -> ReturnAnswer:
    scans = {
        (scan.decision.basket, scan.decision.line_no, scan.decision.decision_no): scan
        for scan in decisions_of(connection, city, sorted({line.basket for line in recorded.lines}))
    }
    versions = {policy.version: policy for policy in policies}
    taken = taken_back(connection, city, [return_id])
    returned_at_ms = milliseconds(recorded.head.returned_at)
    lines = []
    for line in recorded.lines:
        mine = summed(taken.get((return_id, line.place), ()))
        scan = scans[line.basket, line.line_no, line.decision_no]
        state = state_of(scan, returned_at_ms, mine, versions)
        lines.append(LineAnswer(line, state, mine, return_words(line.quantity, state, mine)))
    return ReturnAnswer(return_id, recorded, lines)


def returned_of(
    connection: Connection, city: str, scans: Sequence[DecidedScan], policies: PolicySet
) -> Mapping[LineKey, ReturnedScan]:
    """Of those of `scans` of which something came back: all of it together, but for the shops' fees."""
    found = return_rows.earlier(connection, city, {scan.decision.basket for scan in scans}) if scans else {}
    if not found:
        return {}
    taken = taken_back(connection, city, {each.return_id for line in found.values() for each in line})
    versions = {policy.version: policy for policy in policies}
    answers = {}
    for scan in scans:
        key = scan.decision.basket, scan.decision.line_no
        if returns := found.get(key):
            every = (one for each in returns for one in taken.get((each.return_id, each.place), ()))
            mine = summed(one for one in every if one.source is not TakenFrom.SHOP)
            quantity = sum(each.earlier.quantity for each in returns)
            state = _state_now(scan, returns, mine, versions)
            answers[key] = ReturnedScan(quantity, mine, return_words(quantity, state, mine))
    return answers


def _state_now(
    scan: DecidedScan,
    returns: Sequence[EarlierReturn],
    taken: Sequence[TakenBack],
    versions: Mapping[str, CompiledPolicy],
) -> ReturnState:
    decision = scan.decision
    if decision.reason == RETURNED:
        return ReturnState.NO_AWARD
    if not taken and all(each.earlier.decision_no < decision.decision_no for each in returns):
        return ReturnState.UNDECIDED  # then; the decision in force counts what was kept
    return state_of(scan, returns[-1].earlier.returned_at_ms, taken, versions)


def taken_back(
    connection: Connection, city: str, return_ids: Collection[str]
) -> Mapping[tuple[str, int], list[TakenBack]]:
    """By return and place, what was taken back and from where."""
    found: defaultdict[tuple[str, int], list[TakenBack]] = defaultdict(list)
    for row in queries.postings(connection, city, return_ids, Reason.RETURN):
        source = _FROM[chart.Kind(chart.place_of(row.source).kind)]
        found[row.reference, row.step - step_of(0)].append(TakenBack(row.unit, source, row.amount))
    return found
