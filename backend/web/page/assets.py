"""The page's own files and those of others that it serves, read once; a name that is not among them is not there."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from types import MappingProxyType

KINDS: Mapping[str, str] = MappingProxyType(
    {
        ".css": "text/css; charset=utf-8",
        ".js": "text/javascript; charset=utf-8",
        ".png": "image/png",
        ".svg": "image/svg+xml",
        ".wasm": "application/wasm",
    }
)
_READER = Path(__file__).resolve().parents[1] / "node_modules" / "zxing-wasm" / "dist"
_OF_OTHERS: Mapping[str, str] = MappingProxyType(
    {
        "zxing/reader/index.js": "es/reader/index.js",
        "zxing/share.js": "es/share.js",
        "zxing/zxing_reader.wasm": "reader/zxing_reader.wasm",
    }
)
"""Put there by set-up (npm); without them a browser that cannot read codes itself is offered photo and typing."""


@dataclass(frozen=True, slots=True)
class Asset:
    content: bytes
    kind: str


@dataclass(frozen=True, slots=True)
class Assets:
    """`version` names this very content, so that a browser may keep it for ever."""

    version: str
    found: Mapping[str, Asset]
    shell: tuple[str, ...]
    """What the page needs to start; all else is fetched when it is used."""


@cache
def assets() -> Assets:
    own = dict(_below(files(__package__) / "static", ""))
    others = {name: (_READER / place).read_bytes() for name, place in _OF_OTHERS.items() if (_READER / place).is_file()}
    content = own | others
    digest = hashlib.sha256()
    for name in sorted(content):
        digest.update(name.encode() + b"\0" + hashlib.sha256(content[name]).digest())
    found = {name: Asset(body, KINDS[Path(name).suffix]) for name, body in content.items()}
    return Assets(digest.hexdigest()[:16], MappingProxyType(found), tuple(sorted(own)))


def _below(folder: Traversable, prefix: str) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for entry in folder.iterdir():
        name = f"{prefix}{entry.name}"
        if entry.is_dir():
            found += _below(entry, f"{name}/")
        elif Path(name).suffix in KINDS:
            found.append((name, entry.read_bytes()))
    return found
