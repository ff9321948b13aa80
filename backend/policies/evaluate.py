"""What a scan earns under the policies in force: pure, ordered, integers only. The hot path of the whole system."""

from datetime import date
from typing import NamedTuple

from msgspec.structs import replace

from backend.kernel.amounts import FEE, Rounding, Unit, share_of
from backend.kernel.periods import period_keys
from backend.policies.compiled import CompiledPolicy, CompiledReward, CompiledRule, Plan, StackingGroup
from backend.policies.gross import gross_of, only_gross_of
from backend.policies.limits import CompiledCap, CounterKey, FactMissing, Limits
from backend.policies.model import Award, Counts, Facts, Mode, Outcome, Verdict
from backend.policies.offer import Offer, fen_in, worth

CEILING = "ceiling"
BUDGET = "budget"
_FEN = Unit.FEN.value
_FIRST, _BEST, _DOWN = Mode.FIRST, Mode.BEST, Rounding.DOWN
# CPython 3.11 runs Python code for each `Enum.MEMBER` (0.3 µs), and the hot path reads these for every scan.
_NONE, _AWARDED, _PIECES = Outcome.NONE.value, Outcome.AWARDED.value, Counts.PIECES
_NO_POLICY = Verdict(_NONE, "no_policy")
_SUSPENDED = Verdict(_NONE, "policy_suspended")
_STEPS = {
    "condition": 0,
    "transition_over": 0,
    "evidence": 1,
    "price_missing": 2,
    "table_missing": 2,
    "fact_missing": 2,
    "rounds_to_zero": 3,
    "claim_in_store": 3,
    "cap": 4,
    BUDGET: 5,
}
_new = tuple.__new__


class Held(Exception):
    """An award beyond a cap that only a person may pass: the whole scan waits for one, with the verdict that says why."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.limit_name)
        self.verdict = verdict


class Sale(NamedTuple):
    """What all policies are asked about. `ceiling`: what a replay knows was left of a group's ceiling, in fen."""

    facts: Facts
    person: str
    sold_on: date
    limits: Limits
    ceiling: int | None
    released: bool
    taken: list[Offer]
    """What was taken from the limits so far, to be given back when a later policy holds the scan."""


def evaluate(
    facts: Facts,
    person: str,
    sold_on: date,
    plan: Plan,
    limits: Limits,
    *,
    ceiling: int | None = None,
    released: bool = False,
) -> Verdict:
    """What the policies of `plan` give, as their stacking groups say; else the refusal that came nearest to an award.

    Takes what it awards from `limits`; `released`: a person has looked, and nothing is held any more. Nearest: the latest
    step reached (conditions, evidence, amount, cap, budget).
    """
    if len(plan) == 1 and plan[0].simple and ceiling is None:
        policies = plan[0].policies
        if len(policies) == 1:
            return _simply(policies[0], facts, person, sold_on, limits)
        verdict = _first_of(policies, facts, person, sold_on, limits)
        if verdict is not None:
            return verdict
    sale = Sale(facts, person, sold_on, limits, ceiling, released, [])
    try:
        results = [offered for group in plan for offered in _group(group, sale)]
    except Held as held:
        for offer in sale.taken:
            _give_back(limits, offer)
        return held.verdict
    # A plan of nobody: whoever would have been asked is suspended.
    return _SUSPENDED if plan and not results else _together(results)


def _first_of(
    policies: tuple[CompiledPolicy, ...], facts: Facts, person: str, sold_on: date, limits: Limits
) -> Verdict | None:
    """Of simple policies the first that pays; None where a limit left nothing of an award, which the general way records."""
    nearest, reached = None, -1
    for policy in policies:
        verdict = _simply(policy, facts, person, sold_on, limits)
        if verdict.amount:
            return verdict
        if verdict.gross:
            return None
        if _STEPS[verdict.reason] > reached:
            nearest, reached = verdict, _STEPS[verdict.reason]
    return nearest


