"""What a resident's points are good for, and what was redeemed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Response

from backend.redemptions import judge, queries
from backend.redemptions.codes import Purpose
from backend.redemptions.model import Kind, Limit, Offer, RedemptionUnknown, State, VoucherState
from backend.redemptions.queries import HistoryKey, Redeemed
from backend.redemptions.sentences import Facts, sentence
from backend.retailers.queries import names_of
from backend.usecases.hold_redemption import Asked
from backend.usecases.release_redemption import cancel_redemption
from backend.web.auth import Access
from backend.web.context import backend, note, now, session
from backend.web.endpoint import answer, endpoint
from backend.web.resident.answers import Answer, moment_after, moment_cursor
from backend.web.resident.redemption_schemas import (
    CatalogueQuery,
    CatalogueSchema,
    RedemptionActBody,
    RedemptionBody,
    RedemptionSchema,
    RedemptionsSchema,
)
from backend.web.resident.routes import resident
from backend.web.resident.schemas import CityQuery, PageQuery


@endpoint(resident, "/catalogue", access=Access.RESIDENT, query=CatalogueQuery(), answers={200: CatalogueSchema()})
def catalogue(query: dict[str, Any]) -> Response:
    """兑换目录 / what points are good for now, by name; what is left of it, and left to this resident."""
    who, at = session(), now()
    city, limit = query["city"] or who.city, query["limit"]
    with backend().database.read() as connection:
        found = queries.offered(connection, city, at, after=query["after"] or queries.FIRST, limit=limit)
        used = queries.used(connection, city, who.resident, [one.entry.entry for one in found])
        names = names_of(connection, city, {store for one in found for store in one.entry.stores})
    return answer(
        {
            "city": city,
            "entries": [_entry(one, used, names, at) for one in found],
            "next": found[-1].entry.entry if len(found) == limit else None,
        }
    )


@endpoint(
    resident,
    "/redemptions",
    method="POST",
    access=Access.RESIDENT,
    body=RedemptionBody(),
    answers={201: RedemptionSchema(), 200: RedemptionSchema()},
)
def redeem(body: dict[str, Any]) -> Response:
    """兑换：占用积分和库存 / redeem: points and stock are held until it is confirmed.

    201 为首次；相同编号重发为 200，不会重复占用，答复为其现状。逾时未确认自动取消，积分退回原批次。
    201 the first time; the same id again answers 200 with what it has become, and holds nothing twice. What is not confirmed
    in time is cancelled, and the points go back to the very lots.
    """
    who = session()
    city = body["city"] or who.city
    asked = Asked(city, who.city, who.resident, str(body["redemption_id"]), body["entry"], body["pieces"])
    held = backend().hold_redemption.hold(asked, now())
    note(redemption=held.redemption, new=held.new)
    return answer(_own(city, held.redemption), 201 if held.new else 200)


@endpoint(
    resident,
    "/redemptions/<uuid:redemption>/confirm",
    method="POST",
    access=Access.RESIDENT,
    body=RedemptionActBody(),
    answers={200: RedemptionSchema()},
)
def confirm(body: dict[str, Any], redemption: UUID) -> Response:
    """确认兑换 / confirm: the points are spent, and a voucher is issued where it is one. Twice is once.

    须在网点确认的，请出示兑换码。What is confirmed at a partner's till is refused here: show the code there.
    """
    who = session()
    city = body["city"] or who.city
    backend().confirm_redemption.online(city, str(redemption), who.resident, now())
    note(redemption=str(redemption))
    return answer(_own(city, str(redemption)))


@endpoint(
    resident,
    "/redemptions/<uuid:redemption>/cancel",
    method="POST",
    access=Access.RESIDENT,
    body=RedemptionActBody(),
    answers={200: RedemptionSchema()},
)
def cancel(body: dict[str, Any], redemption: UUID) -> Response:
    """取消兑换 / cancel what is not confirmed: the points go back to the very lots, with their ends. Twice is once."""
    who = session()
    city = body["city"] or who.city
    cancel_redemption(backend().database, city, str(redemption), who.resident, now())
    note(redemption=str(redemption))
    return answer(_own(city, str(redemption)))


@endpoint(resident, "/redemptions", access=Access.RESIDENT, query=PageQuery(), answers={200: RedemptionsSchema()})
def history(query: dict[str, Any]) -> Response:
    """兑换记录 / redemptions of a city, newest first."""
    who = session()
    city, limit = query["city"] or who.city, query["limit"]
    after = None if query["after"] is None else HistoryKey(*moment_after(query["after"]))
    with backend().database.read() as connection:
        found = queries.history(connection, city, who.resident, after=after, limit=limit)
    return answer(
        {
            "city": city,
            "redemptions": [_redemption(city, one) for one in found],
            "next": moment_cursor(found[-1].held_at, found[-1].redemption) if len(found) == limit else None,
        }
    )


@endpoint(
    resident,
    "/redemptions/<uuid:redemption>",
    access=Access.RESIDENT,
    query=CityQuery(),
    answers={200: RedemptionSchema()},
)
def look(query: dict[str, Any], redemption: UUID) -> Response:
    """一笔兑换 / a redemption as it stands, with its code while that can be used."""
    return answer(_own(query["city"] or session().city, str(redemption)))


def _own(city: str, redemption: str) -> Answer:
    """Raises RedemptionUnknown, also for another's."""
    with backend().database.read() as connection:
        found = queries.redeemed(connection, city, redemption)
    if found is None or found.resident != session().resident:
        raise RedemptionUnknown
    return _redemption(city, found)


