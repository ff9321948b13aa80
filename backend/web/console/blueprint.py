"""The console's two blueprints, the city's and the shops', and what every answer of them carries."""

from collections.abc import Mapping
from types import MappingProxyType

from flask import Blueprint, Response

from backend.officials.model import Side

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

console = Blueprint(Side.CITY.value, __name__, url_prefix="/console")
shop = Blueprint(Side.SHOP.value, __name__, url_prefix="/shop")
SIDES: Mapping[Side, Blueprint] = MappingProxyType({Side.CITY: console, Side.SHOP: shop})


@console.after_request
@shop.after_request
def guard(response: Response) -> Response:
    response.headers.update(HEADERS)
    return response
