"""The page's own files and those of others that it serves, read once."""

from functools import cache
from importlib.resources import files

from backend.web.assets import INSTALLED, Assets, collected

_READER = INSTALLED / "zxing-wasm" / "dist"
_OF_OTHERS = {
    "zxing/reader/index.js": _READER / "es/reader/index.js",
    "zxing/share.js": _READER / "es/share.js",
    "zxing/zxing_reader.wasm": _READER / "reader/zxing_reader.wasm",
}
"""Without them a browser that cannot read codes itself is offered photo and typing."""


@cache
def assets() -> Assets:
    return collected(files(__package__) / "static", _OF_OTHERS)
