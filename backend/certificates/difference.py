"""What an import would make of the registry, certificate by certificate, for a person to read before it is done. Pure."""

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from backend.certificates.compare import Certificate, Changes
from backend.certificates.history import History, ProductFact, TermFact
from backend.certificates.model import CertificateState
from backend.certificates.rows import Row
from backend.certificates.timeline import Segment, civil_day, fact_on, overlay

LISTED_MAX = 1_000
"""Of each kind: more is counted and not listed."""


class Kind(StrEnum):
    """WITHDRAWN: nothing is supported any more, by the whole certificate or by a product that left it."""

    ADDED = "added"
    CHANGED = "changed"
    WITHDRAWN = "withdrawn"


class Field(NamedTuple):
    """`name` of what differs, for a product its registry key too; None before: there was nothing."""

    name: str
    key: str | None
    before: str | None
    after: str


class Difference(NamedTuple):
    """What a file says of one certificate that the registry does not. `line` is the first of the file about it."""

    kind: Kind
    number: str
    body: str
    holder: str
    line: int
    fields: tuple[Field, ...]


class Differences(NamedTuple):
    """How many certificates of each kind, how many are as they were, and the first 1,000 of each kind."""

    counts: Mapping[str, int]
    unchanged: int
    listed: tuple[Difference, ...]


NONE = Differences({}, 0, ())


def differences(
    found: Changes, histories: Mapping[Certificate, History], groups: Mapping[Certificate, Sequence[Row]]
) -> Differences:
    """`histories` as `compare.changes` left them; `groups`: the rows of the file, of which it may have refused some."""
    fresh = _fresh(found)
    new = {history.id for history in found.certificates}
    known = {(one.number, one.body): one for one in (*histories.values(), *found.certificates)}
    counts = dict.fromkeys((kind.value for kind in Kind), 0)
    refused = {error.line for error in found.errors}
    unchanged = 0
    listed: list[Difference] = []
    for certificate, rows in groups.items():
        history = known.get(certificate)
        if history is None:
            continue
        added = fresh.get(history.id)
        if added is None:
            unchanged += any(row.line not in refused for row in rows)
            continue
        kind, fields = _said(history, added, is_new=history.id in new)
        counts[kind] += 1
        if counts[kind] <= LISTED_MAX:
            listed.append(Difference(kind, *certificate, rows[0].holder, rows[0].line, fields))
    return Differences(counts, unchanged, tuple(listed))


class _Fresh(NamedTuple):
    terms: list[Segment[TermFact]]
    states: list[Segment[str]]
    products: list[tuple[str, Segment[ProductFact | None]]]


def _fresh(found: Changes) -> dict[str, _Fresh]:
    fresh: dict[str, _Fresh] = {one.id: _Fresh([], [], []) for one in found.certificates}
    for certificate, term in found.terms:
        fresh.setdefault(certificate, _Fresh([], [], [])).terms.append(term)
    for certificate, state in found.states:
        fresh.setdefault(certificate, _Fresh([], [], [])).states.append(state)
    for certificate, key, product, _ in found.products:
        fresh.setdefault(certificate, _Fresh([], [], [])).products.append((key, product))
    return fresh


def _said(history: History, added: _Fresh, *, is_new: bool) -> tuple[Kind, tuple[Field, ...]]:
    fields = [*_terms(history, added.terms), *_states(history, added.states), *_products(history, added.products)]
    if is_new:
        return Kind.ADDED, tuple(fields)
    ends = any(state.fact != CertificateState.VALID for state in added.states)
    gone = any(product.fact is None for _, product in added.products)
    return Kind.WITHDRAWN if ends or gone else Kind.CHANGED, tuple(fields)


def _terms(history: History, added: Sequence[Segment[TermFact]]) -> list[Field]:
    known = overlay([term for term in history.terms if term.row not in _rows(added)])
    fields = []
    for term in added:
        before = fact_on(known, term.from_day)
        fields.append(Field("term", None, None if before is None else _term(before), _term(term)))
    return fields


def _states(history: History, added: Sequence[Segment[str]]) -> list[Field]:
    known = overlay([state for state in history.states if state.row not in _rows(added)])
    fields = []
    for state in added:
        before = fact_on(known, state.from_day)
        fields.append(Field("state", None, None if before is None else before.fact, f"{state.fact} {_days(state)}"))
    return fields


def _products(history: History, added: Sequence[tuple[str, Segment[ProductFact | None]]]) -> list[Field]:
    rows = _rows([segment for _, segment in added])
    fields = []
    for key, product in added:
        known = overlay([one for one in history.products.get(key, ()) if one.row not in rows])
        before = fact_on(known, product.from_day)
        earlier = None if before is None or before.fact is None else _product(before.fact)
        after = "—" if product.fact is None else _product(product.fact)
        fields.append(Field("product", key, earlier, f"{after} {_days(product)}"))
    return fields


def _rows(added: Sequence[Segment[Any]]) -> Collection[str]:
    return {segment.row for segment in added}


def _term(term: Segment[TermFact]) -> str:
    return f"{term.fact.holder} {_days(term)}"


def _product(fact: ProductFact) -> str:
    marks = (fact.model, fact.category, fact.grade and f"{fact.grade} 级", fact.tier and f"{fact.tier} 星")
    return " ".join([fact.product, *(mark for mark in marks if mark)])


def _days(segment: Segment[Any]) -> str:
    """The first and the last day, in one word."""
    if civil_day(segment.until_day) is None:
        return f"{civil_day(segment.from_day)}起"
    return f"{civil_day(segment.from_day)}—{civil_day(segment.until_day - 1)}"
