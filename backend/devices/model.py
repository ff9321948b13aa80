import re
from typing import NamedTuple

DEVICE = re.compile(r"(?!bridge)[a-z0-9-]{8,40}")
"""A till's id. A broker reads `bridge` at the head of a topic as its own."""


class KnownDevice(NamedTuple):
    """A device as enrolled, with every public key that it may sign with, by key id. `retiring`: those that end when
    another is used.
    """

    device: str
    city: str
    store: str
    district: str
    active: bool
    keys: dict[str, bytes]
    retiring: set[str]
