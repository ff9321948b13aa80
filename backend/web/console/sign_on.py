"""Signing in by the city's own sign-on: out to it, back with its word, and on to the second factor."""

import secrets

import orjson
from flask import Response, request

from backend.kernel.errors import DomainError
from backend.officials.model import Stage
from backend.usecases.sign_on import SignOnRefused, Started
from backend.web.auth import Access, guarded
from backend.web.bounded import bound
from backend.web.console import here
from backend.web.console.answers import goes_on, next_url, render, step_url
from backend.web.console.blueprint import console
from backend.web.console.sign_in import NEXT, again, hand_out, opening_of_chance, visitor
from backend.web.context import backend, now
from backend.web.problems import NotFound
from backend.web.rate import Bounded

UNDER_WAY = "greenpoints-console-sign-on"
UNDER_WAY_S = 600
CHANCE_BYTES = 32


@console.route("/sign-on/<city>")
@guarded(Access.OPEN)
def out(city: str) -> Response:
    bound(Bounded.CONSOLE_SIGN_IN)
    client = backend().sign_ons.get(city)
    if client is None:
        raise NotFound
    started = client.start(*(secrets.token_urlsafe(CHANCE_BYTES) for _ in range(3)))
    response = goes_on(started.address)
    # Lax: the browser comes back from another site, and must have it then.
    kept = orjson.dumps([started.state, started.nonce, started.verifier]).hex()
    response.set_cookie(
        UNDER_WAY,
        kept,
        max_age=UNDER_WAY_S,
        path="/console/sign-on",
        httponly=True,
        samesite="Lax",
        secure=here.secure(),
    )
    further = next_url(request.args.get("next"))
    response.set_cookie(NEXT, further, path=here.home(), httponly=True, samesite="Strict", secure=here.secure())
    return response


@console.route("/sign-on/<city>/back")
@guarded(Access.OPEN)
def back(city: str) -> Response:
    """Answers with a page that goes on by itself: a redirect would still count as another site's, without our cookie."""
    bound(Bounded.CONSOLE_SIGN_IN)
    client = backend().sign_ons.get(city)
    if client is None:
        raise NotFound
    opening = opening_of_chance()
    try:
        identity = client.identity(request.args.get("code", ""), _under_way(), now())
        backend().sign_on.enter(identity, visitor(), opening, now())
    except DomainError as refusal:
        return again("console/sign_in.html", refusal, title=("登录", "Sign in"), login="", next="", providers=[])
    response = render("console/sign_on.html", title=("登录", "Sign in"), further=step_url(Stage.PASSWORD))
    response.delete_cookie(UNDER_WAY, path="/console/sign-on", httponly=True, samesite="Lax", secure=here.secure())
    hand_out(response, opening.token)
    return response


def _under_way() -> Started:
    """What this browser set out with, and brings back. Raises SignOnRefused."""
    try:
        state, nonce, verifier = orjson.loads(bytes.fromhex(request.cookies.get(UNDER_WAY, "")))
    except (ValueError, TypeError):
        raise SignOnRefused from None
    if not secrets.compare_digest(str(state).encode(), request.args.get("state", "").encode()):
        raise SignOnRefused
    return Started("", str(state), str(nonce), str(verifier))
