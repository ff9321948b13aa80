"""A bearer token for a bridge or a shop system. The database keeps its hash alone, so a copy of it opens nothing."""

from datetime import datetime

from sqlalchemy import Connection

from backend.audit.acts import What
from backend.audit.model import Act
from backend.audit.store import record
from backend.devices import register
from backend.kernel.errors import DomainError
from backend.kernel.ids import NO_CITY
from backend.kernel.tokens import token_hash

NAME_MAX = 64
POS = "pos"


class TokenNameRefused(DomainError):
    code = "token-name-refused"
    text_zh = "令牌名称须为 1-64 个可见字符。"
    text_en = "A token's name has 1-64 printable characters."


class TokenNotOfShop(DomainError):
    code = "token-not-of-shop"
    text_zh = "只有商户系统（pos）的令牌可以绑定商户。"
    text_en = "Only a token of a shop's system (pos) is bound to a retailer."


class NoSuchToken(DomainError):
    code = "no-such-token"
    text_zh = "没有名为 {name} 的有效 {service} 令牌。"
    text_en = "There is no valid {service} token named {name}."


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

    `retailer`: (city, name) of whose statements a shop's system may see; none: nobody's. Raises TokenNameRefused,
    TokenNotOfShop.
    """
    if not (0 < len(name) <= NAME_MAX and name.isprintable()):
        raise TokenNameRefused
    if retailer is not None and service != POS:
        raise TokenNotOfShop
    register.insert_token(connection, token_hash(token), service=service, name=name, now=now, retailer=retailer)
    told = None if retailer is None else {"city": retailer[0], "retailer": retailer[1]}
    record(connection, Act(What.TOKEN_ISSUED, NO_CITY, "service-token", f"{service}:{name}", now, after=told))


def revoke_token(connection: Connection, *, service: str, name: str, now: datetime) -> int:
    """Revokes every token of that name. Raises NoSuchToken when there is none."""
    revoked = register.revoke_tokens(connection, service=service, name=name, now=now)
    if not revoked:
        raise NoSuchToken(service=service, name=name)
    told = {"tokens": revoked}
    record(connection, Act(What.TOKEN_REVOKED, NO_CITY, "service-token", f"{service}:{name}", now, after=told))
    return revoked
