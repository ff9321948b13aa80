"""Who buys what on a day: pure and drawn from the seed, so that the same year comes out again."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from backend.demo.year.goods import ARTICLES, Article
from backend.demo.year.shops import APPLIANCES, RAISER, SHOPS, SWEEPER, SWEPT_CASHIER, Shop
from backend.kernel.periods import CHINA

DAYS = 365
RESIDENTS = 600
BASKETS_A_DAY = 26
_WEEKDAYS = (0.8, 0.75, 0.8, 0.85, 1.0, 1.5, 1.4)
_MONTHS = (1.0, 1.15, 0.85, 0.9, 1.0, 1.35, 1.0, 0.9, 0.95, 1.05, 1.4, 1.1)
"""The sales before the spring festival, of 18 June and of 11 November."""
_HOURS = (1, 2, 4, 5, 4, 2, 2, 3, 5, 9, 8, 4)
OPEN_AT = 9
RAISED_DAYS, RAISED_BP = 35, 14_500
SWEPT_DAYS, SWEPT_EVERY = 60, 4
MEMBERS, CLAIMANTS = 0.78, 0.12
"""Who shows a code at the till, who takes the slip to claim later; the others do nothing."""
VOIDED, RETURNED, LATE, DEARER = 0.01, 0.03, 0.04, 0.5
FRIEND = 13
"""The resident whose code the cashier shows."""


class Way(StrEnum):
    """How its customer gets the award."""

    MEMBER = "member"
    CLAIM = "claim"
    LOST_SLIP = "lost_slip"


@dataclass(frozen=True, slots=True)
class Sale:
    """A basket. `resident` None: nobody ever claims it. `late_hours`: the till had no connection. `voided`: at once."""

    shop: Shop
    till: int
    cashier: str
    way: Way
    resident: int | None
    sold_at: datetime
    late_hours: int
    reads: tuple[dict[str, object], ...]
    voided: bool = False
    returned_days: int | None = None


def residents_on(day: int, residents: int) -> int:
    """How many have joined by then: a third at the start, all after ten months."""
    return min(residents, residents // 3 + residents * day // 450)


def joins_on(number: int, residents: int) -> int:
    """The day on which resident `number` joins."""
    return max(0, -((residents // 3 - number - 1) * 450 // residents))


def sales_of(day: int, on: date, ends: date, *, rng: random.Random, residents: int, baskets: int) -> list[Sale]:
    """All of a day, in the order in which they were sold."""
    busy = _WEEKDAYS[on.weekday()] * _MONTHS[on.month - 1] * (0.55 + 0.75 * day / DAYS)
    left = (ends - on).days
    count = round(baskets * busy * rng.uniform(0.85, 1.15))
    found = [_sale(day, on, left, rng, residents) for _ in range(count)]
    if left <= SWEPT_DAYS and day % SWEPT_EVERY == 0:
        found += _swept(on, rng)
    return sorted(found, key=lambda sale: sale.sold_at)


def _sale(day: int, on: date, left: int, rng: random.Random, residents: int) -> Sale:
    (shop,) = rng.choices([s for s in SHOPS if s.opens <= day], [s.weight for s in SHOPS if s.opens <= day])
    drawn = rng.random()
    way = Way.MEMBER if drawn < MEMBERS else Way.CLAIM if drawn < MEMBERS + CLAIMANTS else Way.LOST_SLIP
    # Some buy often, most now and then.
    person = int(residents_on(day, residents) * rng.random() ** 1.6)
    fate = rng.random()
    return Sale(
        shop=shop,
        till=rng.randint(1, shop.tills),
        cashier=f"c{rng.randint(1, 4):02d}",
        way=way,
        resident=None if way is Way.LOST_SLIP else person,
        sold_at=_moment(on, rng),
        late_hours=rng.randint(1, 40) if rng.random() < LATE else 0,
        reads=tuple(_reads(shop, on, left, rng)),
        voided=fate < VOIDED,
        returned_days=rng.randint(1, 12) if VOIDED <= fate < VOIDED + RETURNED else None,
    )


def _reads(shop: Shop, on: date, left: int, rng: random.Random) -> Iterator[dict[str, object]]:
    sold = [article for article in ARTICLES if article.kind == shop.kind]
    weights = [article.weight * article.seasons[on.month - 1] for article in sold]
    many = 1 if shop.kind == APPLIANCES else rng.choices((1, 2, 3, 4), (5, 4, 2, 1))[0]
    raised = shop.store.store == RAISER and left <= RAISED_DAYS
    for article in _without_repeats(rng.choices(sold, weights, k=many)):
        yield article.read(on, rng, RAISED_BP if raised and rng.random() < DEARER else 10_000)


def _without_repeats(articles: list[Article]) -> list[Article]:
    return list({article.name_zh: article for article in articles}.values())


def _moment(on: date, rng: random.Random) -> datetime:
    hour = OPEN_AT + rng.choices(range(len(_HOURS)), _HOURS)[0]
    return datetime.combine(on, time(hour, rng.randrange(60), rng.randrange(60)), CHINA)


def _swept(on: date, rng: random.Random) -> Iterator[Sale]:
    """One cashier, a dozen strangers' sales, a friend's code."""
    (shop,) = [shop for shop in SHOPS if shop.store.store == SWEEPER]
    begins = datetime.combine(on, time(17, 5), CHINA)
    for number in range(9):
        reads = tuple(_reads(shop, on, DAYS, rng))
        at = begins + timedelta(minutes=7 * number + rng.randrange(5))
        yield Sale(shop, 1, SWEPT_CASHIER, Way.MEMBER, FRIEND, at, 0, reads)
