"""Usual prices and journeys in the database: learned once a week, looked up for a whole batch by one statement each."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import Connection

from backend.kernel.periods import civil_date, day_start_ms, instant
from backend.policies.watch import Of
from backend.scans.model import Basket, Channel, ClockQuality
from backend.scans.signals import PRICED_AS, Place, Signals, kmh, week_of, weeks_before
from backend.storage.columns import ids, numbers, unquoted, words
from backend.storage.stream import allow_long_reads
from backend.storage.transaction import hot

HISTORY_DAYS = 90
SALES_MIN = 20
"""Fewer say nothing of what goods usually cost."""
RETAILERS_MIN = 3
"""Each has one voice, the median of its own sales: a single one, however much it sells to nobody in particular, does not
shape the price that it is compared with. In a city where fewer sell the goods it is known residents who speak:"""
RESIDENTS_MIN = 20
"""each once, whatever they bought."""
EARLY_MAX = timedelta(days=1)
"""A decision is taken after the sale, but for what clocks differ."""
APART_MAX = timedelta(hours=12)
"""Whoever has so long between two sales may be anywhere in the country."""
_TILL = Channel.TILL.value
_TRUSTED = (ClockQuality.NTP.value, ClockQuality.SERVER.value)

MEDIANS = """
SELECT label_key, week, median_fen FROM price_medians
WHERE city = %(city)s AND label_key = ANY(%(keys)s::text[]) AND week = ANY(%(weeks)s::date[])"""

# Of each basket its person's nearest sales in other shops, before it and, where they were recorded first, after it: several,
# lest a trifle bought next door hide where the person was before; held quotes too, for which the same person stood at a
# till. Shops without a place, tills without a trusted clock and baskets that were claimed later say nothing of where a
# person was.
_SOLD_NEAR = """
  (SELECT b.sold_at, o.latitude_e6, o.longitude_e6 FROM baskets b JOIN stores o ON o.city = %(city)s AND o.store = b.store
   WHERE b.city = %(city)s AND b.resident = t.resident AND {when} AND b.store <> t.store AND b.channel = 'till'
     AND b.claim_sha256 IS NULL AND b.void_of IS NULL AND b.clock_quality IN ('ntp', 'srv')
     AND o.latitude_e6 IS NOT NULL
   ORDER BY b.sold_at {order} LIMIT 20)"""
_QUOTED_NEAR = """
  (SELECT b.sold_at, o.latitude_e6, o.longitude_e6 FROM quotes b JOIN stores o ON o.city = %(city)s AND o.store = b.store
   WHERE b.city = %(city)s AND b.resident = t.resident AND {when} AND b.store <> t.store AND b.state = 'held'
     AND o.latitude_e6 IS NOT NULL
   ORDER BY b.sold_at {order} LIMIT 20)"""
_BEFORE = "b.basket <> t.basket AND b.sold_at <= t.sold_at AND b.sold_at >= t.sold_at - %(apart)s"
_AFTER = "b.sold_at > t.sold_at AND b.sold_at <= t.sold_at + %(apart)s"
_NEAR = " UNION ALL ".join(
    (
        _SOLD_NEAR.format(when=_BEFORE, order="DESC"),
        _SOLD_NEAR.format(when=f"b.recorded_at < %(now)s AND {_AFTER}", order="ASC"),
        _QUOTED_NEAR.format(when=_BEFORE, order="DESC"),
        _QUOTED_NEAR.format(when=f"b.basket <> t.basket AND {_AFTER}", order="ASC"),
    )
)
JOURNEYS = f"""
SELECT t.basket::text, s.latitude_e6, s.longitude_e6, n.latitude_e6, n.longitude_e6,
       abs(extract(epoch FROM n.sold_at - t.sold_at))::bigint
FROM (SELECT basket, resident, to_timestamp(sold_ms::float8 / 1000) AS sold_at, store
      FROM unnest(%(baskets)s::uuid[], %(residents)s::uuid[], %(sold)s::bigint[], %(stores)s::text[])
           u(basket, resident, sold_ms, store)) t
JOIN stores s ON s.city = %(city)s AND s.store = t.store AND s.latitude_e6 IS NOT NULL
CROSS JOIN LATERAL ({_NEAR}) n"""

KNOWN = "SELECT EXISTS (SELECT FROM price_weeks WHERE city = %(city)s AND week = %(week)s)"

LEARNED = """
INSERT INTO price_weeks (city, week, codes, learned_at) VALUES (%(city)s, %(week)s, %(codes)s, %(now)s)
ON CONFLICT DO NOTHING"""

# What came back, or is about to, was not sold at that price.
LEARN = f"""
WITH sold AS (
  SELECT {PRICED_AS} AS label_key, (d.price_fen + d.quantity - 1) / d.quantity AS price_fen, b.resident, s.retailer
  FROM decisions d JOIN baskets b ON b.city = %(city)s AND b.basket = d.basket
  LEFT JOIN stores s ON s.city = %(city)s AND s.store = b.store
  WHERE d.city = %(city)s AND d.decision_no = 1 AND d.decided_at >= %(decided_since)s AND d.price_fen > 0
    AND d.label_key IS NOT NULL AND b.channel = 'till' AND b.void_of IS NULL AND b.sold_at >= %(since)s AND b.sold_at < %(until)s
    AND NOT EXISTS (SELECT FROM returns r WHERE r.city = %(city)s AND r.basket = d.basket AND r.line_no = d.line_no)
    AND NOT EXISTS (SELECT FROM open_voids o WHERE o.city = %(city)s AND o.voided = d.basket)),
