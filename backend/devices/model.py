from typing import NamedTuple


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