def _simply(policy: CompiledPolicy, facts: Facts, person: str, sold_on: date, limits: Limits) -> Verdict:
    """As the general way decides for a policy that is `simple`, in half the time: nothing is gathered that is one thing."""
    gross = only_gross_of(facts, sold_on, policy)
    if isinstance(gross, Verdict):
        return gross
    rule, reward, wanted = gross
    used, periods = limits.used, period_keys(sold_on)
    amount, limit_name, limit_left = wanted, None, None
    before: list[tuple[CounterKey, int]] = []
    for cap in reward.caps:
        key = (person, periods[cap.period_at], cap.counter)
        had = used.get(key, 0)
        before.append((key, had))
        left = cap.limit - had
        if left < amount:
            amount, limit_name, limit_left = (max(left, 0) if cap.partial else 0), cap.name, max(left, 0)
    left = limits.budgets.get(reward.pool, 0)
    if left < amount:
        amount, limit_name, limit_left = (left if reward.partial else 0), BUDGET, left
    version, name, unit = policy.version, rule.rule.rule, reward.unit
    if not amount:
        reason = BUDGET if limit_name == BUDGET else "cap"
        return Verdict(_NONE, reason, version, name, None, unit, wanted, 0, limit_name, limit_left)
    for key, had in before:
        used[key] = had + amount
    limits.budgets[reward.pool] = left - amount
    reason = _AWARDED
    if amount != wanted:
        reason = "awarded_in_part"
        limits.cut.update(key for key, _ in before)
    return Verdict(_AWARDED, reason, version, name, None, unit, wanted, amount, limit_name, limit_left)


def _together(results: list[Offer | Verdict]) -> Verdict:
    awards: list[Award] = []
    limited: list[Award] = []
    nearest, reached = _NO_POLICY, -1
    for offered in results:
        if isinstance(offered, Offer):
            awards += offered.awards
            limited += offered.limited
            continue
        limited += _limits_met(offered)
        if _STEPS[offered.reason] > reached:
            nearest, reached = offered, _STEPS[offered.reason]
    if awards:
        return _awarded(awards, limited)
    own = nearest.version, nearest.rule, nearest.unit
    return replace(nearest, more=tuple(one for one in limited if one[1:4] != own)) if limited else nearest


def _group(group: StackingGroup, sale: Sale) -> list[Offer | Verdict]:
    """What the group's policies give, already taken from the limits, and the refusals of those that were asked."""
    results: list[Offer | Verdict] = []
    if group.mode is _BEST:
        # A ceiling is known here in a replay alone, of a sale whose group was led by a policy of another mode.
        results = [_offer(policy, sale, sale.ceiling) for policy in group.policies]
        offers = [offered for offered in results if isinstance(offered, Offer)]
        if not offers:
            return results
        # The first of equals: `max` keeps it, and the members stand in their order.
        best = max(offers, key=worth)
        _take(sale, best)
        return [offered for offered in results if offered is best or isinstance(offered, Verdict)]
    left = _ceiling(group, sale)
    for policy in group.policies:
        offered = _offer(policy, sale, left)
        results.append(offered)
        if isinstance(offered, Offer):
            _take(sale, offered)
            if group.mode is _FIRST:
                break
            if left is not None:
                left -= fen_in(offered)
    return results


def _ceiling(group: StackingGroup, sale: Sale) -> int | None:
    """What the group may pay in fen; without a price nothing, where it has a ceiling."""
    if sale.ceiling is not None or group.ceiling_bp is None:
        return sale.ceiling
    return share_of(sale.facts.price_fen or 0, group.ceiling_bp, _DOWN)


