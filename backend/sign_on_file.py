"""The file that names the sign-on of each city: a JSON list, read once at start."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson

FIELDS = {"city", "name", "issuer", "client_id", "client_secret_file", "redirect_url", "login_claim"}
LOCAL = frozenset({"127.0.0.1", "localhost", "::1"})


class ProvidersRefused(Exception):
    """The file is not as it must be; says where, and repeats no value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """`redirect_url` is where this console answers, as registered there; `login_claim` the claim with our sign-in name."""

    city: str
    name: str
    issuer: str
    client_id: str
    client_secret: str
    redirect_url: str
    login_claim: str


def providers_in(path: Path) -> dict[str, Provider]:
    """By city. Raises ProvidersRefused."""
    try:
        listed = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        raise ProvidersRefused("no JSON that can be read") from None
    if not isinstance(listed, list):
        raise ProvidersRefused("not a list")
    found = [_provider(each, place, path.parent) for place, each in enumerate(listed)]
    by_city = {one.city: one for one in found}
    if len(by_city) != len(found):
        raise ProvidersRefused("two for one city")
    return by_city


def fault_of_providers(path: Path) -> str | None:
    """What is wrong with the file, for the settings."""
    try:
        providers_in(path)
    except ProvidersRefused as refused:
        return str(refused)
    return None


def _provider(given: Any, place: int, folder: Path) -> Provider:
    if (
        not isinstance(given, dict)
        or given.keys() != FIELDS
        or not all(isinstance(v, str) and v for v in given.values())
    ):
        raise ProvidersRefused(f"entry {place}: needs the texts {', '.join(sorted(FIELDS))}")
    for name in ("issuer", "redirect_url"):
        parts = urlsplit(given[name])
        if parts.scheme != "https" and parts.hostname not in LOCAL:
            raise ProvidersRefused(f"entry {place}: {name} must be https")
    try:
        secret = (folder / given["client_secret_file"]).read_text().strip()
    except OSError:
        raise ProvidersRefused(f"entry {place}: client_secret_file cannot be read") from None
    values = {name: value for name, value in given.items() if name != "client_secret_file"}
    return Provider(client_secret=secret, **values)
