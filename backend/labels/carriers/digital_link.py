"""GS1 Digital Link (GS1 Digital Link Standard: URI Syntax): any host may carry one, the identifiers alone count."""

from collections.abc import Iterator

from backend.labels.carriers import element_strings
from backend.labels.carriers.gtin import LENGTHS
from backend.labels.carriers.identifiers import IDENTIFIERS, fits
from backend.labels.carriers.web_address import WebAddress, stranger
from backend.labels.model import Confidence, Reading
from backend.labels.trust import Trust

_NAMES = {
    "gtin": "01", "itip": "8006", "gmn": "8013", "cpid": "8010", "gln": "414", "payto": "415", "glnprod": "416",
    "party": "417", "gsrnp": "8017", "gsrn": "8018", "gcn": "255", "sscc": "00", "gdti": "253", "ginc": "401",
    "gsin": "402", "grai": "8003", "giai": "8004", "cpv": "22", "lot": "10", "ser": "21", "cpsn": "8011",
    "glnx": "254", "refno": "8020", "srin": "8019", "exp": "17",
}  # fmt: skip
"""Words in place of numbers; dropped from the standard with version 1.3, still printed on goods."""
_PRIMARY = frozenset(
    "01 8006 8013 8010 414 417 8017 8018 255 00 253 401 402 8003 8004".split()  # noqa: SIM905 - as GS1 lists them
)
_SHORTEST_VALUE = 4


def read(address: WebAddress, trust: Trust) -> Reading | None:
    """None when no part of the path can be a GS1 key; a wrong check digit is a reading without a key."""
    confidence = Confidence.CERTAIN if address.bare_host in trust.gs1_hosts else Confidence.LIKELY
    path = _from_first_key(address.segments)
    if path:
        elements = element_strings.from_pairs([*_pairs(path), *_query(address)])
        return element_strings.identified(elements, confidence)
    if address.bare_host in trust.gs1_hosts and address.segments:
        return stranger(address, "digital_link_compressed")
    return None


def _from_first_key(segments: tuple[str, ...]) -> tuple[str, ...]:
    """The end of the path that begins with a primary key and a value that fits it; empty when there is none."""
    for at, segment in enumerate(segments[:-1]):
        identifier, value = _number(segment), segments[at + 1]
        if identifier in _PRIMARY and len(value) >= _SHORTEST_VALUE and fits(identifier, _padded(identifier, value)):
            return segments[at:]
    return ()


def _pairs(path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    names = [_number(segment) for segment in path[::2]]
    values = [*path[1::2], ""] if len(path) % 2 else path[1::2]
    for identifier, value in zip(names, values, strict=True):
        yield identifier, _padded(identifier, value)


def _query(address: WebAddress) -> Iterator[tuple[str, str]]:
    """Attributes; parameters that are no identifiers belong to the brand and are ignored."""
    for name, values in address.query.items():
        identifier = _number(name)
        if identifier in IDENTIFIERS:
            for value in values:
                yield identifier, _padded(identifier, value)


def _number(name: str) -> str:
    return _NAMES.get(name.lower(), name)


def _padded(identifier: str, value: str) -> str:
    """GTINs of 8, 12 and 13 digits stand in addresses unpadded."""
    return value.zfill(14) if identifier == "01" and len(value) in LENGTHS else value