def _offer(policy: CompiledPolicy, sale: Sale, ceiling: int | None) -> Offer | Verdict:
    """What `policy` would give; nothing is taken yet."""
    gross = gross_of(sale.facts, sale.sold_on, policy)
    if isinstance(gross, Verdict):
        return gross
    rule, rewards = gross
    offer: Offer = _new(Offer, ([], [], {}, {}, set()))
    periods = period_keys(sale.sold_on)
    try:
        if rule.counted:
            refusal = _count(rule, rewards[0], policy, sale, periods, offer)
            if refusal is not None:
                return refusal
        for reward, amount in rewards:
            _limit(reward, amount, rule.rule.rule, policy, sale, periods, ceiling, offer)
        if offer.awards and policy.milestones:
            _add_bonuses(policy, sale, periods, ceiling, offer)
    except FactMissing as missing:
        return Verdict(_NONE, "fact_missing", policy.version, rule.rule.rule, missing.fact)
    # A fee alone is none: what it would be for is not awarded. Nothing of it is taken.
    if offer.awards and offer.awards[0].unit != FEE:
        _watch(policy, rule, rewards[0], sale)
        return offer
    first, *others = offer.limited
    reason, version, named, unit, wanted, amount, limit_name, limit_left = first
    return Verdict(_NONE, reason, version, named, None, unit, wanted, amount, limit_name, limit_left, tuple(others))


def _watch(policy: CompiledPolicy, rule: CompiledRule, first: tuple[CompiledReward, int], sale: Sale) -> None:
    """Raises Held where a watch of `policy` sees the sale, unless a person has released it. It names the rule's first reward,
    whatever limits left of that.
    """
    facts, (reward, gross) = sale.facts, first
    for watch in policy.policy.watches if not sale.released else ():
        if watch.sees(facts.unit_price_fen, facts.median_fen, facts.travel_kmh):
            limit = reward.unit, gross, 0, watch.watch, None
            raise Held(Verdict(Outcome.HELD.value, "signal", policy.version, rule.rule.rule, None, *limit))


def _count(
    rule: CompiledRule,
    first: tuple[CompiledReward, int],
    policy: CompiledPolicy,
    sale: Sale,
    periods: tuple[str, ...],
    offer: Offer,
) -> Verdict | None:
    """Takes pieces and awards from their caps, or the refusal by the first that has too few left: never a part."""
    reward, gross = first
    for cap in rule.counted:
        if not cap.concerns(sale.facts):
            continue
        key, most = _met(cap, sale, periods)
        wanted = sale.facts.quantity if cap.counts is _PIECES else 1
        left = most - sale.limits.used.get(key, 0)
        if left < wanted and cap.holds:
            _hold(cap, policy, rule.rule.rule, reward.unit, gross, left, sale)
        elif left < wanted:
            named = policy.version, rule.rule.rule
            return Verdict(_NONE, "cap", *named, None, reward.unit, gross, 0, cap.name, max(left, 0))
        offer.takes[key] = wanted
        if cap.exact:
            offer.cut.add(key)
    return None


def _limit(
    reward: CompiledReward,
    wanted: int,
    rule: str,
    policy: CompiledPolicy,
    sale: Sale,
    periods: tuple[str, ...],
    ceiling: int | None,
    offer: Offer,
) -> None:
    """Adds the award of one unit to `offer`, cut to what ceiling, caps, paces and budget leave of it."""
    amount, limit_name, limit_left = wanted, None, None
    if ceiling is not None and reward.unit == _FEN:
        left = ceiling - fen_in(offer)
        if left < amount:
            amount, limit_name, limit_left = left, CEILING, left
    counters = _counters(reward, sale, periods)
    used, takes = sale.limits.used, offer.takes
    for key, most, cap in counters:
        left = most - used.get(key, 0) - takes.get(key, 0)
        if left < amount and cap.holds:
            _hold(cap, policy, rule, reward.unit, wanted, left, sale)
        elif left < amount:
            amount, limit_name, limit_left = (max(left, 0) if cap.partial else 0), cap.name, max(left, 0)
    left = sale.limits.budgets.get(reward.pool, 0) - offer.pools.get(reward.pool, 0)
    if left < amount:
        amount, limit_name, limit_left = (left if reward.partial else 0), BUDGET, left
    if not amount:
        reason = BUDGET if limit_name == BUDGET else "cap"
        offer.limited.append(Award(reason, policy.version, rule, reward.unit, wanted, 0, limit_name, limit_left))
        return
    _spend(reward, amount, counters, offer, cut=amount != wanted)
    reason = _AWARDED if amount == wanted else "awarded_in_part"
    award = (reason, policy.version, rule, reward.unit, wanted, amount, limit_name, limit_left)
    offer.awards.append(_new(Award, award))


