"""What a policy document means, clause by clause, as an official paper would put it: Chinese, English beside it. Pure.

Two policies say the same if and only if they are the same: a property test holds every part of a document to being said.
"""

from collections.abc import Iterator

from backend.policies.clause import Clause, begins, clause, day, ends, listed
from backend.policies.model import Mode, Policy
from backend.policies.statement_limits import budget_clauses, cap_clauses
from backend.policies.statement_rules import rule_clauses
from backend.policies.terms import AT_ONCE, WHENEVER, WITHOUT_END, Claims
from backend.policies.words import NO_NAMES, Names, Sentence, percent, value_words

_SIDES = (
    ("districts", "district", Sentence("适用区县", "Districts"), Sentence("全市各区县", "the whole city")),
    ("stores", "store", Sentence("适用门店", "Shops"), Sentence("不指定门店", "any shop")),
    ("schemes", "certificate_scheme", Sentence("认证类别", "Certification schemes"), Sentence("不限", "any")),
    ("categories", "category", Sentence("商品品类", "Product categories"), Sentence("不限", "any")),
    (
        "channels",
        "channel",
        Sentence("购买渠道", "Channels"),
        Sentence("收银台和手机扫码（未另行指定）", "tills and phones (none is named)"),
    ),
    ("buyers", "buyer", Sentence("补贴对象", "Buyers"), Sentence("个人", "persons")),
)
_MODES = {
    Mode.SUM: Sentence("可同时享受，金额相加", "all are paid"),
    Mode.BEST: Sentence("不重复享受，取最高的一项", "the largest is paid"),
    Mode.FIRST: Sentence("不重复享受，取次序在先的一项", "the first that pays is paid"),
}


def statement(policy: Policy, names: Names = NO_NAMES) -> tuple[Clause, ...]:
    """Every clause of `policy`, in the order of a paper: basis, period, scope, standards, limits, money, terms."""
    return (
        *_basis(policy),
        *_scope(policy, names),
        *rule_clauses(policy, names),
        *cap_clauses(policy, names),
        *budget_clauses(policy),
        _stacking(policy),
        *_terms(policy, names),
    )


def _basis(policy: Policy) -> Iterator[Clause]:
    paper = policy.document
    on = day(paper.published_on)
    yield clause(
        "title",
        "title_zh",
        Sentence("政策名称", "Title"),
        f"{policy.title_zh}（代号 {policy.policy}）",
        f"{policy.title_en} ({policy.policy})",
    )
    yield clause(
        "document",
        "document",
        Sentence("文件依据", "Published paper"),
        f"{paper.issuer}《{paper.number}》，{on.zh}发布" + (f"，{paper.url}" if paper.url else ""),
        f"{paper.number} of {paper.issuer}, {on.en}" + (f", {paper.url}" if paper.url else ""),
    )
    begin, end = begins(policy.from_ms), ends(policy.until_ms)
    yield clause(
        "period",
        "from",
        Sentence("实施期限", "In force"),
        f"{begin.zh}起至{end.zh}止，以购买时间为准",
        f"from {begin.en} until {end.en}, by the moment of sale",
    )
    if policy.programme is not None:
        heading = Sentence("所属计划", "Programme")
        yield clause("programme", "programme", heading, policy.programme, policy.programme)
    if policy.within is not None:
        heading = Sentence("所依附的市级政策", "Within the city policy")
        zh, en = f"在“{policy.within}”的范围内收紧或加补", f"narrows or tops up {policy.within}"
        yield clause("within", "within", heading, zh, en)


def _scope(policy: Policy, names: Names) -> Iterator[Clause]:
    for side, fact, heading, anything in _SIDES:
        named: tuple[str, ...] = getattr(policy.scope, side)
        said = listed(value_words(fact, one, names) for one in named) if named else anything
        yield clause(f"scope/{side}", f"scope.{side}", heading, said.zh, said.en)


def _stacking(policy: Policy) -> Clause:
    heading = Sentence("与其他政策的关系", "With other policies")
    stacking = policy.stacking
    if stacking is None:
        zh = "与未约定叠加方式的其他政策不重复享受，取次序在先的一项"
        return clause("stacking", "stacking", heading, zh, "of policies that state nothing the first that pays is paid")
    mode = _MODES[stacking.mode]
    zh = f"同属“{stacking.group}”组的政策{mode.zh}，本政策在组内次序为 {stacking.order}"
    en = f"of group {stacking.group} {mode.en}; its order in it is {stacking.order}"
    if stacking.ceiling_bp is not None:
        zh += f"，各项补贴合计不超过成交价的 {percent(stacking.ceiling_bp)}"
        en += f", at most {percent(stacking.ceiling_bp)} of the price together"
    return clause("stacking", "stacking", heading, zh, en)


def _terms(policy: Policy, names: Names) -> Iterator[Clause]:
    pending, expiry, returns = _pending(policy), _expiry(policy), _returns(policy)
    yield clause("pending", "pending", Sentence("到账时间", "When it is available"), pending.zh, pending.en)
    yield clause("expiry", "expiry", Sentence("有效期", "When it ends"), expiry.zh, expiry.en)
    yield clause("returns", "returns", Sentence("退货处理", "Returns"), returns.zh, returns.en)
    for position, one in enumerate(policy.transitions):
        scheme, on = value_words("certificate_scheme", one.scheme, names), day(one.until)
        yield clause(
            f"transitions/{one.scheme}/{position}",
            f"transitions.{position}",
            Sentence("旧标识过渡期", "Old marks"),
            f"{scheme.zh}的商品在{on.zh}（含当日）前购买的予以承认",
            f"goods under {scheme.en} are accepted if sold on or before {on.en}",
        )
    claims = Sentence("小票领取码可用手机或在任一门店使用", "a claim code is good by phone and at any shop")
    if policy.claims is Claims.SAME_STORE:
        claims = Sentence(
            "小票领取码只能在售出商品的门店使用", "a claim code is good only at the shop that sold the goods"
        )
    yield clause("claims", "claims", Sentence("补领", "Claims"), claims.zh, claims.en)


def _pending(policy: Policy) -> Sentence:
    pending = policy.pending
    if pending == AT_ONCE:
        return Sentence("购买核定后即时到账", "at once")
    if pending.days:
        return Sentence(f"自购买次日起满 {pending.days} 日后到账", f"{pending.days} whole days after the day of sale")
    hours = pending.collect_hours
    return Sentence(
        f"须在购买后 {hours} 小时内领取，逾期退回预算",
        f"to be collected within {hours} hours of the sale, or it lapses",
    )


def _expiry(policy: Policy) -> Sentence:
    expiry = policy.expiry
    if expiry == WITHOUT_END:
        return Sentence("不设失效期", "it does not end")
    if expiry.on is not None:
        on = day(expiry.on)
        return Sentence(f"{on.zh}终了时失效", f"with the end of {on.en}")
    return Sentence(
        f"购买后第 {expiry.months} 个月的月末失效", f"at the end of the month {expiry.months} months after the sale"
    )


def _returns(policy: Policy) -> Sentence:
    returns = policy.returns
    if returns == WHENEVER:
        return Sentence("退货时收回已发放的奖励，不限期限", "a return takes the award back, whenever it is")
    return Sentence(
        f"购买后 {returns.days} 日内退货的，收回已发放的奖励",
        f"a return within {returns.days} days takes the award back",
    )
