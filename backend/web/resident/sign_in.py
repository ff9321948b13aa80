"""Residents: sign in by WeChat or by phone, see where one is signed in, end it, add a further way in."""

import secrets
from typing import Any
from uuid import UUID

from flask import Response
from flask_smorest import Blueprint

from backend.kernel.ids import new_id
from backend.residents import queries
from backend.residents.phone_codes import AGAIN_AFTER, GOOD_FOR
from backend.usecases.sign_in import Opening, Proof
from backend.web.auth import Access, bearer, gate
from backend.web.bounded import bound
from backend.web.context import backend, now, session
from backend.web.endpoint import answer, endpoint, nothing
from backend.web.problems import NotFound
from backend.web.rate import Bounded
from backend.web.resident.schemas import (
    IdentityBody,
    PhoneCodeBody,
    PhoneCodeSchema,
    SessionSchema,
    SessionsSchema,
    SignInBody,
)

TOKEN_BYTES = 32
PHONE_CODES = 1_000_000

accounts = Blueprint("accounts", __name__, url_prefix="/api/resident/v1", description="登录与账户 / signing in")


@endpoint(accounts, "/sessions", method="POST", access=Access.OPEN, body=SignInBody(), answers={201: SessionSchema()})
def sign_in(body: dict[str, Any]) -> Response:
    """登录 / sign in.

    微信：code 为 wx.login 的凭证；手机：先获取验证码，再以 phone 和 code 登录。首次登录即建立账户。
    By WeChat: `code` as wx.login gave it. By phone: the code that was sent, with `phone`. A newcomer gets an account.
    """
    bound(Bounded.SIGN_IN)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    proof = Proof(way=body["way"], code=body["code"], phone=body["phone"])
    opening = Opening(city=body["city"], resident=new_id(), session=new_id(), token=token, device=body["device"])
    opened = backend().sign_in.sign_in(proof, opening, now())
    shown = {name: getattr(opened, name) for name in ("session", "expires_at", "ends_at", "resident", "city")}
    return answer({"token": token, **shown}, 201)


@endpoint(
    accounts,
    "/phone-codes",
    method="POST",
    access=Access.OPEN,
    body=PhoneCodeBody(),
    answers={202: PhoneCodeSchema()},
)
def send_phone_code(body: dict[str, Any]) -> Response:
    """获取短信验证码 / send a code to a phone; the answer is the same whether the phone is known here or not."""
    bound(Bounded.PHONE_CODE)
    code = f"{secrets.randbelow(PHONE_CODES):06d}"
    backend().send_phone_code.send(body["phone"], code, now())
    waits = {"again_after_s": AGAIN_AFTER.seconds, "good_for_s": GOOD_FOR.seconds}
    return answer(waits, 202)


@endpoint(accounts, "/sessions", access=Access.RESIDENT, answers={200: SessionsSchema()})
def signed_in_where() -> Response:
    """我的登录 / where one is signed in, newest first."""
    who = session()
    with backend().database.read() as connection:
        found = queries.open_sessions(connection, who.city, who.resident, now())
    return answer({"sessions": [{**one._asdict(), "current": one.session == who.session} for one in found]})


@endpoint(accounts, "/sessions/current", method="DELETE", access=Access.RESIDENT, answers={204: None})
def sign_out() -> Response:
    """退出登录 / sign out."""
    token = bearer()
    backend().sign_in.sign_out(token, now())
    gate().forget(token)
    return nothing()


@endpoint(accounts, "/sessions/<uuid:name>", method="DELETE", access=Access.RESIDENT, answers={204: None})
def sign_out_elsewhere(name: UUID) -> Response:
    """退出其他设备上的登录 / end a session of one's own elsewhere; it is refused everywhere within seconds."""
    if not backend().sign_in.end_session(session(), str(name), now()):
        raise NotFound
    return nothing()


@endpoint(accounts, "/identities", method="POST", access=Access.RESIDENT, body=IdentityBody(), answers={204: None})
def add_identity(body: dict[str, Any]) -> Response:
    """绑定手机号或微信 / add a way to sign in; adding it twice changes nothing.

    way 为 wechat_phone 时，code 来自小程序的“获取手机号”按钮。`wechat_phone`: the code of a getPhoneNumber button.
    """
    who = session()
    if body["way"] == IdentityBody.WECHAT_PHONE:
        backend().sign_in.bind_wechat_phone(body["code"], who.city, who.resident, now())
    else:
        proof = Proof(way=body["way"], code=body["code"], phone=body["phone"])
        backend().sign_in.bind(proof, who.city, who.resident, now())
    return nothing()
