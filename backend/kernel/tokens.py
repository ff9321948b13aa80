import hashlib


def token_hash(token: str) -> bytes:
    """SHA-256 of a bearer token, which alone is stored. A token is 256 random bits: nothing is gained by a slow hash."""
    return hashlib.sha256(token.encode()).digest()
