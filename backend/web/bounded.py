"""The bound of a client address, at the routes that anyone may call."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog
from flask import current_app, request

from backend.environment import Network
from backend.web.rate import Bounded, Clients, Window, client_of

BOUNDS = "greenpoints.bounds"
FORWARDED = "X-Forwarded-For"

log = structlog.get_logger()


@dataclass(slots=True)
class Bounds:
    """Of one process. `trusted`: proxies whose word on the client is taken."""

    trusted: tuple[Network, ...]
    everyone: Window = field(default_factory=Window)
    clients: Clients = field(default_factory=Clients)
    told: bool = False
    clock_s: Callable[[], float] = time.monotonic


def bounds() -> Bounds:
    held: Bounds = current_app.extensions[BOUNDS]
    return held


def client_address() -> str | None:
    """The client that asks; None for a program on this very machine."""
    return client_of(request.remote_addr, request.headers.getlist(FORWARDED), bounds().trusted)


def bound(what: Bounded) -> None:
    """Raises TooManyFromAddress."""
    held, forwarded = bounds(), request.headers.getlist(FORWARDED)
    client = client_address()
    if client is None:
        return
    if forwarded and not held.told and client == client_of(request.remote_addr, [], ()):
        # Once a process: behind a proxy that is not named all residents share the bound of its address.
        held.told = True
        log.warning("proxy_not_trusted", setting="GREENPOINTS_TRUSTED_PROXIES")
    held.clients.enter(what, client, held.clock_s())
