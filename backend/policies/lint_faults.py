"""What the loader refused, as findings: the code says which law of the house is broken, not which field failed."""

from collections.abc import Iterator
from typing import Any

from backend.kernel.amounts import Unit
from backend.policies.document import PolicyRefused
from backend.policies.lint_finding import Finding, blocker
from backend.policies.reading import Unreadable, read_object
from backend.policies.words import Sentence

_ABSENT = {
    "document": "no_document",
    "document.number": "no_document",
    "budget": "no_budget",
    "budget.amount": "no_budget",
    "caps": "no_cap",
    "from": "no_period",
    "until": "no_period",
}
"""Places of which the absence has a name of its own."""
_SENTENCES = {
    "no_document": Sentence(
        "没有文号：政策须依据城市已公开发布的文件，写明文号、发布机关和日期",
        "no document number: a policy rests on a document that the city has published",
    ),
    "no_budget": Sentence(
        "没有预算：须写明单位和金额（budget，多个单位时用 budgets）",
        "no budget: state its unit and amount (budget, or budgets for several units)",
    ),
    "no_cap": Sentence("没有上限：至少写明一个约束每人的上限", "no cap: state at least one that bounds a person"),
    "no_period": Sentence(
        "没有起止时间：须写明 from 和 until，带时区", "no period: state from and until, with their zone"
    ),
    "negative_credit": Sentence(
        "信用凭证不得为负：本系统只增不减，退货等行为不扣信用",
        "credit evidence is never negative: it is only ever given, and no return takes any away",
    ),
}
"""What is said instead of the reason of the field."""
_SAID = (
    ("结束时间须晚于开始时间", "ends_before_it_starts"),
    ("没有这个字段", "unknown_field"),
    ("未知条件项", "unknown_fact"),
    ("不支持的比较", "unknown_operator"),
    ("取值类型不符", "wrong_type"),
    ("须为 JSON 对象", "wrong_type"),
    ("须为文本", "wrong_type"),
    ("须为整数", "wrong_type"),
    ("须为数组", "wrong_type"),
    ("须为 true", "wrong_type"),
    ("须为日期", "wrong_type"),
    ("须为带时区的时间", "wrong_type"),
    ("必填", "missing"),
    ("键重复", "repeated_key"),
    ("名称重复", "repeated_name"),
    ("数值过大", "number_too_large"),
    ("金额和积分只用整数", "not_whole"),
    ("嵌套超过", "too_deep"),
    ("分组最深", "too_deep"),
    ("文件超过", "too_large"),
    ("各级承担比例之和", "shares_not_whole"),
    ("没有 ", "unit_without_budget"),
)
"""How a reason of the loader begins, and the code under which the linter lists it."""


def faults_found(text: str | bytes, refused: PolicyRefused) -> list[Finding]:
    """One blocker a fault, in the order of the loader."""
    try:
        given: Any = read_object(text)
    except Unreadable:
        given = {}
    return [found for place, reasons in refused.faults.items() for found in _findings(place, reasons, given)]


def _findings(place: str, reasons: list[str], given: Any) -> Iterator[Finding]:
    for reason in reasons:
        code = _code(place, reason, given)
        zh, _, en = reason.partition(" / ")
        said = _SENTENCES.get(code) or Sentence(zh, en or zh)
        yield blocker(code, place, said.zh, said.en)


def _code(place: str, reason: str, given: Any) -> str:
    holder, value = _at(given, place)
    if isinstance(value, int) and not isinstance(value, bool) and value < 0:
        return "negative_credit" if _is_of_credit(holder, given) else "negative_amount"
    if place in _ABSENT and not value:
        return _ABSENT[place]
    if place == "document.number" and isinstance(value, str) and not value.strip():
        return "no_document"
    return next((code for begins, code in _SAID if reason.startswith(begins)), "malformed")


def _is_of_credit(holder: Any, given: Any) -> bool:
    """Whether a reward is in credit evidence: by its own unit, or as the only unit that the policy has."""
    unit = holder.get("unit") if isinstance(holder, dict) else None
    budget = given.get("budget")
    return (unit or (budget.get("unit") if isinstance(budget, dict) else None)) == Unit.EVIDENCE


def _at(given: Any, place: str) -> tuple[Any, Any]:
    """What holds `place`, and what stands there; None where nothing does."""
    holder, value = None, given
    for name in place.split(".") if place else ():
        holder = value
        if isinstance(value, dict):
            value = value.get(name)
        elif isinstance(value, list) and name.isdigit() and int(name) < len(value):
            value = value[int(name)]
        else:
            return None, None
    return holder, value
