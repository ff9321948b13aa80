"""A policy document as a form, and back: lossless for every document, whatever stands in it. Pure.

What the form has no field for stays with the object that holds it, as JSON. The fields are plain text by place, as a
browser sends them; what the loader or the linter says of a place of the document is shown at a field (`field_of`).
"""

import re
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from backend.policies.form_parts import (
    ABSENT,
    MEMBERS,
    Choice,
    Conditions,
    Fields,
    Read,
    Rows,
    Section,
    Table,
    Value,
    at,
)
from backend.policies.form_values import Json
from backend.policies.model import HAND_IN, SALES, Buyer, Counts, Level, Per, Proof
from backend.policies.reading import Faults

MONEY_UNITS = ("fen", "fee")
_UNITS_AT = {"budgets": 2, "rules": 4, "caps": 2, "milestones": 2}
"""Into how many steps the place goes that states the unit of the amounts below it."""


def amount_kind(fields: Mapping[str, str], place: str) -> str:
    """Whether the amount at `place` is written in yuan or counted in whole units, by its unit or the only budget's."""
    steps = place.split(".")
    if steps[0] == "caps" and fields.get(".".join([*steps[:2], "counts"])) in (Counts.PIECES, Counts.AWARDS):
        return "whole"
    unit = fields.get(".".join([*steps[: _UNITS_AT[steps[0]]], "unit"])) or fields.get("budgets.0.unit")
    return "money" if unit in MONEY_UNITS else "whole"


_TEXT, _WHOLE, _PERCENT, _FLAG, _LIST, _DAY = map(Value, ("text", "whole", "percent", "flag", "list", "day"))
_AMOUNT = Value(amount_kind)
PER = Choice(tuple(one.value for one in Per))
_PACED = Choice(tuple(one.value for one in (Per.POLICY, Per.DISTRICT, Per.STORE, Per.CHANNEL)))
_PACE = Section({"pace": _TEXT, "amount": _AMOUNT, "per": _PACED, "amounts": Table(_AMOUNT), "carry_over": _FLAG})
_SHARE = Section({"source": _TEXT, "name_zh": _TEXT, "name_en": _TEXT, "basis_points": _PERCENT})
_BUDGET = Section(
    {
        "unit": _TEXT,
        "amount": _AMOUNT,
        "partial": _FLAG,
        "shards": _WHOLE,
        "paces": Rows(_PACE),
        "shares": Rows(_SHARE),
        "reclaim_on": _DAY,
    }
)
_REWARD = Section(
    {
        "unit": _TEXT,
        "kind": _TEXT,
        "amount": _AMOUNT,
        "basis_points": _PERCENT,
        "by": _TEXT,
        "amounts": Table(_AMOUNT),
        "percents": Table(_PERCENT),
        "cap_per_unit": _AMOUNT,
        "factor": _PERCENT,
        "rounding": _TEXT,
        "once_a_basket": _FLAG,
    }
)
_RATES = Section({level.value: Section({proof.value: _PERCENT for proof in Proof}) for level in Level})
_RULE = Section(
    {
        "rule": _TEXT,
        "name_zh": _TEXT,
        "name_en": _TEXT,
        "when": Conditions(),
        "rewards": Rows(_REWARD),
        "rates": _RATES,
    },
    {"rewards": "reward"},
)
_CAP = Section(
    {
        "cap": _TEXT,
        "per": PER,
        "period": _TEXT,
        "counts": _TEXT,
        "unit": _TEXT,
        "limit": _AMOUNT,
        "partial": _FLAG,
        "shared": _FLAG,
        "citywide": _FLAG,
        "beyond": _TEXT,
        "schemes": _LIST,
        "categories": _LIST,
    }
)
_SCOPE = Section(
    {
        "districts": Choice(()),
        "stores": _LIST,
        "schemes": Choice(()),
        "categories": _LIST,
        "channels": Choice((*SALES, HAND_IN)),
        "buyers": Choice(tuple(one.value for one in Buyer)),
    }
)
_WATCH = Section({"watch": _TEXT, "of": _TEXT, "above_bp": _PERCENT, "below_bp": _PERCENT, "kmh": _WHOLE})
_MILESTONE = Section({"milestone": _TEXT, "unit": _TEXT, "period": _TEXT, "steps": Table(_AMOUNT)})
# Budgets first: what the amounts elsewhere are counted in may be theirs.
POLICY = Section(
    {
        "budgets": Rows(_BUDGET),
        "policy": _TEXT,
        "title_zh": _TEXT,
        "title_en": _TEXT,
        "document": Section({"number": _TEXT, "issuer": _TEXT, "published_on": _DAY, "url": _TEXT}),
        "from": Value("first"),
        "until": Value("last"),
        "scope": _SCOPE,
        "rules": Rows(_RULE),
        "caps": Rows(_CAP),
        "windows": Rows(Section({"window": _TEXT, "per": PER, "hours": _WHOLE})),
        "milestones": Rows(_MILESTONE),
        "watches": Rows(_WATCH),
        "programme": _TEXT,
        "within": _TEXT,
        "stacking": Section({"group": _TEXT, "mode": _TEXT, "order": _WHOLE, "ceiling_bp": _PERCENT}),
        "pending": Section({"days": _WHOLE, "collect_hours": _WHOLE}),
        "expiry": Section({"months": _WHOLE, "on": _DAY}),
        "returns": Section({"days": _WHOLE}),
        "transitions": Rows(Section({"scheme": _TEXT, "until": _DAY})),
        "claims": _TEXT,
    },
    {"budgets": "budget"},
)


