"""The policy document as JSON Schema (2020-12), and the page about it: both made from the code that reads documents."""

import json
from collections.abc import Iterator
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from marshmallow.fields import Field

from backend.kernel.amounts import MAX_AMOUNT
from backend.policies.conditions import DEPTH_MAX, FACTS, MEMBERS_MAX, VALUES_MAX
from backend.policies.model import Level, Per, Proof
from backend.policies.reading import DOCUMENT_BYTES_MAX
from backend.policies.shape import NAME_MAX, OneOrSome, PolicySchema
from backend.policies.words import value_words

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_IN_SPEC, _IN_SCHEMA = "#/components/schemas/", "#/$defs/"

DESCRIPTIONS = {
    "Policy": {
        "policy": "代号，各版本相同 / id, the same for all versions",
        "title_zh": "中文名称 / title in Chinese",
        "title_en": "英文名称 / title in English",
        "document": "所依据的公开文件；没有文号不得发布 / the public paper behind it",
        "from": "起始时刻（含），带时区 / first moment, with time zone",
        "until": "终止时刻（不含）；购买时刻决定适用版本 / end, excluded; the moment of sale picks the version",
        "budget": "唯一的预算 / the only budget",
        "budgets": "多个预算，每个单位一份 / several budgets, one a unit",
        "rules": "依次取第一条条件全部满足的规则 / the first whose conditions all hold decides",
        "caps": "上限 / limits",
        "scope": "适用范围，未写的一项不限 / the sales it is for; a side that is not named is open",
        "programme": "所属计划 / the programme it belongs to",
        "within": "所依附的市级政策 / the city policy that it narrows or tops up",
        "stacking": "与其他政策叠加的方式；未写时与其他未写的政策取先 / how it goes together with others",
        "pending": "奖励何时到账；未写即时到账 / when an award is available; at once if absent",
        "expiry": "积分何时失效；未写不失效 / when points end; never if absent",
        "returns": "退货收回奖励的期限；未写不限 / how long a return takes the award back",
        "transitions": "旧标识的过渡期 / old marks that are accepted for a time",
        "milestones": "第 n 次奖励的加奖 / bonus with the n-th award",
        "watches": "异常信号：暂缓并由人核查 / signs of misuse that hold an award for a person",
        "windows": "任意若干小时内只奖一次 / one award in any so many hours",
        "claims": "小票领取码：anywhere 手机或门店均可（默认）、same_store 须在售出的门店 / where a claim code is good",
    },
    "Published": {
        "number": "文号 / document number",
        "issuer": "发文单位 / issuer",
        "published_on": "发文日期 / date of issue",
        "url": "公开网址 / link",
    },
    "Scope": {
        "districts": "区县代码 / district codes",
        "stores": "门店；指定门店须有公平竞争依据 / shops; naming them needs a reason",
        "schemes": "认证类别 / certification schemes",
        "categories": "商品品类 / product categories",
        "channels": "till 收银台、phone 手机扫码，未写即此两项；hand_in 购买后补交旧机 / hand_in: an old unit after the sale",
        "buyers": "person 个人（默认）、organisation 单位 / person (default), organisation",
    },
    "Budget": {
        "unit": "points 积分、fen 分、gco2e 克二氧化碳当量、evidence 信用凭证、fee 门店手续费（分） / fee: fen due to shops",
        "amount": "总额，整数 / total, a whole number",
        "partial": "余额不足时是否部分奖励 / whether what is left is awarded",
        "shards": "分户数，写入多时用 / accounts it is spread over",
        "paces": "发放进度 / how fast it is spent",
        "shares": "各级承担比例，合计 10000 / who bears it, 10,000 together",
        "reclaim_on": "余额收回日期 / date on which the rest is reclaimed",
    },
    "Pace": {
        "pace": "代号 / id",
        "amount": "每日额度 / a day's amount",
        "per": "按什么分别计 / counted apart by",
        "amounts": "各区县单列的额度 / amounts of single districts",
        "carry_over": "当日未用完的留待以后 / what a day leaves may be spent later",
    },
    "Share": {
        "source": "代号 / id",
        "name_zh": "中文名称 / name in Chinese",
        "name_en": "英文名称 / name in English",
        "basis_points": "承担比例，基点 / its part, in basis points",
    },
    "Rule": {
        "rule": "代号 / id",
        "name_zh": "中文名称 / name in Chinese",
        "name_en": "英文名称 / name in English",
        "when": "条件，须全部满足 / conditions, all of them",
        "reward": "唯一的奖励 / the only reward",
        "rewards": "多项奖励，每个单位一项；fee 为门店手续费，随奖励发、随退货收回 / several, one a unit; fee is the shop's",
        "rates": "标签证明等级 × 购买证明等级 → 基点；未列出的不奖励 / label level x proof level; what is absent earns nothing",
    },
    "Reward": {
        "kind": "fixed 每次、per_unit 每件、percent 按成交价比例、table 查表 / a scan, a piece, of the price, by table",
        "unit": "单位；只有一个预算时可省 / unit; may be left out with one budget",
        "amount": "fixed、per_unit 的数额 / of fixed and per_unit",
        "basis_points": "percent 的比例，基点 / of percent",
        "by": "table 按 grade 等级或 tier 星级 / what a table goes by",
        "amounts": "等级 → 每件数额 / row -> amount a piece",
        "percents": "等级 → 比例，基点 / row -> basis points of the price",
        "cap_per_unit": "每件最高 / at most a piece",
        "factor": "系数，基点 / factor in basis points",
        "rounding": "down 舍去、half_up 四舍五入、up 进位 / how it is rounded, once",
        "once_a_basket": "每单只奖一次（fixed） / once a basket (fixed)",
    },
    "Cap": {
        "cap": "代号 / id",
        "per": "按什么计，可并列 / counted by, one or several",
        "period": "自然日、月、年或累计（北京时间） / civil period in Asia/Shanghai, or lifetime",
        "limit": "上限 / the limit",
        "partial": "最后一次是否部分奖励；按件数、次数的只整行计 / whether the last award is cut down; of lines never",
        "counts": "amount 金额、pieces 件数、awards 次数 / what it adds up",
        "unit": "金额的单位；只有一个预算时可省 / unit of an amount",
        "shared": "与同一计划的政策共用 / one counter for all policies of the programme",
        "citywide": "与全市政策共用 / one counter for all policies of the city",
        "beyond": "超出后 refuse 不奖励、hold 暂缓并由人核查 / refuse, or hold for a person",
        "schemes": "只计这些认证类别 / only these schemes",
        "categories": "只计这些品类 / only these categories",
    },
    "Stacking": {
        "group": "叠加组 / the group",
        "mode": "sum 相加、best 取高、first 取先 / all, the largest, the first that pays",
        "order": "组内次序 / order within the group",
        "ceiling_bp": "sum 组人民币补贴合计不超过成交价的比例，基点 / most of the price that a summing group pays in fen",
    },
    "Pending": {
        "days": "购买次日起满若干天后到账 / whole days after the day of sale, then available",
        "collect_hours": "须在若干小时内领取，逾期退回预算 / to be collected within, or it lapses",
    },
    "Expiry": {
        "months": "购买后若干个月的月末失效 / ends with the month that lies so many months later",
        "on": "在此日终了时失效 / ends with this day",
    },
    "Returns": {"days": "购买后若干天内退货收回奖励 / days after the sale in which a return takes the award back"},
    "Transition": {"scheme": "认证类别 / scheme", "until": "最后一日 / last day"},
    "Milestone": {
        "milestone": "代号 / id",
        "unit": "单位 / unit",
        "period": "在什么周期内计次 / civil period in which awards are counted",
        "steps": "第几次 → 加奖 / number of the award -> bonus",
    },
    "Window": {
        "window": "代号 / id",
        "per": "按什么计，可并列，如 model / counted by, one or several, e.g. model",
        "hours": "相隔不足这么多小时的两次只奖一次，按购买时刻计，不看日期 / of two sales less than so far apart only one earns",
    },
    "Watch": {
        "watch": "代号 / id",
        "of": "price 与该商品近 90 天全市单价中位数相比、travel 同一人两店距离与间隔相比 / price against the median, two shops",
        "above_bp": "高于中位数的此比例即核查，基点，如 13000 / held above this share of the median, in basis points",
        "below_bp": "低于中位数的此比例即核查，基点 / held below this share of the median",
        "kmh": "超过此时速才能到达即核查，公里 / held where only a faster journey leads from shop to shop, km an hour",
    },
}
"""What each field means, Chinese first; a test holds the names to the shape of documents."""