voices AS (
  SELECT label_key, 'retailer' AS whose, percentile_disc(0.5) WITHIN GROUP (ORDER BY price_fen) AS price_fen, count(*) AS sales
  FROM sold WHERE retailer IS NOT NULL GROUP BY label_key, retailer
  UNION ALL
  SELECT label_key, 'resident', percentile_disc(0.5) WITHIN GROUP (ORDER BY price_fen), count(*)
  FROM sold WHERE resident IS NOT NULL GROUP BY label_key, resident),
heard AS (
  SELECT label_key, whose, percentile_disc(0.5) WITHIN GROUP (ORDER BY price_fen) AS median_fen, sum(sales) AS sales
  FROM voices GROUP BY label_key, whose
  HAVING sum(sales) >= %(sales_min)s
    AND count(*) >= CASE whose WHEN 'retailer' THEN %(retailers_min)s ELSE %(residents_min)s END)
INSERT INTO price_medians (city, label_key, week, median_fen, sales, learned_at)
SELECT %(city)s, label_key, %(week)s::date, median_fen, sales, %(now)s::timestamptz
FROM (SELECT DISTINCT ON (label_key) label_key, median_fen, sales FROM heard ORDER BY label_key, whose DESC) h
ON CONFLICT DO NOTHING"""


def load_signals(
    connection: Connection,
    city: str,
    watched: Collection[Of],
    baskets: Sequence[Basket],
    keys: Collection[str],
    now: datetime,
) -> Signals:
    """What `watched` compares `baskets` with; `keys` are those of their labels. A statement for each kind of watch."""
    medians = _medians(connection, city, baskets, keys) if Of.PRICE in watched else {}
    journeys = _journeys(connection, city, baskets, now) if Of.TRAVEL in watched else {}
    return Signals(medians, journeys)


def learn_medians(connection: Connection, city: str, now: datetime) -> int:
    """Reckons the medians of the present week from the sales of 90 days before its Monday, once; how many codes got one."""
    week = week_of(civil_date(int(now.timestamp() * 1_000)))
    (known,) = hot(connection, KNOWN, {"city": city, "week": week}).fetchone() or (False,)
    if known:
        return 0
    allow_long_reads(connection)
    until = instant(day_start_ms(week))
    since = until - timedelta(days=HISTORY_DAYS)
    given = {
        "city": city,
        "week": week,
        "since": since,
        "until": until,
        "decided_since": since - EARLY_MAX,
        "sales_min": SALES_MIN,
        "retailers_min": RETAILERS_MIN,
        "residents_min": RESIDENTS_MIN,
        "now": now,
    }
    codes = hot(connection, LEARN, given).rowcount
    hot(connection, LEARNED, {"city": city, "week": week, "codes": codes, "now": now})
    return codes


def _medians(
    connection: Connection, city: str, baskets: Sequence[Basket], keys: Collection[str]
) -> dict[tuple[str, date], int]:
    weeks = {week for basket in baskets for week in weeks_before(civil_date(basket.sold_at_ms))}
    given = {"city": city, "keys": words(sorted(keys)), "weeks": unquoted([week.isoformat() for week in sorted(weeks)])}
    return {(key, week): median for key, week, median in hot(connection, MEDIANS, given)}


def _journeys(connection: Connection, city: str, baskets: Sequence[Basket], now: datetime) -> dict[str, int]:
    """The fastest journey of each basket's person, in km an hour."""
    seen = [basket for basket in baskets if _tells_where(basket)]
    given = {
        "city": city,
        "baskets": ids([basket.basket for basket in seen]),
        "residents": ids([basket.resident for basket in seen]),
        "sold": numbers([basket.sold_at_ms for basket in seen]),
        "stores": words([basket.store for basket in seen]),
        "apart": APART_MAX,
        "now": now,
    }
    fastest: dict[str, int] = {}
    for basket, *places, between_s in hot(connection, JOURNEYS, given):
        speed = kmh(Place(*places[:2]), Place(*places[2:]), between_s)
        fastest[basket] = max(speed, fastest.get(basket, 0))
    return fastest


def _tells_where(basket: Basket) -> bool:
    """Whether its person stood in its shop at the moment of sale, by a clock that can be compared with others."""
    stood = basket.resident is not None and basket.store is not None and basket.claim_sha256 is None
    return stood and basket.channel == _TILL and basket.clock_quality in _TRUSTED
