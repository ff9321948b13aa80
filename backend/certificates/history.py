"""All that is recorded of a certificate, in recording order, and the entries it makes. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from sys import intern

from backend.certificates.model import Entry, State
from backend.certificates.timeline import Segment, midnight_ms, overlay

_LEVELS = "UMES"


@dataclass(frozen=True, slots=True)
class TermFact:
    holder: str
    enterprise: str | None


@dataclass(frozen=True, slots=True)
class ProductFact:
    product: str
    model: str | None
    category: str | None
    grade: int | None
    tier: int | None


@dataclass(slots=True)
class History:
    """Rows of one certificate in recording order. A product fact of None says: no longer on the certificate."""

    id: str
    number: str
    body: str
    scheme: str
    level: str
    terms: list[Segment[TermFact]] = field(default_factory=list)
    states: list[Segment[str]] = field(default_factory=list)
    products: dict[str, list[Segment[ProductFact | None]]] = field(default_factory=dict)

    def known_terms(self) -> tuple[Segment[TermFact], ...]:
        """A later row with the same first day replaces the earlier one whole: it may shorten it."""
        return overlay(tuple({term.from_day: term for term in self.terms}.values()))

    def known_states(self) -> tuple[Segment[str], ...]:
        return overlay(self.states)

    def known_product(self, key: str) -> tuple[Segment[ProductFact | None], ...]:
        return overlay(self.products.get(key, ()))


def entries_by_key(histories: Iterable[History]) -> dict[str, tuple[Entry, ...]]:
    """The entries of each registry key: best evidence level first, then by certificate, body and time."""
    found: dict[str, list[Entry]] = {}
    for history in histories:
        states = tuple(
            State(known.row, known.fact, midnight_ms(known.from_day), midnight_ms(known.until_day))
            for known in history.known_states()
        )
        terms = history.known_terms()
        for key in history.products:
            found.setdefault(key, []).extend(_entries(history, key, terms, states))
    return {key: tuple(sorted(entries, key=_order)) for key, entries in found.items()}


def _entries(
    history: History, key: str, terms: Sequence[Segment[TermFact]], states: tuple[State, ...]
) -> Iterable[Entry]:
    for listed in history.known_product(key):
        for term in terms:
            from_day, until_day = max(listed.from_day, term.from_day), min(listed.until_day, term.until_day)
            if listed.fact is not None and from_day < until_day:
                yield _entry(
                    history, key, listed.fact, term.fact, (midnight_ms(from_day), midnight_ms(until_day)), states
                )


def _entry(
    history: History,
    key: str,
    listed: ProductFact,
    term: TermFact,
    period_ms: tuple[int, int],
    states: tuple[State, ...],
) -> Entry:
    # What thousands of entries say alike is one text: it takes less memory, and is more often at hand.
    return Entry(
        registry_key=key,
        certificate=history.number,
        body=intern(history.body),
        scheme=intern(history.scheme),
        level=intern(history.level),
        category=listed.category if listed.category is None else intern(listed.category),
        product=listed.product,
        model=listed.model,
        grade=listed.grade,
        tier=listed.tier,
        enterprise=term.enterprise,
        holder=term.holder,
        from_ms=period_ms[0],
        until_ms=period_ms[1],
        states=states,
    )


def _order(entry: Entry) -> tuple[int, str, str, int]:
    return (_LEVELS.index(entry.level), entry.certificate, entry.body, entry.from_ms)