def _hold(cap: CompiledCap, policy: CompiledPolicy, rule: str, unit: str, gross: int, left: int, sale: Sale) -> None:
    """Raises Held unless a person has released the scan."""
    if not sale.released:
        limit = unit, gross, 0, cap.name, max(left, 0)
        raise Held(Verdict(Outcome.HELD.value, "signal", policy.version, rule, None, *limit))


def _counters(
    reward: CompiledReward, sale: Sale, periods: tuple[str, ...]
) -> list[tuple[CounterKey, int, CompiledCap]]:
    """The counters that hold `reward` for this sale, with their limits. Raises FactMissing."""
    counters = []
    for cap in reward.caps:
        if cap.plain:
            counters.append(((sale.person, periods[cap.period_at], cap.counter), cap.limit, cap))
        elif cap.concerns(sale.facts):
            counters.append((*_met(cap, sale, periods), cap))
    return counters


def _met(cap: CompiledCap, sale: Sale, periods: tuple[str, ...]) -> tuple[CounterKey, int]:
    return sale.limits.meet(cap, sale.person, sale.facts, sale.sold_on, periods, released=sale.released)


def _spend(
    reward: CompiledReward,
    amount: int,
    counters: list[tuple[CounterKey, int, CompiledCap]],
    offer: Offer,
    *,
    cut: bool,
) -> None:
    for key, _most, cap in counters:
        offer.takes[key] = offer.takes.get(key, 0) + amount
        if cut or cap.exact:
            offer.cut.add(key)
    offer.pools[reward.pool] = offer.pools.get(reward.pool, 0) + amount


def _add_bonuses(
    policy: CompiledPolicy, sale: Sale, periods: tuple[str, ...], ceiling: int | None, offer: Offer
) -> None:
    """Counts this award, and adds the bonus where it is one that a milestone names.

    What a cap of the bonus lacks is missing whichever award this is: its number is no part of what a replay knows.
    """
    for milestone in policy.milestones:
        _counters(milestone.reward, sale, periods)
        key, _most = _met(milestone.counter, sale, periods)
        number = sale.limits.used.get(key, 0) + 1
        offer.takes[key] = 1
        offer.cut.add(key)
        bonus = milestone.steps.get(number)
        if bonus is not None:
            rule = f"{milestone.milestone}#{number}"
            _limit(milestone.reward, bonus, rule, policy, sale, periods, ceiling, offer)


def _take(sale: Sale, offer: Offer) -> None:
    used, budgets = sale.limits.used, sale.limits.budgets
    for key, amount in offer.takes.items():
        used[key] = used.get(key, 0) + amount
    for pool, amount in offer.pools.items():
        budgets[pool] -= amount
    sale.limits.cut |= offer.cut
    sale.taken.append(offer)


def _give_back(limits: Limits, offer: Offer) -> None:
    for key, amount in offer.takes.items():
        limits.used[key] -= amount
    for pool, amount in offer.pools.items():
        limits.budgets[pool] += amount


def _awarded(awards: list[Award], limited: list[Award]) -> Verdict:
    reason, version, rule, unit, gross, amount, limit_name, limit_left = awards[0]
    more = (*awards[1:], *limited) if limited or len(awards) > 1 else ()
    return Verdict(_AWARDED, reason, version, rule, None, unit, gross, amount, limit_name, limit_left, more)


def _limits_met(refusal: Verdict) -> list[Award]:
    """The awards that a refusal stands for, where limits left nothing of them."""
    if not refusal.gross:
        return []
    assert refusal.version is not None
    assert refusal.rule is not None
    assert refusal.unit is not None
    named = (refusal.reason, refusal.version, refusal.rule, refusal.unit, refusal.gross, 0)
    return [Award(*named, refusal.limit_name, refusal.limit_left), *refusal.more]
