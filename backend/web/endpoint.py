"""One declaration a route: who may call it, what it takes, what it answers. It enforces that and documents it."""

from collections.abc import Callable, Mapping
from functools import wraps
from types import MappingProxyType
from typing import TypeVar

import marshmallow as ma
import orjson
from flask import Response
from flask.typing import ResponseReturnValue
from flask_smorest import Blueprint

from backend.settings import Settings
from backend.web.auth import BODY_BYTES_MAX, Access, guarded
from backend.web.schemas import body_as, query_as
from backend.web.shops import hold_to_shops

View = TypeVar("View", bound=Callable[..., ResponseReturnValue])
Answers = Mapping[int, ma.Schema | None]
"""Status -> the schema of its body; None for an empty one."""

JSON = "application/json"
BYTES = {"schema": {"type": "string", "format": "binary"}}
NOTHING_BESIDES: Mapping[int, str] = MappingProxyType({})


def endpoint(
    blueprint: Blueprint,
    rule: str,
    *,
    access: Access,
    answers: Answers,
    method: str = "GET",
    body: ma.Schema | None = None,
    query: ma.Schema | None = None,
    header: tuple[str, str] | None = None,
    content: tuple[str, ...] = (),
    besides: Mapping[int, str] = NOTHING_BESIDES,
    body_bytes_max: Callable[[Settings], int] = lambda _settings: BODY_BYTES_MAX,
) -> Callable[[View], View]:
    """Serves `rule` by the view, which is handed the loaded body or query; who may call is settled before either is read,
    and that a shop's system names shops of its own before the view runs.

    `header` names and describes one that the view reads; `content` the kinds of bytes that it takes instead of JSON;
    `besides` the kind of bytes that it may answer instead, by status.
    A view answers by `answer`; `answers` describes the bodies, and a test holds every answer to its description.
    """

    def decorate(view: View) -> View:
        def serve(**path: object) -> ResponseReturnValue:
            given = body_as(body) if body is not None else query_as(query) if query is not None else None
            if access is Access.SHOP:
                hold_to_shops({**(given or {}), **path})
            return view(**path) if given is None else view(given, **path)

        served = guarded(access, body_bytes_max=body_bytes_max)(wraps(view)(serve))
        served._apidoc = _described(blueprint, view, access, answers, body, query, header, (content, besides))  # type: ignore[attr-defined]  # noqa: SLF001
        blueprint.route(rule, methods=[method])(served)
        return view

    return decorate


def _described(
    blueprint: Blueprint,
    view: View,
    access: Access,
    answers: Answers,
    body: ma.Schema | None,
    query: ma.Schema | None,
    header: tuple[str, str] | None,
    files: tuple[tuple[str, ...], Mapping[int, str]],
) -> object:
    """What flask-smorest's decorators would say of the view; the decorators themselves are not called with a request."""
    described: Callable[..., ResponseReturnValue] = view
    for status, schema in answers.items():
        described = blueprint.response(status, schema)(described)
    if body is not None:
        described = blueprint.arguments(body)(described)
    if query is not None:
        described = blueprint.arguments(query, location="query")(described)
    if header is not None:
        parameter = {"name": header[0], "in": "header", "description": header[1], "schema": {"type": "string"}}
        described = blueprint.doc(parameters=[parameter])(described)
    content, besides = files
    for status, kind in besides.items():
        described = blueprint.doc(responses={status: {"content": {kind: BYTES}}})(described)
    if content:
        taken = dict.fromkeys(content, BYTES)
        described = blueprint.doc(requestBody={"required": True, "content": taken})(described)
    described = blueprint.doc(security=[] if access is Access.OPEN else [{access.value: []}])(described)
    return described._apidoc  # type: ignore[attr-defined]  # noqa: SLF001 - where it keeps its descriptions


def answer(body: object, status: int = 200) -> Response:
    return Response(orjson.dumps(body), status, content_type=JSON)


def nothing() -> Response:
    return Response(status=204)
