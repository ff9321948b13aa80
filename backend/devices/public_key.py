"""A till's public key as operators hand it over: PEM, 32 raw bytes, or those in base64."""

import base64
import binascii

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from backend.kernel.errors import DomainError

RAW_BYTES = 32
FILE_BYTES_MAX = 4_096


class NoPublicKey(DomainError):
    code = "no-public-key"
    text_zh = "文件不是 Ed25519 公钥（PEM、32 字节或其 base64）。"
    text_en = "The file holds no Ed25519 public key (PEM, 32 raw bytes, or those in base64)."


def raw_public_key(content: bytes) -> bytes:
    """The 32 bytes of the key. Raises NoPublicKey, also for a private key: that one must never leave its till."""
    if b"-----BEGIN" in content:
        return _from_pem(content)
    if len(content) == RAW_BYTES:
        return content
    try:
        raw = base64.b64decode(content.strip(), validate=True)
    except binascii.Error:
        raise NoPublicKey from None
    if len(raw) != RAW_BYTES:
        raise NoPublicKey
    return raw


def _from_pem(content: bytes) -> bytes:
    try:
        key = load_pem_public_key(content)
    except (ValueError, UnsupportedAlgorithm):
        raise NoPublicKey from None
    if not isinstance(key, Ed25519PublicKey):
        raise NoPublicKey
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)
