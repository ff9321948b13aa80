import re
from datetime import datetime
from typing import NamedTuple

DEVICE = re.compile(r"(?!bridge)[a-z0-9-]{8,40}")
"""A till's id. A broker reads `bridge` at the head of a topic as its own."""


class Retired(NamedTuple):
    """A key that is good no more, and since when."""

    public_key: bytes
    at: datetime


class KnownDevice(NamedTuple):
    """A device as enrolled, with every public key that it may sign with, by key id. `retiring`: those that end when
    another is used; `retired`: those that have ended.
    """

    device: str
    city: str
    store: str
    district: str
    active: bool
    keys: dict[str, bytes]
    retiring: set[str]
    retired: dict[str, Retired]
