"""What a policy says of its limits and its money: caps, windows, bonuses, signs of misuse, budgets. Pure."""

from collections.abc import Iterator, Sequence

from backend.kernel.periods import Period
from backend.policies.clause import NOUNS, Clause, clause, day, joined, listed, money
from backend.policies.model import (
    ALL_PROGRAMMES,
    Beyond,
    Budget,
    Cap,
    Counts,
    Milestone,
    Pace,
    Per,
    Policy,
    Window,
)
from backend.policies.watch import Of, Watch
from backend.policies.words import Names, Sentence, percent, value_words

_PERIODS = {
    Period.DAY: Sentence("每日", "a day"),
    Period.MONTH: Sentence("每月", "a month"),
    Period.YEAR: Sentence("每年", "a year"),
    Period.LIFETIME: Sentence("累计", "in all"),
}
_HEADINGS = {
    Period.DAY: Sentence("每日上限", "Daily cap"),
    Period.MONTH: Sentence("月度上限", "Monthly cap"),
    Period.YEAR: Sentence("年度上限", "Yearly cap"),
    Period.LIFETIME: Sentence("累计上限", "Lifetime cap"),
}
_EACH = {
    Per.PERSON: Sentence("每人", "person"),
    Per.PHONE: Sentence("每个手机号", "phone number"),
    Per.ADDRESS: Sentence("每个收货地址", "delivery address"),
    Per.TRADE_IN: Sentence("每台旧机", "old unit"),
    Per.SERIAL: Sentence("每个商品序列号", "serial number"),
    Per.STORE: Sentence("每家门店", "shop"),
    Per.TILL: Sentence("每台收银设备", "till"),
    Per.CASHIER: Sentence("每名收银员", "cashier"),
    Per.DISTRICT: Sentence("每个区县", "district"),
    Per.CHANNEL: Sentence("每个渠道", "channel"),
    Per.MODEL: Sentence("每个型号", "model"),
    Per.CATEGORY: Sentence("每个品类", "category"),
    Per.SCHEME: Sentence("每个认证类别", "certification scheme"),
    Per.BASKET: Sentence("每单", "basket"),
    Per.HOUR: Sentence("每小时", "hour of the day"),
    Per.POLICY: Sentence("本政策合计", "the policy as a whole"),
}


def cap_clauses(policy: Policy, names: Names) -> Iterator[Clause]:
    for position, cap in enumerate(policy.caps):
        said = cap_words(cap, names)
        zh, en = f"{said.zh}（代号 {cap.cap}）", f"{said.en} ({cap.cap})"
        yield clause(f"caps/{cap.cap}", f"caps.{position}", _HEADINGS[cap.period], zh, en)
    for position, window in enumerate(policy.windows):
        yield _window(window, f"windows.{position}")
    for position, milestone in enumerate(policy.milestones):
        yield _milestone(milestone, f"milestones.{position}")
    for position, watch in enumerate(policy.watches):
        yield _watch(watch, f"watches.{position}")


def cap_words(cap: Cap, names: Names) -> Sentence:
    each, period, most = each_words(cap.per), _PERIODS[cap.period], _most(cap)
    parts = [Sentence(f"{each.zh}{period.zh}不超过 {most.zh}", f"at most {most.en} {period.en}, counted by {each.en}")]
    if cap.schemes:
        named = listed(value_words("certificate_scheme", one, names) for one in cap.schemes)
        parts.append(Sentence(f"只计认证类别为{named.zh}的商品", f"of goods certified under {named.en}"))
    if cap.categories:
        named = listed(value_words("category", one, names) for one in cap.categories)
        parts.append(Sentence(f"只计品类为{named.zh}的商品", f"of goods in {named.en}"))
    if cap.programme == ALL_PROGRAMMES:
        parts.append(Sentence("与本市各项政策合并计算", "shared by all policies of the city"))
    elif cap.programme is not None:
        parts.append(
            Sentence(
                f"与“{cap.programme}”计划的各项政策合并计算", f"shared by the policies of programme {cap.programme}"
            )
        )
    return joined([*parts, _beyond(cap)])


def each_words(per: Sequence[Per]) -> Sentence:
    """每人每个品类: whose use is counted, always in the same order."""
    named = [_EACH[one] for one in per]
    return Sentence("".join(one.zh for one in named), " and ".join(one.en for one in named))


def budget_clauses(policy: Policy) -> Iterator[Clause]:
    for position, budget in enumerate(policy.budgets):
        place = "budget" if len(policy.budgets) == 1 else f"budgets.{position}"
        key = f"budgets/{budget.unit}"
        total, noun = money(budget.unit, budget.amount), NOUNS[budget.unit]
        last = Sentence("余额不足时按余额发放", "what is left is paid out")
        if not budget.partial:
            last = Sentence("余额不足以全额发放的，不予发放", "an award that is more than what is left is not made")
        zh, en = f"{noun.zh}总额 {total.zh}；{last.zh}", f"{noun.en}: {total.en} in all; {last.en}"
        yield clause(key, place, Sentence("资金预算", "Budget"), zh, en)
        yield from _funding(budget, key, place)
        for at, pace in enumerate(budget.paces):
            yield _pace(budget, pace, f"{key}/paces/{pace.pace}", f"{place}.paces.{at}")


