"""A retailer's manager issues and revokes the tokens of the retailer's own system; nobody else's can be named here."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.audit.acts import What
from backend.audit.model import Act
from backend.audit.store import record
from backend.devices import register
from backend.devices.token_names import NAME_MAX, POS, NoSuchToken, TokenNameRefused
from backend.kernel.errors import DomainError
from backend.kernel.tokens import token_hash
from backend.retailers import store as shops

TOKENS_MAX = 20
"""Valid ones of one retailer: two of each name while one takes the other's place, and some to spare."""


class TooManyTokens(DomainError):
    code = "too-many-tokens"
    text_zh = "最多同时有 {tokens_max} 个有效令牌，请先吊销不用的。"
    text_en = "At most {tokens_max} tokens are good at once: revoke those that are not used."


class Whose(NamedTuple):
    city: str
    retailer: str


def issue_shop_token(connection: Connection, token: str, whose: Whose, name: str, now: datetime) -> str:
    """Lets `token`, which the caller drew at random, in; what it is called.

    A name that the retailer's tokens had before goes on, so that its quotes and confirmations do; any other is put into the
    retailer's own names, so that it can never be another's. Raises TokenNameRefused, TooManyTokens, RetailerUnknown.
    """
    if not shops.has_retailer(connection, *whose):
        raise shops.RetailerUnknown(city=whose.city, retailer=whose.retailer)
    held = register.tokens_of(connection, whose)
    if sum(one.revoked_at is None for one in held) >= TOKENS_MAX:
        raise TooManyTokens(tokens_max=TOKENS_MAX)
    full = name if register.bound_to(connection, name) == {whose} else f"{whose.retailer}·{name}"
    if not (name and full.isprintable() and len(full) <= NAME_MAX):
        raise TokenNameRefused
    register.insert_token(connection, token_hash(token), service=POS, name=full, now=now, retailer=whose)
    _record(connection, What.TOKEN_ISSUED, whose, full, now)
    return full


def revoke_shop_token(connection: Connection, whose: Whose, name: str, issued_at: datetime, now: datetime) -> None:
    """The one that was issued then; others of its name stay good. Raises NoSuchToken."""
    if not register.revoke_token_of(connection, whose, name, issued_at, now):
        raise NoSuchToken(service=POS, name=name)
    _record(connection, What.TOKEN_REVOKED, whose, name, now)


def _record(connection: Connection, what: What, whose: Whose, name: str, now: datetime) -> None:
    record(connection, Act(what, whose.city, "service-token", f"{POS}:{name}", now, after=whose._asdict()))