def json_schema() -> dict[str, Any]:
    """The schema of a document. It is stricter nowhere than the code, and looser where fields depend on each other."""
    plugin = MarshmallowPlugin()
    spec = APISpec(title="policy", version="1", openapi_version="3.1.0", plugins=[plugin])
    assert plugin.converter is not None, "the plugin is initialised by the spec"
    plugin.converter.add_attribute_function(_one_or_some)  # type: ignore[no-untyped-call]  # the library's
    spec.components.schema("Policy", schema=PolicySchema)
    text = json.dumps(spec.to_dict()["components"]["schemas"], ensure_ascii=False, default=str)
    shapes = json.loads(text.replace(_IN_SPEC, _IN_SCHEMA))
    for name, fields in DESCRIPTIONS.items():
        for field, said in fields.items():
            shapes[name]["properties"][field]["description"] = said
    shapes["Rule"]["properties"]["when"]["items"] = {"$ref": "#/$defs/Condition"}
    defs = {**shapes, "Condition": _condition()}
    return {"$schema": DIALECT, "title": "绿色消费奖励政策 / policy document", "$ref": "#/$defs/Policy", "$defs": defs}


def reference() -> str:
    """The one page about policy documents, in Markdown."""
    return "\n".join([*_opening(), *_tables(), *_facts(), *_levels()]) + "\n"


