"""One declaration a route: who may call it, what it takes, what it answers. It enforces that and documents it."""

from collections.abc import Callable, Mapping
from typing import TypeVar

import marshmallow as ma
import orjson
from flask import Response
from flask.typing import ResponseReturnValue

from backend.settings import Settings
from backend.web.auth import BODY_BYTES_MAX, Access, guarded
from backend.web.schemas import Blueprint

View = TypeVar("View", bound=Callable[..., ResponseReturnValue])
Answers = Mapping[int, ma.Schema | None]
"""Status -> the schema of its body; None for an empty one."""

JSON = "application/json"


def endpoint(
    blueprint: Blueprint,
    rule: str,
    *,
    access: Access,
    answers: Answers,
    method: str = "GET",
    body: ma.Schema | None = None,
    query: ma.Schema | None = None,
    body_bytes_max: Callable[[Settings], int] = lambda _settings: BODY_BYTES_MAX,
) -> Callable[[View], View]:
    """Serves `rule` by the view, which is handed the loaded body or query; who may call is settled before either is read.

    A view answers by `answer`; `answers` describes the bodies, and a test holds every answer to its description.
    """

    def decorate(view: View) -> View:
        served: Callable[..., ResponseReturnValue] = view
        for status, schema in answers.items():
            served = blueprint.response(status, schema)(served)
        if body is not None:
            served = blueprint.arguments(body)(served)
        if query is not None:
            served = blueprint.arguments(query, location="query")(served)
        blueprint.route(rule, methods=[method])(guarded(access, body_bytes_max=body_bytes_max)(served))
        return view

    return decorate


def answer(body: object, status: int = 200) -> Response:
    return Response(orjson.dumps(body), status, content_type=JSON)


def nothing() -> Response:
    return Response(status=204)
