"""The application: blueprints by audience, one moment, one log line and one count a request."""

import time
from collections.abc import Callable
from copy import copy
from datetime import UTC, datetime
from functools import cache

import structlog
from flask import Flask, Response, current_app, g, request

from backend import metrics
from backend.bootstrap import Backend
from backend.environment import networks_in
from backend.web import context, problems
from backend.web.auth import GATE, Gate
from backend.web.bounded import BOUNDS, Bounds
from backend.web.bridge.routes import bridge
from backend.web.console.routes import console, shop
from backend.web.describe import described, docs
from backend.web.device.routes import device
from backend.web.operations import operations
from backend.web.page.routes import page
from backend.web.pos import claims as _claims  # noqa: F401 - its routes join the blueprint
from backend.web.pos import hand_ins as _hand_ins  # noqa: F401 - its routes join the blueprint
from backend.web.pos import redemptions as _confirmations  # noqa: F401 - its routes join the blueprint
from backend.web.pos import returns as _returns  # noqa: F401 - its routes join the blueprint
from backend.web.pos import sales_files as _sales_files  # noqa: F401 - its routes join the blueprint
from backend.web.pos import statements as _statements  # noqa: F401 - its routes join the blueprint
from backend.web.pos.quotes import quotes
from backend.web.pos.redemptions import WRONG_CODES
from backend.web.pos.routes import pos
from backend.web.pos.wrong_codes import WrongCodes
from backend.web.public import checkpoints as _checkpoints  # noqa: F401 - its routes join the blueprint
from backend.web.public import cities as _cities  # noqa: F401 - its routes join the blueprint
from backend.web.public import consents as _consents  # noqa: F401 - its routes join the blueprint
from backend.web.public import passport as _public_passport  # noqa: F401 - its routes join the blueprint
from backend.web.public import snapshots as _snapshots  # noqa: F401 - its routes join the blueprint
from backend.web.public import stores as _stores  # noqa: F401 - its routes join the blueprint
from backend.web.public.city_page import city_page
from backend.web.public.routes import public
from backend.web.resident import account as _account  # noqa: F401 - its routes join the blueprint
from backend.web.resident import adjustments as _adjustments  # noqa: F401 - its routes join the blueprint
from backend.web.resident import appeals as _appeals  # noqa: F401 - its routes join the blueprint
from backend.web.resident import cards as _cards  # noqa: F401 - its routes join the blueprint
from backend.web.resident import merges as _merges  # noqa: F401 - its routes join the blueprint
from backend.web.resident import missing_points as _missing  # noqa: F401 - its routes join the blueprint
from backend.web.resident import notices as _notices  # noqa: F401 - its routes join the blueprint
from backend.web.resident import passport as _passport  # noqa: F401 - its routes join the blueprint
from backend.web.resident import photos as _photos  # noqa: F401 - its routes join the blueprint
from backend.web.resident import proofs as _proofs  # noqa: F401 - its routes join the blueprint
from backend.web.resident import qr as _qr  # noqa: F401 - its routes join the blueprint
from backend.web.resident import redemptions as _redemptions  # noqa: F401 - its routes join the blueprint
from backend.web.resident import reports as _reports  # noqa: F401
from backend.web.resident import wallet as _wallet  # noqa: F401 - its routes join the blueprint
from backend.web.resident.consents import rights
from backend.web.resident.routes import resident
from backend.web.resident.sign_in import accounts

CLOCK = "greenpoints.clock"
QUIET = frozenset({"/healthz", "/readyz", "/metrics"})

log = structlog.get_logger()


def _utc_now() -> datetime:
    return datetime.now(UTC)


def create_app(parts: Backend, clock: Callable[[], datetime] = _utc_now) -> Flask:
    """`clock` gives the one moment that each request is taken at.

    The applications of one process have their routes, described at a tenth of a second's cost, in common; what they
    work with and what they remember is in `extensions`, each one's own.
    """
    routes = _routes()
    app = copy(routes)
    app.extensions = routes.extensions | {
        context.EXTENSION: parts,
        CLOCK: clock,
        GATE: Gate(),
        BOUNDS: Bounds(networks_in(parts.settings.trusted_proxies)),
        WRONG_CODES: WrongCodes(),
    }
    return app


@cache
def _routes() -> Flask:
    app = Flask(__name__, static_folder=None)
    api = described(app)
    problems.register(app)
    for blueprint in (accounts, resident, rights, pos, quotes, bridge, device, public, operations):
        api.register_blueprint(blueprint)
    for blueprint in (docs, page, city_page, console, shop):
        app.register_blueprint(blueprint)
    app.before_request(_begin)
    app.after_request(_end)
    assert app.jinja_env.loader is not None  # made here, templates are compiled once for all of them
    return app


def _begin() -> None:
    g.started = time.perf_counter()
    clock: Callable[[], datetime] = current_app.extensions[CLOCK]
    context.begin(clock())


def _end(response: Response) -> Response:
    """Says once what became of the request. No token, no body, no address of a person."""
    total_s = time.perf_counter() - g.started
    rule = request.url_rule.rule if request.url_rule else "unmatched"
    metrics.answered(rule, response.status_code, total_s)
    if rule not in QUIET:
        log.info(
            "request",
            request_id=context.request_id(),
            method=request.method,
            route=rule,
            status=response.status_code,
            total_ms=round(total_s * 1000, 1),
            **context.noted(),
        )
    response.headers["X-Request-Id"] = context.request_id()
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