def _funding(budget: Budget, key: str, place: str) -> Iterator[Clause]:
    if budget.shares:
        zh = "、".join(f"{one.name_zh}承担 {percent(one.basis_points)}（{one.source}）" for one in budget.shares)
        en = ", ".join(f"{one.name_en} bears {percent(one.basis_points)} ({one.source})" for one in budget.shares)
        yield clause(f"{key}/shares", f"{place}.shares", Sentence("资金分担", "Who bears it"), zh, en)
    if budget.reclaim_on is not None:
        on = day(budget.reclaim_on)
        heading = Sentence("结余收回", "What is left")
        zh, en = f"{on.zh}起收回未使用的{NOUNS[budget.unit].zh}", f"goes back to the treasury from {on.en} on"
        yield clause(f"{key}/reclaim", f"{place}.reclaim_on", heading, zh, en)
    if budget.shards > 1:
        heading = Sentence("记账方式", "How it is kept")
        zh, en = (
            f"预算分 {budget.shards} 个账户记账，合计不变",
            f"spread over {budget.shards} accounts, the same in all",
        )
        yield clause(f"{key}/shards", f"{place}.shards", heading, zh, en)


def _pace(budget: Budget, pace: Pace, key: str, place: str) -> Clause:
    each, most = each_words(pace.per), money(budget.unit, pace.amount)
    parts = [Sentence(f"{each.zh}每日发放不超过 {most.zh}", f"at most {most.en} a day, by {each.en}")]
    for district, amount in sorted((pace.amounts or {}).items()):
        own = money(budget.unit, amount)
        parts.append(Sentence(f"其中 {district} 每日不超过 {own.zh}", f"{district}: {own.en} a day"))
    left = Sentence("当日未用完的不结转", "what a day leaves lapses")
    if pace.carry_over:
        left = Sentence("当日未用完的结转以后使用", "what a day leaves may be spent later")
    said = joined([*parts, left])
    return clause(
        key, place, Sentence("发放进度", "Pace"), f"{said.zh}（代号 {pace.pace}）", f"{said.en} ({pace.pace})"
    )


def _most(cap: Cap) -> Sentence:
    if cap.counts is Counts.PIECES:
        return Sentence(f"{cap.limit:,} 件", f"{cap.limit:,} pieces")
    if cap.counts is Counts.AWARDS or cap.unit is None:
        return Sentence(f"{cap.limit:,} 次", f"{cap.limit:,} awards")
    most, noun = money(cap.unit, cap.limit), NOUNS[cap.unit]
    return Sentence(f"{most.zh}（{noun.zh}）", f"{most.en} ({noun.en})")


def _beyond(cap: Cap) -> Sentence:
    if cap.beyond is Beyond.HOLD:
        zh, en = "超出的暂缓发放，由工作人员核查", "what is beyond it is held for a person to look at"
        if cap.partial:
            return Sentence(f"{zh}（整笔暂缓，不作部分发放）", f"{en} (as a whole, never in part)")
        return Sentence(zh, en)
    if cap.partial and cap.counts is not Counts.AMOUNT:
        return Sentence(
            "件数和次数不拆分，超出的整行不予发放", "a line that would pass it earns nothing: it is never cut"
        )
    if cap.partial:
        return Sentence("最后一次按剩余额度部分发放", "the last award is cut down to what is left")
    return Sentence("超出的整笔不予发放", "an award that would pass it is not made")


def _window(window: Window, place: str) -> Clause:
    each = each_words(window.per)
    return clause(
        f"windows/{window.window}",
        place,
        Sentence("间隔要求", "Apart in time"),
        f"{each.zh}在任意 {window.hours} 小时内只奖励一次（代号 {window.window}）",
        f"one award in any {window.hours} hours by {each.en} ({window.window})",
    )


def _milestone(milestone: Milestone, place: str) -> Clause:
    period = _PERIODS[milestone.period]
    steps = [
        Sentence(f"第 {at} 次另加 {bonus.zh}", f"with award {at}: {bonus.en} more")
        for at, bonus in ((at, money(milestone.unit, amount)) for at, amount in sorted(milestone.steps.items()))
    ]
    said = listed(steps)
    return clause(
        f"milestones/{milestone.milestone}",
        place,
        Sentence("加奖", "Bonus"),
        f"每人{period.zh}获得{NOUNS[milestone.unit].zh}奖励的次数：{said.zh}（代号 {milestone.milestone}）",
        f"by the number of a person's awards {period.en}, in {NOUNS[milestone.unit].en}: {said.en} ({milestone.milestone})",
    )


def _watch(watch: Watch, place: str) -> Clause:
    if watch.of is Of.TRAVEL:
        parts = [
            Sentence(
                f"同一人先后在两家门店购买，须以超过每小时 {watch.kmh} 公里的速度才能到达的",
                f"one person in two shops between which only more than {watch.kmh} km an hour leads",
            )
        ]
    else:
        parts = [
            Sentence(
                f"单价{side_zh}该商品近 90 天全市中位数 {percent(bound)} 的",
                f"a price {side_en} {percent(bound)} of the city's median of 90 days",
            )
            for side_zh, side_en, bound in (("高于", "above", watch.above_bp), ("低于", "below", watch.below_bp))
            if bound is not None
        ]
    said = joined(parts)
    return clause(
        f"watches/{watch.watch}",
        place,
        Sentence("异常核查", "Signs of misuse"),
        f"{said.zh}，暂缓发放，由工作人员核查（代号 {watch.watch}）",
        f"{said.en}: held for a person to look at ({watch.watch})",
    )
