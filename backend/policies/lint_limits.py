"""Whether a policy's money is bounded: caps that hold a person, budgets and their pace, the dates of everything."""

from collections.abc import Iterator
from datetime import date

from backend.kernel.amounts import BASIS_POINTS, Unit
from backend.kernel.periods import Period, civil_date
from backend.policies.lint_finding import Finding, blocker, warning
from backend.policies.lint_rules import Reached, is_percent, share_of_price
from backend.policies.model import ALL_PROGRAMMES, Budget, Cap, Counts, Per, Policy, Proof, Reward, RewardKind
from backend.policies.regions import Box, Region, Space, TooComplex, conditions_of_rule
from backend.policies.terms import Claims
from backend.policies.words import amount_words

YEARS_WARNED = 5
"""A normative document of an administration is commonly valid for at most five years."""
YEARS_MAX = 20
"""Beyond it an end date is none."""
_DAYS_A_YEAR = 366
ORDINARY_ABOVE_BP, ORDINARY_BELOW_BP = 11_000, 8_000
"""Prices of one product differ that much from shop to shop, and with a common discount, without anybody's fault."""
ORDINARY_KMH = 80
"""People drive so fast between two shops, in a straight line."""

_OF_OLD_UNITS = frozenset({"trade_in_age", "trade_in_days"})
_PEOPLE = frozenset({Per.PERSON, Per.PHONE, Per.ADDRESS})
_FEW = frozenset({Per.POLICY, Per.CATEGORY, Per.SCHEME, Per.CHANNEL, Per.DISTRICT})
"""What a cap may count by beside the person and still bound the person: there are few of each. Of stores, models,
baskets and old units there are as many as one likes."""


def lint_caps(policy: Policy, reached: list[Reached], space: Space) -> Iterator[Finding]:
    for position, cap in enumerate(policy.caps):
        budget = _budget(policy, cap.unit)
        if budget is not None and cap.limit > budget.amount:
            yield warning(
                "cap_above_budget",
                f"caps.{position}.limit",
                f"上限“{cap.cap}”（{amount_words(cap.unit, cap.limit).zh}）高于全部预算，起不到限制作用",
                f"cap {cap.cap} is above the whole budget: it limits nothing",
            )
    for unit in policy.units:
        if unit is not Unit.FEE:  # it goes with what a person is awarded, whom caps bound in that
            yield from _unbounded(policy, unit, reached, space)
    for one in reached:
        for position, reward in enumerate(one.rule.rewards):
            yield from _never_fits(policy, one, reward, one.reward_place(position))


def _unbounded(policy: Policy, unit: Unit, reached: list[Reached], space: Space) -> Iterator[Finding]:
    """Whether one person can get any amount of `unit`: by every rule alike, or by some."""
    paid = [
        (one, reward, one.reward_place(position))
        for one in reached
        for position, reward in enumerate(one.rule.rewards)
        if reward.unit is unit
    ]
    loose = [(one, place) for one, reward, place in paid if not _is_bounded(policy, one, reward, space)]
    if not loose:
        return
    if all(_is_bounded(policy, one, reward, space, old_units=True) for one, reward, _ in paid):
        yield warning(
            "bounded_by_old_units",
            "caps",
            f"{_UNIT_ZH[unit]}只按旧机各限一次，没有每人上限：交来多少旧机就领多少",
            f"in {unit.value} only old units are counted, each once: a person gets as much as they hand in",
        )
    elif not any(_binds(cap, unit, policy) for cap in policy.caps):
        yield blocker(
            "no_person_cap",
            "caps",
            f"没有一个上限约束每人（每部手机、每个地址）能领取的{_UNIT_ZH[unit]}，或上限大得等于没有",
            f"no cap bounds what one person (phone, address) can get in {unit.value}, or only one as large as the budget",
        )
    else:
        for one, place in loose:
            yield blocker(
                "no_person_cap",
                place,
                f"规则“{one.rule.name_zh}”的{_UNIT_ZH[unit]}奖励不受任何每人上限约束",
                f"no cap bounds what one person can get in {unit.value} by rule {one.rule.rule}",
            )


