"""Scans that wait, read again from what was stored of them, so that the same decision can be taken once more. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from backend.labels.model import Reading
from backend.labels.parse import parse
from backend.scans.decide import Decision, FurtherAward, Taken
from backend.scans.lent import Draw
from backend.scans.model import Basket, Read
from backend.scans.sale_time import sale_year

Row = TypeVar("Row", Decision, FurtherAward, Draw)

_GS1_AIM = "]C1"
"""Stands for each AIM identifier that promises GS1 element strings: they all lead to one reading."""


class WaitingScan(NamedTuple):
    """One scan whose decision in force is number `decision_no`; `basket` is its basket, without reads."""

    basket: Basket
    line_no: int
    decision_no: int
    label_key: str | None
    read: Read


class Again(NamedTuple):
    """Baskets of waiting scans alone, what their labels say, and where each scan stands in its real basket."""

    baskets: Sequence[Basket]
    readings: Sequence[Sequence[Reading]]
    places: Mapping[tuple[str, int], tuple[int, int]]
    """(basket, place among the waiting) -> (line, number of the next decision)."""


def reread(scans: Iterable[WaitingScan]) -> Again:
    """The baskets of `scans` as they were when first decided, but for lines that no longer wait."""
    baskets: dict[str, Basket] = {}
    readings: dict[str, list[Reading]] = {}
    places = {}
    for scan in scans:
        basket = baskets.setdefault(scan.basket.basket, scan.basket)
        places[basket.basket, len(basket.reads)] = (scan.line_no, scan.decision_no + 1)
        basket.reads.append(scan.read)
        readings.setdefault(basket.basket, []).append(_reading(scan))
    return Again(list(baskets.values()), list(readings.values()), places)


def in_place(taken: Taken, again: Again) -> Taken:
    """What was decided of `again`, under its real lines and numbers."""
    return Taken(
        [_placed(decision, again) for decision in taken.decisions],
        [_placed(award, again) for award in taken.further],
        {key: (basket, again.places[basket, place][0]) for key, (basket, place) in taken.units.items()},
        [_placed(draw, again) for draw in taken.draws],
    )


def _placed(row: Row, again: Again) -> Row:
    line_no, decision_no = again.places[row.basket, row.line_no]
    return row._replace(line_no=line_no, decision_no=decision_no)


def _reading(scan: WaitingScan) -> Reading:
    """What the label says. Its AIM identifier is not kept, but it is one that leads to the key that was. A person who let
    the line pass has looked at the year that the label is dated by.
    """
    read = scan.read
    year = None if read.released else sale_year(scan.basket)
    plain = parse(read.code, read.symbology, year=year)
    if plain.key == scan.label_key:
        return plain
    marked = parse(read.code, read.symbology, _GS1_AIM, year=year)
    return marked if marked.key == scan.label_key else plain