def _one_or_some(_converter: OpenAPIConverter, field: Field[Any], **_: object) -> dict[str, Any]:
    if not isinstance(field, OneOrSome):
        return {}
    word = {"enum": [per.value for per in Per]}
    return {"anyOf": [word, {"type": "array", "items": word, "minItems": 1, "uniqueItems": True}]}


def _condition() -> dict[str, Any]:
    members = {"type": "array", "minItems": 1, "maxItems": MEMBERS_MAX, "items": {"$ref": "#/$defs/Condition"}}
    groups = [
        {"type": "object", "properties": {mode: members}, "required": [mode], "additionalProperties": False}
        for mode in ("all", "any")
    ]
    return {"anyOf": [*groups, *(_comparison(name) for name in FACTS)]}


def _comparison(name: str) -> dict[str, Any]:
    fact = FACTS[name]
    value = {"type": "integer"} if fact.kind is int else {"type": "string", "maxLength": NAME_MAX}
    values = {"type": "array", "items": value, "minItems": 1, "maxItems": VALUES_MAX}
    properties = {
        "fact": {"const": name, "description": f"{fact.name_zh} / {fact.name_en}"},
        "op": {"enum": list(fact.operators)},
        "value": {"anyOf": [value, values]},
    }
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _opening() -> list[str]:
    return [
        "# 政策文件 Policy documents",
        "",
        "由代码生成 / made from the code: `greenpoints policies reference`。JSON Schema: `greenpoints policies schema`。",
        "",
        (
            f"一份 JSON，UTF-8，不超过 {DOCUMENT_BYTES_MAX // 1024} KiB；键不得重复；数值一律为整数，绝对值不超过 {MAX_AMOUNT}；"
            "比率以基点计（10000 为 100%）。One JSON document in UTF-8; no key twice; whole numbers only; ratios in basis points."
        ),
        "",
    ]


def _tables() -> Iterator[str]:
    shapes = json_schema()["$defs"]
    for name, fields in DESCRIPTIONS.items():
        yield from (f"## {name}", "", "| 字段 field | 取值 value | 含义 meaning |", "|---|---|---|")
        required = shapes[name].get("required", [])
        for field, said in fields.items():
            star = " *" if field in required else ""
            yield f"| `{field}`{star} | {_value(shapes[name]['properties'][field])} | {said} |"
        yield ""
    yield "带 * 的必填 / fields with * are required."
    yield ""


def _value(shape: dict[str, Any]) -> str:
    """What a field takes, in a few words."""
    named = next((part for part in (shape, *shape.get("anyOf", ())) if "$ref" in part), None)
    if named is not None:
        return str(named["$ref"]).rpartition("/")[2]
    if "enum" in shape:
        return " ".join(f"`{value}`" for value in shape["enum"] if value is not None)
    if "anyOf" in shape:
        return _value(shape["anyOf"][0])
    kind = next((k for k in _kinds(shape) if k != "null"), "object")
    if kind == "array":
        return f"[{_value(shape['items'])}]"
    if kind == "integer" and "maximum" in shape:
        return f"{shape.get('minimum', '…')}–{shape['maximum']}"
    return f"{kind} {shape['format']}" if "format" in shape else kind


def _kinds(shape: dict[str, Any]) -> list[str]:
    kind = shape.get("type", "object")
    return list(kind) if isinstance(kind, list) else [kind]


def _facts() -> Iterator[str]:
    yield from (
        "## 条件 Conditions",
        "",
        (
            '`{"fact": …, "op": …, "value": …}`，可用 `{"all": […]}`、`{"any": […]}` 分组，'
            f"最深 {DEPTH_MAX} 层；缺少的事实使条件不成立。A fact that is missing fails every comparison."
        ),
        "",
        "| fact | 名称 name | 类型 type | 比较 op | 单位 unit |",
        "|---|---|---|---|---|",
    )
    for fact in FACTS.values():
        ops = " ".join(f"`{op}`" for op in fact.operators)
        kind = "整数 integer" if fact.kind is int else "文本 text"
        yield f"| `{fact.name}` | {fact.name_zh} {fact.name_en} | {kind} | {ops} | {fact.unit_zh} |"
    yield ""


def _levels() -> Iterator[str]:
    yield from ("## 证明等级 What proves what", "", "| | |", "|---|---|")
    for fact, levels in (("level", Level), ("proof", Proof)):
        for level in levels:
            said = value_words(fact, level.value)
            yield f"| `{level.value}` | {said.zh} / {said.en} |"
