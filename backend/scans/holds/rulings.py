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
INSERT INTO hold_rulings (city, basket, line_no, decision_no, ruling, reason, ruled_by, ruled_at, approved_by)
VALUES (%(city)s, %(basket)s, %(line_no)s, %(decision_no)s, %(ruling)s, %(reason)s, %(by)s, %(now)s, %(approved_by)s)
ON CONFLICT DO NOTHING"""

HELD = """
SELECT d.basket::text, d.line_no, d.decision_no, d.reason, d.limit_name, d.unit, d.gross, d.category, b.store, b.device,
       b.cashier, b.sold_at, d.decided_at, d.price_fen, d.quantity, d.median_fen, d.travel_kmh,
       EXISTS (SELECT FROM hold_proposals p WHERE p.city = %(city)s AND p.basket = d.basket AND p.line_no = d.line_no
               AND p.decision_no = d.decision_no)
FROM (SELECT basket, line_no, decision_no FROM open_holds WHERE city = %(city)s AND basket > %(after)s::uuid
      ORDER BY open_holds.basket FETCH FIRST (%(limit)s::int) ROWS WITH TIES) o
JOIN decisions d ON d.city = %(city)s AND d.basket = o.basket AND d.line_no = o.line_no AND d.decision_no = o.decision_no
JOIN baskets b ON b.city = %(city)s AND b.basket = o.basket
ORDER BY o.basket, o.line_no"""


RULED_BY = """
SELECT ruled_by, approved_by FROM hold_rulings WHERE city = %(city)s AND basket = %(basket)s AND line_no = %(line_no)s"""

PROPOSE = """
INSERT INTO hold_proposals (city, basket, line_no, decision_no, reason, proposed_by, proposed_name, proposed_at)
VALUES (%(city)s, %(basket)s, %(line_no)s, %(decision_no)s, %(reason)s, %(by)s, %(name)s, %(at)s)
ON CONFLICT DO NOTHING"""

PROPOSAL = """
SELECT reason, proposed_by, proposed_name, proposed_at FROM hold_proposals
WHERE city = %(city)s AND basket = %(basket)s AND line_no = %(line_no)s AND decision_no = %(decision_no)s"""


class Ruling(StrEnum):
    RELEASE = "release"
    REFUSE = "refuse"


class NotHeld(DomainError):
    """There is no such scan, or it does not wait for anybody: it was never held, or has been ruled on."""

    code = "scan-not-held"
    text_zh = "这次扫码不在待核查之列，可能已经处理。"
    text_en = "This scan is not held, or has been dealt with."


class ReleaseNeedsAnother(DomainError):
    code = "release-needs-another"
    text_zh = "放行须由提出人以外的人复核。"
    text_en = "A release is approved by somebody who did not propose it."


class ReleaseProposedBefore(DomainError):
    code = "release-proposed"
    text_zh = "这次放行已有人提出，正待第二人复核。"
    text_en = "Somebody has proposed to release it; it waits for a second person."


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
    proposed: bool
    """Whether one official would release it, and it waits for a second."""


class Said(NamedTuple):
    """Who ruled, and why."""

    by: str
    reason: str


class Proposal(NamedTuple):
    """Why one official, `by`, would release a held scan; a second may approve it as it stands."""

    reason: str
    by: str
    name: str
    at: datetime


FIRST = "00000000-0000-0000-0000-000000000000"


def held_scans(connection: Connection, city: str, *, after: str = FIRST, limit: int = 100) -> Sequence[HeldScan]:
    """Scans of `city` that wait, in the order of their baskets, of baskets above `after`: `limit` (1,000 at most), and what
    else waits in the last basket, so that the next page begins with another one.
    """
    params = {"city": city, "after": after, "limit": min(limit, HELD_MAX)}
    found = [HeldScan(*row) for row in hot(connection, HELD, params)]
    return sorted(found, key=lambda scan: (scan.basket, scan.line_no))


def record_ruling(
    connection: Connection,
    city: str,
    place: tuple[str, int, int],
    ruling: Ruling,
    said: Said,
    now: datetime,
    approved_by: str | None = None,
) -> None:
    """`place` is (basket, line, number of the held decision). Raises NotHeld when somebody was first."""
    given = {"ruling": ruling.value, **said._asdict(), "now": now, "approved_by": approved_by}
    given = {"city": city, **_named(place), **given}
    if hot(connection, INSERT, given).rowcount == 0:
        raise NotHeld


def ruled_by(connection: Connection, city: str, basket: str, line_no: int) -> frozenset[str]:
    """Who has ruled on a line before, or approved what another would."""
    rows = hot(connection, RULED_BY, {"city": city, "basket": basket, "line_no": line_no})
    return frozenset(by for both in rows for by in both if by is not None)


def propose(connection: Connection, city: str, place: tuple[str, int, int], proposal: Proposal) -> None:
    """`place` as above. Raises ReleaseProposedBefore."""
    given = {"city": city, **_named(place), **proposal._asdict()}
    if hot(connection, PROPOSE, given).rowcount == 0:
        raise ReleaseProposedBefore


def proposal_of(connection: Connection, city: str, place: tuple[str, int, int]) -> Proposal | None:
    """What was proposed of that very decision; of an earlier one nothing is approved any more."""
    row = hot(connection, PROPOSAL, {"city": city, **_named(place)}).fetchone()
    return None if row is None else Proposal(*row)


def _named(place: tuple[str, int, int]) -> dict[str, object]:
    return dict(zip(("basket", "line_no", "decision_no"), place, strict=True))
