"""An open id at rest: only a process with the key of identities can send to it."""

import hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12


class WrongKey(Exception):
    """Sealed with another key of identities: nothing can be sent to it."""


def seal(identity_key: bytes, open_id: str, nonce: bytes) -> bytes:
    """`nonce`: 12 random bytes."""
    return nonce + AESGCM(_key(identity_key)).encrypt(nonce, open_id.encode(), None)


def unseal(identity_key: bytes, sealed: bytes) -> str:
    """Raises WrongKey."""
    nonce, content = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
    try:
        return AESGCM(_key(identity_key)).decrypt(nonce, content, None).decode()
    except InvalidTag:
        raise WrongKey from None


def _key(identity_key: bytes) -> bytes:
    return hmac.digest(identity_key, b"open ids of notices", "sha256")
