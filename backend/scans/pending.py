"""The queue of unknown products and the scans that wait in it."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection

from backend.kernel.periods import milliseconds
from backend.policies.model import Outcome
from backend.scans.evidence import evidence_of
from backend.scans.model import Basket, Read
from backend.scans.reread import WaitingScan
from backend.scans.sale_time import is_held
from backend.scans.whole import RECEIPT
from backend.storage.columns import unquoted, words
from backend.storage.transaction import hot

KEYS = """
SELECT key FROM pending_products WHERE city = %(city)s AND resolved_at IS NULL AND key > %(after)s
ORDER BY key LIMIT %(limit)s"""

_IN_FORCE = """
  AND NOT EXISTS (SELECT FROM decisions later WHERE later.city = %(city)s AND later.basket = d.basket
                  AND later.line_no = d.line_no AND later.decision_no > d.decision_no)"""

BASKETS = f"""
SELECT d.basket::text, count(*)
FROM decisions d JOIN baskets b ON b.city = %(city)s AND b.basket = d.basket
WHERE d.city = %(city)s AND d.outcome = 'pending_product' AND d.label_key = ANY(%(keys)s::text[]){_IN_FORCE}
GROUP BY d.basket, b.sold_at, b.device, b.stream, b.seq
ORDER BY b.sold_at, b.device, b.stream, b.seq LIMIT %(limit)s"""

# By the baskets' own key: the index of all that is pending would be read whole for each batch. Of a line of which some came
# back what is left is decided, at its part of the price, rounded down.
SCANS = f"""
SELECT d.basket::text, d.line_no, d.decision_no, d.label_key, d.code, d.code_text, d.symbology,
       f.quantity - r.returned, f.price_fen * (f.quantity - r.returned) / f.quantity,
       d.serial, d.evidence, b.device, b.stream::text, b.seq, b.sha256, b.channel, b.store, b.district, b.resident::text,
       b.claim_sha256, b.closed_by, b.cashier, b.void_of, b.part_of, b.sold_at, b.clock_quality, b.online, b.received_at,
       {RECEIPT}, b.claimed_elsewhere,
       EXISTS (SELECT FROM hold_rulings h WHERE h.city = %(city)s AND h.basket = d.basket AND h.line_no = d.line_no
               AND h.ruling = 'release')
FROM (SELECT DISTINCT ON (x.basket, x.line_no) x.* FROM decisions x
      WHERE x.city = %(city)s AND x.basket = ANY(%(baskets)s::uuid[]) ORDER BY x.basket, x.line_no, x.decision_no DESC) d
JOIN baskets b ON b.city = %(city)s AND b.basket = d.basket
JOIN decisions f ON f.city = %(city)s AND f.basket = d.basket AND f.line_no = d.line_no AND f.decision_no = 1
JOIN LATERAL (SELECT coalesce(sum(x.quantity), 0)::int AS returned FROM returns x
              WHERE x.city = %(city)s AND x.basket = d.basket AND x.line_no = d.line_no) r ON true
