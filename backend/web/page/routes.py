"""The shell of the phone page and what it is made of. Open to all: nothing here is about a person."""

from collections.abc import Mapping
from types import MappingProxyType

from flask import Response, render_template
from flask_smorest import Blueprint

from backend.web.auth import Access
from backend.web.endpoint import answer, endpoint
from backend.web.page.assets import assets
from backend.web.problems import NotFound

KEPT = "public, max-age=31536000, immutable"
ASKED_ANEW = "no-cache"
POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "media-src 'self' blob:; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types greenpoints"
)
"""The reader of codes is WebAssembly; the one trusted address of a script is that of the worker."""
HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Content-Security-Policy": POLICY,
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
        "Referrer-Policy": "no-referrer",
    }
)

page = Blueprint("page", __name__, url_prefix="/m", template_folder="templates")


@endpoint(page, "/", access=Access.OPEN, answers={200: None})
def chinese() -> Response:
    return _shell("zh-CN")


@endpoint(page, "/en", access=Access.OPEN, answers={200: None})
def english() -> Response:
    return _shell("en")


@endpoint(page, "", access=Access.OPEN, answers={308: None})
def without_slash() -> Response:
    return Response(status=308, headers={"Location": "/m/"})


@endpoint(page, "/assets/<version>/<path:name>", access=Access.OPEN, answers={200: None})
def asset(version: str, name: str) -> Response:
    """A page that is open while the server is renewed asks by an old version: it gets what there is, not to be kept."""
    found = assets().found.get(name)
    if found is None:
        raise NotFound
    return _sent(found.content, found.kind, KEPT if version == assets().version else ASKED_ANEW)


@endpoint(page, "/sw.js", access=Access.OPEN, answers={200: None})
def worker() -> Response:
    """Keeps the shell for a phone without a network; of what the API answers it keeps nothing."""
    text = render_template("sw.js", version=assets().version, shell=[_url(name) for name in assets().shell])
    return _sent(text.encode(), "text/javascript; charset=utf-8", ASKED_ANEW)


@endpoint(page, "/manifest.webmanifest", access=Access.OPEN, answers={200: None})
def manifest() -> Response:
    icons = [
        {"src": _url("icon-192.png"), "sizes": "192x192", "type": "image/png", "purpose": "any"},
        {"src": _url("icon-512.png"), "sizes": "512x512", "type": "image/png", "purpose": "any"},
        {"src": _url("icon-512.png"), "sizes": "512x512", "type": "image/png", "purpose": "maskable"},
    ]
    shortcuts = [{"name": "会员码", "url": "/m/#/code"}, {"name": "扫一扫", "url": "/m/#/scan"}]
    said = answer(
        {
            "id": "/m/",
            "name": "绿色积分",
            "short_name": "绿色积分",
            "description": "买绿色认证商品，得积分。",
            "lang": "zh-CN",
            "start_url": "/m/",
            "scope": "/m/",
            "display": "standalone",
            "orientation": "portrait",
            "background_color": "#f4f7f4",
            "theme_color": "#0f6b3a",
            "icons": icons,
            "shortcuts": shortcuts,
        }
    )
    said.content_type = "application/manifest+json"
    said.headers["Cache-Control"] = ASKED_ANEW
    return said


def _shell(language: str) -> Response:
    text = render_template(
        "shell.html",
        language=language,
        say=lambda zh, en: en if language == "en" else zh,
        other="/m/" if language == "en" else "/m/en",
        version=assets().version,
        url=_url,
    )
    return _sent(text.encode(), "text/html; charset=utf-8", ASKED_ANEW)


def _sent(content: bytes, kind: str, keep: str) -> Response:
    response = Response(content, content_type=kind)
    response.headers.update(HEADERS)
    response.headers["Cache-Control"] = keep
    return response


def _url(name: str) -> str:
    return f"/m/assets/{assets().version}/{name}"