def lint_watches(policy: Policy) -> Iterator[Finding]:
    """A watch that holds the day's ordinary business: discounts of a tenth, a drive to the next shop."""
    for position, watch in enumerate(policy.watches):
        narrow = (watch.above_bp or ORDINARY_ABOVE_BP) < ORDINARY_ABOVE_BP
        narrow = narrow or (watch.below_bp or ORDINARY_BELOW_BP) > ORDINARY_BELOW_BP
        if narrow or (watch.kmh or ORDINARY_KMH) < ORDINARY_KMH:
            yield warning(
                "watch_too_narrow",
                f"watches.{position}",
                f"核查“{watch.watch}”过严，平常的打折或乘车往返也会被暂缓，须由人逐笔处理",
                f"watch {watch.watch} is so narrow that ordinary discounts or journeys are held, each for a person",
            )


def lint_old_units(policy: Policy) -> Iterator[Finding]:
    """A policy that pays for old units, which another one, or the next sale, may be paid for once more."""
    facts = {c.fact for at, rule in enumerate(policy.rules) for _, c in conditions_of_rule(rule, f"rules.{at}")}
    if facts & _OF_OLD_UNITS and not any(
        _counts_old_units(cap) and cap.programme == ALL_PROGRAMMES for cap in policy.caps
    ):
        yield warning(
            "old_unit_reused",
            "caps",
            "没有在全市范围内按旧机序列号限 1 次（per: trade_in、period: lifetime、citywide: true）：同一台旧机可在别处再领一次",
            "no citywide lifetime cap counts old units: the same one may be paid for elsewhere again",
        )


def lint_claims(policy: Policy) -> Iterator[Finding]:
    """Where claims are made plays a part only if a claim earns."""
    paid = {proof for rule in policy.rules for _, proof in rule.rates}
    if policy.claims is not Claims.ANYWHERE and Proof.CLAIM not in paid:
        yield warning(
            "claims_earn_nothing",
            "claims",
            "写明了领取码在哪里有效，但没有一条规则为领取码（P1）奖励",
            "it says where a claim code is good, and no rule pays for one (P1)",
        )


def lint_budgets(policy: Policy) -> Iterator[Finding]:
    days = _days(policy)
    for position, budget in enumerate(policy.budgets):
        place = "budget" if len(policy.budgets) == 1 else f"budgets.{position}"
        yield from _paces(budget, days, place)
        if not budget.partial:
            yield warning(
                "budget_leaves_rest",
                f"{place}.partial",
                "预算最后的零头不够一次整额奖励时将一直用不出去（partial 为 false）",
                "the last part of the budget that is smaller than an award can never be spent (partial is false)",
            )
        if budget.reclaim_on is not None and budget.reclaim_on < _last_day(policy).isoformat():
            yield warning(
                "reclaimed_before_end",
                f"{place}.reclaim_on",
                "收回日期早于政策结束日期：收回之后政策仍有效却没有预算",
                "the budget is reclaimed before the policy ends: it stays in force without money",
            )


def lint_dates(policy: Policy) -> Iterator[Finding]:
    days = _days(policy)
    if days > YEARS_MAX * _DAYS_A_YEAR:
        yield blocker(
            "end_too_far",
            "until",
            f"有效期超过 {YEARS_MAX} 年，等于没有结束日期",
            f"valid for more than {YEARS_MAX} years: as good as no end date",
        )
    elif days > YEARS_WARNED * _DAYS_A_YEAR:
        yield warning(
            "end_far",
            "until",
            f"有效期超过 {YEARS_WARNED} 年，规范性文件通常以五年为限，请核对",
            f"valid for more than {YEARS_WARNED} years; documents of an administration seldom are",
        )
    if policy.document.published_on > civil_date(policy.from_ms).isoformat():
        yield warning(
            "published_after_start",
            "document.published_on",
            "文件发布日期晚于政策开始日期，政策对发布之前的购买溯及既往",
            "the document is published after the policy starts: it reaches back to earlier purchases",
        )
    yield from _after_the_sale(policy)


