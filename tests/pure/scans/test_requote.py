"""A quote that is paid in full comes out as promised whatever others did since, and one paid in part stays within it."""

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from backend.kernel.amounts import MAX_AMOUNT
from backend.policies.compiled import CompiledPolicy, InForce, pool_of
from backend.policies.evaluate import evaluate
from backend.policies.limits import CounterKey, Limits
from backend.policies.model import Facts, Verdict
from backend.scans.decide import Decision, Taken
from backend.scans.explain import DecidedScan, facts_of
from backend.scans.quotes import FinalLine, QuotedCounter, as_quoted
from backend.scans.requote import Promise, counters_met, kept, requoted, used_at_start
from tests.pure.policies import documents
from tests.worlds.scans import PERSON, SOLD_ON, decided_scan

NOT_ASKED = Verdict("none", "condition")


def skeletons(facts: Sequence[Facts]) -> list[DecidedScan]:
    """The lines before they are decided: one basket, whose prices sum to its receipt."""
    prices = [one.price_fen for one in facts if one.price_fen is not None]
    receipt = sum(prices) if prices else None
    scans = []
    for place, one in enumerate(facts):
        scan = decided_scan(one._replace(receipt_fen=receipt), NOT_ASKED)
        decision = scan.decision._replace(line_no=place, serial=one.serial)
        scans.append(scan._replace(decision=decision, device=one.device, cashier=one.cashier))
    return scans


def quoted(
    facts: Sequence[Facts], policies: Sequence[CompiledPolicy], limits: Limits
) -> tuple[list[DecidedScan], InForce]:
    """The lines as a quote decides them, one after the other."""
    in_force, scans = InForce(policies), []
    for scan in skeletons(facts):
        asked = facts_of(scan)
        assert asked is not None
        verdict = evaluate(asked, PERSON, SOLD_ON, in_force.plan(asked), limits)
        decision = scan.decision._replace(
            outcome=verdict.outcome,
            reason=verdict.reason,
            policy_version=verdict.version,
            rule=verdict.rule,
            missing=verdict.missing,
            unit=verdict.unit,
            gross=verdict.gross,
            award=verdict.amount,
            limit_name=verdict.limit_name,
            limit_left=verdict.limit_left,
        )
        scans.append(scan._replace(decision=decision, more=verdict.more))
    return scans, in_force


def promise_of(
    scans: list[DecidedScan], in_force: InForce, before: dict[CounterKey, int], after: dict[CounterKey, int]
) -> Promise:
    names = {policy.version: policy.policy.policy for policy in in_force.policies}
    pools: dict[str, int] = {}
    for scan in scans:
        for award in scan.awards:
            pool = pool_of(names[award.version], award.unit)
            pools[pool] = pools.get(pool, 0) + award.amount
    counters = {
        key: QuotedCounter(*key, before.get(key, 0), used - before.get(key, 0)) for key, used in after.items() if used
    }
    return Promise(scans, in_force, pools, counters, {}, {})


def most_of(promise: Promise) -> dict[CounterKey, int]:
    """The limit of every counter that the lines may look at."""
    lines = [as_quoted(scan) for scan in promise.scans]
    met = counters_met(promise, lines)
    caps = {cap.counter: cap.limit for policy in promise.in_force.policies for cap in policy.caps}
    return {
        key: found.limit if found.limit is not None else caps[found.counter]
        for key, found in met.met.items()
        if key in met.used
    }


@st.composite
def quotes(draw: st.DrawFn) -> tuple[Promise, dict[CounterKey, int]]:
    """A quote over random policies with some of budgets and caps used, and what the counters hold since."""
    policies = draw(documents.several())
    facts = draw(st.lists(documents.facts, min_size=1, max_size=4))
    budget = draw(st.sampled_from([0, 7, 60, 10**9]))
    pools = {one.pool: budget for policy in policies for one in policy.budgets}
    start = most_of(promise_of(skeletons(facts), InForce(policies), {}, {}))
    before = {key: draw(st.integers(0, min(most, 60))) for key, most in sorted(start.items())}
    limits = Limits(dict(before), pools)
    scans, in_force = quoted(facts, policies, limits)
    promise = promise_of(scans, in_force, before, dict(limits.used))
    now = {}
    for key, most in sorted(most_of(promise).items()):
        after = limits.used.get(key, 0)
        taken = after - before.get(key, 0)
        now[key] = draw(st.just(after) | st.integers(taken, max(most, after) if most < MAX_AMOUNT else after + 5))
    return promise._replace(now=now), now


def by_pool(promise: Promise, taken: Taken) -> dict[str, int]:
    names = {policy.version: policy.policy.policy for policy in promise.in_force.policies}
    sums: dict[str, int] = {}
    for award in taken.further:
        sums[pool_of(names[award.policy_version], award.unit)] = (
            sums.get(pool_of(names[award.policy_version], award.unit), 0) + award.award
        )
    for decision in taken.decisions:
        if decision.award:
            assert decision.policy_version is not None
            assert decision.unit is not None
            pool = pool_of(names[decision.policy_version], decision.unit)
            sums[pool] = sums.get(pool, 0) + decision.award
    return sums


@settings(documents.LAW, max_examples=25)
@given(quotes())
def test_paid_in_full_every_line_is_what_was_promised(drawn: tuple[Promise, dict[CounterKey, int]]) -> None:
    promise, _ = drawn

    taken, _ = requoted(promise, [as_quoted(scan) for scan in promise.scans])

    promised = kept(promise)
    assert [_paid(d) for d in taken.decisions] == [_paid(d) for d in promised.decisions]
    assert [(a.line_no, a.policy_version, a.rule, a.award) for a in taken.further if a.award] == [
        (a.line_no, a.policy_version, a.rule, a.award) for a in promised.further if a.award
    ]


@settings(documents.LAW, max_examples=25)
@given(quotes(), st.data())
def test_paid_in_part_it_stays_within_what_is_held_and_within_every_cap(
    drawn: tuple[Promise, dict[CounterKey, int]], data: st.DataObject
) -> None:
    promise, now = drawn
    lines = [as_quoted(scan) for scan in promise.scans]
    final = [
        FinalLine(
            line.line_no,
            data.draw(st.integers(1, line.quantity)),
            None if line.price_fen is None else data.draw(st.integers(0, line.price_fen)),
        )
        for line in lines
        if data.draw(st.booleans())
    ]

    start = used_at_start(promise)
    taken, limits = requoted(promise, final)

    assert [decision.line_no for decision in taken.decisions] == list(range(len(final)))
    for pool, amount in by_pool(promise, taken).items():
        assert amount <= promise.pools.get(pool, 0)
    for key, most in most_of(promise).items():
        used = limits.used.get(key, 0) - start.get(key, 0)
        quoted_part = promise.counters[key].taken if key in promise.counters else 0
        assert now.get(key, 0) - quoted_part + used <= max(most, now.get(key, 0))


def _paid(decision: Decision) -> tuple[object, ...]:
    """A refusal may be told otherwise: what held nothing is short of budget before anything else is."""
    return (decision.policy_version, decision.rule, decision.unit, decision.award) if decision.award else ()
