"""What the return of a sold line takes back: of each award the share of the pieces that came back. Pure."""

import contextlib
import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from backend.kernel.errors import DomainError
from backend.kernel.periods import civil_date, period_keys
from backend.policies.compiled import CompiledPolicy
from backend.policies.limits import CompiledCap, CounterKey, FactMissing
from backend.policies.model import Award, Counts, Facts, Outcome
from backend.scans.explain import DecidedScan, facts_of

UNDECIDED = frozenset({Outcome.PENDING.value, Outcome.UNCLAIMED.value, Outcome.HELD.value})
"""Outcomes after which a later decision is taken, which then counts only what was not returned."""
RETURNED = "returned"
"""Why a line earns nothing that came back, all of it, before it was decided."""
AHEAD_MS_MAX = 300_000
"""How far a shop's clock may be ahead of ours."""
_BONUS = "#"
"""Stands in the rule of a milestone's bonus (`starter#3`), and in no other."""


class SaleUnknown(DomainError):
    code = "sale-unknown"
    text_zh = "没有找到第 {place} 行所指的销售（{basket} 第 {line_no} 行），不能退货；若刚刚售出，请稍后再试。"
    text_en = "Line {place}: no such sale ({basket}, line {line_no}); try later if it was sold just now."


class SoldElsewhere(DomainError):
    code = "sold-elsewhere"
    text_zh = "第 {place} 行不是本店售出的商品，请到原门店退货。"
    text_en = "Line {place} was sold by another store; it is returned there."


class ReturnedTooMuch(DomainError):
    code = "returned-too-much"
    text_zh = "第 {place} 行共买 {bought} 件，已退 {returned} 件，不能再退 {quantity} 件。"
    text_en = "Line {place}: {bought} bought, {returned} returned before; {quantity} more cannot come back."


class ReturnBeforeSale(DomainError):
    code = "return-before-sale"
    text_zh = "第 {place} 行的退货时间早于购买时间，请核对时间。"
    text_en = "Line {place} would be returned before it was sold; check the time."


class ReturnAhead(DomainError):
    code = "return-ahead"
    text_zh = "退货时间晚于现在，请核对收银设备的时间。"
    text_en = "The time of the return lies ahead of now; check the clock."


class ReturnConflict(DomainError):
    code = "return-conflict"
    text_zh = "该退货编号已用于内容不同的退货，已拒绝。"
    text_en = "This number already stands for a return with other content."


class Earlier(NamedTuple):
    """What was returned of a line before; `decision_no`: the decision in force then."""

    decision_no: int
    quantity: int
    returned_at_ms: int


class SoldLine(NamedTuple):
    """A line with its decision in force, how many pieces were bought, and what came back of them, in that order."""

    scan: DecidedScan
    bought: int
    earlier: tuple[Earlier, ...] = ()

    @property
    def returned(self) -> int:
        return sum(each.quantity for each in self.earlier)


class Pieces(NamedTuple):
    """Of the `decided` pieces that an award was given for: how many came back before, and how many do now."""

    before: int
    now: int
    decided: int

    @property
    def completes(self) -> bool:
        return self.now > 0 and self.before + self.now == self.decided


class Back(NamedTuple):
    """What is taken back of one award: `before` by earlier returns, `amount` by this one."""

    award_no: int
    award: Award
    before: int
    amount: int


def return_id(city: str, store: str, number: str) -> str:
    """The id of the return that a shop calls `number`: the same wherever and whenever it is sent."""
    digest = hashlib.sha256(f"return\0{city}\0{store}\0{number}".encode()).digest()
    return str(UUID(bytes=digest[:16]))


def within(policy: CompiledPolicy, sold_at_ms: int, returned_at_ms: int) -> bool:
    """Whether a return of that moment takes awards back: `days` whole civil days after the day of sale."""
    days = policy.policy.returns.days
    return days is None or (civil_date(returned_at_ms) - civil_date(sold_at_ms)).days <= days


