"""Held scans and what people decided about them."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import Connection

from backend.kernel.errors import DomainError
from backend.storage.transaction import hot

HELD_MAX = 1_000

INSERT = """
INSERT INTO hold_rulings (city, basket, line_no, decision_no, ruling, reason, ruled_by, ruled_at)
VALUES (%(city)s, %(basket)s, %(line_no)s, %(decision_no)s, %(ruling)s, %(reason)s, %(by)s, %(now)s)
ON CONFLICT DO NOTHING"""

HELD = """
SELECT d.basket::text, d.line_no, d.decision_no, d.reason, d.limit_name, d.unit, d.gross, d.category, b.store, b.device,
       b.cashier, b.sold_at, d.decided_at, d.price_fen, d.quantity, d.median_fen, d.travel_kmh
FROM (SELECT basket, line_no, decision_no FROM open_holds WHERE city = %(city)s AND basket > %(after)s::uuid
      ORDER BY open_holds.basket FETCH FIRST (%(limit)s::int) ROWS WITH TIES) o
JOIN decisions d ON d.city = %(city)s AND d.basket = o.basket AND d.line_no = o.line_no AND d.decision_no = o.decision_no
JOIN baskets b ON b.city = %(city)s AND b.basket = o.basket
ORDER BY o.basket, o.line_no"""


RULED_BY = """
SELECT ruled_by FROM hold_rulings WHERE city = %(city)s AND basket = %(basket)s AND line_no = %(line_no)s"""


class Ruling(StrEnum):
    RELEASE = "release"
    REFUSE = "refuse"


class NotHeld(DomainError):
    """There is no such scan, or it does not wait for anybody: it was never held, or has been ruled on."""

    code = "scan-not-held"
    text_zh = "这次扫码不在待核查之列，可能已经处理。"
    text_en = "This scan is not held, or has been dealt with."


class HeldScan(NamedTuple):
    """A scan that waits for a person, with what a person asks first. `gross` in `unit`: what it would earn."""

    basket: str
    line_no: int
    decision_no: int
    reason: str
    limit_name: str | None
    unit: str | None
    gross: int
    category: str | None
    store: str | None
    device: str
    cashier: str | None
    sold_at: datetime
    decided_at: datetime
    price_fen: int | None
    quantity: int
    median_fen: int | None
    """What one piece usually costs, where the policy watches prices."""
    travel_kmh: int | None
    """How fast its person would have come from another shop, where the policy watches journeys."""


class Said(NamedTuple):
    """Who ruled, and why."""

    by: str
    reason: str


FIRST = "00000000-0000-0000-0000-000000000000"


def held_scans(connection: Connection, city: str, *, after: str = FIRST, limit: int = 100) -> Sequence[HeldScan]:
    """Scans of `city` that wait, in the order of their baskets, of baskets above `after`: `limit` (1,000 at most), and what
    else waits in the last basket, so that the next page begins with another one.
    """
    params = {"city": city, "after": after, "limit": min(limit, HELD_MAX)}
    found = [HeldScan(*row) for row in hot(connection, HELD, params)]
    return sorted(found, key=lambda scan: (scan.basket, scan.line_no))


def record_ruling(
    connection: Connection, city: str, place: tuple[str, int, int], ruling: Ruling, said: Said, now: datetime
) -> None:
    """`place` is (basket, line, number of the held decision). Raises NotHeld when somebody was first."""
    basket, line_no, decision_no = place
    given = {
        "city": city,
        "basket": basket,
        "line_no": line_no,
        "decision_no": decision_no,
        "ruling": ruling.value,
        "reason": said.reason,
        "by": said.by,
        "now": now,
    }
    if hot(connection, INSERT, given).rowcount == 0:
        raise NotHeld


def ruled_by(connection: Connection, city: str, basket: str, line_no: int) -> frozenset[str]:
    """Who has ruled on a line before."""
    rows = hot(connection, RULED_BY, {"city": city, "basket": basket, "line_no": line_no})
    return frozenset(by for (by,) in rows)
