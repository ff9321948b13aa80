"""Loads decisions with every fact that they were taken on, one or all of a city."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection

from backend.kernel.periods import milliseconds
from backend.policies.words import Names, Sentence
from backend.scans.decide import Decision
from backend.scans.explain import DecidedScan
from backend.scans.whole import DECISION, FURTHER, RECEIPT, RELEASED, further_of
from backend.storage.columns import ids
from backend.storage.stream import streamed
from backend.storage.transaction import hot

# The body stands on the certificate whose state row the decision names; registries are shared tables, without a city.
FACTS = f"""
SELECT {DECISION},
       b.sold_at, d.decided_at, b.store, b.district, c.body,
       b.channel, {RECEIPT}, {FURTHER}, b.device, b.cashier, s.recorded_version,
       {RELEASED}, b.claimed_elsewhere
FROM decisions d
JOIN baskets b ON b.city = %(city)s AND b.basket = d.basket
LEFT JOIN certificate_states s ON s.id = d.certificate_row
LEFT JOIN certificates c ON c.id = s.certificate
WHERE d.city = %(city)s"""

ONE = (
    FACTS
    + """ AND d.basket = %(basket)s::uuid AND d.line_no = %(line_no)s
ORDER BY d.decision_no DESC LIMIT 1"""
)

OF_BASKETS = FACTS + " AND d.basket = ANY(%(baskets)s::uuid[]) ORDER BY d.basket, d.line_no, d.decision_no"

CHOSEN = """ AND (%(since)s::timestamptz IS NULL OR d.decided_at >= %(since)s)
  AND (%(every)s::int IS NULL OR (hashtext(d.basket::text) & 2147483647) %% %(every)s = %(turn)s)"""

EACH = FACTS + CHOSEN

COUNT = "SELECT count(*) FROM decisions d WHERE d.city = %(city)s" + CHOSEN

SCHEME_NAMES = "SELECT code, name_zh, name_en FROM schemes"

_WIDTH = len(Decision._fields)


def load_decided(connection: Connection, city: str, basket: str, line_no: int) -> DecidedScan | None:
    """The decision in force of one scan; None where there is no such scan. `basket` is a UUID."""
    row = hot(connection, ONE, {"city": city, "basket": basket, "line_no": line_no}).fetchone()
    return scan_of(row) if row else None


def decisions_of(connection: Connection, city: str, baskets: Sequence[str]) -> list[DecidedScan]:
    """Every decision of every line of `baskets`, by line and number: of each line the last is the one in force."""
    return [scan_of(row) for row in hot(connection, OF_BASKETS, {"city": city, "baskets": ids(baskets)})]


class Chosen(NamedTuple):
    """Which decisions of a city: those taken since a moment, and of these whole baskets, one of `every`, the `turn`-th."""

    since: datetime | None = None
    every: int | None = None
    turn: int = 0


EVERY = Chosen()


def count_decided(connection: Connection, city: str, chosen: Chosen) -> int:
    row = hot(connection, COUNT, {"city": city, **chosen._asdict()}).fetchone()
    assert row is not None
    counted: int = row[0]
    return counted


def decided_scans(connection: Connection, city: str, chosen: Chosen) -> Iterator[DecidedScan]:
    """The chosen decisions of `city`, read in slices: memory does not grow with the table."""
    for row in streamed(connection, EACH, {"city": city, **chosen._asdict()}):
        yield scan_of(row)


def load_names(connection: Connection) -> Names:
    """What people call the certification schemes."""
    return {
        ("certificate_scheme", code): Sentence(name_zh, name_en)
        for code, name_zh, name_en in hot(connection, SCHEME_NAMES, prepared=True)
    }


def scan_of(row: tuple[Any, ...]) -> DecidedScan:
    sold_at, decided_at, store, district, body, channel, receipt_fen, further, *last = row[_WIDTH:]
    return DecidedScan(
        Decision(*row[:_WIDTH]),
        milliseconds(sold_at),
        milliseconds(decided_at),
        store,
        district,
        body,
        channel,
        receipt_fen,
        further_of(further),
        *last,
    )
