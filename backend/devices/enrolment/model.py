from datetime import datetime, timedelta
from typing import NamedTuple

CLAIM_VALIDITY = timedelta(hours=24)
OLD_KEY_VALIDITY = timedelta(days=30)
"""How long the key before is good when no message by the new one comes: a till that lost the answer goes on with it."""
KEYS_MAX = 4
"""Keys of a device that are good at a time; a till that rotates and never uses what it got is broken."""


class Claim(NamedTuple):
    """A slot in a shop that one till may take, once. `keys_sha256`: of the till that took it."""

    city: str
    store: str
    device: str
    issued_at: datetime
    expires_at: datetime
    superseded: bool
    keys_sha256: bytes | None


class TillKeys(NamedTuple):
    """Public halves of what a till made for itself: `csr_der` holds the key of its certificate, `signing` 32 bytes."""

    csr_der: bytes
    signing: bytes


class Issued(NamedTuple):
    """A certificate as it was given out; the same keys get the same one again."""

    device: str
    key_id: str
    certificate: str
    not_after: datetime
