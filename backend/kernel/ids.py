import hashlib
from typing import NewType

from uuid_utils import uuid7

CityCode = NewType("CityCode", str)
"""GB/T 2260 code of a prefecture-level city, six digits; '320100' is Nanjing."""
DeviceId = NewType("DeviceId", str)
ResidentId = NewType("ResidentId", str)
PolicyId = NewType("PolicyId", str)

NO_CITY = CityCode("000000")
"""Where a message is quarantined that no city can be named for."""


def new_id() -> str:
    """A time-ordered UUID (RFC 9562 version 7) in its canonical text form; keys sort by creation."""
    return str(uuid7())


def named_id(*parts: str) -> str:
    """The UUID that is made of `parts`, always the same: the first half of their SHA-256."""
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:32]}"