class FormRead(NamedTuple):
    """What a form says: `fields` with their rows numbered anew from 0, and `faults` of fields that are no such value."""

    document: Json
    fields: Fields
    faults: Faults


def to_fields(document: Mapping[str, Json]) -> Fields:
    """The fields that show `document`; `from_fields` of them is `document` again, to the last sign."""
    fields: Fields = {}
    POLICY.write(document, "", fields)
    return fields


def from_fields(sent: Mapping[str, str]) -> FormRead:
    """The document that the fields say. Fields that no form has are ignored, a value that does not fit is a fault."""
    tree = _numbered(_tree(sent))
    fields = dict(_flat(tree))
    read = Read(fields)
    document = POLICY.read(tree, "", read)
    return FormRead({} if document is ABSENT else document, fields, read.faults)


def field_of(place: str) -> str:
    """Where the form shows what stands at a place of the document: an only budget is a row like others."""
    place = re.sub(r"^budget(?=\.|$)", "budgets.0", place)
    place = re.sub(r"^(rules\.[0-9]+)\.reward(?=\.|$)", r"\1.rewards.0", place)
    rule, when, inner = place.partition(".when.")
    return rule + when + f".{MEMBERS}.".join(inner.split(".")) if when else place


def nearest(place: str, shown: Collection[str]) -> str:
    """The innermost of the `shown` places that holds `place`; empty for the form as a whole."""
    steps = place.split(".")
    for length in range(len(steps), 0, -1):
        if ".".join(steps[:length]) in shown:
            return ".".join(steps[:length])
    return ""


def _tree(fields: Mapping[str, str]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for place, text in fields.items():
        *steps, last = place.split(".")
        branch = tree
        for step in steps:
            inner = branch.setdefault(step, {})
            if not isinstance(inner, dict):
                break
            branch = inner
        else:
            branch.setdefault(last, text)
    return tree


def _numbered(tree: dict[str, Any]) -> dict[str, Any]:
    """Rows from 0 without a gap: those between which one was removed keep their order."""
    rows = sorted((int(name), name) for name in tree if name.isdecimal())
    new = {name: str(position) for position, (_, name) in enumerate(rows)}
    ordered = [name for name in tree if name not in new] + [name for _, name in rows]
    return {
        new.get(name, name): _numbered(tree[name]) if isinstance(tree[name], dict) else tree[name] for name in ordered
    }


def _flat(tree: Mapping[str, Any], place: str = "") -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name, held in tree.items():
        found += _flat(held, at(place, name)) if isinstance(held, dict) else [(at(place, name), held)]
    return found
