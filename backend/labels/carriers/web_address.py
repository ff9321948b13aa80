"""A web address taken apart by hand: no exception on hostile input, hosts compared whole, nothing ever fetched."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from backend.labels.model import Confidence, Reading, Scheme, Scope, refused, supporting

_ADDRESS = re.compile(r"(?:(https?)://)?([^/?#\\\s]+)([^?#\s]*)(?:\?([^#\s]*))?(?:#\S*)?", re.IGNORECASE)
_HOST = re.compile(r"(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")
_DEFAULT_PORTS = {"http": "80", "https": "443", "": ""}
_MAX_PARAMETERS = 64
_MAX_SEGMENTS = 64
_LOOKS_LIKE = str.maketrans({"1": "l", "0": "o", "-": None, "_": None})


@dataclass(frozen=True, slots=True)
class WebAddress:
    host: str
    """Lower case, without port; '' where the authority is not a plain DNS name with a default port."""
    authority: str
    """As written, lower case; for the look-alike test only."""
    segments: tuple[str, ...]
    """Path segments, percent-decoded after the split, empty ones dropped."""
    query: Mapping[str, tuple[str, ...]]
    """Parameter in lower case -> its values, percent-decoded."""

    def only(self, parameter: str) -> str | None:
        """The value of a parameter that has one value, however often; None when absent, empty or contradictory."""
        values = set(self.query.get(parameter, ()))
        return values.pop() or None if len(values) == 1 else None

    @property
    def bare_host(self) -> str:
        return self.host.removeprefix("www.")


def taken_apart(text: str, known_hosts: frozenset[str]) -> WebAddress | None:
    """None unless it is an http(s) address, or one of a known host without its scheme."""
    match = _ADDRESS.fullmatch(text)
    if match is None:
        return None
    scheme, authority, path, query = match.groups(default="")
    authority = authority.lower()
    host = _plain_host(authority, scheme.lower())
    if not scheme and host.removeprefix("www.") not in known_hosts:
        return None
    segments = tuple(unquote(segment) for segment in path.split("/", _MAX_SEGMENTS) if segment)
    return WebAddress(host, authority, segments, _parameters(query))


def _plain_host(authority: str, scheme: str) -> str:
    host, _, port = authority.partition(":")
    host = host.removesuffix(".")
    return host if port in {"", _DEFAULT_PORTS[scheme]} and _HOST.fullmatch(host) else ""


def _parameters(query: str) -> dict[str, tuple[str, ...]]:
    parameters: dict[str, tuple[str, ...]] = {}
    for pair in query.split("&")[:_MAX_PARAMETERS]:
        name, _, value = pair.partition("=")
        name = unquote(name).lower()
        parameters[name] = (*parameters.get(name, ()), unquote(value))
    return parameters


def imitates(address: WebAddress, known_hosts: frozenset[str]) -> bool:
    """A known host's name inside another one, or spelled with look-alike characters, or before an @."""
    if address.bare_host in known_hosts or address.host in known_hosts:
        return False
    seen = address.authority.translate(_LOOKS_LIKE)
    return any(known.translate(_LOOKS_LIKE) in seen for known in known_hosts)


def registry_page(address: WebAddress) -> Reading:
    """A page of a configured certificate host without a number of its own: the registry may know the page."""
    canonical = key_of(address).removeprefix("url:")
    parts = {"host": address.host}
    return supporting(Scheme.URL, canonical, Scope.LICENCE, Confidence.REVIEW, ("registry_page",), parts)


def stranger(address: WebAddress, *warnings: str) -> Reading:
    parts = {"host": address.host} if address.host else {}
    return refused(Scheme.URL, *warnings, key=key_of(address), parts=parts)


def key_of(address: WebAddress) -> str:
    """Host and a digest of path and parameters, so that no token or name inside an address is kept."""
    query = sorted((name, value) for name, values in address.query.items() for value in values)
    canonical = json.dumps([address.host or address.authority, address.segments, query])
    digest = hashlib.sha256(canonical.encode("ascii")).hexdigest()
    return f"url:{address.host or 'unknown'}:{digest[:32]}"
