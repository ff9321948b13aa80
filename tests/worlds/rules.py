"""Policy documents, small enough to compute by hand."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from backend.kernel.periods import milliseconds
from backend.ledger import chart
from backend.policies.compiled import CompiledPolicy, compile_policy
from backend.policies.document import load_policy
from backend.policies.limits import Limits

Doc = dict[str, Any]
FULL_RATES = {"U": {"P3": 10_000, "P2": 5_000}, "M": {"P3": 10_000, "P2": 5_000}, "E": {"P3": 5_000}}
VERSION = "01900000-0000-7000-8000-000000000001"


def where(fact: str, op: str, value: object) -> Doc:
    return {"fact": fact, "op": op, "value": value}


def fixed(amount: int) -> Doc:
    return {"kind": "fixed", "amount": amount}


def percent(basis_points: int, **more: object) -> Doc:
    return {"kind": "percent", "basis_points": basis_points, **more}


def rule(name: str, reward: Doc, *conditions: Doc, rates: Mapping[str, Mapping[str, int]] | None = None) -> Doc:
    return {
        "rule": name,
        "name_zh": f"规则 {name}",
        "name_en": f"Rule {name}",
        "when": list(conditions) or [where("quantity", ">=", 1)],
        "reward": reward,
        "rates": rates or FULL_RATES,
    }


def cap(name: str, period: str, limit: int, *, partial: bool = True) -> Doc:
    return {"cap": name, "per": "person", "period": period, "limit": limit, "partial": partial}


def document(
    *rules: Doc,
    policy: str = "green",
    caps: Sequence[Doc] | None = None,
    budget: int = 10**9,
    unit: str = "points",
    partial: bool = True,
    starts: str = "2026-01-01T00:00:00+08:00",
    ends: str = "2028-01-01T00:00:00+08:00",
) -> Doc:
    """Ten points for each label unless `rules` say otherwise; caps that do not bind unless `caps` do."""
    return {
        "policy": policy,
        "title_zh": "绿色消费积分",
        "title_en": "Green points",
        "document": {"number": "宁绿〔2026〕1号", "issuer": "南京市", "published_on": "2026-01-01"},
        "from": starts,
        "until": ends,
        "budget": {"unit": unit, "amount": budget, "partial": partial},
        "rules": list(rules) or [rule("ten", fixed(10))],
        "caps": list(caps) if caps is not None else [cap("life", "lifetime", 10**9)],
    }


def text_of(doc: Doc) -> str:
    return json.dumps(doc, ensure_ascii=False)


def compiled(doc: Doc, version: str = VERSION) -> CompiledPolicy:
    policy = load_policy(text_of(doc))
    return compile_policy(policy, version, policy.until_ms, chart.budget)


def limits(*policies: CompiledPolicy, budget: int | None = None) -> Limits:
    """Nothing used yet, and the whole budget (or `budget`) left."""
    return Limits({}, {b.pool: b.budget.amount if budget is None else budget for p in policies for b in p.budgets})


def at(text: str) -> int:
    """Unix ms of an ISO instant."""
    return milliseconds(datetime.fromisoformat(text))
