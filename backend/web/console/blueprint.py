"""The console's one blueprint, and what every answer of it carries."""

from collections.abc import Mapping
from types import MappingProxyType

from flask import Blueprint, Response

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""The pictures in `data:` stand in Tabler's style sheet."""
HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Content-Security-Policy": POLICY,
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
        "Referrer-Policy": "same-origin",
    }
)

console = Blueprint("console", __name__, url_prefix="/console", template_folder="templates")


@console.after_request
def guard(response: Response) -> Response:
    response.headers.update(HEADERS)
    return response
