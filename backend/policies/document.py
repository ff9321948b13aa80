"""Where a policy document enters: JSON text to a `Policy`, every fault reported at once with its place.

Source of the shape: product.md groups B1-B3, B7-B10, B22 of the requirements; the reference stands in the README.
"""

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, ClassVar

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from backend.kernel.amounts import MAX_AMOUNT, Rounding, Unit
from backend.kernel.errors import DomainError
from backend.kernel.periods import Period, milliseconds
from backend.policies.conditions import DEPTH_MAX, FACTS, MEMBERS_MAX, VALUES_MAX
from backend.policies.model import (
    Cap,
    Condition,
    Group,
    Level,
    Policy,
    Proof,
    Published,
    Reward,
    RewardKind,
    Rule,
)

DOCUMENT_BYTES_MAX = 256 * 1024
RULES_MAX = 100
CAPS_MAX = 20
NAME_MAX = 80
RATE_MAX_BP = 10_000

_NAME = validate.Regexp(
    r"^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$", error="小写字母、数字和连字符 / lower-case letters, digits, hyphens"
)
_TEXT = validate.Length(1, NAME_MAX)
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
_MONEY = validate.Range(1, MAX_AMOUNT)


class PolicyRefused(DomainError):
    """A document that may not become a policy; `faults` maps each place to its reasons."""

    code = "policy-refused"
    text_zh = "政策文件有 {count} 处问题，改正后才能发布。"
    text_en = "Faults in the policy document: {count}. It cannot be published before they are mended."

    def __init__(self, faults: Mapping[str, list[str]]) -> None:
        super().__init__(count=len(faults), faults=dict(faults))
        self.faults = dict(faults)


class _Strict(Schema):
    class Meta:
        ordered = False
        unknown = "raise"


class PublishedSchema(_Strict):
    number = fields.String(required=True, validate=_TEXT)
    issuer = fields.String(required=True, validate=_TEXT)
    published_on = fields.Date(required=True)
    url = fields.Url(schemes={"https", "http"}, load_default=None, allow_none=True)


class BudgetSchema(_Strict):
    unit = fields.Enum(Unit, by_value=True, required=True)
    amount = fields.Integer(required=True, strict=True, validate=_MONEY)
    in_part = fields.Boolean(load_default=True, data_key="partial")


class RewardSchema(_Strict):
    kind = fields.Enum(RewardKind, by_value=True, required=True)
    amount = fields.Integer(strict=True, validate=_MONEY)
    basis_points = fields.Integer(strict=True, validate=validate.Range(1, 1_000_000))
    by = fields.String(validate=validate.OneOf(["grade", "tier"]))
    amounts = fields.Dict(keys=fields.Integer(), values=fields.Integer(strict=True, validate=_MONEY))
    percents = fields.Dict(
        keys=fields.Integer(), values=fields.Integer(strict=True, validate=validate.Range(1, 1_000_000))
    )
    cap_per_unit = fields.Integer(strict=True, validate=_MONEY, load_default=None, allow_none=True)
    factor = fields.Integer(strict=True, validate=validate.Range(1, 100_000), load_default=10_000)
    rounding = fields.Enum(Rounding, by_value=True, load_default=Rounding.DOWN)

    needs: ClassVar[dict[RewardKind, tuple[str, ...]]] = {
        RewardKind.FIXED: ("amount",),
        RewardKind.PER_UNIT: ("amount",),
        RewardKind.PERCENT: ("basis_points",),
        RewardKind.TABLE: ("by",),
    }

    @validates_schema
    def has_what_its_kind_needs(self, reward: dict[str, Any], **_: object) -> None:
        missing = [name for name in self.needs[reward["kind"]] if name not in reward]
        if missing:
            raise ValidationError(f"缺少 / missing: {', '.join(missing)}")
        if reward["kind"] is RewardKind.TABLE and ("amounts" in reward) == ("percents" in reward):
            raise ValidationError("amounts 与 percents 须且只须有一个 / exactly one of amounts and percents")


class RuleSchema(_Strict):
    rule = fields.String(required=True, validate=_NAME)
    name_zh = fields.String(required=True, validate=_TEXT)
    name_en = fields.String(required=True, validate=_TEXT)
    when = fields.List(fields.Raw(), required=True, validate=validate.Length(1, MEMBERS_MAX))
    reward = fields.Nested(RewardSchema, required=True)
    rates = fields.Dict(
        keys=fields.Enum(Level, by_value=True),
        values=fields.Dict(
            keys=fields.Enum(Proof, by_value=True),
            values=fields.Integer(strict=True, validate=validate.Range(1, RATE_MAX_BP)),
        ),
        required=True,
        validate=validate.Length(1),
    )


class CapSchema(_Strict):
    cap = fields.String(required=True, validate=_NAME)
    per = fields.String(required=True, validate=validate.OneOf(["person"]))
    period = fields.Enum(Period, by_value=True, required=True)
    limit = fields.Integer(required=True, strict=True, validate=_MONEY)
    in_part = fields.Boolean(load_default=True, data_key="partial")


