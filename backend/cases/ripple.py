"""What a certificate that was lost, or a serial that was proven false, has already cost: awards, shops, people, value."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.kernel.amounts import OF_RESIDENTS
from backend.storage.columns import unquoted, words
from backend.storage.transaction import hot

AWARDS_MAX = 100_000
"""Awards that one look counts; where there are more it says so."""
SHOPS_MAX = 200
PAGE_MAX = 100

# Whatever was sold in a period for which the certificate stands as valid today is none of it.
_OF_CERTIFICATE = """
  SELECT d.basket, d.line_no, d.decision_no, d.resident, d.unit, d.award, b.store, b.sold_at
  FROM decisions d JOIN baskets b ON b.city = %(city)s AND b.basket = d.basket
  WHERE d.city = %(city)s AND d.certificate_row = ANY(%(rows)s::uuid[]) AND d.award > 0
    AND NOT EXISTS (SELECT FROM unnest(%(froms)s::timestamptz[], %(untils)s::timestamptz[]) v(from_at, until_at)
                    WHERE b.sold_at >= v.from_at AND (v.until_at IS NULL OR b.sold_at < v.until_at))"""

_OF_UNIT = """
  SELECT d.basket, d.line_no, d.decision_no, d.resident, d.unit, d.award, b.store, b.sold_at
  FROM unit_claims u
  JOIN decisions d ON d.city = %(city)s AND d.basket = u.basket AND d.line_no = u.line_no
  JOIN baskets b ON b.city = %(city)s AND b.basket = d.basket
  WHERE u.key = %(key)s AND u.city = %(city)s AND d.award > 0"""

_MONEY = """,
paid AS (
  SELECT h.basket, h.line_no, h.decision_no, h.store, h.unit, h.award FROM hit h
  UNION ALL
  SELECT h.basket, h.line_no, h.decision_no, h.store, f.unit, f.award FROM hit h
  JOIN further_awards f ON f.city = %(city)s AND f.basket = h.basket AND f.line_no = h.line_no
    AND f.decision_no = h.decision_no AND f.award > 0),
back AS (
  SELECT h.store, t.unit, t.amount FROM hit h
  JOIN returns r ON r.city = %(city)s AND r.basket = h.basket AND r.line_no = h.line_no
    AND r.decision_no = h.decision_no
  JOIN transfers t ON t.city = %(city)s AND t.reference = r.return_id AND t.step = r.place + 1 AND t.reason = 'return'
    AND t.unit = ANY(%(units)s::text[]))"""

_HIT = "WITH hit AS MATERIALIZED ({hit} ORDER BY d.basket, d.line_no LIMIT %(limit)s)" + _MONEY

_TOTALS = f"""{_HIT}
SELECT unit, sum(awarded)::bigint, sum(returned)::bigint FROM (
  SELECT unit, award AS awarded, 0 AS returned FROM paid UNION ALL SELECT unit, 0, amount FROM back) m
GROUP BY unit ORDER BY unit"""

_COUNTS = """WITH hit AS MATERIALIZED ({hit} ORDER BY d.basket, d.line_no LIMIT %(limit)s)
SELECT count(*), count(DISTINCT basket), count(DISTINCT store), count(DISTINCT resident), min(sold_at), max(sold_at)
FROM hit"""

_SHOPS = f"""{_HIT}
SELECT m.store, s.name_zh, count(*) FILTER (WHERE m.is_award), sum(m.points)::bigint, sum(m.fen)::bigint FROM (
  SELECT store, true AS is_award, CASE unit WHEN 'points' THEN award ELSE 0 END AS points,
         CASE unit WHEN 'fen' THEN award ELSE 0 END AS fen FROM paid
  UNION ALL
  SELECT store, false, CASE unit WHEN 'points' THEN -amount ELSE 0 END, CASE unit WHEN 'fen' THEN -amount ELSE 0 END
  FROM back) m
LEFT JOIN stores s ON s.city = %(city)s AND s.store = m.store
GROUP BY m.store, s.name_zh ORDER BY sum(m.fen) DESC, sum(m.points) DESC, m.store LIMIT %(shops)s"""

_AWARDS = """{hit}
  AND (%(basket)s::uuid IS NULL OR (d.basket, d.line_no) > (%(basket)s, %(line_no)s::int))
