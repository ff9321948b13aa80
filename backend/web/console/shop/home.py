"""Where a shop's staff begin: what was sold today, and what waits for them."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from flask import Response
from sqlalchemy import Connection

from backend.devices import fleet
from backend.kernel.periods import civil_date, milliseconds
from backend.officials.model import STAFF
from backend.scans import gaps, shop_queries
from backend.settlements import queries as settlements
from backend.statistics import queries
from backend.usecases.find_gaps import TOLD_FOR
from backend.web.console import here
from backend.web.console.answers import render
from backend.web.console.connection import read
from backend.web.console.declare import DECLARED, Topic, has_role, page
from backend.web.console.money_words import until
from backend.web.console.shop.shops import own_shops
from backend.web.console.shop.totals import nothing_on, without_gaps
from backend.web.console.words import whole
from backend.web.context import now

DAYS = 7
STATEMENTS_LOOKED_AT = 12
LOOKED_THROUGH = 1_000
REFUSED_SHOWN = 50
LATELY = timedelta(days=7)


class Waits(NamedTuple):
    """What the staff should look at, and the page where they act, by its rule; `kind` as of a status. `rest`: what follows
    the rule's address.
    """

    kind: str
    zh: str
    en: str
    rule: str
    rest: str = ""

    @property
    def href(self) -> str | None:
        """None while no page of that rule is there, or not for this person."""
        url = f"{here.home().rstrip('/')}{self.rule}"
        open_to = any(one.url == url and has_role(here.official(), one.roles) for one in DECLARED)
        return f"{url}{self.rest}" if open_to else None


@page("/", title=("总览", "Overview"), topic=Topic.OVERVIEW, roles=STAFF, menu=("总览", "Overview"))
def first() -> Response:
    city, at = here.city(), now()
    today = civil_date(milliseconds(at))
    begins = today - timedelta(days=DAYS - 1)
    with read(city) as connection:
        shops = own_shops(connection)
        week = queries.shops_by_day(connection, city, sorted(shops), begins, DAYS)
        now_at = queries.by_shop(connection, city, sorted(shops), today, 1)
        counted = queries.counted_until(connection, city)
        waiting = list(_waiting(connection, shops, at))
    days = without_gaps(week, begins, today) or [nothing_on(today)]
    return render(
        "shop/home.html",
        today=days[-1],
        yesterday=days[-2] if days[1:] else nothing_on(today),
        week=days if week else [],
        by_shop={one.key: one for one in now_at},
        shops=shops,
        until=counted,
        waiting=waiting,
    )


def _waiting(connection: Connection, shops: Mapping[str, str], at: datetime) -> Iterator[Waits]:
    yield from _statements(connection, at)
    absent = fleet.absent(connection, here.city(), at, shops)
    if absent.gone:
        told = f"{absent.gone} 台终端没有联网"
        yield Waits("waits", told, f"{absent.gone} tills are offline or silent", "/tills", "?show=absent")
    if absent.never:
        yield Waits("waits", f"{absent.never} 台终端登记后从未上线", f"{absent.never} tills were never seen", "/tills")
    tills = fleet.page(connection, here.city(), at, limit=LOOKED_THROUGH, stores=shops)
    outboxes = [row.health.baskets or 0 for row in tills if row.health is not None]
    if any(outboxes):
        told = f"{whole(sum(outboxes))} 个购物篮还没有回执，在 {sum(map(bool, outboxes))} 台终端上"
        yield Waits("waits", told, f"{whole(sum(outboxes))} baskets wait for a receipt on their tills", "/unreceipted")
    holed = gaps.tills_with_gaps(connection, here.city(), at - TOLD_FOR, shops)
    if holed:
        told = f"{holed} 台终端有购物篮一直没有收到"
        yield Waits("bad", told, f"Baskets of {holed} tills never came", "/unreceipted")
    refused = shop_queries.refused_messages(connection, here.city(), shops, limit=REFUSED_SHOWN)
    lately = sum(one.received_at > at - LATELY for one in refused)
    if lately:
        many = f"{lately}+" if lately == REFUSED_SHOWN else str(lately)
        told = f"近 7 天有 {many} 条终端消息未能入账"
        yield Waits("bad", told, f"{many} messages of tills could not be counted in 7 days", "/unreceipted")


def _statements(connection: Connection, at: datetime) -> Iterator[Waits]:
    """Those that can still be confirmed or disputed, and claims whose clock is past."""
    found = settlements.statements_of_retailer(connection, here.city(), here.retailer(), limit=STATEMENTS_LOOKED_AT)
    for one in found:
        clock = one.clock(at)
        if not one.confirmed(at):
            last = until(one.dispute_until)
            told = f"{one.month} 对账单待确认，异议截止 {last}"
            yield Waits(
                "waits", told, f"Confirm or dispute statement {one.month} by {last}", "/statements", f"/{one.month}"
            )
        elif clock is not None and clock.overdue:
            told = f"{one.month} 的款项已逾期未付"
            yield Waits("bad", told, f"Claims of {one.month} are overdue", "/statements", f"/{one.month}")
