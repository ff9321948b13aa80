"""A note that only its own person can have opened: its key is made from their outside identity and is stored nowhere."""

import hmac

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12
_NAME, _KEY = b"greenpoints left: name", b"greenpoints left: key"


def name_of(key: bytes, identity: bytes) -> bytes:
    """Where the note of a person lies. `identity` is the keyed hash of the outside identity, `key` the installation's."""
    return hmac.digest(key, _NAME + identity, "sha256")


def seal(key: bytes, identity: bytes, note: bytes, nonce: bytes) -> bytes:
    return nonce + AESGCM(hmac.digest(key, _KEY + identity, "sha256")).encrypt(nonce, note, name_of(key, identity))


def unseal(key: bytes, identity: bytes, sealed: bytes) -> bytes:
    """Raises InvalidTag where it is another person's, or was changed."""
    opened = AESGCM(hmac.digest(key, _KEY + identity, "sha256"))
    return opened.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], name_of(key, identity))
