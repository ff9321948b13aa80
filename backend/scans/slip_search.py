"""The sales that a shop's slip number may stand for, and how they are given to who holds the slip."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection

from backend.kernel.periods import day_start_ms, instant
from backend.scans.claims import ClaimedBasket
from backend.scans.identity import basket_id
from backend.storage.columns import unquoted, words
from backend.storage.transaction import hot

PARTS_MAX = 100
"""Parts of sales under one number of one shop and day; where there are more, it is no number of a slip."""

_SALES = """
SELECT b.basket::text, b.device || ' ' || b.stream || ' ' || coalesce(b.part_of, b.seq), b.slip_no, b.sold_at,
       b.resident IS NULL, array_agg(coalesce(d.price_fen, 0) ORDER BY d.line_no)
FROM baskets b JOIN decisions d ON d.city = %(city)s AND d.basket = b.basket AND d.decision_no = 1
WHERE b.city = %(city)s AND b.store = %(store)s AND b.sold_at >= %(begin)s AND b.sold_at < %(end)s
  AND b.channel = 'till' AND b.void_of IS NULL"""

OF_SLIP = f"""{_SALES} AND b.slip_no = %(slip_no)s
GROUP BY b.city, b.basket ORDER BY b.basket LIMIT %(limit)s"""

OF_DAY = f"""{_SALES} AND b.resident IS NULL
GROUP BY b.city, b.basket ORDER BY b.slip_no = %(slip_no)s DESC NULLS LAST,
         sum(d.price_fen) = %(amount_fen)s DESC NULLS LAST, b.sold_at LIMIT %(limit)s"""

SOLD_OTHERWISE = """
SELECT DISTINCT b.store, b.slip_no, (b.sold_at AT TIME ZONE INTERVAL '8 hours')::date FROM baskets b
WHERE b.city = %(city)s AND b.store = ANY(%(stores)s::text[]) AND b.slip_no = ANY(%(slips)s::text[])
  AND b.device <> %(device)s AND b.channel = 'till' AND b.void_of IS NULL"""

# By what was decided on: the line itself is not kept of every basket, as of none that shows a card.
SOLD_BY = """
SELECT b.basket::text, b.store, b.slip_no, (b.sold_at AT TIME ZONE INTERVAL '8 hours')::date,
       d.code, d.code_text, d.quantity, d.price_fen, d.serial
FROM baskets b JOIN decisions d ON d.city = %(city)s AND d.basket = b.basket AND d.decision_no = 1
WHERE b.city = %(city)s AND b.store = ANY(%(stores)s::text[]) AND b.slip_no = ANY(%(slips)s::text[])
  AND b.device = %(device)s AND b.channel = 'till' AND b.void_of IS NULL
ORDER BY b.basket, d.line_no"""

ROOT = """
SELECT device, stream::text, coalesce(part_of, seq) FROM baskets
WHERE city = %(city)s AND basket = %(basket)s AND channel = 'till' AND void_of IS NULL"""

PARTS = """
SELECT basket::text FROM baskets
WHERE city = %(city)s AND basket = ANY(%(baskets)s::uuid[]) AND coalesce(part_of, seq) = %(root)s AND void_of IS NULL
ORDER BY seq"""

LOCK = """
SELECT basket::text, resident::text, sold_at, store FROM baskets
WHERE city = %(city)s AND basket = ANY(%(baskets)s::uuid[]) ORDER BY baskets.basket FOR UPDATE"""

# What had no claim code gets the mark of one: given by a slip, it proves as much.
TAKE = """
UPDATE baskets SET resident = %(resident)s::uuid, claim_sha256 = coalesce(claim_sha256, %(mark)s),
  claimed_elsewhere = %(elsewhere)s
WHERE city = %(city)s AND basket = ANY(%(baskets)s::uuid[]) AND resident IS NULL"""


class SoldPart(NamedTuple):
    """A basket, the sale that it is a part of, and its prices in fen line by line, 0 where a line had none."""

    basket: str
    sale: str
    slip_no: str | None
    sold_at: datetime
    is_free: bool
    prices_fen: tuple[int, ...]


class Slip(NamedTuple):
    """A shop's number of a sales slip, as `slips.canonical` spells it, on a civil day."""

    store: str
    slip_no: str
    day: date


class SoldGoods(NamedTuple):
    """One line of a sale. `code` None: it is not kept, as it names a person."""

    code: str | None
    quantity: int
    price_fen: int | None
    serial: str | None


