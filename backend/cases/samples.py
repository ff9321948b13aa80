"""A share of all paid awards, drawn whatever the flags say: by a hash that anyone with the salt can reckon again."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import Connection

from backend.kernel.errors import DomainError
from backend.storage.transaction import hot

PAGE_MAX = 100
REASON_MAX = 500
FIRST = "00000000-0000-0000-0000-000000000000"

# The first 32 bits of a SHA-256 over salt, basket and line, of 10,000. The terms are those in force when it was decided.
DRAW = """
INSERT INTO audit_samples (city, basket, line_no, decision_no, drawn_at)
SELECT %(city)s, d.basket, d.line_no, d.decision_no, %(now)s
FROM decisions d
JOIN LATERAL (SELECT t.sample_bp, t.salt FROM case_terms t WHERE t.city = %(city)s AND t.since <= d.decided_at
              ORDER BY t.since DESC LIMIT 1) r ON true
WHERE d.city = %(city)s AND d.decided_at > %(since)s AND d.decided_at <= %(through)s AND d.award > 0
  AND ('x' || left(encode(sha256(r.salt || convert_to(d.basket::text || ':' || d.line_no, 'UTF8')), 'hex'), 8))::bit(32)::bigint
      %% 10000 < r.sample_bp
ON CONFLICT DO NOTHING"""

THROUGH = """
SELECT coalesce((SELECT through FROM sample_draws WHERE city = %(city)s),
                (SELECT min(since) FROM case_terms WHERE city = %(city)s))"""

REMEMBER = """
INSERT INTO sample_draws (city, through) VALUES (%(city)s, %(through)s)
ON CONFLICT (city) DO UPDATE SET through = excluded.through WHERE sample_draws.through < excluded.through"""

WAITING = """
SELECT s.basket::text, s.line_no, s.decision_no, s.drawn_at, b.store, b.device, b.cashier, b.sold_at, d.label_key, d.category,
       d.quantity, d.price_fen, d.unit, d.award, d.rule, d.certificate, d.proof, d.level
FROM audit_samples s
JOIN baskets b ON b.city = %(city)s AND b.basket = s.basket
JOIN decisions d ON d.city = %(city)s AND d.basket = s.basket AND d.line_no = s.line_no AND d.decision_no = s.decision_no
WHERE s.city = %(city)s AND s.finding IS NULL AND (%(drawn_at)s::timestamptz IS NULL
      OR (s.drawn_at, s.basket, s.line_no) > (%(drawn_at)s, %(basket)s::uuid, %(line_no)s::int))
ORDER BY s.drawn_at, s.basket, s.line_no LIMIT %(limit)s"""

REVIEW = """
UPDATE audit_samples SET finding = %(finding)s, reason = %(reason)s, reviewed_by = %(by)s, reviewed_at = %(now)s
WHERE city = %(city)s AND basket = %(basket)s AND line_no = %(line_no)s AND finding IS NULL"""

COUNTS = """
SELECT count(*), count(*) FILTER (WHERE finding IS NULL), count(*) FILTER (WHERE finding = 'wrong')
FROM audit_samples WHERE city = %(city)s AND drawn_at >= %(since)s"""


class Finding(StrEnum):
    RIGHT = "right"
    WRONG = "wrong"


class SampleSettled(DomainError):
    code = "sample-settled"
    text_zh = "这笔奖励不在待核的抽查之列，可能已经核过。"
    text_en = "This award does not wait for a second look, or has had it."


class SampleKey(NamedTuple):
    """The last sample of a page; the next begins after it."""

    drawn_at: datetime
    basket: str
    line_no: int


class Sample(NamedTuple):
    """An award that waits for a look, with what a person asks first; `award` in `unit`, `price_fen` of the line."""

    basket: str
    line_no: int
    decision_no: int
    drawn_at: datetime
    store: str | None
    device: str
    cashier: str | None
    sold_at: datetime
    label_key: str | None
    category: str | None
    quantity: int
    price_fen: int | None
    unit: str
    award: int
    rule: str | None
    certificate: str | None
    proof: str
    level: str | None


class SampleCounts(NamedTuple):
    drawn: int
    waiting: int
    wrong: int


def drawn_through(connection: Connection, city: str) -> datetime | None:
    """Up to when awards were drawn; None where the city has set no share."""
    row = hot(connection, THROUGH, {"city": city}).fetchone()
    assert row is not None
    through: datetime | None = row[0]
    return through


def draw(connection: Connection, city: str, since: datetime, through: datetime, now: datetime) -> int:
    """Draws from the awards decided after `since`, up to and with `through`; how many are new. Repeating it adds nothing."""
    drawn = hot(connection, DRAW, {"city": city, "since": since, "through": through, "now": now}).rowcount
    hot(connection, REMEMBER, {"city": city, "through": through})
    return drawn


def waiting(
    connection: Connection, city: str, *, after: SampleKey | None = None, limit: int = PAGE_MAX
) -> Sequence[Sample]:
    """Awards that wait for a look, the first drawn first; at most `limit`, at most 100."""
    key = SampleKey(None, None, None) if after is None else after  # type: ignore[arg-type]  # NULLs: from the first on
    params = {"city": city, "limit": min(limit, PAGE_MAX), **key._asdict()}
    return [Sample(*row) for row in hot(connection, WAITING, params)]


def review(
    connection: Connection, city: str, place: tuple[str, int], finding: Finding, reason: str, by: str, now: datetime
) -> None:
    """Raises SampleSettled when it does not wait, or somebody was first."""
    basket, line_no = place
    given = {"city": city, "basket": basket, "line_no": line_no, "finding": finding.value}
    if hot(connection, REVIEW, {**given, "reason": reason, "by": by, "now": now}).rowcount == 0:
        raise SampleSettled


def counts(connection: Connection, city: str, since: datetime) -> SampleCounts:
    """Of what was drawn since: all, those that wait, those found wrong."""
    row = hot(connection, COUNTS, {"city": city, "since": since}).fetchone()
    assert row is not None
    return SampleCounts(*row)
