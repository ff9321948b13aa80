"""What the system decided since a moment, read as an auditor may, and said in a few words for the table."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from backend.policies.conditions import FACTS
from backend.policies.model import Condition, Policy
from backend.storage.transaction import Database

_DECIDED = text("""
SELECT b.device, b.basket::text, b.seq, d.line_no, b.recorded_at, coalesce(d.code_text, ''), d.label_key, d.certificate,
       s.name_zh, d.category, d.grade, d.tier, d.outcome, d.reason, d.rule, d.missing, d.award, d.limit_left, b.resident::text
FROM baskets b
JOIN decisions d ON d.city = :city AND d.basket = b.basket AND d.decision_no = 1
LEFT JOIN schemes s ON s.code = d.certificate_scheme
WHERE b.city = :city AND b.recorded_at >= :since
ORDER BY b.recorded_at, b.device, b.seq, d.line_no
LIMIT 1000
""")
_BALANCES = text("""
SELECT account, balance FROM accounts WHERE city = :city AND account = ANY(:accounts)
""")

_SHORT = {
    "awarded": ("已奖励", "awarded"),
    "awarded_in_part": ("到达上限，奖励其余 {limit_left} 分", "up to the cap"),
    "product_unknown": ("未收录商品，待核实", "unknown product, pending"),
    "claim_open": ("未出示会员码，凭领取码领取", "no member: claim code given"),
    "no_member": ("没有会员", "no member"),
    "unit_already_awarded": ("此件已奖励过，每件只一次", "this unit was awarded before"),
    "certificate_expired": ("证书已到期", "certificate expired"),
    "certificate_suspended": ("证书暂停", "certificate suspended"),
    "certificate_withdrawn": ("证书已撤销", "certificate withdrawn"),
    "certificate_not_yet_valid": ("证书尚未生效", "certificate not yet valid"),
    "label_ccc": ("CCC 是安全认证，不是绿色认证", "CCC is safety, not green"),
    "label_personal": ("含个人信息，未保存", "personal, not kept"),
    "evidence": ("证明等级不足", "evidence too weak"),
    "price_missing": ("没有成交价", "no price"),
    "cap": ("已达上限", "cap reached"),
    "budget": ("预算已用完", "budget exhausted"),
    "clock_uncertain": ("终端时钟不可信，待核", "till clock uncertain, held"),
    "label_review": ("标签需人工核对", "label needs review"),
    "no_policy": ("没有适用的政策", "no policy in force"),
}


@dataclass(frozen=True, slots=True)
class Decided:
    """One read as it was decided. `line` orders the reads of a basket, `seq` the baskets of a till."""

    device: str
    basket: str
    seq: int
    line: int
    recorded_at: datetime
    label: str
    key: str | None
    certificate: str | None
    scheme_zh: str | None
    category: str | None
    grade: int | None
    tier: int | None
    outcome: str
    reason: str
    rule: str | None
    missing: str | None
    award: int
    limit_left: int | None
    resident: str | None


def decided_since(database: Database, city: str, since: datetime) -> list[Decided]:
    with database.read() as connection:
        rows = connection.execute(_DECIDED, {"city": city, "since": since}).all()
    return [Decided(*row) for row in rows]


def balances(connection: Connection, city: str, accounts: Sequence[str]) -> dict[str, int]:
    rows = connection.execute(_BALANCES, {"city": city, "accounts": list(accounts)}).all()
    return {row[0]: int(row[1]) for row in rows}


def label_words(decided: Decided) -> str:
    """What was printed; of a web address only what it names, the rest is the same on every label."""
    return decided.key if decided.key and decided.label.startswith("http") else decided.label


def certificate_words(decided: Decided) -> str:
    """Number, scheme, and the grade or stars that a policy may ask for."""
    if decided.certificate is None:
        return "—"
    rank = f" {decided.grade} 级" if decided.grade else f" {decided.tier} 星" if decided.tier else ""
    return f"{decided.scheme_zh}{rank} {decided.certificate}"


def reason_words(decided: Decided, policies: Sequence[Policy]) -> tuple[str, str]:
    """Why, Chinese and English; for a condition that failed, the nearest one and what the product has."""
    if decided.reason == "condition":
        return _nearest(decided, policies)
    zh, en = _SHORT.get(decided.reason, (decided.reason, decided.reason))
    zh = zh.format(limit_left=decided.limit_left)
    for policy in policies:
        for rule in policy.rules:
            if rule.rule == decided.rule and decided.outcome == "awarded":
                return f"{zh}：{rule.name_zh}", f"{en}: {rule.name_en}"
    return zh, en


def _nearest(decided: Decided, policies: Sequence[Policy]) -> tuple[str, str]:
    rules = [rule for policy in policies for rule in policy.rules if rule.rule == decided.rule]
    position = int(decided.missing or 0)
    member = rules[0].when.members[position] if rules and position < len(rules[0].when.members) else None
    if not isinstance(member, Condition):
        return "不符合条件", "a condition is not met"
    fact = FACTS[member.fact]
    has = {"grade": decided.grade, "tier": decided.tier, "category": decided.category}.get(member.fact)
    wanted = f"{member.op} {member.value}".replace("<=", "≤").replace(">=", "≥")
    return (
        f"{rules[0].name_zh}要求{fact.name_zh} {wanted}，此商品为 {has}",
        f"{fact.name_en} must be {wanted}, it is {has}",
    )