def _after_the_sale(policy: Policy) -> Iterator[Finding]:
    expiry, pending, returns = policy.expiry, policy.pending, policy.returns
    if Unit.POINTS in policy.units and not expiry.months and expiry.on is None:
        yield warning(
            "no_expiry",
            "expiry",
            "积分没有有效期，未使用的积分将一直是财政负债",
            "points never expire: what is not used stays a liability for ever",
        )
    if expiry.on is not None and expiry.on < _last_day(policy).isoformat():
        yield blocker(
            "expires_before_end",
            "expiry.on",
            "积分到期日早于政策结束日期，之后发放的积分一发放就已过期",
            "points expire before the policy ends: those given later are expired from the start",
        )
    if pending.days and returns.days is None:
        yield warning(
            "pending_without_returns",
            "returns",
            "积分有待确认期，却没有写明退货期限（returns.days），待确认期无从对应",
            "awards are pending, and no window for returns (returns.days) says why",
        )
    if pending.days and returns.days is not None and returns.days > pending.days:
        yield warning(
            "pending_shorter_than_returns",
            "pending.days",
            f"待确认期 {pending.days} 天短于退货期限 {returns.days} 天，退货时积分可能已被使用",
            f"pending for {pending.days} days, returnable for {returns.days}: points may be spent before a return",
        )


def _paces(budget: Budget, days: int, place: str) -> Iterator[Finding]:
    whole = min((pace.amount for pace in budget.paces if pace.per == (Per.POLICY,)), default=None)
    for position, pace in enumerate(budget.paces):
        where = f"{place}.paces.{position}"
        a_day = sum(pace.amounts.values()) if pace.amounts else pace.amount
        if a_day > budget.amount:
            yield warning(
                "pace_above_budget",
                where,
                f"“{pace.pace}”一天的额度合计 {amount_words(budget.unit, a_day).zh}，超过全部预算",
                f"pace {pace.pace} adds up to more in one day than the whole budget",
            )
        if pace.amounts and whole is not None and a_day > whole:
            yield warning(
                "paces_disagree",
                f"{where}.amounts",
                f"“{pace.pace}”各区额度合计超过全市每日额度，不能都兑现",
                f"the amounts of pace {pace.pace} add up to more than the policy's own pace: not all can be honoured",
            )
        if pace.per == (Per.POLICY,) and pace.amount * days < budget.amount:
            yield warning(
                "pace_leaves_budget",
                f"{where}.amount",
                f"按“{pace.pace}”的额度，到结束日期最多用去 {amount_words(budget.unit, pace.amount * days).zh}，预算用不完",
                f"at pace {pace.pace} the budget cannot be spent before the policy ends",
            )


def _is_bounded(policy: Policy, one: Reached, reward: Reward, space: Space, *, old_units: bool = False) -> bool:
    """Whether every sale for which the rule pays falls under some cap that bounds the person, or the old units."""
    boxes = [
        _concern(cap, space)
        for cap in policy.caps
        if _holds(cap, reward, one, policy, space) or (old_units and _counts_old_units(cap))
    ]
    try:
        return not space.minus(one.region, boxes)
    except TooComplex:
        return True


def _binds(cap: Cap, unit: Unit, policy: Policy) -> bool:
    """Whether `cap` bounds a person at all in `unit`: an amount below the budget, or a number of pieces or awards."""
    budget = _budget(policy, unit)
    if not _is_of_people(cap) or budget is None:
        return False
    return cap.counts is not Counts.AMOUNT or (cap.unit is unit and cap.limit < budget.amount)


