"""The console's style, its scripts and those of others, served from here alone."""

from functools import cache
from importlib.resources import files

from flask import Response

from backend.web.assets import INSTALLED, Assets, collected
from backend.web.auth import Access, guarded
from backend.web.console.blueprint import console
from backend.web.problems import NotFound

KEPT = "public, max-age=31536000, immutable"
ASKED_ANEW = "no-cache"
_OF_OTHERS = {
    "tabler.css": INSTALLED / "@tabler/core/dist/css/tabler.min.css",
    "htmx.js": INSTALLED / "htmx.org/dist/htmx.min.js",
    "echarts.js": INSTALLED / "echarts/dist/echarts.common.min.js",
}


@cache
def assets() -> Assets:
    return collected(files(__package__) / "static", _OF_OTHERS)


def url(name: str) -> str:
    return f"/console/assets/{assets().version}/{name}"


@console.route("/assets/<version>/<path:name>")
@guarded(Access.OPEN)
def asset(version: str, name: str) -> Response:
    """A page that is open while the server is renewed asks by an old version: it gets what there is, not to be kept."""
    found = assets().found.get(name)
    if found is None:
        raise NotFound
    response = Response(found.content, content_type=found.kind)
    response.headers["Cache-Control"] = KEPT if version == assets().version else ASKED_ANEW
    return response
