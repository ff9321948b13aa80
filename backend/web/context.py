"""What a request carries with it: the process's parts, its moment, its id, who asks."""

import re
from datetime import datetime

from flask import current_app, g, request

from backend.bootstrap import Backend
from backend.devices.queries import Service
from backend.kernel.ids import new_id
from backend.residents.queries import Session

EXTENSION = "greenpoints"
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


def backend() -> Backend:
    parts: Backend = current_app.extensions[EXTENSION]
    return parts


def begin(now: datetime) -> None:
    """Gives the request its moment and its id: the caller's own where it is plain, so that logs can be joined."""
    g.now = now
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if _REQUEST_ID.fullmatch(given) else new_id()
    g.caller = None
    g.noted = {}


def now() -> datetime:
    """The one moment of the request."""
    moment: datetime = g.now
    return moment


def request_id() -> str:
    given: str = g.get("request_id", "")
    return given


def session() -> Session:
    """The resident who asks; only for routes that residents alone may call."""
    caller = g.caller
    assert isinstance(caller, Session)
    return caller


def service() -> Service:
    """The bridge, shop system or monitoring that asks; only for routes that services alone may call."""
    caller = g.caller
    assert isinstance(caller, Service)
    return caller


def note(**facts: object) -> None:
    """Adds to the request's one log line; ids and outcomes, never what names a person."""
    g.noted.update(facts)


def noted() -> dict[str, object]:
    facts: dict[str, object] = g.get("noted", {})
    return facts
