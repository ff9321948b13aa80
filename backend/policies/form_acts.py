"""What one does to a form beside typing: a row more, a row less, a row further up. Pure."""

from collections.abc import Mapping
from types import MappingProxyType

from backend.policies.form_parts import ALONE, MEMBERS, Fields, at

_CONDITION = {"fact": "grade", "op": "<=", "value": ""}
_REWARD = {"kind": "percent", "rounding": "down"}
_CAP = {"period": "year", "per": "person", "counts": "amount"}
NEW_ROWS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "when": _CONDITION,
        MEMBERS: _CONDITION,
        "rewards": _REWARD,
        "rules": {
            **{f"when.0.{name}": text for name, text in _CONDITION.items()},
            **{f"rewards.0.{name}": text for name, text in _REWARD.items()},
            f"rewards.{ALONE}": "1",
            "rates.M.P3": "100",
        },
        "caps": _CAP,
        "budgets": {"unit": "points"},
        "paces": {"per": "policy"},
        "windows": {"per": "person", "hours": "24"},
        "milestones": {"period": "year"},
        "watches": {"of": "price"},
    }
)
"""What a new row of a list starts with, by the name of the list."""
_NAMED = {
    "rules": "rule",
    "caps": "cap",
    "paces": "pace",
    "windows": "window",
    "milestones": "milestone",
    "watches": "watch",
}
"""Lists whose rows have a name that the document needs: one is proposed, so that nobody has to invent it."""

BLANK: Mapping[str, str] = MappingProxyType(
    {
        "budgets.0.unit": "fen",
        f"budgets.{ALONE}": "1",
        **{f"rules.0.{name}": text for name, text in NEW_ROWS["rules"].items()},
        "rules.0.rule": "rule-1",
        "caps.0.cap": "cap-1",
        "caps.0.per": "person",
        "caps.0.period": "year",
        "caps.0.counts": "amount",
    }
)
"""A new document: one budget, one rule, one cap, to be filled in."""


def acted(fields: Mapping[str, str], act: str) -> Fields:
    """The fields after `add:rules`, `group:rules.0.when`, `remove:rules.0`, `up:rules.1`; others leave them as they are."""
    what, _, place = act.partition(":")
    if what == "add":
        return _added(fields, place)
    if what == "group":
        row = at(place, _next(fields, place))
        inner = {at(at(row, MEMBERS), f"0.{name}"): text for name, text in _CONDITION.items()}
        return {**fields, at(row, "mode"): "any", **inner}
    if what == "remove":
        return {name: text for name, text in fields.items() if not _within(name, place)}
    if what == "up":
        return _swapped(fields, place)
    return dict(fields)


def _added(fields: Mapping[str, str], place: str) -> Fields:
    name, number = place.rpartition(".")[2], _next(fields, place)
    row = at(place, number)
    found = {**fields, **{at(row, inner): text for inner, text in NEW_ROWS.get(name, {"key": ""}).items()}}
    if name in _NAMED:
        found[at(row, _NAMED[name])] = _unused(fields, _NAMED[name])
    return found


def _unused(fields: Mapping[str, str], stem: str) -> str:
    taken = set(fields.values())
    return next(name for number in range(1, len(taken) + 2) if (name := f"{stem}-{number}") not in taken)


def _next(fields: Mapping[str, str], place: str) -> int:
    start = f"{place}."
    numbers = [name.removeprefix(start).split(".")[0] for name in fields if name.startswith(start)]
    return max((int(number) for number in numbers if number.isdecimal()), default=-1) + 1


def _within(name: str, place: str) -> bool:
    return bool(place) and (name == place or name.startswith(f"{place}."))


def _swapped(fields: Mapping[str, str], place: str) -> Fields:
    """The row at `place` with the one before it: of rules the first that holds decides."""
    rows, _, number = place.rpartition(".")
    if not number.isdecimal() or int(number) == 0:
        return dict(fields)
    above = at(rows, int(number) - 1)
    return {_moved(name, place, above): text for name, text in fields.items()}


def _moved(name: str, one: str, other: str) -> str:
    if _within(name, one):
        return other + name[len(one) :]
    return one + name[len(other) :] if _within(name, other) else name