def taken(award: Award, pieces: int, decided: int) -> int:
    """What `pieces` of `decided` take back of an award, rounded down: all of them all of it, in whatever steps.

    A bonus belongs to the act, not to its pieces: it goes with the last of them.
    """
    if _BONUS in award.rule:
        return award.amount if pieces == decided else 0
    return award.amount * pieces // decided


def pieces_of(line: SoldLine, quantity: int, returned_at_ms: int, policy: CompiledPolicy) -> Pieces:
    """The pieces that count for the awards of `policy`."""
    decision, sold_at_ms = line.scan.decision, line.scan.sold_at_ms
    before = sum(
        each.quantity
        for each in line.earlier
        if each.decision_no == decision.decision_no and within(policy, sold_at_ms, each.returned_at_ms)
    )
    return Pieces(before, quantity if within(policy, sold_at_ms, returned_at_ms) else 0, decision.quantity)


def backs(line: SoldLine, quantity: int, returned_at_ms: int, policies: Mapping[str, CompiledPolicy]) -> Iterator[Back]:
    """Every award of the line's decision in force, with what this return takes back of it, be it 0."""
    for award_no, award in enumerate(line.scan.awards, 1):
        if award.amount:
            pieces = pieces_of(line, quantity, returned_at_ms, policies[award.version])
            before = taken(award, pieces.before, pieces.decided)
            now = taken(award, pieces.before + pieces.now, pieces.decided)
            yield Back(award_no, award, before, now - before)


def counters_back(
    line: SoldLine, quantity: int, returned_at_ms: int, policies: Mapping[str, CompiledPolicy]
) -> dict[CounterKey, int]:
    """What caps, quotas and paces get back, in the periods of the sale.

    Amounts as they are taken back, pieces as they come back, an award with the last piece. The counter of a milestone
    stays: the acts that follow keep their numbers, and none earns a bonus twice.
    """
    facts, person = facts_of(line.scan), line.scan.decision.resident
    given: defaultdict[CounterKey, int] = defaultdict(int)
    by_version: defaultdict[str, list[Back]] = defaultdict(list)
    for back in backs(line, quantity, returned_at_ms, policies):
        by_version[back.award.version].append(back)
    for version, found in by_version.items():
        assert facts is not None
        assert person is not None
        policy = policies[version]
        pieces = pieces_of(line, quantity, returned_at_ms, policy)
        for cap in _counting(policy, facts, found):
            amount = _given_back(cap, pieces, found)
            if amount:
                with contextlib.suppress(FactMissing):
                    given[cap.key(person, facts, period_keys(civil_date(line.scan.sold_at_ms)))] += amount
    return dict(given)


def _counting(policy: CompiledPolicy, facts: Facts, found: Sequence[Back]) -> Iterator[CompiledCap]:
    """The caps that counted these awards: what holds one rule alone counts that rule's."""
    milestones = [milestone.counter for milestone in policy.milestones]
    rules = {back.award.rule for back in found}
    for cap in policy.caps:
        if cap in milestones or not cap.concerns(facts):
            continue
        holding = [rule.rule.rule for rule in policy.rules if cap in rule.counted]
        if cap.counts is Counts.AMOUNT or rules.intersection(holding):
            yield cap


def _given_back(cap: CompiledCap, pieces: Pieces, found: Sequence[Back]) -> int:
    if cap.counts is Counts.AMOUNT:
        return sum(back.amount for back in found if back.award.unit == cap.unit)
    return pieces.now if cap.counts is Counts.PIECES else int(pieces.completes)


def allotted(amount: int, left: Sequence[int]) -> list[int]:
    """`amount` in proportion to `left`, which it does not exceed in sum: the largest remainders get what rounding leaves,
    the first of equals first, and none more than it has left.
    """
    total = sum(left)
    if not 0 <= amount <= total:
        raise ValueError("more than is left")
    if not amount:
        return [0] * len(left)
    shares = [amount * each // total for each in left]
    places = sorted(range(len(left)), key=lambda place: (-(amount * left[place] % total), place))
    for place in places[: amount - sum(shares)]:
        shares[place] += 1
    return shares