def _entry(one: Offer, used: Mapping[tuple[str, str], int], names: Mapping[str, str], at: datetime) -> Answer:
    entry = one.entry
    return {
        "entry": entry.entry,
        "kind": entry.kind.value,
        "title": entry.title_zh,
        "title_en": entry.title_en,
        "text": entry.text_zh,
        "text_en": entry.text_en,
        "points": entry.points,
        "pieces_max": entry.pieces_max,
        "left": one.left,
        "limit": None if entry.limit is None else _limit(entry.entry, entry.limit, used, at),
        "until": entry.ends_at,
        "hold_minutes": entry.hold_minutes,
        "at_till": entry.at_till,
        "partners": [{"store": store, "name": names.get(store)} for store in entry.stores],
        "voucher_days": entry.voucher_days,
        "points_back": entry.points_back,
    }


def _limit(entry: str, limit: Limit, used: Mapping[tuple[str, str], int], at: datetime) -> Answer:
    zh, en = judge.limit_words(limit)
    taken = used.get((entry, judge.limit_period(limit, at)), 0)
    left = max(0, limit.pieces - taken)
    return {"pieces": limit.pieces, "period": limit.period.value, "left": left, "words": zh, "words_en": en}


def _redemption(city: str, one: Redeemed) -> Answer:
    said = sentence(facts_of(one))
    shows = one.at_till and one.state is State.HELD and now() < one.expires_at
    return {
        "redemption": one.redemption,
        "entry": one.entry,
        "kind": one.kind,
        "title": one.title_zh,
        "title_en": one.title_en,
        "pieces": one.pieces,
        "points": one.points,
        "state": one.state.value,
        "sentence": said.zh,
        "sentence_en": said.en,
        "held_at": one.held_at,
        "expires_at": one.expires_at,
        "settled_at": one.settled_at,
        "code": backend().codes.code(Purpose.REDEMPTION, city, one.redemption) if shows else None,
        "store": one.store,
        "voucher": None if one.voucher_state is None else _voucher(city, one),
        "lapsed": one.lapsed,
        "repaid": one.repaid,
    }


def _voucher(city: str, one: Redeemed) -> Answer:
    assert one.voucher_state is not None
    assert one.voucher_expires_at is not None
    usable = one.voucher_state is VoucherState.ISSUED and now() < one.voucher_expires_at
    return {
        "state": one.voucher_state.value,
        "code": backend().codes.code(Purpose.VOUCHER, city, one.redemption) if usable else None,
        "expires_at": one.voucher_expires_at,
        "used_at": one.voucher_ended_at if one.voucher_state is VoucherState.USED else None,
    }


def facts_of(one: Redeemed) -> Facts:
    return Facts(
        one.state,
        one.points,
        one.at_till,
        one.kind == Kind.DONATION,
        one.expires_at,
        one.voucher_state,
        one.voucher_expires_at,
        one.lapsed or 0,
        one.repaid or 0,
    )
