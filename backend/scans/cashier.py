"""What a cashier and a customer are told of a line before it is paid, and what is left of each cap after it. Pure."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from backend.kernel.amounts import MAX_AMOUNT
from backend.kernel.periods import civil_date, period_keys
from backend.policies.compiled import CompiledPolicy, InForce, PolicySet
from backend.policies.limit_words import left_words, limit_words
from backend.policies.limits import CounterKey, FactMissing
from backend.policies.model import Award, Outcome, Per
from backend.policies.words import Sentence
from backend.scans.explain import DecidedScan, earned_words, sentence
from backend.scans.requote import asked

_BEFORE_PAYMENT: Mapping[str, Sentence] = {
    Outcome.PENDING: Sentence("商品待核实，按原价收款。", "The product is being checked: charge the full price."),
    Outcome.UNCLAIMED: Sentence("请顾客出示会员码。", "Ask the customer for a member code."),
    Outcome.HELD: Sentence("此行待核查，按原价收款。", "This line is held for a check: charge the full price."),
    Outcome.NONE: Sentence("此行不奖励。", "No award for this line."),
}
_SHOW_AGAIN = Sentence("会员码不能用，请顾客出示新的会员码。", "This member code cannot be used: ask for a fresh one.")


class CapLeft(NamedTuple):
    """`left` in what the cap counts: its unit, pieces, or awards."""

    policy: str
    cap: str
    left: int
    words: Sentence


class SaidLine(NamedTuple):
    scan: DecidedScan
    awards: tuple[Award, ...]
    cashier: Sentence
    customer: Sentence
    caps: tuple[CapLeft, ...]


def said_lines(
    scans: Sequence[DecidedScan], policies: PolicySet, in_force: InForce, used: Mapping[CounterKey, int]
) -> list[SaidLine]:
    """`used`: what the counters hold with the awards of all lines."""
    return [
        SaidLine(
            scan,
            tuple(award for award in scan.awards if award.amount),
            cashier_sentence(scan),
            sentence(scan, policies),
            tuple(_caps_left(scan, in_force, used)),
        )
        for scan in scans
    ]


def cashier_sentence(scan: DecidedScan) -> Sentence:
    """One short line for the till's display."""
    if any(award.amount for award in scan.awards):
        earned = earned_words(scan)
        return Sentence(f"奖励 {earned.zh}。", f"Award: {earned.en}.")
    if scan.decision.reason.startswith("member_"):
        return _SHOW_AGAIN
    return _BEFORE_PAYMENT[scan.decision.outcome]


def _caps_left(scan: DecidedScan, in_force: InForce, used: Mapping[CounterKey, int]) -> list[CapLeft]:
    """Signs of misuse are no allowance, and stay unsaid."""
    facts, person = asked(scan), scan.decision.resident
    if facts is None or person is None:
        return []
    sold_on = civil_date(scan.sold_at_ms)
    found = []
    for policy in _speaking(scan, in_force):
        for cap in policy.caps:
            if cap.holds or Per.BASKET in cap.per or cap.within_ms or cap.limit == MAX_AMOUNT:
                continue
            if not (cap.plain or cap.concerns(facts)):
                continue
            try:
                key = cap.key(person, facts, period_keys(sold_on))
            except FactMissing:
                continue
            left = max(cap.limit_at(facts, sold_on) - used.get(key, 0), 0)
            name = limit_words(policy, cap.name)
            words = left_words(policy, cap.unit or policy.policy.units[0].value, cap.name, left)
            said = Sentence(f"{name.zh}，还剩 {words.zh}", f"{name.en}: {words.en} left")
            found.append(CapLeft(policy.policy.policy, cap.name, left, said))
    return found


def _speaking(scan: DecidedScan, in_force: InForce) -> list[CompiledPolicy]:
    """The policies that award, or that refused."""
    named = {award.version for award in scan.awards} | {scan.decision.policy_version}
    return [policy for policy in in_force.policies if policy.version in named]
