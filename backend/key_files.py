"""Keys that an installation gives by file."""

import base64
import binascii
from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import Certificate, load_pem_x509_certificates

KEY_BYTES = 32


def signing_key(path: Path) -> Ed25519PrivateKey:
    """The Ed25519 private key in a file: PKCS#8 PEM, or 32 bytes raw or in base64. Raises ValueError."""
    content = path.read_bytes()
    if b"PRIVATE KEY" in content:
        key = load_pem_private_key(content, password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise ValueError("not an Ed25519 key")
        return key
    return Ed25519PrivateKey.from_private_bytes(_raw(content))


def secret_key(path: Path) -> bytes:
    """At least 32 bytes of a secret file, as they stand but for a final newline. Raises ValueError."""
    content = path.read_bytes().removesuffix(b"\n")
    if len(content) < KEY_BYTES:
        raise ValueError("shorter than 32 bytes")
    return content


def authority_key(path: Path) -> EllipticCurvePrivateKey:
    """The P-256 private key in a PEM file. Raises ValueError."""
    key = load_pem_private_key(path.read_bytes(), password=None)
    if isinstance(key, EllipticCurvePrivateKey) and isinstance(key.curve, SECP256R1):
        return key
    raise ValueError("not a P-256 key")


def certificate_chain(path: Path) -> tuple[Certificate, ...]:
    """The certificates in a PEM file, the issuer's first. Raises ValueError."""
    return tuple(load_pem_x509_certificates(path.read_bytes()))


def pair_fault(chain: Path | None, key: Path | None) -> str | None:
    """Why the two do not make an authority, in both languages; None when they do, or when neither is given."""
    if chain is None or key is None:
        return None if chain is key else "证书与私钥须同时给出 / certificate and key go together"
    fault = fault_of(chain, certificate_chain) or fault_of(key, authority_key)
    if fault is None and certificate_chain(chain)[0].public_key() != authority_key(key).public_key():
        return "证书与私钥不配 / the key is not the certificate's"
    return fault


def secret_text(path: Path) -> str:
    """One line of ASCII without spaces: another's secret, as it was given to us. Raises ValueError."""
    text = path.read_bytes().strip().decode("ascii")
    if not text or any(character.isspace() for character in text):
        raise ValueError("not one word")
    return text


def fault_of(path: Path, read: Callable[[Path], object]) -> str | None:
    """Why `read` cannot take the file, in both languages, without a word of what it holds; None when it can."""
    try:
        read(path)
    except OSError as error:
        return f"无法读取 / cannot be read ({error.strerror})"
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return "内容不是所需的密钥 / does not hold the key that is needed"
    return None


def _raw(content: bytes) -> bytes:
    if len(content) == KEY_BYTES:
        return content
    try:
        return base64.b64decode(content.strip(), validate=True)
    except binascii.Error:
        raise ValueError("neither PEM nor 32 bytes") from None
