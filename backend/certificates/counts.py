"""How many certificates are valid, month by month, by the validity of each through time. Pure.

A certificate is counted in the county of its holder's registration (digits 3 to 8 of the USCC); without a code, under `NOWHERE`.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import NamedTuple

from backend.certificates.history import History
from backend.certificates.model import FINAL_STATES, CertificateState
from backend.certificates.timeline import FOREVER_DAY, civil_day, fact_on

NOWHERE = "000000"
GONE, OVER, RESTING, GOOD = "withdrawn", "expired", "suspended", "valid"


class Cell(NamedTuple):
    """`month`: its first day."""

    region: str
    scheme: str
    month: date


class Moves(NamedTuple):
    """What a month changes: `delta` is how many more are valid at its end; `added`: valid for the first time; `withdrawn`, by
    the body or given up by the holder; `expired`. What is suspended, valid again or moves shows in `delta` alone.
    """

    delta: int = 0
    added: int = 0
    withdrawn: int = 0
    expired: int = 0

    def plus(self, other: "Moves", times: int = 1) -> "Moves":
        return Moves(*(one + another * times for one, another in zip(self, other, strict=True)))


class _Phase(NamedTuple):
    from_day: int
    state: str | None
    region: str


def moves_of(history: History) -> Iterator[tuple[Cell, Moves]]:
    """All that one certificate ever adds to the counts, also in months that are still to come."""
    before, was_valid = _Phase(0, None, NOWHERE), False
    for phase in _phases(history):
        month = civil_day(phase.from_day)
        assert month is not None
        for region, moves in _between(before, phase, was_valid=was_valid):
            yield Cell(region, history.scheme, month.replace(day=1)), moves
        was_valid = was_valid or phase.state == GOOD
        before = phase


def difference(earlier: Mapping[str, History], later: Mapping[str, History]) -> dict[Cell, Moves]:
    """What the counts change by, when of the same certificates `later` is known in place of `earlier`."""
    found: dict[Cell, Moves] = {}
    for histories, times in ((earlier, -1), (later, 1)):
        for history in histories.values():
            for cell, moves in moves_of(history):
                found[cell] = found.get(cell, Moves()).plus(moves, times)
    return {cell: moves for cell, moves in found.items() if any(moves)}


def _between(before: _Phase, now: _Phase, *, was_valid: bool) -> Iterator[tuple[str, Moves]]:
    if before.state == GOOD and (now.state != GOOD or now.region != before.region):
        yield before.region, Moves(delta=-1)
    if now.state == GOOD and (before.state != GOOD or now.region != before.region):
        yield now.region, Moves(delta=1, added=0 if was_valid else 1)
    if was_valid and now.state == GONE != before.state:
        yield before.region, Moves(withdrawn=1)
    if was_valid and now.state == OVER != before.state:
        yield before.region, Moves(expired=1)


def _phases(history: History) -> Iterator[_Phase]:
    """What holds from each day on which anything changes; the region of before stays where no term names one."""
    terms, states = history.known_terms(), history.known_states()
    borders = {day for one in terms for day in (one.from_day, one.until_day)}
    borders |= {day for one in states for day in (one.from_day, one.until_day)}
    region = NOWHERE
    for day in sorted(borders - {FOREVER_DAY}):
        term, state = fact_on(terms, day), fact_on(states, day)
        if term is not None:
            region = term.fact.enterprise[2:8] if term.fact.enterprise else NOWHERE
        said = None if state is None else state.fact
        yield _Phase(
            day, _state(said, in_term=term is not None, begun=bool(terms) and terms[0].from_day <= day), region
        )


def _state(said: str | None, *, in_term: bool, begun: bool) -> str | None:
    if said in FINAL_STATES:
        return GONE
    if said == CertificateState.EXPIRED or (begun and not in_term):
        return OVER
    if said == CertificateState.SUSPENDED:
        return RESTING
    return GOOD if in_term and said == CertificateState.VALID else None
