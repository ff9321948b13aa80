"""Who may call a route. One decorator says it, enforces it and writes it into the API's description."""

import ipaddress
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from enum import StrEnum
from functools import partial, wraps
from typing import Any

from flask import current_app, g, request

from backend.devices import queries as device_queries
from backend.devices.queries import Service
from backend.kernel.errors import DomainError
from backend.kernel.tokens import token_hash
from backend.residents import queries as resident_queries
from backend.residents.queries import Session
from backend.settings import Settings
from backend.usecases.shared_transaction import SharedTransaction
from backend.web.context import backend, now
from backend.web.recent import Recent

View = Callable[..., Any]

TOKEN_CHARS_MAX = 256
BODY_BYTES_MAX = 16_384
GATE = "greenpoints.gate"
ANY_CITY = ""
"""A token does not say in which city its session is."""


class Access(StrEnum):
    """Who may call a route; also the name of the security scheme in the API's description."""

    RESIDENT = "resident"
    BRIDGE = "bridge"
    POS = "pos"
    SHOP = "shop"
    METRICS = "metrics"
    CONSOLE = "console"
    """Officials, and staff of retailers, by the cookie of their session: backend.web.console.declare lets them in."""
    OPEN = "open"


SERVICES = {
    Access.BRIDGE: frozenset({"bridge"}),
    Access.POS: frozenset({"bridge", "pos"}),
    # A bridge hands on what tills have signed; it may not speak for them.
    Access.SHOP: frozenset({"pos"}),
    Access.METRICS: frozenset({"metrics"}),
}
"""Kinds of service tokens that open a route."""

OPEN_ROUTES = {
    "GET /healthz": "a supervisor asks before any token exists; says only that the process answers",
    "GET /readyz": "a load balancer has no token; says only whether the database is there and migrated",
    "GET /docs": "the description of the API is public, as the API's clients are many",
    "GET /docs/openapi.json": "the same, for programs",
    "GET /docs/assets/<name>": "the page's own scripts and styles",
    "GET /m": "leads to the phone page",
    "GET /m/": "the phone page's shell says nothing of a person; what does comes from the resident API",
    "GET /m/en": "the same in English",
    "GET /m/assets/<version>/<path:name>": "the page's own scripts, styles and pictures",
    "GET /m/sw.js": "the page's worker, which keeps its shell",
    "GET /m/manifest.webmanifest": "how the page is installed",
    "GET /console/sign-in": "an official who signs in has no session yet",
    "POST /console/sign-in": "the same; client addresses are bounded, and failures slow down those who fail",
    "GET /console/sign-on/<city>": "leads to the city's own sign-on; keeps what it must bring back in the browser",
    "GET /console/sign-on/<city>/back": "the browser comes back from there; its state and an ID token let it in",
    "GET /console/language/<language>": "the sign-in page too is read in two languages; it keeps a cookie, no more",
    "GET /console/<path:nowhere>": "says in words that there is no such page, and nothing else",
    "GET /console/assets/<version>/<path:name>": "the console's own scripts and styles say nothing of anyone",
    "GET /shop/sign-in": "one of a retailer's staff who signs in has no session yet",
    "POST /shop/sign-in": "the same; client addresses are bounded, and failures slow down those who fail",
    "GET /shop/language/<language>": "as for officials",
    "GET /shop/<path:nowhere>": "says in words that there is no such page, and nothing else",
    "GET /c/<city>": "a city's policies, marks and statistics are for everyone; small cells are left out",
    "POST /c/<city>/look": "the public may ask whether goods earn anything (nothing is stored)",
    "GET /c/assets/<name>": "the page's own style",
    "GET /problems/<code>": "explains a refusal to whoever met it",
    "POST /api/resident/v1/sessions": "signing in is how a token is had; a client address is bounded",
    "POST /api/device/v1/provision": "a new till has no token yet: its one-time claim lets it in, and rates are bounded",
    "POST /api/device/v1/keys": "a till's present key signs the request; rates are bounded",
    "POST /api/resident/v1/phone-codes": "asked for before signing in; phones and client addresses are bounded",
    "GET /api/public/v1/tills/<device>/snapshot": "what it says is public, and signed for the one till; whole ones are bounded",
    "GET /api/public/v1/cities": "whoever signs in for the first time chooses a city",
    "GET /api/public/v1/stores": "names and districts of shops, which stand at their doors",
    "GET /api/public/v1/passport/keys": "statements are checked by them without us",
    "GET /api/public/v1/passport/status-lists/<city>": "says which places are void, and names nobody",
    "GET /api/public/v1/passport/benefits": "what a city opens by a published document is public",
    "POST /api/public/v1/passport/verifications": "whoever was shown a statement holds it, signed and for ten minutes",
    "GET /api/public/v1/consent-texts/<sha256>": "the words that residents agree to are public",
    "GET /api/public/v1/checkpoints": "a signed checkpoint is worth something only to those who hold it against the books",
    "GET /api/public/v1/checkpoints/growth": "the same: that a later checkpoint extends an earlier one",
    "POST /api/public/v1/labels:read": "the public may ask whether goods are certified (nothing is stored)",
}
"""Every route that anyone may call, with the reason. A test compares it with the application's routes."""