class PolicySchema(_Strict):
    policy = fields.String(required=True, validate=_NAME)
    title_zh = fields.String(required=True, validate=_TEXT)
    title_en = fields.String(required=True, validate=_TEXT)
    document = fields.Nested(PublishedSchema, required=True)
    valid_from = fields.AwareDateTime(required=True, format="iso", data_key="from")
    valid_until = fields.AwareDateTime(required=True, format="iso", data_key="until")
    budget = fields.Nested(BudgetSchema, required=True)
    rules = fields.List(fields.Nested(RuleSchema), required=True, validate=validate.Length(1, RULES_MAX))
    caps = fields.List(fields.Nested(CapSchema), required=True, validate=validate.Length(1, CAPS_MAX))

    @validates_schema
    def is_consistent(self, document: dict[str, Any], **_: object) -> None:
        if document["valid_from"] >= document["valid_until"]:
            raise ValidationError("结束时间须晚于开始时间 / must end after it starts", "until")
        for kind, name in (("rules", "rule"), ("caps", "cap")):
            names = [member[name] for member in document[kind]]
            if len(set(names)) != len(names):
                raise ValidationError("名称重复 / names repeat", kind)


def load_policy(text: str | bytes) -> Policy:
    """The policy that `text` states. Raises PolicyRefused with every fault and its place at once."""
    loaded = _json(text)
    if not isinstance(loaded, dict):
        raise PolicyRefused({"": ["须为 JSON 对象 / must be a JSON object"]})
    try:
        document: dict[str, Any] = PolicySchema().load(loaded)
    except ValidationError as error:
        raise PolicyRefused(_flat(error.messages)) from None
    faults: dict[str, list[str]] = {}
    rules = tuple(
        _rule(rule, Unit(document["budget"]["unit"]), f"rules.{position}", faults)
        for position, rule in enumerate(document["rules"])
    )
    if faults:
        raise PolicyRefused(faults)
    return _policy(document, rules)


def _policy(document: dict[str, Any], rules: tuple[Rule, ...]) -> Policy:
    paper = document["document"]
    published_on: date = paper["published_on"]
    valid_from: datetime = document["valid_from"]
    return Policy(
        policy=document["policy"],
        title_zh=document["title_zh"],
        title_en=document["title_en"],
        document=Published(paper["number"], paper["issuer"], published_on.isoformat(), paper["url"]),
        from_ms=milliseconds(valid_from),
        until_ms=milliseconds(document["valid_until"]),
        unit=document["budget"]["unit"],
        budget=document["budget"]["amount"],
        budget_partial=document["budget"]["in_part"],
        rules=rules,
        caps=tuple(Cap(cap["cap"], cap["period"], cap["limit"], cap["in_part"]) for cap in document["caps"]),
    )


def _rule(rule: dict[str, Any], unit: Unit, place: str, faults: dict[str, list[str]]) -> Rule:
    reward = rule["reward"]
    return Rule(
        rule=rule["rule"],
        name_zh=rule["name_zh"],
        name_en=rule["name_en"],
        when=Group("all", tuple(_member(m, f"{place}.when.{i}", 1, faults) for i, m in enumerate(rule["when"]))),
        reward=Reward(
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
        ),
        rates={(level.value, proof.value): rate for level, row in rule["rates"].items() for proof, rate in row.items()},
    )


def _member(member: object, place: str, depth: int, faults: dict[str, list[str]]) -> Condition | Group:
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


def _condition(member: dict[str, Any], place: str, faults: dict[str, list[str]]) -> Condition | Group:
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


def _json(text: str | bytes) -> object:
    raw = text.encode() if isinstance(text, str) else text
    if len(raw) > DOCUMENT_BYTES_MAX:
        raise PolicyRefused({"": [f"文件超过 {DOCUMENT_BYTES_MAX} 字节 / larger than {DOCUMENT_BYTES_MAX} bytes"]})
    try:
        return json.loads(raw, object_pairs_hook=_unique, parse_float=_no_float, parse_constant=_no_float)
    except (ValueError, RecursionError) as error:
        reason = str(error) if isinstance(error, _Repeated | _Float) else "不是有效的 JSON / not valid JSON"
        raise PolicyRefused({"": [reason]}) from None


class _Repeated(ValueError):
    pass


class _Float(ValueError):
    pass


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        raise _Repeated(f"键重复 / a key stands twice: {max(names, key=names.count)[:NAME_MAX]}")
    return dict(pairs)


def _no_float(text: str) -> object:
    raise _Float(f"金额和积分只用整数 / whole numbers only: {text[:NAME_MAX]}")


def _flat(messages: object, place: str = "") -> dict[str, list[str]]:
    if isinstance(messages, dict):
        flat: dict[str, list[str]] = {}
        for name, inner in messages.items():
            step = "" if name == "_schema" else str(name)
            flat.update(_flat(inner, ".".join(part for part in (place, step) if part)))
        return flat
    return {place: [_bilingual(str(message)) for message in (messages if isinstance(messages, list) else [messages])]}


def _bilingual(message: str) -> str:
    return next((f"{zh} / {message}" for begins, zh in _CHINESE if message.startswith(begins)), message)
