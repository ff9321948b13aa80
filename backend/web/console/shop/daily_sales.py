"""A retailer's sales by day and by shop, as the statistics have added them up."""

from datetime import timedelta

from flask import Response, request

from backend.kernel.periods import civil_date, milliseconds
from backend.officials.model import STAFF
from backend.statistics import queries
from backend.web.console import here
from backend.web.console.answers import render
from backend.web.console.connection import read
from backend.web.console.declare import Topic, page
from backend.web.console.shop.shops import own_shops
from backend.web.console.shop.totals import summed, without_gaps
from backend.web.context import now

SPANS = (7, 30, 90)
"""Days that may be looked at, today among them."""
USUAL = 30
STORE_CHARS_MAX = 64


@page("/sales", title=("销售", "Sales"), topic=Topic.SALES, roles=STAFF, menu=("每日销售", "By day"))
def sales() -> Response:
    days, city = _days(request.args.get("days", "")), here.city()
    today = civil_date(milliseconds(now()))
    first = today - timedelta(days=days - 1)
    with read(city) as connection:
        shops = own_shops(connection)
        asked = request.args.get("store", "")[:STORE_CHARS_MAX]
        chosen = [asked] if asked in shops else sorted(shops)
        by_day = queries.shops_by_day(connection, city, chosen, first, days)
        by_shop = queries.by_shop(connection, city, sorted(shops), first, days)
        until = queries.counted_until(connection, city)
    return render(
        "shop/sales.html",
        days=days,
        spans=SPANS,
        store=asked if asked in shops else None,
        by_day=without_gaps(by_day, first, today),
        by_shop=by_shop,
        total=summed(by_day),
        shops=shops,
        until=until,
    )


def _days(given: str) -> int:
    return int(given) if given.isascii() and given.isdigit() and int(given) in SPANS else USUAL
