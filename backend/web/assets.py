"""Files that pages are made of, ours and those of others, read once; a name that is not among them is not there."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
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
INSTALLED = Path(__file__).resolve().parent / "node_modules"
"""Put there by set-up (npm), never under version control."""


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
    """Those of ours: what a page needs to start."""


def collected(own: Traversable, of_others: Mapping[str, Path]) -> Assets:
    """All files below `own`, and of those of others what is installed, by the name that a page asks for."""
    ours = dict(_below(own, ""))
    content = ours | {name: place.read_bytes() for name, place in of_others.items() if place.is_file()}
    digest = hashlib.sha256()
    for name in sorted(content):
        digest.update(name.encode() + b"\0" + hashlib.sha256(content[name]).digest())
    found = {name: Asset(body, KINDS[Path(name).suffix]) for name, body in content.items()}
    return Assets(digest.hexdigest()[:16], MappingProxyType(found), tuple(sorted(ours)))


def _below(folder: Traversable, prefix: str) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for entry in folder.iterdir():
        name = f"{prefix}{entry.name}"
        if entry.is_dir():
            found += _below(entry, f"{name}/")
        elif Path(name).suffix in KINDS:
            found.append((name, entry.read_bytes()))
    return found
