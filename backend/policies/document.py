"""Where a policy document enters: JSON text to a `Policy`, every fault reported at once with its place.

Source of the shape: product.md groups B1-B3, B7-B10, B22 of the requirements; the reference stands in the README.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from functools import lru_cache
from itertools import islice
from typing import Any

from marshmallow import ValidationError

from backend.kernel.amounts import MAX_AMOUNT, Unit
from backend.kernel.errors import DomainError
from backend.kernel.periods import milliseconds
from backend.policies.conditions import DEPTH_MAX, FACTS, MEMBERS_MAX, VALUES_MAX
from backend.policies.model import (
    ALL_PROGRAMMES,
    Budget,
    Cap,
    Condition,
    Counts,
    Group,
    Milestone,
    Pace,
    Policy,
    Published,
    Reward,
    Rule,
    Scope,
    Share,
    Stacking,
    Window,
)
from backend.policies.reading import Faults, Unreadable, decoded, read_object, step
from backend.policies.shape import NAME_MAX, PolicySchema
from backend.policies.spelling import misspelled
from backend.policies.terms import AT_ONCE, WHENEVER, WITHOUT_END, Expiry, Pending, Returns, Transition
from backend.policies.watch import Watch

FAULTS_SHOWN = 200
"""Of a document that has more, the first are named and all are counted."""

POLICIES_KEPT = 64
"""What a text states is the same whenever it is asked; a page reads the same few texts, some of them thrice."""

_SCHEMA = PolicySchema()
"""To make it takes as long as to read a document by it."""

_CHINESE = (
    ("Missing data", "必填，未提供"),
    ("Unknown field", "没有这个字段"),
    ("Field may not be null", "不能为空"),
    ("Not a valid string", "须为文本"),
    ("Not a valid integer", "须为整数"),
    ("Not a valid boolean", "须为 true 或 false"),
    ("Not a valid list", "须为数组"),
    ("Not a valid mapping", "须为 JSON 对象"),
    ("Invalid input type", "须为 JSON 对象"),
    ("Not a valid date.", "须为日期，如 2026-01-31"),
    ("Not a valid aware datetime", "须为带时区的时间，如 2026-01-01T00:00:00+08:00"),
    ("Not a valid datetime", "须为带时区的时间，如 2026-01-01T00:00:00+08:00"),
    ("Not a valid URL", "须为网址"),
    ("Must be one of", "取值不在允许范围"),
    ("Must be greater", "数值不在允许范围"),
    ("Must be less", "数值不在允许范围"),
    ("Length must be", "长度或项数不符"),
    ("Shorter than", "长度或项数不符"),
    ("Longer than", "长度或项数不符"),
)
"""How the library's own sentences begin, and what they say; ours bring both languages."""


class PolicyRefused(DomainError):
    """A document that may not become a policy; `faults` maps each place to its reasons."""

    code = "policy-refused"
    text_zh = "政策文件有 {count} 处问题，改正后才能发布。"
    text_en = "Faults in the policy document: {count}. It cannot be published before they are mended."

    def __init__(self, faults: Mapping[str, list[str]]) -> None:
        self.faults = dict(islice(faults.items(), FAULTS_SHOWN))
        super().__init__(count=len(faults), faults=self.faults)


def load_policy(text: str | bytes, *, published: bool = False) -> Policy:
    """The policy that `text` states. Raises PolicyRefused with every fault and its place at once.

    `published` for a version that stands in the database: laws of spelling that came later are not held against it.
    """
    return _loaded(text, published)


@lru_cache(maxsize=POLICIES_KEPT)
def _loaded(text: str | bytes, published: bool) -> Policy:  # noqa: FBT001 - as `load_policy` was told
    try:
        loaded = read_object(text)
        misspelt = {} if published else misspelled(loaded)
        document: dict[str, Any] = _SCHEMA.load(loaded)
    except Unreadable as unreadable:
        raise PolicyRefused(unreadable.faults) from None
    except ValidationError as error:
        raise PolicyRefused({**misspelt, **_flat(error.messages), **_faults_of_conditions(loaded)}) from None
    if misspelt:
        raise PolicyRefused(misspelt)
    faults: Faults = {}
    budgets = document.get("budgets") or [document["budget"]]
    units = [budget["unit"] for budget in budgets]
    rules = tuple(_rule(rule, units, f"rules.{position}", faults) for position, rule in enumerate(document["rules"]))
    caps = tuple(_cap(cap, document, units, f"caps.{i}", faults) for i, cap in enumerate(document["caps"]))
    milestones = tuple(
        _milestone(milestone, units, f"milestones.{i}", faults) for i, milestone in enumerate(document["milestones"])
    )
    if faults:
        raise PolicyRefused(faults)
    return _policy(document, tuple(_budget(budget) for budget in budgets), rules, caps, milestones)


