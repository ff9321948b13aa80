"""The parts that a form is made of: each writes its part of a document into named fields, and reads it back. Pure.

A field is named by its place: `rules.0.rewards.0.cap_per_unit`. What a part cannot show to the last sign it leaves to
the object around it, which keeps it as JSON in its field `_rest`.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from backend.policies.conditions import FACTS
from backend.policies.form_values import KINDS, Json, Kind, Unfit, exactly, plain_list
from backend.policies.reading import Faults, Unreadable, read_object

REST, RAW, ALONE, WAS = "_rest", "_raw", "_alone", "_was"
MEMBERS = "members"
PRICED = frozenset({"price_fen", "unit_price_fen", "receipt_fen"})
Fields = dict[str, str]
Tree = Mapping[str, Any]
"""Fields by the steps of their places: text, or a tree."""
_ABSENT: Any = object()


@dataclass(slots=True)
class Read:
    """A form on its way back to a document. `fields` are those that were sent, for what depends on another field."""

    fields: Mapping[str, str]
    faults: Faults = field(default_factory=dict)

    def fault(self, place: str, reason: str) -> None:
        self.faults.setdefault(place, []).append(reason)


class Part(Protocol):
    def write(self, value: Json, place: str, fields: Fields) -> bool:
        """False, and no field written, where it cannot show `value`."""

    def read(self, tree: Any, place: str, read: Read) -> Json:
        """What the fields say; `ABSENT` where they say nothing."""


ABSENT = _ABSENT
KindAt = Callable[[Mapping[str, str], str], str]
"""(fields, place) -> the kind of value that stands there, where that depends on another field."""


def at(place: str, name: object) -> str:
    return f"{place}.{name}" if place else str(name)


@dataclass(frozen=True, slots=True)
class Value:
    """One field."""

    kind: str | KindAt

    def _kind(self, fields: Mapping[str, str], place: str) -> Kind:
        return KINDS[self.kind if isinstance(self.kind, str) else self.kind(fields, place)]

    def write(self, value: Json, place: str, fields: Fields) -> bool:
        text = exactly(self._kind(fields, place), value)
        if text is not None:
            fields[place] = text
        return text is not None

    def read(self, tree: Any, place: str, read: Read) -> Json:
        text = tree.strip() if isinstance(tree, str) else ""
        if not text:
            return ABSENT
        try:
            return self._kind(read.fields, place).read(text)
        except Unfit as unfit:
            read.fault(place, str(unfit))
            return text


@dataclass(frozen=True, slots=True)
class Choice:
    """Some of `options` in their order, or, where there are none, any texts; the field `…_was` beside it keeps how the
    document wrote them.
    """

    options: tuple[str, ...]

    def write(self, value: Json, place: str, fields: Fields) -> bool:
        chosen = value if isinstance(value, list) else [value]
        known = all(isinstance(one, str) and self._is_option(one) for one in chosen)
        if not chosen or not known or len(set(chosen)) != len(chosen):
            return False
        fields[place] = ",".join(chosen)
        fields[place + WAS] = json.dumps(value)
        return True

    def read(self, tree: Any, place: str, read: Read) -> Json:
        chosen = plain_list(tree) if isinstance(tree, str) else []
        was = _loaded(read.fields.get(place + WAS, ""))
        written = was if isinstance(was, list) else [was]
        if sorted(chosen) == sorted(map(str, written)):
            return was
        return ([one for one in self.options if one in chosen] if self.options else chosen) or ABSENT

    def _is_option(self, text: str) -> bool:
        return text in self.options if self.options else text.isprintable() and plain_list(text) == [text]


@dataclass(frozen=True, slots=True)
class Table:
    """An object of numbers, as rows of `key` and `value`."""

    value: Value

    def write(self, value: Json, place: str, fields: Fields) -> bool:
        if not isinstance(value, dict) or not value:
            return False
        rows: Fields = dict(fields)
        for position, (key, held) in enumerate(value.items()):
            row = at(place, position)
            if key.strip() != key or not key.isprintable() or not self.value.write(held, at(row, "value"), rows):
                return False
            rows[at(row, "key")] = key
        fields.update(rows)
        return True

    def read(self, tree: Any, place: str, read: Read) -> Json:
        found: dict[str, Json] = {}
        for row, held in rows_of(tree):
            where = at(place, row)
            key, value = _text(held, "key"), self.value.read(held.get("value"), at(where, "value"), read)
            if not key and value is ABSENT:
                continue
            if not key or value is ABSENT or key in found:
                read.fault(where, "两格都须填写，且各行不重复 / both are needed, and each row once")
            found[key] = None if value is ABSENT else value
        return found or ABSENT


@dataclass(frozen=True, slots=True)
class Section:
    """An object. `alone`: of a part that is a list, the name under which a document may write its only member."""

    parts: Mapping[str, Part]
    alone: Mapping[str, str] = field(default_factory=dict)

    def write(self, value: Json, place: str, fields: Fields) -> bool:
        if not isinstance(value, dict) or not value:
            return False
        left = dict(value)
        for name, part in self.parts.items():
            given = self._given(value, name)
            if given is None:
                continue
            if part.write(value[given] if given == name else [value[given]], at(place, name), fields):
                del left[given]
                if name in self.alone:
                    fields[at(at(place, name), ALONE)] = "" if given == name else "1"
        if left:
            fields[at(place, REST)] = json.dumps(left, ensure_ascii=False, indent=1)
        return True

    def read(self, tree: Any, place: str, read: Read) -> Json:
        if not isinstance(tree, dict):
            return ABSENT
        found: dict[str, Json] = {}
        for name, part in self.parts.items():
            held = part.read(tree.get(name), at(place, name), read)
            if held is ABSENT:
                continue
            written = self.alone.get(name)
            is_alone = written is not None and len(held) == 1 and _text(tree[name], ALONE) == "1"
            found[written if is_alone and written else name] = held[0] if is_alone else held
        rest = _kept(tree.get(REST), at(place, REST), read)
        # What was typed since counts.
        return {**rest, **found} or ABSENT

    def _given(self, value: Mapping[str, Json], name: str) -> str | None:
        """Under which name the document writes a part; where it writes it under both, it is no part of the form."""
        names = [one for one in (name, self.alone.get(name)) if one is not None and one in value]
        return names[0] if len(names) == 1 else None


@dataclass(frozen=True, slots=True)
class Rows:
    """A list of objects."""

    of: Section

    def write(self, value: Json, place: str, fields: Fields) -> bool:
        if not isinstance(value, list) or not value or not all(isinstance(one, dict) and one for one in value):
            return False
        for position, one in enumerate(value):
            self.of.write(one, at(place, position), fields)
        return True

    def read(self, tree: Any, place: str, read: Read) -> Json:
        found = [self.of.read(held, at(place, row), read) for row, held in rows_of(tree)]
        return [{} if one is ABSENT else one for one in found] or ABSENT


@dataclass(frozen=True, slots=True)
class Conditions:
    """The conditions of a rule: rows of fact, comparison and value; groups of them; and what is neither, as JSON."""

    def write(self, value: Json, place: str, fields: Fields) -> bool:
        if not isinstance(value, list) or not value:
            return False
        for position, member in enumerate(value):
            self._write(member, at(place, position), fields)
        return True

    def read(self, tree: Any, place: str, read: Read) -> Json:
        return [self._read(held, at(place, row), read) for row, held in rows_of(tree)] or ABSENT

    def _write(self, member: Json, place: str, fields: Fields) -> None:
        mode = next(iter(member)) if isinstance(member, dict) and member.keys() in ({"all"}, {"any"}) else None
        if mode is not None and self.write(member[mode], at(place, MEMBERS), fields):
            fields[at(place, "mode")] = mode
        elif not _write_condition(member, place, fields):
            fields[at(place, RAW)] = json.dumps(member, ensure_ascii=False)

    def _read(self, tree: Any, place: str, read: Read) -> Json:
        if RAW in tree:
            return _loaded(tree[RAW])
        mode = _text(tree, "mode")
        if mode in ("all", "any"):
            members = self.read(tree.get(MEMBERS), at(place, MEMBERS), read)
            if members is ABSENT:
                read.fault(place, "这一组还没有条件 / the group has no condition yet")
            return {mode: [] if members is ABSENT else members}
        return _read_condition(tree, place, read)


def value_kind(fact: str, op: str) -> str:
    several = op in ("in", "not_in")
    if fact in PRICED:
        return "prices" if several else "money"
    if fact in FACTS and FACTS[fact].kind is int:
        return "numbers" if several else "whole"
    return "list" if several else "text"


def rows_of(tree: Any) -> list[tuple[str, Tree]]:
    """The numbered members of a tree, in their order."""
    if not isinstance(tree, dict):
        return []
    return sorted(
        ((name, held) for name, held in tree.items() if name.isdecimal() and isinstance(held, dict)),
        key=lambda row: int(row[0]),
    )


def _write_condition(member: Json, place: str, fields: Fields) -> bool:
    if not isinstance(member, dict) or member.keys() != {"fact", "op", "value"}:
        return False
    fact, op = member["fact"], member["op"]
    if not isinstance(fact, str) or fact not in FACTS or op not in FACTS[fact].operators:
        return False
    text = exactly(KINDS[value_kind(fact, op)], member["value"])
    if text is not None:
        fields.update({at(place, "fact"): fact, at(place, "op"): op, at(place, "value"): text})
    return text is not None


def _read_condition(tree: Tree, place: str, read: Read) -> Json:
    fact, op = _text(tree, "fact"), _text(tree, "op")
    if fact not in FACTS:
        read.fault(place, "请选择条件项 / choose what the condition looks at")
    value = Value(value_kind(fact, op)).read(tree.get("value"), place, read)
    if value is ABSENT and fact in FACTS:
        read.fault(place, "请填写取值 / fill in the value")
    return {"fact": fact, "op": op, "value": "" if value is ABSENT else value}


def _kept(text: object, place: str, read: Read) -> dict[str, Json]:
    if not isinstance(text, str) or not text.strip():
        return {}
    try:
        return read_object(text)
    except Unreadable as unreadable:
        read.fault(place, next(iter(unreadable.faults.values()))[0])
        return {}


def _loaded(text: str) -> Json:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _text(tree: Any, name: str) -> str:
    held = tree.get(name) if isinstance(tree, dict) else None
    return held.strip() if isinstance(held, str) else ""
