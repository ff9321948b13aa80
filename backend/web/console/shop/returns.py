"""What came back to a retailer's shops, by the line that was sold, and what was taken back for it."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple
from uuid import UUID

from flask import Response, request

from backend.officials.model import STAFF
from backend.policies.words import amount_words
from backend.scans import shop_queries
from backend.scans.return_words import TakenBack
from backend.scans.shop_queries import LAST_OF_ALL, PLACE_MAX, ReturnedRow
from backend.usecases.return_answers import taken_back
from backend.web.console import here
from backend.web.console.answers import render
from backend.web.console.connection import read
from backend.web.console.declare import Texts, Topic, page
from backend.web.console.places import number_of
from backend.web.console.shop.shops import own_shops

ROWS = 50
REASONS: Mapping[str, Texts] = {
    "changed_mind": ("不想要了", "Changed mind"),
    "defective": ("质量问题", "Defective"),
    "wrong_goods": ("买错或发错", "Wrong goods"),
    "exchange": ("换货", "Exchange"),
    "void": ("整单作废", "Whole sale voided"),
    "other": ("其他", "Other"),
}


class Shown(NamedTuple):
    """A returned line, and the amounts that were taken back for it, in words."""

    row: ReturnedRow
    taken: list[Texts]


@page("/returns", title=("退货", "Returns"), topic=Topic.SALES, roles=STAFF, menu=("退货", "Returns"))
def listed() -> Response:
    after, city = _after(request.args.get("after", ""), request.args.get("place", "")), here.city()
    with read(city) as connection:
        shops = own_shops(connection)
        rows = shop_queries.returns_of(connection, city, shops, after=after, limit=ROWS + 1)
        taken = taken_back(connection, city, {row.return_id for row in rows})
    shown = [Shown(row, _amounts(taken.get((row.return_id, row.place), ()))) for row in rows[:ROWS]]
    return render(
        "shop/returns.html",
        rows=shown,
        further=rows[ROWS - 1] if len(rows) > ROWS else None,
        begins=after[0] == LAST_OF_ALL,
        shops=shops,
        reasons=REASONS,
    )


def _amounts(taken: Iterable[TakenBack]) -> list[Texts]:
    """By unit. Whose account paid how much of it is the customer's own affair."""
    total: dict[str, int] = {}
    for one in taken:
        total[one.unit] = total.get(one.unit, 0) + one.amount
    said = [(unit, amount_words(unit, amount)) for unit, amount in sorted(total.items())]
    return [(f"补贴 {one.zh}", f"{one.en} of subsidy") if unit == "fen" else (one.zh, one.en) for unit, one in said]


def _after(given: str, place: str) -> tuple[str, int]:
    try:
        return str(UUID(given)), min(number_of(place), PLACE_MAX)
    except ValueError:
        return LAST_OF_ALL, PLACE_MAX