class Unauthenticated(DomainError):
    code = "unauthenticated"
    text_zh = "请先登录；登录可能已过期。"
    text_en = "Please sign in; the session may have ended."


class Forbidden(DomainError):
    code = "forbidden"
    text_zh = "该凭证无权访问此接口。"
    text_en = "This token does not open this route."


class TokenUnbound(DomainError):
    code = "token-unbound"
    text_zh = "此令牌没有写明商户，请管理员绑定：greenpoints tokens bind --name {name} --city 城市 --retailer 商户。"
    text_en = "This token names no retailer; have it bound: greenpoints tokens bind --name {name} --city … --retailer …"


class Gate:
    """Finds out who a bearer token belongs to. Residents who come while others are looked up share the next look-up."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._sessions: Recent[Session] = Recent(clock)
        self._services: Recent[Service] = Recent(clock)
        self._look_ups: SharedTransaction[bytes, Session | None] = SharedTransaction(partial(_sessions, self._sessions))

    def resident(self, token: str) -> Session:
        """Raises Unauthenticated."""
        key = token_hash(token)
        session = self._sessions.get(key)
        if session is None or session.expires_at <= now():
            session = self._looked_up(key)
        lasting = backend().sign_in.renew(token, session, now())
        if lasting is None:
            self._sessions.forget(key)
            raise Unauthenticated
        if lasting is not session:
            self._sessions.put(key, lasting)
        return lasting

    def _looked_up(self, key: bytes) -> Session:
        found = self._look_ups.run(ANY_CITY, key, now())
        if found is None:
            raise Unauthenticated
        return found

    def service(self, token: str, access: Access) -> Service:
        """Raises Unauthenticated, Forbidden, TokenUnbound."""
        key = token_hash(token)
        service = self._services.get(key)
        if service is None:
            with backend().database.glance() as connection:
                service = device_queries.service_of(connection, key)
            if service is None:
                raise Unauthenticated
            self._services.put(key, service)
        if service.service not in SERVICES[access]:
            raise Forbidden
        if service.service == "pos" and service.retailer is None:
            raise TokenUnbound(name=service.name)
        return service

    def forget(self, token: str) -> None:
        """A session that was just ended here is refused here at once."""
        self._sessions.forget(token_hash(token))


def _sessions(recent: Recent[Session], _city: str, keys: Sequence[bytes], moment: datetime) -> list[Session | None]:
    """Of all who wait to be known, by one statement. None for whoever has no session."""
    due = recent.due()
    with backend().database.glance() as connection:
        found = resident_queries.sessions_of(connection, [*keys, *due], moment)
    recent.renew(due, found)
    for key in found.keys() & keys:
        recent.put(key, found[key])
    return [found.get(key) for key in keys]


def gate() -> Gate:
    held: Gate = current_app.extensions[GATE]
    return held


def guarded(
    access: Access, *, body_bytes_max: Callable[[Settings], int] = lambda _settings: BODY_BYTES_MAX
) -> Callable[[View], View]:
    """Lets a view run only for those whom `access` names, and lets nobody send it more than `body_bytes_max`."""

    def decorate(view: View) -> View:
        @wraps(view)
        def enter(*args: Any, **kwargs: Any) -> Any:
            request.max_content_length = body_bytes_max(backend().settings)
            g.caller = _caller(access)
            return view(*args, **kwargs)

        enter.access = access  # type: ignore[attr-defined]  # read by the test that walks all routes
        return enter

    return decorate


def bearer() -> str:
    """The token of the Authorization header. Raises Unauthenticated."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not 0 < len(token) <= TOKEN_CHARS_MAX or not token.isascii():
        raise Unauthenticated
    return token


def from_this_machine() -> bool:
    """Whether the request came from loopback itself, not through a proxy that stands there."""
    if any(name in request.headers for name in ("Forwarded", "X-Forwarded-For", "X-Real-Ip")):
        return False
    try:
        return ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False


def _caller(access: Access) -> Session | Service | None:
    if access is Access.OPEN:
        return None
    if access is Access.METRICS and from_this_machine():
        return None
    if access is Access.RESIDENT:
        return gate().resident(bearer())
    return gate().service(bearer(), access)
