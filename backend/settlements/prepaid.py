"""Subsidies that shops gave at the till, in the database, inside the caller's transaction."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.storage.columns import ids, numbers
from backend.storage.transaction import hot

STORED = """
SELECT place, basket::text, line_no, decision_no, award_no, store, amount, sha256 FROM prepaid_awards
WHERE city = %(city)s AND prepayment = %(prepayment)s ORDER BY place"""

OF_BASKETS = """
SELECT basket::text, line_no, decision_no, award_no, store FROM prepaid_awards
WHERE city = %(city)s AND basket = ANY(%(baskets)s::uuid[])"""

INSERT = """
INSERT INTO prepaid_awards (city, prepayment, place, basket, line_no, decision_no, award_no, store, amount, caller, recorded_at,
                            sha256)
SELECT %(city)s, %(prepayment)s::uuid, t.place, t.basket, t.line_no, t.decision_no, t.award_no, %(store)s, t.amount, %(caller)s,
       %(now)s, %(sha256)s
FROM unnest(%(places)s::smallint[], %(baskets)s::uuid[], %(lines)s::smallint[], %(numbers)s::smallint[], %(awards)s::smallint[],
            %(amounts)s::bigint[]) t(place, basket, line_no, decision_no, award_no, amount)"""

AWARDS = """
SELECT d.basket::text, d.line_no, d.decision_no, x.award_no, x.award
FROM decisions d
JOIN LATERAL (
  SELECT 1 AS award_no, d.unit, d.award
  UNION ALL
  SELECT f.award_no, f.unit, f.award FROM further_awards f
  WHERE f.city = %(city)s AND f.basket = d.basket AND f.line_no = d.line_no AND f.decision_no = d.decision_no) x
  ON x.unit = 'fen' AND x.award > 0
JOIN unnest(%(baskets)s::uuid[], %(lines)s::smallint[]) t(basket, line_no) ON t.basket = d.basket AND t.line_no = d.line_no
WHERE d.city = %(city)s AND d.basket = ANY(%(baskets)s::uuid[])
  AND d.decision_no = (SELECT max(e.decision_no) FROM decisions e
                       WHERE e.city = %(city)s AND e.basket = d.basket AND e.line_no = d.line_no)
ORDER BY d.basket, d.line_no, x.award_no"""


class Award(NamedTuple):
    """A subsidy in fen of one sold line."""

    basket: str
    line_no: int
    decision_no: int
    award_no: int
    amount: int


class Stored(NamedTuple):
    awards: tuple[Award, ...]
    store: str
    sha256: bytes


def stored(connection: Connection, city: str, prepayment: str) -> Stored | None:
    rows = hot(connection, STORED, {"city": city, "prepayment": prepayment}).fetchall()
    if not rows:
        return None
    return Stored(tuple(Award(row[1], row[2], row[3], row[4], row[6]) for row in rows), rows[0][5], bytes(rows[0][7]))


def shops_of(connection: Connection, city: str, baskets: Collection[str]) -> dict[tuple[str, int, int, int], str]:
    """By basket, line, decision and award, the shop that gave it at its till."""
    rows = hot(connection, OF_BASKETS, {"city": city, "baskets": ids(sorted(baskets))})
    return {(basket, line_no, number, award): store for basket, line_no, number, award, store in rows}


def subsidies(connection: Connection, city: str, lines: Sequence[tuple[str, int]]) -> list[Award]:
    """What the last decisions of sold lines award in fen."""
    baskets, numbers_of = zip(*sorted(lines), strict=True)
    rows = hot(connection, AWARDS, {"city": city, "baskets": ids(baskets), "lines": numbers(numbers_of)})
    return [Award(*row) for row in rows]


def insert(connection: Connection, city: str, prepayment: str, given: Stored, caller: str, now: datetime) -> None:
    """The key refuses an award that was given before."""
    baskets, lines, decisions, awards, amounts = zip(*given.awards, strict=True)
    params = {"city": city, "prepayment": prepayment, "store": given.store, "caller": caller, "now": now}
    columns = {
        "baskets": ids(baskets),
        "lines": numbers(lines),
        "numbers": numbers(decisions),
        "awards": numbers(awards),
    }
    rest = {"places": numbers(range(len(amounts))), "amounts": numbers(amounts), "sha256": given.sha256}
    hot(connection, INSERT, {**params, **columns, **rest})
