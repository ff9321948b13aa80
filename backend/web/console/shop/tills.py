"""A retailer's tills: how each fares, what it has sent without an answer, and what the city kept without counting it."""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple
from uuid import UUID

from flask import Response, request
from sqlalchemy import Connection

from backend.devices import fleet
from backend.devices.fleet import FleetRow
from backend.devices.health.model import CONDITION_ZH, Condition
from backend.devices.verify import SENTENCES
from backend.officials.model import STAFF
from backend.scans import gaps, shop_queries
from backend.scans.lines import MalformedBasket, sequence_of
from backend.scans.model import BasketConflict
from backend.scans.shop_queries import LAST_OF_ALL, RefusedMessage
from backend.usecases.find_gaps import TOLD_FOR
from backend.usecases.revoke_device import DeviceUnknown
from backend.web.console import here
from backend.web.console.answers import render
from backend.web.console.connection import read
from backend.web.console.declare import Texts, Topic, page
from backend.web.console.shop.shops import own_shops
from backend.web.console.tills import CONDITION_EN, KINDS
from backend.web.context import now

ROWS = 50
DEVICE_CHARS_MAX = 64
REASONS: Mapping[str, Texts] = {
    **{refusal.value: texts for refusal, texts in SENTENCES.items()},
    MalformedBasket.code: ("购物篮格式有误。", "The basket is malformed."),
    BasketConflict.code: (
        "同一编号先后两份内容，只计先到的一份；疑有复制的终端。",
        "One number with two contents: the first counts; is there a copy of the till?",
    ),
}
OTHER: Texts = ("内容无法入账，已原样留存。", "It could not be counted, and is kept as it came.")
CONDITIONS: Mapping[Condition, Texts] = {each: (CONDITION_ZH[each], CONDITION_EN[each]) for each in Condition}
LISTED_MAX = 1_000
"""Tills of one retailer that are looked through for baskets that wait."""


class Refused(NamedTuple):
    """A message that was kept and not counted. `seq`: the basket's number on its till, where it can be read."""

    message: RefusedMessage
    seq: int | None
    why: Texts


@page("/tills", title=("终端", "Tills"), topic=Topic.FLEET, roles=STAFF, menu=("终端", "Tills"))
def listed() -> Response:
    after, gone_only = request.args.get("after", "")[:DEVICE_CHARS_MAX], request.args.get("show") == "absent"
    city, at = here.city(), now()
    with read(city) as connection:
        shops = own_shops(connection)
        rows = fleet.page(connection, city, at, after=after, limit=ROWS + 1, gone=gone_only, stores=shops)
        absent = fleet.absent(connection, city, at, shops)
    further = rows[ROWS - 1].device if len(rows) > ROWS else None
    return render(
        "shop/tills.html",
        rows=rows[:ROWS],
        further=further,
        after=after,
        gone_only=gone_only,
        absent=absent,
        shops=shops,
        **_words(),
    )


@page(
    "/unreceipted",
    title=("未回执的购物篮", "Baskets without a receipt"),
    topic=Topic.FLEET,
    roles=STAFF,
    menu=("未回执的购物篮", "Without a receipt"),
)
def unreceipted() -> Response:
    after, city, at = _entry(request.args.get("after", "")), here.city(), now()
    with read(city) as connection:
        shops = own_shops(connection)
        tills = fleet.page(connection, city, at, limit=LISTED_MAX, stores=shops)
        refused = _refused(connection, shops, after)
        lost = gaps.gaps(connection, city, at - TOLD_FOR, shops)
    further = refused[ROWS - 1].message.entry if len(refused) > ROWS else None
    return render(
        "shop/unreceipted.html",
        waiting=[row for row in tills if _waits(row)],
        refused=refused[:ROWS],
        gaps=lost,
        further=further,
        after=None if after == LAST_OF_ALL else after,
        shops=shops,
        **_words(),
    )


@page("/tills/<device>", title=("终端", "Till"), topic=Topic.FLEET, roles=STAFF)
def one(device: str) -> Response:
    city = here.city()
    with read(city) as connection:
        shops = own_shops(connection)
        row = fleet.find(connection, device[:DEVICE_CHARS_MAX], now())
        if row is None or row.city != city or row.store not in shops:
            raise DeviceUnknown(device=device[:DEVICE_CHARS_MAX])
        refused = _refused(connection, [row.store], LAST_OF_ALL, row.device)
    return render("shop/till.html", row=row, refused=refused[:ROWS], shops=shops, **_words())


def _waits(row: FleetRow) -> bool:
    health = row.health
    return health is not None and bool(health.baskets or health.rejected or health.set_aside)


def _refused(connection: Connection, shops: Collection[str], after: str, device: str | None = None) -> list[Refused]:
    """One more than a page shows."""
    found = shop_queries.refused_messages(connection, here.city(), shops, device=device, after=after, limit=ROWS + 1)
    return [Refused(one, sequence_of(one.payload), REASONS.get(one.reason, OTHER)) for one in found]


def _entry(given: str) -> str:
    try:
        return str(UUID(given))
    except ValueError:
        return LAST_OF_ALL


def _words() -> dict[str, Any]:
    return {"conditions": CONDITIONS, "kinds": KINDS, "waited": _waited}


def _waited(ms: int | None) -> str:
    """As 3 小时 12 分."""
    if ms is None:
        return "—"
    minutes = ms // 60_000
    if not minutes:
        return here.say("不到 1 分钟", "under a minute")
    hours, days = minutes // 60, minutes // 1_440
    if days:
        return here.say(f"{days} 天 {hours % 24} 小时", f"{days} d {hours % 24} h")
    return here.say(f"{hours} 小时 {minutes % 60} 分", f"{hours} h {minutes % 60} min")
