"""Partners' tills: a redemption is confirmed with the code that its owner shows, a voucher is used."""

from typing import Any

import marshmallow as ma
from flask import Response, current_app

from backend.kernel.crockford import TYPED_MAX
from backend.redemptions import queries
from backend.redemptions.model import At, Kind, State, VoucherState
from backend.usecases.use_voucher import use_voucher
from backend.web.auth import Access
from backend.web.context import backend, note, now, service
from backend.web.endpoint import answer, endpoint
from backend.web.pos.routes import pos
from backend.web.pos.wrong_codes import WrongCodes
from backend.web.schemas import Body, City, Text

_SEEN = r"[!-~]+"
WRONG_CODES = "greenpoints.wrong_codes"


class _CodeBody(Body):
    city = City(required=True)
    store = Text(1, 64, required=True, metadata={"description": "合作网点 / the partner's shop"})
    code = Text(1, TYPED_MAX, required=True, metadata={"description": "居民出示的号码 / what the resident shows"})


class ConfirmBody(_CodeBody):
    confirm_id = Text(
        1,
        64,
        pattern=_SEEN,
        required=True,
        metadata={"description": "本店自编，重发时不变 / the shop's own, kept when sent again"},
    )


class UseBody(_CodeBody):
    use_id = Text(
        1,
        64,
        pattern=_SEEN,
        required=True,
        metadata={"description": "本店自编，重发时不变 / the shop's own, kept when sent again"},
    )


class _WhatSchema(ma.Schema):
    redemption = ma.fields.String(required=True)
    city = ma.fields.String(required=True)
    entry = ma.fields.String(required=True)
    title = ma.fields.String(required=True)
    title_en = ma.fields.String(required=True)
    sentence = ma.fields.String(required=True, metadata={"description": "给收银员 / for the cashier"})
    sentence_en = ma.fields.String(required=True)


class ConfirmedSchema(_WhatSchema):
    kind = ma.fields.String(required=True, metadata={"enum": [one.value for one in Kind]})
    pieces = ma.fields.Integer(required=True)
    points = ma.fields.Integer(required=True)
    state = ma.fields.String(required=True, metadata={"enum": [State.CONFIRMED.value, State.VOIDED.value]})
    confirmed_at = ma.fields.DateTime(required=True)


class UsedSchema(_WhatSchema):
    state = ma.fields.String(required=True, metadata={"enum": [VoucherState.USED.value]})
    used_at = ma.fields.DateTime(required=True)


@endpoint(
    pos,
    "/redemptions/confirm",
    method="POST",
    access=Access.SHOP,
    body=ConfirmBody(),
    answers={200: ConfirmedSchema()},
)
def confirm_redemption(body: dict[str, Any]) -> Response:
    """核销兑换码 / confirm a redemption at a partner's till: its points are spent, once.

    相同编号和号码重发，答复相同；已核销的号码换一个编号再来会被拒绝。
    The same number and code again answer the same; a code that was used is refused under another number.
    """
    at = At(service().name, body["store"], body["confirm_id"])
    confirm = backend().confirm_redemption.at_till
    redemption = _wrong_codes().tried(at.service, lambda: confirm(body["city"], body["code"], at, now()))
    note(redemption=redemption)
    found = _found(body["city"], redemption)
    words = f"{found.title_zh} {found.pieces} 份", f"{found.pieces} x {found.title_en}"
    return answer(
        {
            **_what(body["city"], found),
            "kind": found.kind,
            "pieces": found.pieces,
            "points": found.points,
            "state": found.state.value,
            "confirmed_at": found.settled_at,
            "sentence": f"已核销：{words[0]}，请提供。",
            "sentence_en": f"Confirmed: hand over {words[1]}.",
        }
    )


@endpoint(pos, "/vouchers/use", method="POST", access=Access.SHOP, body=UseBody(), answers={200: UsedSchema()})
def use(body: dict[str, Any]) -> Response:
    """核销券 / use a voucher at a partner's till, once and in time. The same number and code again answer the same."""
    at = At(service().name, body["store"], body["use_id"])
    database = backend().database
    redemption = _wrong_codes().tried(at.service, lambda: use_voucher(database, body["city"], body["code"], at, now()))
    note(redemption=redemption)
    found = _found(body["city"], redemption)
    return answer(
        {
            **_what(body["city"], found),
            "state": VoucherState.USED.value,
            "used_at": found.voucher_ended_at,
            "sentence": f"券有效，已核销：{found.title_zh}。",
            "sentence_en": f"The voucher is good and now used: {found.title_en}.",
        }
    )


def _wrong_codes() -> WrongCodes:
    found: WrongCodes = current_app.extensions[WRONG_CODES]
    return found


def _found(city: str, redemption: str) -> queries.Redeemed:
    with backend().database.read() as connection:
        found = queries.redeemed(connection, city, redemption)
    assert found is not None, "it was just confirmed, and nothing is deleted"
    return found


def _what(city: str, found: queries.Redeemed) -> dict[str, object]:
    """Nothing of who redeems."""
    return {
        "redemption": found.redemption,
        "city": city,
        "entry": found.entry,
        "title": found.title_zh,
        "title_en": found.title_en,
    }