WHERE d.outcome = %(outcome)s ORDER BY d.basket, d.line_no"""

SOLD_LINE = SCANS.replace("d.outcome = %(outcome)s", "d.line_no = %(line_no)s")

# The same, and what a member code that named nobody left without an award, but for goods that all came back: of those no
# decision says so.
MISSED = SCANS.replace(
    "d.outcome = %(outcome)s",
    "f.quantity > r.returned AND (d.outcome = 'unclaimed' OR (d.outcome = 'none' AND starts_with(d.reason, 'member_')))",
)

LOCK = """
SELECT key FROM pending_products WHERE city = %(city)s AND key = ANY(%(keys)s::text[]) ORDER BY key FOR UPDATE"""

CLOSE = f"""
UPDATE pending_products p SET resolved_at = %(now)s
WHERE p.city = %(city)s AND p.key = ANY(%(keys)s::text[]) AND p.resolved_at IS NULL AND NOT EXISTS (
  SELECT FROM decisions d WHERE d.city = %(city)s AND d.outcome = 'pending_product' AND d.label_key = p.key{_IN_FORCE})"""


class WaitingBasket(NamedTuple):
    """A basket and how many of its scans wait."""

    basket: str
    scans: int


def keys(connection: Connection, city: str, *, after: str, limit: int) -> list[str]:
    """Codes that are looked for, in their order, above `after`."""
    return [key for (key,) in hot(connection, KEYS, {"city": city, "after": after, "limit": limit})]


def waiting_baskets(connection: Connection, city: str, codes: Sequence[str], *, limit: int) -> list[WaitingBasket]:
    """Baskets in which a scan of `codes` waits, earliest sale first, so that the last of a cap goes to it."""
    rows = hot(connection, BASKETS, {"city": city, "keys": words(codes), "limit": limit})
    return [WaitingBasket(*row) for row in rows]


def waiting_scans(
    connection: Connection, city: str, baskets: Iterable[str], outcome: str = Outcome.PENDING.value
) -> list[WaitingScan]:
    """Every scan of `baskets` that waits: for its product, or as `outcome` says; with the facts to decide it on; by basket,
    then line.
    """
    params = {"city": city, "baskets": unquoted(baskets), "outcome": outcome}
    return [_scan(row) for row in hot(connection, SCANS, params)]


def missed_scans(connection: Connection, city: str, baskets: Iterable[str]) -> list[WaitingScan]:
    """As `waiting_scans`: every scan of `baskets` that earned nothing because nobody was known at the till."""
    return [_scan(row) for row in hot(connection, MISSED, {"city": city, "baskets": unquoted(baskets)})]


def sold_scan(connection: Connection, city: str, basket: str, line_no: int) -> WaitingScan:
    """A line that is there, whatever was decided of it: what is left of it, with the facts of its sale."""
    row = hot(connection, SOLD_LINE, {"city": city, "baskets": unquoted([basket]), "line_no": line_no}).fetchone()
    assert row is not None
    return _scan(tuple(row))


def close(connection: Connection, city: str, codes: Sequence[str], now: datetime) -> int:
    """Ends the search for those of `codes` of which no scan waits; how many that were.

    The lock comes first and in a statement of its own: what waits is then looked up after everyone who was about to add to
    it has committed (`store.KEEP_OPEN`).
    """
    hot(connection, LOCK, {"city": city, "keys": words(codes)})
    return hot(connection, CLOSE, {"city": city, "keys": words(codes), "now": now}).rowcount


def _scan(row: tuple[Any, ...]) -> WaitingScan:
    (
        basket,
        line_no,
        decision_no,
        label_key,
        code,
        code_text,
        symbology,
        quantity,
        price_fen,
        serial,
        evidence,
        *facts,
        released,
    ) = row
    given, buyer = evidence_of(evidence)
    content = code_text.encode() if code is None else bytes(code)
    read = Read(
        content, code_text if code is None else None, symbology, None, quantity, price_fen, serial, given, released
    )
    return WaitingScan(_basket(basket, buyer, *facts), line_no, decision_no, label_key, read)


def _basket(basket: str, buyer: str, *facts: Any) -> Basket:
    (device, stream, seq, sha256, channel, store, district, resident, claim, closed_by, cashier, void_of, part_of) = (
        facts[:13]
    )
    sold_at, clock_quality, online, received_at, receipt_fen, claimed_elsewhere = facts[13:]
    sold_at_ms, received_at_ms = milliseconds(sold_at), milliseconds(received_at)
    return Basket(
        basket=basket,
        device=device,
        stream=stream,
        seq=seq,
        sha256=bytes(sha256),
        line=None,
        channel=channel,
        store=store,
        district=district,
        resident=resident,
        claim_sha256=None if claim is None else bytes(claim),
        closed_by=closed_by,
        cashier=cashier,
        void_of=void_of,
        part_of=part_of,
        sold_at_ms=sold_at_ms,
        clock_quality=clock_quality,
        clock_held=is_held(clock_quality, sold_at_ms, received_at_ms),
        online=online,
        received_at_ms=received_at_ms,
        reads=[],
        buyer=buyer,
        receipt_fen=receipt_fen,
        claimed_elsewhere=claimed_elsewhere,
    )