def document_text(content: bytes) -> str:
    """The text of a file, to be loaded and stored. Raises PolicyRefused when it is too large or no UTF-8."""
    try:
        return decoded(content)
    except Unreadable as unreadable:
        raise PolicyRefused(unreadable.faults) from None


def _policy(
    document: dict[str, Any],
    budgets: tuple[Budget, ...],
    rules: tuple[Rule, ...],
    caps: tuple[Cap, ...],
    milestones: tuple[Milestone, ...],
) -> Policy:
    paper, stacking = document["document"], document["stacking"]
    pending, expiry, returns = document["pending"], document["expiry"], document["returns"]
    scope = document["scope"]
    return Policy(
        policy=document["policy"],
        title_zh=document["title_zh"],
        title_en=document["title_en"],
        document=Published(paper["number"], paper["issuer"], paper["published_on"].isoformat(), paper["url"]),
        from_ms=milliseconds(document["valid_from"]),
        until_ms=milliseconds(document["valid_until"]),
        budgets=budgets,
        rules=rules,
        caps=caps,
        scope=Scope(**{side: tuple(str(name) for name in names) for side, names in scope.items()}),
        programme=document["programme"],
        within=document["within"],
        stacking=Stacking(**stacking) if stacking else None,
        pending=Pending(**pending) if pending else AT_ONCE,
        expiry=Expiry(expiry["months"], _on(expiry["on"])) if expiry else WITHOUT_END,
        returns=Returns(**returns) if returns else WHENEVER,
        transitions=tuple(Transition(one["scheme"], one["until"].isoformat()) for one in document["transitions"]),
        milestones=milestones,
        watches=tuple(Watch(**watch) for watch in document["watches"]),
        claims=document["claims"],
        windows=tuple(Window(one["window"], tuple(one["per"]), one["hours"]) for one in document["windows"]),
    )


def _on(date_given: date | None) -> str | None:
    return None if date_given is None else date_given.isoformat()


def _budget(budget: dict[str, Any]) -> Budget:
    return Budget(
        budget["unit"],
        budget["amount"],
        budget["in_part"],
        budget["shards"],
        tuple(
            Pace(pace["pace"], pace["amount"], tuple(pace["per"]), pace["amounts"], pace["carry_over"])
            for pace in budget["paces"]
        ),
        tuple(Share(**share) for share in budget["shares"]),
        _on(budget["reclaim_on"]),
    )


def _cap(cap: dict[str, Any], document: dict[str, Any], units: list[Unit], place: str, faults: Faults) -> Cap:
    unit, programme = cap["unit"], ALL_PROGRAMMES if cap["citywide"] else None
    if cap["shared"]:
        programme = document["programme"]
    if cap["shared"] and programme is None:
        faults[f"{place}.shared"] = ["共用上限须有 programme / a shared cap needs the policy's programme"]
    if cap["counts"] is Counts.AMOUNT and unit is None:
        if len(units) > 1:
            faults[f"{place}.unit"] = ["有多个预算，须写明 unit / the policy has several budgets: name the unit"]
        unit = units[0]
    _has_budget(unit, units, f"{place}.unit", faults)
    return Cap(
        cap["cap"],
        cap["period"],
        cap["limit"],
        cap["in_part"],
        unit,
        tuple(cap["per"]),
        cap["counts"],
        programme,
        tuple(cap["schemes"]),
        tuple(cap["categories"]),
        cap["beyond"],
    )


def _milestone(milestone: dict[str, Any], units: list[Unit], place: str, faults: Faults) -> Milestone:
    _has_budget(milestone["unit"], units, f"{place}.unit", faults)
    if milestone["unit"] is Unit.FEE:
        faults[f"{place}.unit"] = ["加奖是给购买人的 / a bonus is the buyer's"]
    return Milestone(**milestone)


def _rule(rule: dict[str, Any], units: list[Unit], place: str, faults: Faults) -> Rule:
    given = rule.get("rewards") or [rule["reward"]]
    at = (f"{place}.rewards.{i}" for i in range(len(given))) if "rewards" in rule else iter([f"{place}.reward"])
    rewards = tuple(_reward(reward, units, where, faults) for reward, where in zip(given, at, strict=True))
    if len({reward.unit for reward in rewards}) != len(rewards):
        faults[f"{place}.rewards"] = ["同一单位只能有一项奖励 / one reward a unit"]
    if {reward.unit for reward in rewards} == {Unit.FEE}:
        faults[place] = ["门店手续费须与给购买人的奖励同在 / a shop's handling fee goes with an award of the buyer"]
    return Rule(
        rule=rule["rule"],
        name_zh=rule["name_zh"],
        name_en=rule["name_en"],
        when=Group("all", tuple(_member(m, f"{place}.when.{i}", 1, faults) for i, m in enumerate(rule["when"]))),
        rewards=tuple(sorted(rewards, key=lambda reward: reward.unit is Unit.FEE)),
        rates={(level.value, proof.value): rate for level, row in rule["rates"].items() for proof, rate in row.items()},
    )


