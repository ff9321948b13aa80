"""What fewer pieces or lower prices earn within a quote: the versions that were promised, never more than is held. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from backend.kernel.amounts import MAX_AMOUNT
from backend.kernel.periods import civil_date, period_keys
from backend.policies.compiled import InForce
from backend.policies.evaluate import evaluate
from backend.policies.limits import CounterKey, FactMissing, Limits
from backend.policies.model import Facts
from backend.scans.decide import Decision, FurtherAward, Taken
from backend.scans.explain import DecidedScan, facts_of
from backend.scans.quotes import FinalLine, QuotedCounter
from backend.scans.sentences import by_rules

_NOBODY_ASKED = frozenset({"no_policy", "policy_suspended"})
_SAME_PIECE = "unit_already_awarded"
_AWARDED = "awarded"
"""Of a line that the policies were asked of; what they say takes its place."""
_new = tuple.__new__


class Promise(NamedTuple):
    """What a quote holds. `pools`: of each budget; `counters` as they were and what was taken; `now`: what they hold today.

    `units`: for each unit label that it claimed, its line.
    """

    scans: Sequence[DecidedScan]
    in_force: InForce
    pools: Mapping[str, int]
    counters: Mapping[CounterKey, QuotedCounter]
    now: Mapping[CounterKey, int]
    units: Mapping[str, int]


def kept(promise: Promise) -> Taken:
    """Everything as it was quoted."""
    decisions = [scan.decision for scan in promise.scans]
    further = [award for scan in promise.scans for award in _further(scan.decision, [tuple(one) for one in scan.more])]
    return Taken([*decisions], further, {key: (decisions[line].basket, line) for key, line in promise.units.items()})


def requoted(promise: Promise, final: Sequence[FinalLine]) -> tuple[Taken, Limits]:
    """The decisions of the lines that were paid for, numbered anew from 0, and what they took of the limits.

    A limit has left what it had at the quote, or what it has today with the quote's own part, whichever is less: so that
    what was quoted fits in any case, and nobody else's awards since are touched.
    """
    prices = [line.price_fen for line in final if line.price_fen is not None]
    receipt_fen = sum(prices) if prices else None
    limits = Limits(used_at_start(promise), dict(promise.pools))
    limits.know_used()
    taken = Taken([], [], {})
    pieces = _pieces(promise, final)
    for place, scan in enumerate(_asked_again(promise, final, receipt_fen)):
        decision = _decided(scan, place, promise.in_force, limits, taken)
        taken.rows.append(decision)
        key = pieces.get(scan.decision.line_no)
        if key is not None and decision.award:
            taken.units[key] = (decision.basket, place)
    return taken, limits


def reduced(scan: DecidedScan, line: FinalLine, receipt_fen: int | None) -> DecidedScan:
    """The quoted scan with the pieces and the price that were paid for."""
    decision = scan.decision._replace(quantity=line.quantity, price_fen=line.price_fen)
    return scan._replace(decision=decision, receipt_fen=receipt_fen)


def used_at_start(promise: Promise) -> dict[CounterKey, int]:
    """What is taken of each limit before the first line is decided again."""
    used = {}
    for key in promise.now.keys() | promise.counters.keys():
        quoted = promise.counters.get(key)
        before, taken = (quoted.used_before, quoted.taken) if quoted else (0, 0)
        used[key] = max(before, promise.now.get(key, 0) - taken)
    for policy in promise.in_force.policies:
        for milestone in policy.milestones:
            # Which award of how many it is was promised with the quote; nothing bounds such a counter.
            assert milestone.counter.limit == MAX_AMOUNT
            used |= {k: c.used_before for k, c in promise.counters.items() if k[2] == milestone.counter.counter}
    return used


def counters_met(promise: Promise, final: Sequence[FinalLine]) -> Limits:
    """`met` and `used` of the answer name every counter that deciding the lines may look at."""
    limits = Limits({}, {})
    for scan in _asked_again(promise, final, None):
        facts, person = asked(scan), scan.decision.resident
        if facts is not None and person is not None:
            _meet(facts, person, scan.sold_at_ms, promise.in_force, limits)
    return limits


def _pieces(promise: Promise, final: Sequence[FinalLine]) -> dict[int, str]:
    """Of each line that is paid and may claim a unit label of the quote's, its key: the line that claimed it, or, where that
    one is not paid, the first that was refused as the same piece.
    """
    paid = {line.line_no for line in final}
    found = {line: key for key, line in promise.units.items() if line in paid}
    free = set(promise.units) - set(found.values())
    for scan in promise.scans:
        decision = scan.decision
        if decision.reason == _SAME_PIECE and decision.line_no in paid and decision.label_key in free:
            free.remove(decision.label_key)
            found[decision.line_no] = decision.label_key
    return found


def _asked_again(promise: Promise, final: Sequence[FinalLine], receipt_fen: int | None) -> Iterator[DecidedScan]:
    """The lines that were paid for, as they are to be decided: one that has taken its piece over was refused for nothing else."""
    quoted = {scan.decision.line_no: scan for scan in promise.scans}
    pieces = _pieces(promise, final)
    for line in final:
        scan = reduced(quoted[line.line_no], line, receipt_fen)
        if line.line_no in pieces and scan.decision.reason == _SAME_PIECE:
            scan = scan._replace(decision=scan.decision._replace(reason=_AWARDED))
        yield scan


def asked(scan: DecidedScan) -> Facts | None:
    """What the policies were asked; None where none was."""
    reason = scan.decision.reason
    return facts_of(scan) if by_rules(reason) and reason not in _NOBODY_ASKED else None


def _meet(facts: Facts, person: str, sold_at_ms: int, in_force: InForce, limits: Limits) -> None:
    sold_on = civil_date(sold_at_ms)
    periods = period_keys(sold_on)
    for group in in_force.plan(facts):
        for policy in group.policies:
            for cap in policy.caps:
                if cap.plain or cap.concerns(facts):
                    try:
                        key, _ = limits.meet(cap, person, facts, sold_on, periods)
                    except FactMissing:
                        continue
                    limits.used[key] = 0


def _decided(scan: DecidedScan, place: int, in_force: InForce, limits: Limits, taken: Taken) -> Decision:
    decision = scan.decision._replace(line_no=place)
    facts = asked(scan)
    if facts is None or decision.resident is None:
        return decision
    verdict = evaluate(facts, decision.resident, civil_date(scan.sold_at_ms), in_force.plan(facts), limits)
    decision = decision._replace(
        policy_version=verdict.version,
        rule=verdict.rule,
        outcome=verdict.outcome,
        reason=verdict.reason,
        missing=verdict.missing,
        unit=verdict.unit,
        gross=verdict.gross,
        award=verdict.amount,
        limit_name=verdict.limit_name,
        limit_left=verdict.limit_left,
    )
    taken.further.extend(_further(decision, verdict.more))
    return decision


def _further(decision: Decision, more: Sequence[tuple[object, ...]]) -> list[FurtherAward]:
    place = decision.basket, decision.line_no, decision.decision_no
    return [_new(FurtherAward, (*place, number, *award)) for number, award in enumerate(more, 2)]