def sold_otherwise(connection: Connection, city: str, device: str, slips: Collection[Slip]) -> frozenset[Slip]:
    """Those of which another device than `device` has sent the sale."""
    given = {"city": city, "device": device, **_numbers(slips)}
    return frozenset(slips) & {Slip(*row) for row in hot(connection, SOLD_OTHERWISE, given)}


def sold_by(
    connection: Connection, city: str, device: str, slips: Collection[Slip]
) -> dict[tuple[str, Slip], list[SoldGoods]]:
    """The baskets with one of `slips` that `device` has sent, and what each holds."""
    given = {"city": city, "device": device, **_numbers(slips)}
    found: defaultdict[tuple[str, Slip], list[SoldGoods]] = defaultdict(list)
    for basket, store, slip_no, day, code, text, *goods in hot(connection, SOLD_BY, given):
        slip = Slip(store, slip_no, day)
        if slip in slips:
            found[basket, slip].append(SoldGoods(text if code is None else bytes(code).decode(), *goods))
    return found


def _numbers(slips: Collection[Slip]) -> dict[str, str]:
    return {
        "stores": words(sorted({slip.store for slip in slips})),
        "slips": words(sorted({slip.slip_no for slip in slips})),
    }


def of_slip(connection: Connection, city: str, store: str, slip_no: str, day: date) -> list[SoldPart]:
    """What a shop sold under this number on a civil day; nothing where more than 100 baskets carry it."""
    given = {"slip_no": slip_no, "limit": PARTS_MAX + 1, **_of_day(city, store, day)}
    found = [_part(row) for row in hot(connection, OF_SLIP, given)]
    return found if len(found) <= PARTS_MAX else []


def of_day(
    connection: Connection, city: str, store: str, day: date, *, slip_no: str, amount_fen: int, limit: int
) -> list[SoldPart]:
    """What nobody has yet of a shop's day: first under this number, then of this amount."""
    given = {"slip_no": slip_no, "amount_fen": amount_fen, "limit": limit, **_of_day(city, store, day)}
    return [_part(row) for row in hot(connection, OF_DAY, given)]


def the_sale(parts: Sequence[SoldPart], amount_fen: int) -> list[str]:
    """The baskets of the one sale of which this is the total or the price of a line; none where it is none or several."""
    sales: defaultdict[str, list[SoldPart]] = defaultdict(list)
    for part in parts:
        sales[part.sale].append(part)
    fitting = [one for one in sales.values() if _fits([fen for part in one for fen in part.prices_fen], amount_fen)]
    return sorted(part.basket for part in fitting[0]) if len(fitting) == 1 else []


def parts_of(connection: Connection, city: str, basket: str) -> list[str]:
    """All baskets of the sale that `basket` is of, the first one first; none where it is no sale of a till."""
    row = hot(connection, ROOT, {"city": city, "basket": basket}).fetchone()
    if row is None:
        return []
    device, stream, root = row
    # A till numbers the parts of a basket one after another.
    places = [basket_id(device, stream, seq) for seq in range(root, root + PARTS_MAX)]
    found = hot(connection, PARTS, {"city": city, "baskets": unquoted(places), "root": root})
    return [one for (one,) in found]


def lock(connection: Connection, city: str, baskets: Sequence[str]) -> list[ClaimedBasket]:
    """Whose they are, until COMMIT."""
    return [ClaimedBasket(*row) for row in hot(connection, LOCK, {"city": city, "baskets": unquoted(baskets)})]


def take(
    connection: Connection, city: str, baskets: Sequence[str], resident: str, mark: bytes, *, elsewhere: bool
) -> None:
    """Gives baskets of nobody, which the caller has locked, to `resident`. `elsewhere`: nobody stands in for their shop."""
    given = {"city": city, "baskets": unquoted(baskets), "resident": resident, "mark": mark, "elsewhere": elsewhere}
    hot(connection, TAKE, given)


def _fits(prices_fen: Sequence[int], amount_fen: int) -> bool:
    return amount_fen == sum(prices_fen) or amount_fen in prices_fen


def _of_day(city: str, store: str, day: date) -> dict[str, object]:
    begin, end = (instant(day_start_ms(one)) for one in (day, day + timedelta(days=1)))
    return {"city": city, "store": store, "begin": begin, "end": end}


def _part(row: Sequence[object]) -> SoldPart:
    basket, sale, slip_no, sold_at, is_free, prices = row
    return SoldPart(basket, sale, slip_no, sold_at, is_free, tuple(prices))  # type: ignore[arg-type]  # the statement's own columns