def _reward(reward: dict[str, Any], units: list[Unit], place: str, faults: Faults) -> Reward:
    unit = reward["unit"]
    if unit is None:
        if len(units) > 1:
            faults[f"{place}.unit"] = ["有多个预算，须写明 unit / the policy has several budgets: name the unit"]
        unit = units[0]
    _has_budget(unit, units, f"{place}.unit", faults)
    return Reward(
        kind=reward["kind"],
        unit=unit,
        rounding=reward["rounding"],
        amount=reward.get("amount", 0),
        basis_points=reward.get("basis_points", 0),
        by=reward.get("by"),
        table=reward.get("amounts") or reward.get("percents"),
        table_is_percent="percents" in reward,
        cap_per_unit=reward["cap_per_unit"],
        factor_bp=reward["factor"],
        once_a_basket=reward["once_a_basket"],
    )


def _has_budget(unit: Unit | None, units: Iterable[Unit], place: str, faults: Faults) -> None:
    if unit is not None and unit not in units:
        faults[place] = [f"没有 {unit} 的预算 / there is no budget in {unit}"]


def _member(member: object, place: str, depth: int, faults: Faults) -> Condition | Group:
    if isinstance(member, dict) and member.keys() in ({"all"}, {"any"}):
        (mode, members), *_ = member.items()
        if depth >= DEPTH_MAX or not isinstance(members, list) or not 1 <= len(members) <= MEMBERS_MAX:
            faults[place] = [
                f"分组最深 {DEPTH_MAX} 层、1-{MEMBERS_MAX} 项 / at most {DEPTH_MAX} deep, 1-{MEMBERS_MAX} members"
            ]
            return Group("all", ())
        return Group(mode, tuple(_member(m, f"{place}.{i}", depth + 1, faults) for i, m in enumerate(members)))
    if not isinstance(member, dict) or member.keys() != {"fact", "op", "value"}:
        faults[place] = ["条件须为 fact、op、value / a condition has fact, op, value"]
        return Group("all", ())
    return _condition(member, place, faults)


def _condition(member: dict[str, Any], place: str, faults: Faults) -> Condition | Group:
    fact = FACTS.get(member["fact"]) if isinstance(member["fact"], str) else None
    if fact is None:
        faults[place] = [f"未知条件项 / unknown fact; known: {', '.join(FACTS)}"]
        return Group("all", ())
    op, value = member["op"], member["value"]
    if op not in fact.operators:
        faults[place] = [f"不支持的比较 / operator not allowed; allowed: {' '.join(fact.operators)}"]
        return Group("all", ())
    values = value if op in ("in", "not_in") else [value]
    if (
        not isinstance(values, list)
        or not 1 <= len(values) <= VALUES_MAX
        or not all(_fits(v, fact.kind) for v in values)
    ):
        faults[place] = [f"取值类型不符 / value must be {fact.kind.__name__}"]
        return Group("all", ())
    return Condition(fact.name, op, tuple(values) if op in ("in", "not_in") else value)


def _fits(value: object, kind: type[int] | type[str]) -> bool:
    if isinstance(value, bool) or not isinstance(value, kind):
        return False
    return len(value) <= NAME_MAX if isinstance(value, str) else abs(value) <= MAX_AMOUNT


def _faults_of_conditions(loaded: dict[str, Any]) -> Faults:
    """Of a document whose shape is refused: its conditions have faults of their own, to be said with the others."""
    faults: Faults = {}
    rules = loaded.get("rules")
    for position, rule in enumerate(rules if isinstance(rules, list) else ()):
        when = rule.get("when") if isinstance(rule, dict) else None
        for at, member in enumerate(when[:MEMBERS_MAX] if isinstance(when, list) else ()):
            _member(member, f"rules.{position}.when.{at}", 1, faults)
    return faults


def _flat(messages: object, place: str = "") -> Faults:
    if isinstance(messages, dict):
        flat: Faults = {}
        for name, inner in messages.items():
            flat.update(_flat(inner, place if name == "_schema" else step(place, name)))
        return flat
    return {place: [_bilingual(str(message)) for message in (messages if isinstance(messages, list) else [messages])]}


def _bilingual(message: str) -> str:
    return next((f"{zh} / {message}" for begins, zh in _CHINESE if message.startswith(begins)), message)
