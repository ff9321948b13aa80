"""A basket's id, made from what identifies it: the same basket has the same id wherever and whenever it is read."""

import hashlib
from functools import lru_cache
from uuid import UUID

SEQ_MAX = 2**48 - 1
_PHONE = "p-"


def basket_id(device: str, stream: str, seq: int) -> str:
    """80 bits of SHA-256 over device and stream, then 48 bits of `seq`; `stream` in any UUID spelling.

    So one key serves as idempotency key and as reference of postings, and the baskets of one till lie together in every
    index. Two streams of a city collide once in 10^14 for a hundred thousand tills; then the second is quarantined.
    """
    return f"{_prefix(device, stream)}-{seq:012x}"


def phone_of(resident: str) -> str:
    """The device under which a resident's phone reads."""
    return f"{_PHONE}{resident}"


def owner_of(phone: str) -> str:
    """The resident whose phone a device is."""
    return phone.removeprefix(_PHONE)


@lru_cache(maxsize=4096)
def _prefix(device: str, stream: str) -> str:
    digest = hashlib.sha256(f"{device}\0{UUID(stream)}".encode()).digest()[:10]
    return str(UUID(bytes=digest + bytes(6)))[:23]