ORDER BY d.basket, d.line_no LIMIT %(limit)s"""

TOTALS_OF_CERTIFICATE, TOTALS_OF_UNIT = _TOTALS.format(hit=_OF_CERTIFICATE), _TOTALS.format(hit=_OF_UNIT)
COUNTS_OF_CERTIFICATE, COUNTS_OF_UNIT = _COUNTS.format(hit=_OF_CERTIFICATE), _COUNTS.format(hit=_OF_UNIT)
SHOPS_OF_CERTIFICATE, SHOPS_OF_UNIT = _SHOPS.format(hit=_OF_CERTIFICATE), _SHOPS.format(hit=_OF_UNIT)
AWARDS_OF_CERTIFICATE, AWARDS_OF_UNIT = _AWARDS.format(hit=_OF_CERTIFICATE), _AWARDS.format(hit=_OF_UNIT)


class LostCertificate(NamedTuple):
    """`rows`: its rows of states, which decisions name; `valid`: when it stands as valid by what is known now (until None:
    without end). An award for anything sold at another time rests on it.
    """

    rows: Sequence[str]
    valid: Sequence[tuple[datetime, datetime | None]]


class FalseUnit(NamedTuple):
    """The key of a label that names one piece."""

    key: str


Lost = LostCertificate | FalseUnit


class Amount(NamedTuple):
    """`awarded` of `unit` for what was sold, and what of it came back with the goods already."""

    unit: str
    awarded: int
    returned: int

    @property
    def net(self) -> int:
        return self.awarded - self.returned


class Shop(NamedTuple):
    """`points`, `fen`: what is left of the awards after goods came back. `store` None: scans of phones."""

    store: str | None
    name_zh: str | None
    awards: int
    points: int
    fen: int


class Award(NamedTuple):
    """One award. Whose it is is not among it: residents in good faith keep what they have."""

    basket: str
    line_no: int
    decision_no: int
    unit: str
    award: int
    store: str | None
    sold_at: datetime


class Ripple(NamedTuple):
    """`whole` False: there are more than a hundred thousand awards, and only those were counted."""

    awards: int
    baskets: int
    stores: int
    residents: int
    first_sold_at: datetime | None
    last_sold_at: datetime | None
    amounts: Sequence[Amount]
    shops: Sequence[Shop]
    whole: bool


def ripple(connection: Connection, city: str, lost: Lost) -> Ripple:
    """Three statements, whatever it has cost; at most a hundred thousand awards and two hundred shops."""
    params = _params(city, lost, AWARDS_MAX)
    of_unit = isinstance(lost, FalseUnit)
    counted = hot(connection, COUNTS_OF_UNIT if of_unit else COUNTS_OF_CERTIFICATE, params).fetchone()
    assert counted is not None
    amounts = [Amount(*row) for row in hot(connection, TOTALS_OF_UNIT if of_unit else TOTALS_OF_CERTIFICATE, params)]
    shops = [Shop(*row) for row in hot(connection, SHOPS_OF_UNIT if of_unit else SHOPS_OF_CERTIFICATE, params)]
    number, baskets, stores, residents, first, last = counted
    return Ripple(number, baskets, stores, residents, first, last, amounts, shops, number < AWARDS_MAX)


def awards(
    connection: Connection, city: str, lost: Lost, *, after: tuple[str, int] | None = None, limit: int = PAGE_MAX
) -> list[Award]:
    """The awards in the order of their baskets, above (basket, line) `after`; at most `limit`, at most 100."""
    basket, line_no = after or (None, None)
    params = {**_params(city, lost, min(limit, PAGE_MAX)), "basket": basket, "line_no": line_no}
    rows = hot(connection, AWARDS_OF_UNIT if isinstance(lost, FalseUnit) else AWARDS_OF_CERTIFICATE, params)
    return [Award(str(row[0]), *row[1:3], *row[4:]) for row in rows]


def places(
    connection: Connection, city: str, lost: Lost, *, after: tuple[str, int] | None, limit: int
) -> list[tuple[str, int]]:
    """Basket and line of each award, above `after`, at most `limit`."""
    basket, line_no = after or (None, None)
    params = {**_params(city, lost, limit), "basket": basket, "line_no": line_no}
    rows = hot(connection, AWARDS_OF_UNIT if isinstance(lost, FalseUnit) else AWARDS_OF_CERTIFICATE, params)
    return [(str(row[0]), row[1]) for row in rows]


def _params(city: str, lost: Lost, limit: int) -> dict[str, object]:
    common: dict[str, object] = {"city": city, "limit": limit, "shops": SHOPS_MAX, "units": words(list(OF_RESIDENTS))}
    if isinstance(lost, FalseUnit):
        return common | {"key": lost.key}
    froms = [start.isoformat() for start, _ in lost.valid]
    untils = [None if end is None else end.isoformat() for _, end in lost.valid]
    return common | {"rows": unquoted(lost.rows), "froms": words(froms), "untils": words(untils)}
