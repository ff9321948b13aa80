"""Past scans of which policies were asked, as a preview decides them anew: in the order of sale, a part of the persons each."""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import NamedTuple

from sqlalchemy import Connection

from backend.kernel.periods import civil_date
from backend.policies.preview import Sold
from backend.scans.explain import facts_of
from backend.scans.identity import SEQ_MAX
from backend.scans.replay import FACTS, scan_of
from backend.scans.sentences import BY_RULES
from backend.scans.signals import PRICED_AS
from backend.scans.whole import FURTHER, RELEASED
from backend.storage.columns import unquoted
from backend.storage.stream import streamed
from backend.storage.transaction import hot

SALES_AT_ONCE = 2_000

# The decision in force is the last one; what was taken after `known` belongs to another preview.
_ASKED = """ AND d.resident IS NOT NULL AND d.certificate_scheme IS NOT NULL AND d.level IS NOT NULL
  AND d.reason = ANY(%(reasons)s::text[]) AND d.decided_at <= %(known)s
  AND b.sold_at >= %(begin)s AND b.sold_at < %(end)s
  AND (hashtext(d.resident::text) & 2147483647) %% %(parts)s = %(part)s
  AND NOT EXISTS (SELECT FROM decisions later WHERE later.city = %(city)s AND later.basket = d.basket
                  AND later.line_no = d.line_no AND later.decision_no > d.decision_no AND later.decided_at <= %(known)s)"""

# Of a decision its facts alone are read, not what it came to.
_FACTS = FACTS.replace(FURTHER, "NULL").replace(RELEASED, "false")
SALES = _FACTS + _ASKED + " ORDER BY b.sold_at, b.device, b.stream, b.seq, d.line_no"

# Where no policy watched prices at the time nobody looked a median up; it is the same whenever that is done.
_MEDIAN = f"""coalesce(d.median_fen, (SELECT m.median_fen FROM price_medians m
  WHERE m.city = %(city)s AND m.label_key = {PRICED_AS}
    AND m.week BETWEEN date_trunc('week', b.sold_at AT TIME ZONE 'Asia/Shanghai')::date - 7
                   AND date_trunc('week', b.sold_at AT TIME ZONE 'Asia/Shanghai')::date
  ORDER BY m.week DESC LIMIT 1))"""
PRICED_SALES = SALES.replace("d.median_fen", _MEDIAN, 1)

COUNT = (
    "SELECT count(*) FROM decisions d JOIN baskets b ON b.city = %(city)s AND b.basket = d.basket WHERE d.city = %(city)s"
    + _ASKED
)


class Window(NamedTuple):
    """Sales of `city` in [begin, end), as they were decided until `known`."""

    city: str
    begin: datetime
    end: datetime
    known: datetime

    def params(self, part: int, parts: int) -> dict[str, object]:
        return {**self._asdict(), "reasons": unquoted(sorted(BY_RULES)), "part": part, "parts": parts}


def count_sales(connection: Connection, window: Window) -> int:
    row = hot(connection, COUNT, window.params(0, 1)).fetchone()
    assert row is not None
    counted: int = row[0]
    return counted


def past_sales(
    connection: Connection, window: Window, part: int, parts: int, *, priced: bool = False
) -> Iterator[list[Sold]]:
    """The sales of the persons of `part` of `parts`, in slices: memory does not grow with the history.

    `priced`: with what their goods usually cost.
    """
    rows = streamed(connection, PRICED_SALES if priced else SALES, window.params(part, parts))
    while some := list(islice(rows, SALES_AT_ONCE)):
        yield [_sold(row) for row in some]


def _sold(row: tuple[object, ...]) -> Sold:
    scan = scan_of(row)
    facts = facts_of(scan)
    d = scan.decision
    assert facts is not None
    assert d.resident is not None
    # A basket's id ends with its number; what stands before it is made of device and stream.
    prefix, seq = d.basket[:23], int(d.basket[24:], 16) & SEQ_MAX
    order = (scan.sold_at_ms, scan.device or "", prefix, seq, d.line_no)
    return Sold(order, d.resident, civil_date(scan.sold_at_ms), facts)
