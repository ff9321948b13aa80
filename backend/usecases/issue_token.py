"""A bearer token for a bridge or a shop system. The database keeps its hash alone, so a copy of it opens nothing.

A shop's system acts for all shops of one retailer in one city. Its name stands for that retailer for good: quotes, returns
and confirmations are known by the name of the system that asked.
"""

from datetime import datetime

from sqlalchemy import Connection

from backend.audit.acts import What
from backend.audit.model import Act
from backend.audit.store import record
from backend.devices import register
from backend.devices.token_names import NAME_MAX, POS, NoSuchToken, TokenNameRefused
from backend.kernel.errors import DomainError
from backend.kernel.ids import NO_CITY
from backend.kernel.tokens import token_hash
from backend.retailers import store as shops


class TokenNeedsRetailer(DomainError):
    code = "token-needs-retailer"
    text_zh = "商户系统（pos）的令牌须写明城市和商户，其他令牌不写。"
    text_en = "A token of a shop's system (pos) names a city and a retailer; others name none."


class TokenNameTaken(DomainError):
    code = "token-name-taken"
    text_zh = "名称 {name} 已用于 {city} 的商户“{retailer}”，请换一个名称。"
    text_en = "The name {name} is taken by the retailer {retailer} of {city}: choose another."


class NoTokenToBind(DomainError):
    code = "no-token-to-bind"
    text_zh = "没有名为 {name}、尚未绑定商户的有效 pos 令牌。"
    text_en = "There is no valid pos token named {name} that is bound to no retailer yet."


def issue_token(
    connection: Connection,
    token: str,
    *,
    service: str,
    name: str,
    now: datetime,
    retailer: tuple[str, str] | None = None,
) -> None:
    """Lets `token`, which the caller drew at random, in. Several of one name may be good at once, for rotation.

    `retailer`: (city, name) of those in whose name a shop's system acts. Raises TokenNameRefused, TokenNeedsRetailer,
    RetailerUnknown, TokenNameTaken.
    """
    if not (0 < len(name) <= NAME_MAX and name.isprintable()):
        raise TokenNameRefused
    if (retailer is None) == (service == POS):
        raise TokenNeedsRetailer
    if retailer is not None:
        _check(connection, name, retailer)
    register.insert_token(connection, token_hash(token), service=service, name=name, now=now, retailer=retailer)
    told = None if retailer is None else {"city": retailer[0], "retailer": retailer[1]}
    record(connection, Act(What.TOKEN_ISSUED, NO_CITY, "service-token", f"{service}:{name}", now, after=told))


def bind_token(connection: Connection, *, name: str, retailer: tuple[str, str], now: datetime) -> int:
    """Binds the shop systems' tokens of that name that were issued before tokens named a retailer; how many.

    Raises RetailerUnknown, TokenNameTaken, NoTokenToBind.
    """
    _check(connection, name, retailer)
    bound = register.bind_tokens(connection, name=name, retailer=retailer)
    if not bound:
        raise NoTokenToBind(name=name)
    told = {"city": retailer[0], "retailer": retailer[1], "tokens": bound}
    record(connection, Act(What.TOKEN_BOUND, NO_CITY, "service-token", f"{POS}:{name}", now, after=told))
    return bound


def revoke_token(connection: Connection, *, service: str, name: str, now: datetime) -> int:
    """Revokes every token of that name. Raises NoSuchToken when there is none."""
    revoked = register.revoke_tokens(connection, service=service, name=name, now=now)
    if not revoked:
        raise NoSuchToken(service=service, name=name)
    told = {"tokens": revoked}
    record(connection, Act(What.TOKEN_REVOKED, NO_CITY, "service-token", f"{service}:{name}", now, after=told))
    return revoked


def _check(connection: Connection, name: str, retailer: tuple[str, str]) -> None:
    city, whose = retailer
    if not shops.has_retailer(connection, city, whose):
        raise shops.RetailerUnknown(city=city, retailer=whose)
    for other_city, other in register.bound_to(connection, name) - {retailer}:
        raise TokenNameTaken(name=name, city=other_city, retailer=other)
