"""What an import file says that the registry does not know yet. Pure: rows and histories in, new rows out."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter

from backend.certificates.cells import CellRefused
from backend.certificates.history import History, ProductFact, TermFact
from backend.certificates.model import FINAL_STATES, CertificateState
from backend.certificates.reasons import RowError
from backend.certificates.rows import Row
from backend.certificates.timeline import FOREVER_DAY, Segment, civil_day, fact_on, next_start

NewId = Callable[[], str]
Certificate = tuple[str, str]
"""Number and body."""

_ONE_A_CERTIFICATE = {
    "scheme": "scheme",
    "holder": "holder",
    "enterprise": "uscc",
    "from_day": "valid_from",
    "until_day": "valid_until",
    "state": "state",
    "state_day": "state_from",
}
_ONE_A_PRODUCT = {
    "product": "product",
    "model": "model",
    "category": "category",
    "grade": "grade",
    "tier": "tier",
    "delisted_day": "product_until",
}


@dataclass(slots=True)
class Changes:
    """Rows to add, as (certificate id, segment); the counts are of rows of the file."""

    certificates: list[History] = field(default_factory=list)
    terms: list[tuple[str, Segment[TermFact]]] = field(default_factory=list)
    states: list[tuple[str, Segment[str]]] = field(default_factory=list)
    products: list[tuple[str, str, Segment[ProductFact | None], ProductFact]] = field(default_factory=list)
    bodies: dict[str, str] = field(default_factory=dict)
    enterprises: dict[str, str] = field(default_factory=dict)
    changed: int = 0
    unchanged: int = 0
    errors: list[RowError] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        return not (self.certificates or self.terms or self.states or self.products)


def without_conflicts(
    rows: Iterable[Row], headings: Mapping[str, str]
) -> tuple[dict[Certificate, list[Row]], list[RowError]]:
    """Rows by certificate. Rows of one certificate that contradict each other are all refused: which is right is not
    for us to guess. A row that only repeats another stays.
    """
    groups: dict[Certificate, list[Row]] = {}
    for row in rows:
        groups.setdefault((row.number, row.body), []).append(row)
    errors: list[RowError] = []
    for certificate, group in list(groups.items()):
        found = _contradictions(group, _ONE_A_CERTIFICATE, "conflicting_rows", headings)
        if found:
            del groups[certificate]
        else:
            refused, found = _contradicting_products(group, headings)
            groups[certificate] = [row for row in group if id(row) not in refused]
        errors += found
    return {certificate: group for certificate, group in groups.items() if group}, errors


def changes(
    groups: Mapping[Certificate, Sequence[Row]],
    histories: Mapping[Certificate, History],
    headings: Mapping[str, str],
    new_id: NewId,
) -> Changes:
    found = Changes()
    for certificate, group in groups.items():
        try:
            _compare_certificate(found, group, histories.get(certificate), headings, new_id)
        except _Refused as refused:
            column = headings.get(refused.column, refused.column)
            found.errors += [RowError(row.line, column, refused.code, refused.facts) for row in group]
    return found


class _Refused(CellRefused):
    def __init__(self, column: str, code: str, **facts: object) -> None:
        super().__init__(code, **facts)
        self.column = column


def _compare_certificate(
    found: Changes, group: Sequence[Row], known: History | None, headings: Mapping[str, str], new_id: NewId
) -> None:
    head = group[0]
    history = known or History(new_id(), head.number, head.body, head.scheme, level="")
    if history.scheme != head.scheme:
        raise _Refused("scheme", "scheme_differs", scheme=history.scheme)
    terms = _new_terms(history, head, new_id)
    states = _new_states(history.known_states(), head, new_id)
    if known is None:
        found.certificates.append(history)
    found.terms += [(history.id, term) for term in terms]
    found.states += [(history.id, state) for state in states]
    if head.enterprise is not None:
        found.enterprises.setdefault(head.enterprise, head.holder)
    found.bodies.setdefault(head.body, head.body_name or head.body)
    for row in group:
        _compare_product(found, row, history, headings, new_id, changed=bool(terms or states))


def _new_terms(history: History, head: Row, new_id: NewId) -> list[Segment[TermFact]]:
    term = Segment("", head.from_day, head.until_day, TermFact(head.holder, head.enterprise))
    latest = {known.from_day: known for known in history.terms}.get(head.from_day)
    if latest is not None and (latest.until_day, latest.fact) == (term.until_day, term.fact):
        return []
    return [Segment(new_id(), term.from_day, term.until_day, term.fact)]


def _new_states(known: Sequence[Segment[str]], head: Row, new_id: NewId) -> list[Segment[str]]:
    """The file says what the state is since a day. Where the registry says so too, nothing is new, so an old file does
    not undo what came after it. A withdrawal is undone only by a row that says from when.
    """
    from_day = _state_from(known, head)
    already = fact_on(known, from_day)
    if already is not None and already.fact == head.state:
        return []
    fresh = []
    said_from_the_first_day = head.state is not CertificateState.VALID or head.state_day is None
    if said_from_the_first_day and head.from_day < from_day and not fact_on(known, head.from_day):
        until_day = min(from_day, next_start(known, head.from_day))
        fresh.append(Segment(new_id(), head.from_day, until_day, str(CertificateState.VALID)))
    final = [segment for segment in known if segment.fact in FINAL_STATES and head.state not in FINAL_STATES]
    until_day = next_start(final, from_day)
    if head.state is CertificateState.VALID and head.state_day is None:
        until_day = next_start(known, from_day)
    return [*fresh, Segment(new_id(), from_day, until_day, str(head.state))]


def _state_from(known: Sequence[Segment[str]], head: Row) -> int:
    if head.state_day is not None:
        return head.state_day
    if head.state is CertificateState.EXPIRED:
        return head.until_day
    last = known[-1] if known else None
    for segment in (fact_on(known, head.from_day), last):
        if segment is not None and segment.fact not in (CertificateState.VALID, CertificateState.EXPIRED):
            raise _Refused("state_from", "not_valid_now", state=segment.fact, since=civil_day(segment.from_day))
    if last is not None and last.fact == CertificateState.EXPIRED and head.from_day < last.from_day < head.until_day:
        return last.from_day  # the certificate was extended past the day on which it had been reported expired
    return head.from_day


def _compare_product(
    found: Changes, row: Row, history: History, headings: Mapping[str, str], new_id: NewId, *, changed: bool
) -> None:
    try:
        fresh = _new_products(history, row, new_id)
    except _Refused as refused:
        found.errors.append(
            RowError(row.line, headings.get(refused.column, refused.column), refused.code, refused.facts)
        )
        return
    history.products.setdefault(row.key, []).extend(fresh)
    found.products += [(history.id, row.key, segment, _fact(row)) for segment in fresh]
    if fresh or changed:
        found.changed += 1
    else:
        found.unchanged += 1


def _new_products(history: History, row: Row, new_id: NewId) -> list[Segment[ProductFact | None]]:
    known, fact = history.known_product(row.key), _fact(row)
    fresh: list[Segment[ProductFact | None]] = []
    from_day = _listed_from(known, row, fact)
    until_day = min(next_start(known, from_day), row.delisted_day or FOREVER_DAY)
    already = fact_on(known, from_day)
    if already is None or already.fact != fact:
        fresh.append(Segment(new_id(), from_day, until_day, fact))
    if row.delisted_day is not None:
        after = fact_on(known, row.delisted_day)
        if after is None or after.fact is not None:
            fresh.append(Segment(new_id(), row.delisted_day, next_start(known, row.delisted_day), None))
    return fresh


def _listed_from(known: Sequence[Segment[ProductFact | None]], row: Row, fact: ProductFact) -> int:
    """Without a day of its own a row says what holds on its certificate's first day. Something else than is known then
    corrects the present, as far back as this certificate's term, and leaves earlier terms as they are.
    """
    if row.listed_day is not None:
        return row.listed_day
    then = fact_on(known, row.from_day)
    if then is None or (then.fact == fact and (row.delisted_day is not None or known[-1].fact is not None)):
        return row.from_day
    last = known[-1]
    if last.fact is None and row.delisted_day is None:
        raise _Refused("product_from", "delisted", since=civil_day(last.from_day))
    return row.from_day if last.fact is None else max(last.from_day, row.from_day)


def _fact(row: Row) -> ProductFact:
    return ProductFact(row.product, row.model, row.category, row.grade, row.tier)


def _contradictions(
    group: Sequence[Row], columns: Mapping[str, str], code: str, headings: Mapping[str, str]
) -> list[RowError]:
    first = group[0]
    errors = []
    for attribute, column in columns.items():
        said = attrgetter(attribute)
        other = next((row for row in group if said(row) != said(first)), None)
        if other is not None:
            heading = headings.get(column, column)
            errors += [
                RowError(row.line, heading, code, {"other_line": (other if row is first else first).line})
                for row in group
            ]
    return errors


def _contradicting_products(group: Sequence[Row], headings: Mapping[str, str]) -> tuple[set[int], list[RowError]]:
    products: dict[tuple[str, int | None], list[Row]] = {}
    for row in group:
        products.setdefault((row.key, row.listed_day), []).append(row)
    refused: set[int] = set()
    errors: list[RowError] = []
    for same in products.values():
        found = _contradictions(same, _ONE_A_PRODUCT, "conflicting_products", headings) if len(same) > 1 else []
        if found:
            refused |= {id(row) for row in same}
            errors += found
    return refused, errors
