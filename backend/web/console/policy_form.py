"""The form of a policy as its templates see it: fields by place, rows, the words of every choice, notes at their fields."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import Connection
from werkzeug.datastructures import MultiDict

from backend.certificates.queries import scheme_names
from backend.policies.clause import Clause
from backend.policies.document import PolicyRefused, load_policy
from backend.policies.form import amount_kind, field_of, from_fields, nearest
from backend.policies.form_parts import ALONE, RAW, REST, WAS, value_kind
from backend.policies.form_values import plain_list, same
from backend.policies.lint_finding import Severity
from backend.policies.statement import statement
from backend.retailers.queries import districts_of
from backend.usecases.lint_policy import lint_policy
from backend.web.console.declare import Texts
from backend.web.console.policy_options import comparisons
from backend.web.console.policy_shown import named_district, names_for

FIELDS_MAX = 4_000
VALUE_CHARS_MAX = 20_000
_LISTS = re.compile(r"(?:^|\.)(?:per|channels|buyers|schemes|districts)$")
"""Fields that several boxes of one name fill."""
_CODE = re.compile(r"[a-z][a-z_]+[a-z]")
"""The linter knows schemes by their codes, officials by their names."""
_IN_A_ROW = re.compile(r"^(.*\.when(?:\.[0-9]+|\.members)*\.[0-9]+)\.(?:fact|op|value|mode|_raw)$")
_IN_A_TABLE = re.compile(r"^(.*\.(?:amounts|percents|steps))\.[0-9]+\.(?:key|value)$")
_IN_RATES = re.compile(r"^(.*\.rates)\..*$")
ORDER = (
    "policy", "title_zh", "title_en", "document", "from", "until", "programme", "within", "budget", "budgets", "scope",
    "rules", "caps",
)  # fmt: skip
"""In which order a document is written; what is not named follows as it comes."""


class Note(NamedTuple):
    """What the linter, or the form itself, says at a field."""

    kind: str
    sentence: Texts
    place: str


@dataclass(frozen=True, slots=True)
class FormView:
    """`fields` as they were typed; `notes` by the place at which they are shown; `focus` is the field that is come to."""

    fields: Mapping[str, str]
    schemes: Sequence[tuple[str, Texts]] = ()
    districts: Sequence[tuple[str, Texts]] = ()
    notes: Mapping[str, Sequence[Note]] = field(default_factory=dict)
    focus: str = ""

    def value(self, place: str) -> str:
        return self.fields.get(place, "")

    def chosen(self, place: str) -> list[str]:
        return plain_list(self.value(place))

    def rows(self, place: str) -> list[str]:
        """The places of its rows, in their order."""
        start = f"{place}."
        found = {name.removeprefix(start).split(".")[0] for name in self.fields if name.startswith(start)}
        return [f"{place}.{number}" for number in sorted((one for one in found if one.isdecimal()), key=int)]

    def says_nothing(self, place: str) -> bool:
        """Whether what the form has no field for is empty throughout: it is kept, but there is nothing to show."""
        try:
            kept = json.loads(self.value(place))
        except ValueError:
            return False
        return isinstance(kept, dict) and all(value is None for value in kept.values())

    def has(self, place: str) -> bool:
        """Whether anything is filled in below a place."""
        return any(text for name, text in self.fields.items() if name == place or name.startswith(f"{place}."))

    def is_money(self, place: str) -> bool:
        return amount_kind(self.fields, place) == "money"

    def is_list(self, row: str) -> bool:
        """Whether a condition names several values."""
        return value_kind(self.value(f"{row}.fact"), self.value(f"{row}.op")) in ("list", "numbers", "prices")

    def comparisons(self, row: str) -> Sequence[tuple[str, Texts]]:
        return comparisons(self.value(f"{row}.fact"), self.value(f"{row}.op"))

    def at(self, place: str) -> Sequence[Note]:
        return self.notes.get(place, ())

    @property
    def slots(self) -> list[str]:
        return slots(self.fields)

    @property
    def all_notes(self) -> list[Note]:
        return [note for notes in self.notes.values() for note in notes]


class Looked(NamedTuple):
    """A form that was looked at: its document as text, what it means where that is known, notes at their fields."""

    form: FormView
    text: str
    document: Mapping[str, Any]
    clauses: tuple[Clause, ...]


def sent_fields(form: MultiDict[str, str]) -> dict[str, str]:
    """The fields of a request: boxes of one name together, what is no field of a policy left out."""
    found: dict[str, str] = {}
    for name in list(form)[:FIELDS_MAX]:
        if name not in NOT_FIELDS:
            texts = [text[:VALUE_CHARS_MAX] for text in form.getlist(name)]
            found[name] = ",".join(filter(None, texts)) if _LISTS.search(name) else texts[-1]
    return found


NOT_FIELDS = frozenset({"csrf", "act", "draft", "revision", "as", "document"})


def look(connection: Connection, city: str, fields: Mapping[str, str], *, focus: str = "") -> Looked:
    """Reads, lints and says a form."""
    read = from_fields(fields)
    text = written(read.document)
    notes: dict[str, list[Note]] = {}
    shown = set(slots(read.fields))
    schemes = {code: name_zh for code, name_zh, _ in scheme_names(connection)}
    for place, reasons in read.faults.items():
        _note(notes, shown, place, Severity.BLOCKER.value, reasons[0])
    for found in lint_policy(connection, city, text):
        place = field_of(found.place)
        if place not in read.faults:
            zh = _CODE.sub(lambda code: schemes.get(code[0], code[0]), found.sentence_zh)
            _note(notes, shown, place, found.severity.value, f"{zh} / {found.sentence_en}")
    return Looked(_view(connection, city, read.fields, notes, focus), text, read.document, said(connection, text))


def look_at_text(connection: Connection, city: str, text: str) -> Looked:
    """Lints and says a document as experts write it; what is wrong is named by its place in the text."""
    notes = [
        Note(
            one.severity.value,
            (f"{one.place}：{one.sentence_zh}" if one.place else one.sentence_zh, f"{one.place}: {one.sentence_en}"),
            "",
        )
        for one in lint_policy(connection, city, text)
    ]
    return Looked(FormView({}, notes={"": notes}), text, {}, said(connection, text))


def said(connection: Connection, text: str) -> tuple[Clause, ...]:
    """What a text means; nothing where it is no policy yet."""
    try:
        return statement(load_policy(text), names_for(connection, text))
    except PolicyRefused:
        return ()


def unlooked(connection: Connection, city: str, fields: Mapping[str, str], *, focus: str = "") -> FormView:
    """A form that nobody judged yet."""
    return _view(connection, city, from_fields(fields).fields, {}, focus)


def written(document: Mapping[str, Any]) -> str:
    """A document as text, in the order of a paper."""
    ordered = {name: document[name] for name in ORDER if name in document}
    return json.dumps({**ordered, **document}, ensure_ascii=False, indent=2) + "\n"


def text_to_keep(stored: str, document: Mapping[str, Any]) -> str:
    """`stored` to the byte where it says the same; else the document anew."""
    try:
        known = json.loads(stored)
    except ValueError:
        return written(document)
    return stored if same(known, dict(document)) else written(document)


def slots(fields: Iterable[str]) -> list[str]:
    """The places at which the form shows notes: its fields, and the rows and parts around them."""
    found: dict[str, None] = dict.fromkeys(
        ("document", "scope", "rules", "caps", "budgets", "stacking", "pending", "expiry")
    )
    for name in fields:
        if name.rpartition(".")[2] in (REST, RAW, ALONE) or name.endswith(WAS):
            continue
        for pattern in (_IN_A_ROW, _IN_A_TABLE, _IN_RATES):
            inner = pattern.match(name)
            if inner:
                found[inner[1]] = None
                break
        else:
            found[name] = None
        found.update(dict.fromkeys(_around(name)))
    return list(found)


def _around(name: str) -> list[str]:
    steps = name.split(".")
    if len(steps) < 3 or not steps[1].isdecimal():  # noqa: PLR2004 - a list, a row, a field
        return []
    row = ".".join(steps[:2])
    if steps[0] == "rules":
        inner = ".".join(steps[:4])
        own = [inner] if steps[2] == "rewards" and steps[3].isdecimal() else []
        return [row, f"{row}.when", f"{row}.rates", f"{row}.rewards", *own]
    return [row, f"{row}.shares", f"{row}.paces"] if steps[0] == "budgets" else [row]


def _note(notes: dict[str, list[Note]], shown: set[str], place: str, kind: str, reason: str) -> None:
    zh, _, en = reason.partition(" / ")
    where = nearest(place, shown)
    notes.setdefault(where, []).append(Note(kind, (zh, en or zh), where))


def _view(
    connection: Connection, city: str, fields: Mapping[str, str], notes: Mapping[str, Sequence[Note]], focus: str
) -> FormView:
    schemes = [(code, (name_zh, name_en)) for code, name_zh, name_en in scheme_names(connection)]
    districts = [(code, (named_district(code), code)) for code in districts_of(connection, city)]
    return FormView(fields, schemes, districts, notes, focus)
