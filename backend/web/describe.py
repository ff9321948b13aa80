"""The API's description (OpenAPI 3.1), made from the routes themselves, and the page that shows it."""

from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import marshmallow as ma
from flask import Flask, Response, current_app
from flask_smorest import Api, Blueprint
from werkzeug.exceptions import HTTPException

from backend.web import problems
from backend.web.auth import Access
from backend.web.endpoint import answer, endpoint

TITLE = "绿色消费积分 Green Points"
VERSION = "1"

_SECURITY: Mapping[Access, str] = MappingProxyType(
    {
        Access.RESIDENT: "居民登录令牌 / a resident's session token",
        Access.BRIDGE: "网桥令牌 / the token of a bridge",
        Access.POS: "网桥或商户系统令牌 / the token of a bridge or a shop's system",
        Access.SHOP: "商户系统令牌 / the token of a shop's system",
        Access.METRICS: "监控令牌；本机免令牌 / the token of monitoring; not needed from this machine",
    }
)
# The names are those of files inside the swagger-ui-py package, which is used for these files alone.
_ASSETS = MappingProxyType(
    {
        "swagger-ui.css": ("swagger-ui.css", "text/css"),
        "swagger-ui-bundle.js": ("swagger-ui-bundle.js", "text/javascript"),
        "start.js": (None, "text/javascript"),
    }
)
_START = """
window.ui = SwaggerUIBundle({
  url: "/docs/openapi.json", dom_id: "#api", deepLinking: true, tryItOutEnabled: false, validatorUrl: null,
});
"""
_PAGE = f"""<!doctype html>
<html lang="zh-CN">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>{TITLE} · 接口文档</title>
  <link rel="stylesheet" href="/docs/assets/swagger-ui.css">
</head>
<body>
  <div id="api"></div>
  <script src="/docs/assets/swagger-ui-bundle.js"></script>
  <script src="/docs/assets/start.js"></script>
</body>
</html>
"""
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'"
)

docs = Blueprint("docs", __name__, url_prefix="/docs")


class FaultSchema(ma.Schema):
    pointer = ma.fields.String(metadata={"description": "JSON pointer into the body, or `query:/name`"})
    detail = ma.fields.String()
    detail_en = ma.fields.String()


class ProblemSchema(ma.Schema):
    """RFC 9457, and further members that state the facts of the refusal."""

    class Meta:
        unknown = ma.INCLUDE

    type = ma.fields.String(required=True, metadata={"description": "/problems/<code>"})
    title = ma.fields.String(required=True)
    title_en = ma.fields.String(required=True)
    status = ma.fields.Integer(required=True)
    detail = ma.fields.String(required=True, metadata={"description": "zh-CN, for the person concerned"})
    detail_en = ma.fields.String(required=True)
    code = ma.fields.String(required=True)
    instance = ma.fields.String(required=True, metadata={"description": "id of the request"})
    errors = ma.fields.List(ma.fields.Nested(FaultSchema), metadata={"description": "of invalid fields"})


class DescribedApi(Api):  # type: ignore[misc]  # the library is untyped
    """flask-smorest, whose refusals are our problem documents."""

    ERROR_SCHEMA = ProblemSchema

    def handle_http_exception(self, error: HTTPException) -> Response:
        return problems.of_http(error)

    def _register_responses(self) -> None:
        """The library describes errors as application/json; ours are problem documents (a private method: pinned 0.47)."""
        described = {
            "description": "拒绝 / a refusal (RFC 9457)",
            "content": {problems.CONTENT_TYPE: {"schema": ProblemSchema}},
        }
        self.spec.components.response(self.DEFAULT_ERROR_RESPONSE_NAME, described, lazy=True)
        self.spec.components.response("UNPROCESSABLE_ENTITY", described, lazy=True)
        self.spec.components.response("UNPROCESSABLE_CONTENT", described, lazy=True)


def described(app: Flask) -> DescribedApi:
    """Adds the description to `app`; blueprints registered on the result appear in it."""
    app.config.update(API_TITLE=TITLE, API_VERSION=VERSION, OPENAPI_VERSION="3.1.0")
    api = DescribedApi(app)
    for access, words in _SECURITY.items():
        scheme = {"type": "http", "scheme": "bearer", "description": words}
        api.spec.components.security_scheme(access.value, scheme)
    app.extensions["greenpoints.api"] = api
    return api


def document(app: Flask) -> dict[str, Any]:
    found: dict[str, Any] = app.extensions["greenpoints.api"].spec.to_dict()
    return found


@endpoint(docs, "", access=Access.OPEN, answers={200: None})
def page() -> Response:
    response = Response(_PAGE, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = _PAGE_POLICY
    return response


@endpoint(docs, "/openapi.json", access=Access.OPEN, answers={200: None})
def openapi() -> Response:
    return answer(document(current_app))


@endpoint(docs, "/assets/<name>", access=Access.OPEN, answers={200: None})
def asset(name: str) -> Response:
    if name not in _ASSETS:
        raise problems.NotFound
    file, content_type = _ASSETS[name]
    content = _START.encode() if file is None else files("swagger_ui").joinpath("static", file).read_bytes()
    response = Response(content, content_type=f"{content_type}; charset=utf-8")
    response.headers["Cache-Control"] = "public, max-age=86400"
    return response
