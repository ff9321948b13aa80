"""What people call a limit, and how the last line of an award's arithmetic reads where a limit cut it."""

from backend.kernel.periods import Period
from backend.policies.compiled import CompiledPolicy
from backend.policies.evaluate import BUDGET, CEILING
from backend.policies.explain import AmountStep
from backend.policies.limits import CompiledCap, once_rule
from backend.policies.model import Counts, Per
from backend.policies.watch import Of
from backend.policies.words import Sentence, amount_words, percent

_PERIODS = {
    Period.DAY: Sentence("每日", "daily"),
    Period.MONTH: Sentence("每月", "monthly"),
    Period.YEAR: Sentence("每年", "yearly"),
    Period.LIFETIME: Sentence("累计", "lifetime"),
}
_WHOSE = {
    Per.PERSON: Sentence("您的", "your"),
    Per.PHONE: Sentence("该手机号的", "this phone number's"),
    Per.ADDRESS: Sentence("该收货地址的", "this address's"),
    Per.TRADE_IN: Sentence("这台旧机的", "this old unit's"),
    Per.SERIAL: Sentence("该序列号的", "this serial number's"),
    Per.TILL: Sentence("该收银设备的", "this till's"),
    Per.CASHIER: Sentence("该收银员的", "this cashier's"),
    Per.HOUR: Sentence("每小时的", "each hour's"),
    Per.STORE: Sentence("本店的", "this shop's"),
    Per.DISTRICT: Sentence("本区的", "this district's"),
    Per.CHANNEL: Sentence("该渠道的", "this channel's"),
    Per.MODEL: Sentence("该型号的", "this model's"),
    Per.CATEGORY: Sentence("该品类的", "this category's"),
    Per.SCHEME: Sentence("该认证类别的", "this scheme's"),
    Per.BASKET: Sentence("每单的", "each basket's"),
    Per.POLICY: Sentence("政策的", "the policy's"),
}
_WATCHED = {
    Of.PRICE: Sentence("成交价与该商品近期的常见价格相差较大", "the price is far from what these goods usually cost"),
    Of.TRAVEL: Sentence("短时间内在相距较远的门店购买", "bought in shops far apart within a short time"),
}
_HOUR_MS = 3_600_000
BUDGET_WORDS = Sentence("政策预算", "the policy's budget")


def limit_words(policy: CompiledPolicy, limit_name: str) -> Sentence:
    """What people call a limit: 您的每日上限 900 分, 政策预算."""
    cap = _cap(policy, limit_name)
    if cap is not None:
        return _cap_words(cap, policy)
    watch = next((one for one in policy.policy.watches if one.watch == limit_name), None)
    if watch is not None:
        return _WATCHED[watch.of]
    if limit_name == CEILING:
        if policy.stacking.ceiling_bp is None:  # another policy of its group sets it
            return Sentence("各项补贴合计上限", "the ceiling of all subsidies")
        share = percent(policy.stacking.ceiling_bp)
        return Sentence(f"各项补贴合计上限（成交价的 {share}）", f"the ceiling of all subsidies ({share} of the price)")
    return BUDGET_WORDS


def left_words(policy: CompiledPolicy | None, unit: str | None, limit_name: str | None, left: int) -> Sentence:
    """What a limit had left, in what it counts: 100 分, 1 件, 1 次."""
    cap = _cap(policy, limit_name) if policy is not None and limit_name is not None else None
    return _counted(cap, left) if cap is not None and cap.counts is not Counts.AMOUNT else amount_words(unit, left)


def limit_step(policy: CompiledPolicy, unit: str, limit_name: str, limit_left: int, amount: int) -> AmountStep:
    """The last line of the arithmetic, where a limit of `policy` cut the award to `amount`."""
    name, now = limit_words(policy, limit_name), amount_words(unit, amount)
    left = left_words(policy, unit, limit_name, limit_left)
    return AmountStep(Sentence(f"{name.zh}还剩 {left.zh}：{now.zh}", f"{name.en} had {left.en} left: {now.en}"), amount)


def _cap(policy: CompiledPolicy, limit_name: str) -> CompiledCap | None:
    return None if limit_name == BUDGET else next((cap for cap in policy.caps if cap.name == limit_name), None)


def _cap_words(cap: CompiledCap, policy: CompiledPolicy) -> Sentence:
    if once_rule(cap, policy.policy) is not None:
        return Sentence("每单 1 次的限制", "the limit of one a basket")
    whose = [_WHOSE[per] for per in sorted(cap.per, key=list(Per).index)]
    zh = "".join(word.zh for word in whose)
    if Per.PERSON in cap.per and len(whose) > 1:
        zh = zh.replace("您的", "您在", 1)
    most = _counted(cap, cap.limit) if cap.counts is not Counts.AMOUNT else amount_words(_unit(cap, policy), cap.limit)
    others = "".join(f" and {word.en.removesuffix(chr(39) + 's')}" for word in whose[1:])
    if cap.limit_of is not None:
        return Sentence(f"{zh}发放进度额度", f"{whose[0].en}{others} pace")
    if cap.within_ms:
        hours = cap.within_ms // _HOUR_MS
        return Sentence(f"{zh}每 {hours} 小时 1 次的限制", f"{whose[0].en}{others} limit of one award in {hours} hours")
    period = _PERIODS[cap.period]
    return Sentence(f"{zh}{period.zh}上限 {most.zh}", f"{whose[0].en}{others} {period.en} cap of {most.en}")


def _unit(cap: CompiledCap, policy: CompiledPolicy) -> str:
    return cap.unit or policy.policy.units[0].value


def _counted(cap: CompiledCap, number: int) -> Sentence:
    if cap.counts is Counts.PIECES:
        return Sentence(f"{number} 件", f"{number} piece" if number == 1 else f"{number} pieces")
    return Sentence(f"{number} 次", f"{number} time" if number == 1 else f"{number} times")
