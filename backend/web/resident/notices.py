"""Notices before points end: granted one by one, as WeChat does, and ended with one call."""

import secrets
from typing import Any

import marshmallow as ma
from flask import Response

from backend.residents.notices import queries
from backend.residents.notices.seal import NONCE_BYTES
from backend.web.auth import Access
from backend.web.context import backend, now, session
from backend.web.endpoint import answer, endpoint
from backend.web.resident.routes import resident
from backend.web.resident.schemas import CityQuery
from backend.web.schemas import Body, City, Text


class GrantBody(Body):
    code = Text(1, 512, required=True, metadata={"description": "wx.login 的凭证 / WeChat's code of wx.login"})
    city = City(load_default=None, metadata={"description": "默认所属城市 / the home city when left out"})


class GrantsSchema(ma.Schema):
    """每次授权可收一条通知：到期前 30 天和 7 天 / a grant is good for one notice, 30 or 7 days before an end."""

    city = ma.fields.String(required=True)
    grants_left = ma.fields.Integer(required=True)


@endpoint(resident, "/notices", access=Access.RESIDENT, query=CityQuery(), answers={200: GrantsSchema()})
def notices(query: dict[str, Any]) -> Response:
    """还可收到几条到期提醒 / how many notices may still be sent."""
    who = session()
    city = query["city"] or who.city
    with backend().database.read() as connection:
        left = queries.grants_left(connection, city, who.resident)
    return answer({"city": city, "grants_left": left})


@endpoint(resident, "/notices", method="POST", access=Access.RESIDENT, body=GrantBody(), answers={200: GrantsSchema()})
def grant_notice(body: dict[str, Any]) -> Response:
    """授权一条到期提醒 / grant one notice, after wx.requestSubscribeMessage was accepted.

    须另在“权利”中同意接收通知。It is sent only while the purpose `notices` is agreed to.
    """
    who = session()
    city, nonce = body["city"] or who.city, secrets.token_bytes(NONCE_BYTES)
    left = backend().grant_notices.grant(city, who.resident, who.city, body["code"], nonce, now())
    return answer({"city": city, "grants_left": left})


@endpoint(
    resident, "/notices", method="DELETE", access=Access.RESIDENT, query=CityQuery(), answers={200: GrantsSchema()}
)
def end_notices(query: dict[str, Any]) -> Response:
    """不再接收到期提醒 / no notice any more; what was granted is forgotten."""
    who = session()
    city = query["city"] or who.city
    backend().grant_notices.withdraw(city, who.resident)
    return answer({"city": city, "grants_left": 0})
