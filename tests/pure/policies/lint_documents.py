"""A sound document, and others that differ from it in one place."""

import copy
import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from backend.policies.document import load_policy
from backend.policies.lint import NO_SCHEMES, lint
from backend.policies.lint_finding import SchemeCeiling
from backend.policies.model import Policy

Doc = dict[str, Any]

SOUND: Doc = {
    "policy": "green-points",
    "title_zh": "绿色消费积分",
    "title_en": "Green points",
    "document": {"number": "示例发〔2026〕1号", "issuer": "示例市商务局", "published_on": "2025-12-20"},
    "from": "2026-01-01T00:00:00+08:00",
    "until": "2028-01-01T00:00:00+08:00",
    "budget": {"unit": "points", "amount": 5_000_000},
    "rules": [
        {
            "rule": "organic",
            "name_zh": "有机食品每元 2 分",
            "name_en": "Organic food, 2 points a yuan",
            "when": [{"fact": "certificate_scheme", "op": "=", "value": "organic"}],
            "reward": {"kind": "percent", "basis_points": 200},
            "rates": {"U": {"P3": 10_000, "P2": 8_000}},
        }
    ],
    "caps": [{"cap": "daily", "per": "person", "period": "day", "limit": 200}],
    "expiry": {"months": 12},
    "pending": {"days": 7},
    "returns": {"days": 7},
}
SCHEMES = {
    "organic": SchemeCeiling("U", 10_000),
    "energy_label": SchemeCeiling("M", 10_000),
    "gap": SchemeCeiling("E", 5_000),
    "alliance": SchemeCeiling("S", 2_000),
    "carbon_footprint": SchemeCeiling("M", 0),
}


def where(fact: str, op: str, value: object) -> Doc:
    return {"fact": fact, "op": op, "value": value}


def changed(**changes: Any) -> Doc:
    """The sound document with other values: `budget__amount=1` stands for the place budget.amount, `None` takes away."""
    doc = copy.deepcopy(SOUND)
    for path, value in changes.items():
        *names, last = [int(name) if name.isdigit() else name for name in path.split("__")]
        holder: Any = doc
        for name in names:
            holder = holder.setdefault(name, {}) if isinstance(name, str) else holder[name]
        if value is None:
            holder.pop(last)
        else:
            holder[last] = value
    return doc


def rule(name: str, *when: Doc, reward: Doc | None = None, rates: Mapping[str, Mapping[str, int]] | None = None) -> Doc:
    return {
        "rule": name,
        "name_zh": f"规则 {name}",
        "name_en": f"Rule {name}",
        "when": list(when) or [where("quantity", ">=", 1)],
        "reward": reward or {"kind": "fixed", "amount": 1},
        "rates": rates or {"U": {"P3": 10_000}, "M": {"P3": 10_000}},
    }


def policy(doc: Doc) -> Policy:
    return load_policy(json.dumps(doc, ensure_ascii=False))


def found(
    doc: Doc,
    others: Sequence[Doc] | None = None,
    schemes: Mapping[str, SchemeCeiling] = NO_SCHEMES,
    categories: Collection[str] | None = None,
) -> list[tuple[str, str, str]]:
    """(severity, code, place) of every finding."""
    beside = None if others is None else [policy(other) for other in others]
    return [(one.severity.value, one.code, one.place) for one in lint(policy(doc), beside, schemes, categories)]