def _holds(cap: Cap, reward: Reward, one: Reached, policy: Policy, space: Space) -> bool:
    budget = _budget(policy, reward.unit)
    if not _binds(cap, reward.unit, policy) or budget is None:
        return False
    if cap.counts is Counts.AMOUNT:
        return True
    most = _most_each(reward, one.region, max(one.rule.rates.values(), default=0), space, cap.counts)
    return most is not None and cap.limit * most < budget.amount


def _most_each(reward: Reward, region: Region, rate: int, space: Space, counts: Counts) -> int | None:
    """The most that one award, or one piece of goods, can bring; None where nothing bounds it."""
    pieces = 1 if counts is Counts.PIECES else _most(space, "quantity", region)
    by_piece = None if reward.cap_per_unit is None or pieces is None else reward.cap_per_unit * pieces
    if is_percent(reward):
        piece = _most(space, "unit_price_fen", region)
        priced = (_most(space, "price_fen", region), None if piece is None or pieces is None else piece * pieces)
        price = min((most for most in priced if most is not None), default=None)
        by_price = None if price is None else -(-price * share_of_price(reward, rate) // BASIS_POINTS)
        return min((most for most in (by_piece, by_price) if most is not None), default=None)
    stated = reward.amount if reward.by is None else max((reward.table or {0: 0}).values())
    each = -(-stated * rate * reward.factor_bp // BASIS_POINTS**2)
    if reward.kind is RewardKind.FIXED:
        return each
    return None if pieces is None else min(each * pieces, by_piece or each * pieces)


def _most(space: Space, fact: str, region: Region) -> int | None:
    """The largest number that `fact` has anywhere in `region`; None where it has no end."""
    found = 0
    for box in region:
        most = space.most(fact, box)
        if most is None:
            return None
        found = max(found, most)
    return found


def _never_fits(policy: Policy, one: Reached, reward: Reward, place: str) -> Iterator[Finding]:
    """A cap or budget that gives whole awards only, and is smaller than the smallest of them."""
    if is_percent(reward):
        return
    stated = reward.amount if reward.by is None else min((reward.table or {0: 0}).values())
    least = stated * reward.factor_bp * min(one.rule.rates.values(), default=0) // BASIS_POINTS**2
    if reward.cap_per_unit is not None:
        least = min(least, reward.cap_per_unit)
    for cap in policy.caps:
        concerns_all = not cap.schemes and not cap.categories
        is_whole = cap.counts is Counts.AMOUNT and cap.unit is reward.unit and not cap.partial
        if is_whole and concerns_all and cap.limit < least:
            yield blocker(
                "award_above_cap",
                place,
                f"规则“{one.rule.name_zh}”的奖励总是高于整额上限“{cap.cap}”，永远发不出去",
                f"every award of rule {one.rule.rule} is above the whole-award cap {cap.cap}: it can never be paid",
            )


def _concern(cap: Cap, space: Space) -> Box:
    sides = (("certificate_scheme", cap.schemes), ("category", cap.categories))
    return {fact: space.values(fact, names) for fact, names in sides if names}


def _is_of_people(cap: Cap) -> bool:
    return bool(_PEOPLE & set(cap.per)) and set(cap.per) <= _PEOPLE | _FEW


def _counts_old_units(cap: Cap) -> bool:
    return cap.per == (Per.TRADE_IN,) and cap.period is Period.LIFETIME and cap.counts is not Counts.AMOUNT


def _budget(policy: Policy, unit: Unit | None) -> Budget | None:
    return next((budget for budget in policy.budgets if budget.unit is unit), None)


def _last_day(policy: Policy) -> date:
    return civil_date(policy.until_ms - 1)


def _days(policy: Policy) -> int:
    return (_last_day(policy) - civil_date(policy.from_ms)).days + 1


_UNIT_ZH = {Unit.POINTS: "积分", Unit.FEN: "补贴", Unit.GCO2E: "减碳量", Unit.EVIDENCE: "信用凭证"}
