"""Tokens by which a retailer's own system calls the API of shops: listed, issued and revoked by its manager."""

import secrets
from datetime import datetime

from flask import Response, request

from backend.devices import register
from backend.devices.register import TOKENS_SHOWN
from backend.devices.token_names import POS, NoSuchToken, TokenNameRefused
from backend.kernel.errors import DomainError
from backend.usecases.shop_tokens import TOKENS_MAX, TooManyTokens, Whose, issue_shop_token, revoke_shop_token
from backend.web.console import here
from backend.web.console.answers import done, render
from backend.web.console.connection import read, write
from backend.web.console.declare import Topic, page
from backend.web.console.shop.rights import MANAGES
from backend.web.context import now
from backend.web.problems import PROBLEMS

TOKEN_BYTES = 32
NAME_CHARS_MAX = 64


@page("/tokens", title=("接口令牌", "API tokens"), topic=Topic.SETTINGS, roles=MANAGES, menu=("接口令牌", "API tokens"))
def tokens_listed() -> Response:
    with read(here.city()) as connection:
        rows = register.tokens_of(connection, _whose())
    valid = [one for one in rows if one.revoked_at is None]
    past = [one for one in rows if one.revoked_at is not None]
    return render("shop/tokens.html", valid=valid, past=past, most=TOKENS_MAX, shown=TOKENS_SHOWN)


@page("/tokens/new", title=("签发令牌", "Issue a token"), topic=Topic.SETTINGS, roles=MANAGES, step_up=True)
def token_to_issue() -> Response:
    return _form(request.args.get("name", "")[:NAME_CHARS_MAX])


@page(
    "/tokens/new",
    title=("签发令牌", "Issue a token"),
    topic=Topic.SETTINGS,
    roles=MANAGES,
    method="POST",
    step_up=True,
)
def token_issued() -> Response:
    """The token is shown once, in this very answer."""
    token, typed = secrets.token_urlsafe(TOKEN_BYTES), _typed("name")
    try:
        name = write(here.city(), lambda c: issue_shop_token(c, token, _whose(), typed, now()))
    except (TokenNameRefused, TooManyTokens) as refusal:
        return _form(typed, refusal)
    return render("shop/token.html", name=name, token=token)


@page(
    "/tokens/revoke",
    title=("吊销令牌", "Revoke a token"),
    topic=Topic.SETTINGS,
    roles=MANAGES,
    method="POST",
    step_up=True,
)
def token_revoked() -> Response:
    name = _typed("name")
    try:
        issued_at = datetime.fromisoformat(_typed("issued_at"))
    except ValueError:
        raise NoSuchToken(service=POS, name=name) from None
    write(here.city(), lambda c: revoke_shop_token(c, _whose(), name, issued_at, now()))
    return done(f"{here.home()}tokens", "已吊销，5 秒内失效。", "Revoked; it stops to work within 5 seconds.")


def _whose() -> Whose:
    return Whose(here.city(), here.retailer())


def _typed(name: str) -> str:
    return request.form.get(name, "").strip().replace("\x00", "")[:NAME_CHARS_MAX]


def _form(name: str, refusal: DomainError | None = None) -> Response:
    wrong = None if refusal is None else (refusal.sentence_zh, refusal.sentence_en)
    status = 200 if refusal is None else PROBLEMS[refusal.code].status
    return render("shop/token_new.html", status, name=name, wrong=wrong)
